"""Read what is no feed by what is known of its address: a channel of Telegram, a page of a site.

Pure, and run in a process that can be killed. Feeds are read by `parse.read`.
"""

import time
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.model.entries import ParseFailed, ParseOutcome
from bot.model.sources import ChannelSource, PageSource, Source
from bot.parse.channel import read_channel
from bot.parse.page import read_page


def read_source(
    body: bytes,
    content_type: str,
    url: str,
    known: frozenset[bytes],
    now: datetime,
    truncated: bool,
    source: Source,
) -> ParseOutcome:
    """Return the new or changed entries of a page, and how long that took."""
    began = time.process_time()
    match source:
        case ChannelSource(name):
            outcome = read_channel(body, content_type, name, known, now, truncated=truncated)
        case PageSource():
            outcome = read_page(body, content_type, url, source, known, now, truncated=truncated)
        case _:
            assert_never(source)
    if isinstance(outcome, ParseFailed):
        return outcome
    return replace(outcome, seconds=time.process_time() - began)
