"""`newsbell init` writes a first feeds.yaml that is valid, and changes nothing that is there."""

import json
import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.cli.main import main
from bot.cli.schema import schema_text
from bot.config.load import load
from bot.config.starter import starter

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "123456:" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r"


def invoke(folder: Path, *arguments: str, **environment: str) -> Result:
    with chdir(folder):
        return CliRunner().invoke(
            main,
            arguments,
            env={"NEWSBELL_CONFIG": None, "TELEGRAM_BOT_TOKEN": None, **environment},
            catch_exceptions=False,
        )


def answered(folder: Path, *lines: str) -> str:
    """Run `newsbell init` at a terminal on which somebody writes these lines."""
    person, terminal = os.openpty()
    os.write(person, "".join(f"{line}\n" for line in lines).encode())
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "bot", "init"],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TZ": "Europe/Kyiv"},
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        os.close(person)
        os.close(terminal)
    return ended.stdout


@pytest.mark.parametrize("topic", starter().topics)
def test_the_file_of_each_topic_is_valid(tmp_path: Path, topic: str) -> None:
    written = invoke(tmp_path, "init", "--timezone", "UTC", "--topic", topic)
    config = load(tmp_path / "feeds.yaml", {})

    assert written.exit_code == 0
    assert config.declared.feeds
    assert config.settings.timezone == "UTC"
    assert all(topic in feed.tags for feed in config.declared.feeds)
    assert config.warnings == ()


def test_check_passes_what_init_wrote_and_editors_find_the_schema(tmp_path: Path) -> None:
    invoke(tmp_path, "init", "--timezone", "UTC", "--topic", "world")
    first = (tmp_path / "feeds.yaml").read_text("utf-8").splitlines()[0]

    assert invoke(tmp_path, "check").exit_code == 0
    assert first == "# yaml-language-server: $schema=feeds.schema.json"
    assert (tmp_path / "feeds.schema.json").read_text("utf-8") == schema_text()


def test_what_is_no_topic_is_a_query_and_a_slip_is_told(tmp_path: Path) -> None:
    query = 'O\'Brien AND "cape lorne"'
    invoke(tmp_path, "init", "--topic", "Tech", "--topic", query)
    slip = invoke(tmp_path, "init", "other", "--topic", "wrold")
    broken = invoke(tmp_path, "init", "other", "--topic", "(radar")

    subscriptions = load(tmp_path / "feeds.yaml", {}).declared.subscriptions
    assert [item.query for item in subscriptions][1:] == [query]
    assert (slip.exit_code, slip.stderr) == (
        2,
        "There is no topic 'wrold'; did you mean world?\n",
    )
    assert broken.exit_code == 2
    assert not (tmp_path / "other").exists()


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("feeds: []\n", encoding="utf-8")
    result = invoke(tmp_path, "init")

    assert result.exit_code == 1
    assert result.stderr.startswith("There is a feeds.yaml already")
    assert (tmp_path / "feeds.yaml").read_text("utf-8") == "feeds: []\n"
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.yaml"]


def test_a_token_file_is_named_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    (tmp_path / "token").chmod(0o600)
    invoke(tmp_path, "init", "--token-file", "token")
    invoke(tmp_path, "init", "below", "--token-file", "token", "--timezone", "Berlin")

    here = yaml.safe_load((tmp_path / "feeds.yaml").read_text("utf-8"))["settings"]
    below = load(tmp_path / "below" / "feeds.yaml", {})
    assert here["telegram"] == {"token_file": "token"}
    assert below.token is not None
    assert below.settings.timezone == "Europe/Berlin"


def test_the_variable_names_the_file_that_is_written(tmp_path: Path) -> None:
    result = invoke(tmp_path, "init", NEWSBELL_CONFIG="data/other.yaml")

    assert result.exit_code == 0
    assert load(tmp_path / "data" / "other.yaml", {}).declared.feeds
    assert "`newsbell check`" in result.stdout
    assert "`newsbell -c a/feeds.yaml check`" in invoke(tmp_path, "init", "a").stdout


def test_at_a_terminal_three_questions_are_asked_and_asked_again(tmp_path: Path) -> None:
    out = answered(tmp_path, "my token", TOKEN, "Atlantis", "", "tehc", "tech, radar")

    config = load(tmp_path / "feeds.yaml", {})
    assert config.token is not None
    assert (tmp_path / "bot-token").stat().st_mode & 0o777 == 0o600
    assert config.settings.timezone == "Europe/Kyiv"
    assert [item.query for item in config.declared.subscriptions][-1] == "radar"
    for said in ("does not look like a token", "no time zone 'Atlantis'", "did you mean tech?"):
        assert said in out


def test_the_feeds_to_choose_from_are_those_of_the_sample_file() -> None:
    sample = yaml.safe_load((ROOT / "feeds.yaml").read_text("utf-8"))
    stock = starter()

    assert list(stock.feeds) == sample["feeds"]
    assert json.loads(json.dumps(stock.names)) == sample["names"]
    assert {query["query"] for query in stock.queries} == {
        item["query"] for item in sample["subscriptions"]
    }
