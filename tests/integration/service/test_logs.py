"""A log line: an event with its fields and bound ids, as JSON or for a terminal, no secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from aiohttp.http_exceptions import BadStatusLine, InvalidURLError
from structlog.contextvars import bound_contextvars

from bot.service import logs

log = structlog.stdlib.get_logger("newsbell.test")
SECRET = 'Bearer "swördfish"'


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def set_up(*, as_json: bool, verbose: bool = False) -> io.StringIO:
    stream = io.StringIO()
    logs.set_up(secrets=(SECRET,), stream=stream, as_json=as_json, verbose=verbose)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_json_line_has_the_event_its_fields_and_the_bound_ids() -> None:
    stream = set_up(as_json=True)
    with bound_contextvars(update_id=7):
        log.error("commit_failed", feed_id=3, error="the disk is full")

    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "commit_failed",
        "feed_id": 3,
        "error": "the disk is full",
        "update_id": 7,
        "level": "error",
        "logger": "newsbell.test",
    }


def test_a_terminal_line_has_the_event_and_its_fields() -> None:
    stream = set_up(as_json=False)
    log.info("config_reloaded", file="feeds.yaml", changes="feeds added: Harbour News")

    line = stream.getvalue()
    assert "config_reloaded" in line
    assert line.rstrip().endswith("file=feeds.yaml changes='feeds added: Harbour News'")


def test_a_terminal_shows_a_field_of_several_lines_as_they_are() -> None:
    stream = set_up(as_json=False)
    log.error("config_rejected", error="feeds.yaml:1:1 a\nfeeds.yaml:2:1 b", file="feeds.yaml")

    first, *others = stream.getvalue().splitlines()
    assert first.endswith("file=feeds.yaml")
    assert others == ["feeds.yaml:1:1 a", "feeds.yaml:2:1 b"]


def test_debug_lines_appear_only_when_asked_for() -> None:
    for verbose in (False, True):
        stream = set_up(as_json=True, verbose=verbose)
        log.debug("delivery_settled", state="sent")
        assert bool(stream.getvalue()) is verbose


@pytest.mark.parametrize("as_json", [True, False])
def test_a_secret_in_a_field_or_a_traceback_is_removed_however_it_is_quoted(as_json: bool) -> None:
    stream = set_up(as_json=as_json)
    log.error("send_failed", error=SECRET, headers={"Authorization": SECRET})
    try:
        raise ValueError(SECRET)  # noqa: TRY301 (its traceback is the subject)
    except ValueError:
        log.exception("poll_failed", token="123456789:" + "A" * 35)

    text = stream.getvalue()
    assert "swördfish" not in text
    assert "sw\\u00f6rdfish" not in text
    assert "AAAA" not in text
    assert "ValueError" in text


@pytest.mark.parametrize("as_json", [True, False])
def test_lines_of_libraries_have_the_same_form(as_json: bool) -> None:
    stream = set_up(as_json=as_json)
    logging.getLogger("apscheduler").error("Job %s was missed", "poll")

    assert "Job poll was missed" in stream.getvalue()
    if as_json:
        assert lines(stream)[0]["logger"] == "apscheduler"


@pytest.mark.parametrize("secret", ["x7q", "pw#12", "ёлка", '"a"b', "40417"])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_short_secret_is_removed_where_it_stands_alone(secret: str, *, as_json: bool) -> None:
    stream = set_up(as_json=as_json)
    logs.keep_secret([secret])
    log.error("poll_failed", error=f"header X-Key: {secret}; refused", seconds=40417)
    log.error("batch_failed", exc_info=ValueError(secret))

    text = stream.getvalue()
    assert text.count("[secret]") >= 2
    assert secret not in text.replace("seconds=40417", "").replace('"seconds": 40417', "")


def test_a_short_secret_leaves_words_and_numbers_alone() -> None:
    stream = set_up(as_json=True)
    logs.keep_secret(["fee", "12", "7"])
    log.info("poll", feed="coffee", seconds=12, error="7 of 12 feeds")

    (line,) = lines(stream)
    assert (line["feed"], line["seconds"], line["error"]) == ("coffee", 12, "7 of 12 feeds")


def test_who_sends_a_listener_what_is_no_http_fills_no_log() -> None:
    stream = set_up(as_json=True)
    server = logging.getLogger("aiohttp.server")
    for error in (BadStatusLine("\x16\x03"), InvalidURLError("/"), ValueError("a fault of ours")):
        server.error("Error handling request", exc_info=error)
    [line] = lines(stream)
    assert "a fault of ours" in line["exception"]
