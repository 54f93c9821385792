"""feedparser alone: `feedparser.parse(url)` for every URL, every time.

Keeps the ids it has seen, and nothing else: no validators, so the server never answers 304.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import feedparser

from bench.programs.meter import Meter, task

if TYPE_CHECKING:
    from pathlib import Path


def poll(urls: list[str], seen: set[str]) -> tuple[list[str], int]:
    """Return the titles of the entries not in `seen`, and the number of feeds without an entry."""
    new: list[str] = []
    errors = 0
    for url in urls:
        entries = feedparser.parse(url).entries
        errors += not entries
        for entry in entries:
            key = f"{url} {entry.get('id') or entry.get('link') or entry.get('title')}"
            if key not in seen:
                seen.add(key)
                new.append(entry.get("title") or key)
    return new, errors


def main() -> None:
    """Poll once."""
    work = task()
    path: Path = work.state / "ids.json"
    meter = Meter()
    seen: set[str] = set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()
    new, errors = poll(work.urls, seen)
    path.write_text(json.dumps(list(seen)), encoding="utf-8")
    meter.write(work.out, len(work.urls), new, errors)


if __name__ == "__main__":
    main()
