"""The peer lemon24/reader: `update_feeds` as its users call it, with its default plugins.

Runs in an environment of its own (bench/reader.mk); `--workers` is its number of threads.
The feeds it knows but was not asked for have their updates switched off before the meter starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol

from bench.programs.meter import Meter, Task, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from enum import Enum


class _Feed(Protocol):
    url: str


class _Entry(Protocol):
    id: str
    title: str | None


class _Counts(Protocol):
    total: int


class _Reader(Protocol):
    """As much of the peer as is used here; our own environment does not have it."""

    after_entry_update_hooks: list[Callable[[object, _Entry, Enum], None]]

    def add_feed(self, feed: str, /, *, exist_ok: bool) -> None: ...
    def get_feeds(self) -> Iterable[_Feed]: ...
    def disable_feed_updates(self, feed: str, /) -> None: ...
    def update_feeds(self, *, scheduled: bool, workers: int) -> None: ...
    def get_feed_counts(self, *, broken: bool) -> _Counts: ...
    def close(self) -> None: ...


def opened(work: Task) -> _Reader:
    """Return the reader on its database, holding every URL, and only those enabled."""
    reader: _Reader = importlib.import_module("reader").make_reader(str(work.state / "reader.db"))
    for url in work.urls:
        # also imports, before the meter starts, what the reader imports late
        reader.add_feed(url, exist_ok=True)
    for url in {feed.url for feed in reader.get_feeds()} - set(work.urls):
        reader.disable_feed_updates(url)
    return reader


def main() -> None:
    """Poll once."""
    work = task()
    reader = opened(work)
    new: list[str] = []

    def note(_reader: object, entry: _Entry, status: Enum) -> None:
        if status.name == "NEW":
            new.append(entry.title or entry.id)

    reader.after_entry_update_hooks.append(note)
    meter = Meter()
    # scheduled=False: every feed now, not only those whose hour has come
    reader.update_feeds(scheduled=False, workers=work.workers)
    meter.write(work.out, len(work.urls), new, errors=reader.get_feed_counts(broken=True).total)
    reader.close()


if __name__ == "__main__":
    main()
