"""`make soak`: its parts exist, are listed, and are ended at their limit."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.soak import PARTS, Part, environment, run

ROOT = Path(__file__).resolve().parents[3]


def soak(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.soak", *arguments]
    return subprocess.run(  # noqa: S603 (our own module)
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_list_names_every_part_and_its_limit() -> None:
    lines = soak("--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(PARTS)
    assert all("at most" in line for line in lines)


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_what_a_part_runs_exists(part: Part) -> None:
    files = [argument for argument in part.arguments if argument.startswith("tests/")]
    modules = [argument for argument in part.arguments if argument.startswith("bench.")]
    assert files or modules
    assert all((ROOT / file).exists() for file in files)
    assert all((ROOT / f"{module.replace('.', '/')}.py").is_file() for module in modules)


def test_all_of_every_sample_is_in_a_part() -> None:
    taken = {argument for part in PARTS.values() for argument in part.arguments}
    sampling = (
        file.relative_to(ROOT)
        for file in (ROOT / "tests").rglob("test_*.py")
        if re.search(
            "^from sampling import .*(amount|examples|share|SOAK)",
            file.read_text("utf-8"),
            re.MULTILINE,
        )
    )
    missing = [file for file in sampling if not taken & {str(file), *map(str, file.parents)}]
    assert missing == []


def test_an_unknown_part_is_refused_with_the_names_of_all() -> None:
    ended = soak("everything")
    assert ended.returncode == 2
    assert "no part everything; there are crash," in ended.stderr


def test_a_part_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    child = f"import time; time.sleep(2); open({str(tmp_path / 'alive')!r}, 'w')"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    began = time.monotonic()
    assert run(Part("sleeps", ("-c", parent), 1), 0.01) is False
    assert time.monotonic() - began < 2
    time.sleep(2.5 - (time.monotonic() - began))
    assert not (tmp_path / "alive").exists()


def test_a_part_passes_or_fails_by_its_exit_code() -> None:
    program = "import os, sys; sys.exit(os.environ['SOAK'] != '1' or not int(os.environ['SEED']))"
    assert run(Part("passes", ("-c", program), 1), 1) is True
    assert run(Part("fails", ("-c", "raise SystemExit(3)"), 1), 1) is False


def test_a_seed_of_the_caller_is_kept_but_everything_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEED", "3")
    monkeypatch.setenv("SOAK", "0")
    variables = environment(Part("any", (), 1))
    assert (variables["SEED"], variables["SOAK"]) == ("3", "1")
    assert environment(Part("own", (), 1, {"ENGINE": "postgres"}))["ENGINE"] == "postgres"
