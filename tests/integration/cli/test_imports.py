"""What commands leave alone that they do not need: it would take most of the time of a start."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import config_text, newsbell

ROOT = Path(__file__).resolve().parents[3]
SHOW = """
import sys
from bot.__main__ import main
try:
    main()
finally:
    print(*sys.modules)
"""
#: what logs, polls, and reads queries of all kinds
HEAVY = {"aiohttp", "asyncio", "lark", "rich", "structlog", "telegram"}


def imported(*arguments: str) -> set[str]:
    ended = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", SHOW, *arguments], cwd=ROOT, capture_output=True, check=True
    )
    return set(ended.stdout.decode().splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--help",), ("check", "feeds.yaml")])
def test_what_is_not_needed_is_not_imported(arguments: tuple[str, ...]) -> None:
    assert not imported(*arguments) & HEAVY


async def test_a_check_beside_a_database_logs_nothing_either(tmp_path: Path) -> None:
    """Where something logged, its lines would be on standard output."""
    async with newsbell(tmp_path, config_text(["https://harbour.example/rss.xml"])):
        pass
    assert "structlog" not in imported("check", str(tmp_path / "feeds.yaml"))
