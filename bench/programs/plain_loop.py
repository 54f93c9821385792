"""The loop everybody writes: urllib, one URL after another, `feedparser.parse` of every body.

Keeps ETag and Last-Modified in SQLite and finds new entries by INSERT OR IGNORE,
one transaction a feed. Not clever: no body hash, no concurrency, no kept connections.
"""

from __future__ import annotations

import gzip
import io
import sqlite3
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any

import feedparser

from bench.programs.meter import Meter, task

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS feeds (url TEXT PRIMARY KEY, etag TEXT, modified TEXT);
CREATE TABLE IF NOT EXISTS entries (
    url TEXT, id TEXT, title TEXT, link TEXT, published TEXT, summary TEXT, PRIMARY KEY (url, id)
);
"""


def fetch(url: str, etag: str | None, modified: str | None) -> tuple[bytes, str | None, str | None]:
    """Return the body and its validators; an empty body where the server says 304."""
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    if etag:
        request.add_header("If-None-Match", etag)
    if modified:
        request.add_header("If-Modified-Since", modified)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            body: bytes = response.read()
            headers = response.headers
    except urllib.error.HTTPError as error:
        with error:
            if error.code == HTTPStatus.NOT_MODIFIED:
                return b"", etag, modified
            raise
    if headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    return body, headers["ETag"], headers["Last-Modified"]


def store(db: sqlite3.Connection, url: str, entries: list[Any]) -> list[str]:
    """Insert the entries; return the titles of those that were not there."""
    new: list[str] = []
    for entry in entries:
        key = entry.get("id") or entry.get("link") or entry.get("title")
        row = (
            url,
            key,
            entry.get("title"),
            entry.get("link"),
            entry.get("published"),
            entry.get("summary"),
        )
        if db.execute("INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?)", row).rowcount:
            new.append(entry.get("title") or key)
    return new


def poll(db: sqlite3.Connection, url: str) -> tuple[list[str], int]:
    """Poll one feed; return the titles of its new entries, and 1 if it could not be read."""
    known = db.execute("SELECT etag, modified FROM feeds WHERE url = ?", (url,)).fetchone()
    try:
        body, etag, modified = fetch(url, *(known or (None, None)))
    except OSError:
        return [], 1
    if not body:
        return [], 0
    parsed = feedparser.parse(io.BytesIO(body))
    with db:
        new = store(db, url, parsed.entries)
        db.execute("INSERT OR REPLACE INTO feeds VALUES (?, ?, ?)", (url, etag, modified))
    return new, int(not parsed.entries)


def main() -> None:
    """Poll once."""
    work = task()
    db = sqlite3.connect(work.state / "plain.db")
    db.executescript(_SCHEMA)
    meter = Meter()
    new: list[str] = []
    errors = 0
    for url in work.urls:
        titles, failed = poll(db, url)
        new += titles
        errors += failed
    db.close()
    meter.write(work.out, len(work.urls), new, errors)


if __name__ == "__main__":
    main()
