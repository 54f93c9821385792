"""The image and its compose file name what there is: files, commands, paths."""

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import yaml

from bot.cli.config_option import VARIABLE
from bot.cli.main import COMMANDS
from bot.model.database_address import PASSWORD_VARIABLE
from bot.service.app import POLL_PATIENCE, SEND_PATIENCE
from bot.text.duration import parse_duration

ROOT = Path(__file__).resolve().parents[2]
IMAGE = (ROOT / "Containerfile").read_text("utf-8").replace("\\\n", " ")


def instructions(name: str) -> list[str]:
    return re.findall(rf"^{name} (.+)$", IMAGE, re.MULTILINE)


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    copied = [
        source
        for line in instructions("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()

    assert ignored[0] == "*"
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, kept[1:]) for kept in ignored if kept[0] == "!"), source


def test_it_runs_as_a_user_of_its_own_and_asks_for_its_health() -> None:
    assert instructions("USER") == ["newsbell"]
    assert instructions("VOLUME") == ["/data"]
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["newsbell"]
    program, command = json.loads(instructions("HEALTHCHECK")[0].partition(" CMD ")[2])
    assert (program, command in COMMANDS) == ("newsbell", True)
    assert json.loads(instructions("CMD")[-1])[0] in COMMANDS
    assert f"{VARIABLE}=/data/feeds.yaml" in IMAGE


def test_the_nodes_of_the_cluster_run_as_a_single_newsbell_does() -> None:
    alone = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["newsbell"]
    cluster = yaml.safe_load((ROOT / "compose.cluster.yaml").read_text("utf-8"))["services"]

    for name in ("node", "second"):
        for key in ("image", "build", "user", "stop_grace_period", "read_only", "cap_drop"):
            assert cluster[name][key] == alone[key]
        assert PASSWORD_VARIABLE in cluster[name]["environment"]


def test_compose_mounts_the_volume_and_gives_sends_their_time() -> None:
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["newsbell"]

    assert [volume.partition(":")[2] for volume in service["volumes"]] == instructions("VOLUME")
    assert (ROOT / service["build"]["dockerfile"]).exists()
    stop = parse_duration(service["stop_grace_period"]).total_seconds()
    assert stop > POLL_PATIENCE + SEND_PATIENCE
