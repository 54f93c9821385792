"""What stands around the code: the steps of the check, the hooks, the subjects of commits."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bench.soak import PARTS

ROOT = Path(__file__).resolve().parents[2]


def steps() -> list[str]:
    """The steps of the check, as the script lists them."""
    match = re.search(r"^STEPS=\((.*)\)$", (ROOT / "check").read_text("utf-8"), re.MULTILINE)
    assert match
    return match.group(1).split()


def table(heading: str) -> list[str]:
    """The first column of the first table below a heading of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition(f"\n## {heading}\n")[2]
    rows = text[text.index("\n|") :].split("\n\n")[0].strip().splitlines()[2:]
    return [row.split("|")[1].strip(" `") for row in rows]


def test_the_guide_names_every_step_of_the_check_in_order() -> None:
    assert table("The check") == steps()


def test_the_guide_names_every_part_of_the_soak_with_what_it_does() -> None:
    assert table("Long runs") == list(PARTS)
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert [part.about for part in PARTS.values() if f"| {part.about} |" not in text] == []


def test_every_hook_runs_a_step_of_the_check_or_reads_the_subject() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    for hook in hooks:
        program, argument = hook["entry"].split()
        assert (program == "./check" and argument in steps()) or (
            argument == ".ci/commit_subjects.py" and (ROOT / argument).is_file()
        )


def test_an_unknown_step_is_refused_before_anything_runs() -> None:
    ended = subprocess.run(  # noqa: S603 (our own script)
        [str(ROOT / "check"), "nonsense"],
        env={"BIN": str(Path(sys.executable).parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("no step nonsense; there are: ")


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("Take one copy of each", ""),
        ("A" * 72, ""),
        ("A" * 73, "73 characters, 72 are allowed"),
        ("take one copy", "it has to begin with a capital"),
        ("Take one copy.", "no full stop at its end"),
        ("", "it has to begin with a capital"),
        ("fixup! take one copy", ""),
        ("Prüfe die Länge in Zeichen, nicht in Bytes, denn „ä“ zählt als ein Zeichen", "74"),
    ],
)
def test_the_subject_of_a_commit_is_short_and_an_imperative(
    subject: str, reason: str, tmp_path: Path
) -> None:
    message = tmp_path / "message"
    message.write_text(f"{subject}\n\nThe body is of any width.\n", encoding="utf-8")
    ended = subprocess.run(  # noqa: S603 (our own script)
        [sys.executable, str(ROOT / ".ci" / "commit_subjects.py"), str(message)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == (1 if reason else 0)
    assert reason in ended.stderr
