"""The bodies of entries: compressed, in a table of their own, and deleted with their entries.

A body that begins with the summary is kept without that part.
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace as fields_changed

from bot.model.entries import KnownEntry
from bot.store.engines.engine import Database
from bot.text.overlap import repeated

#: the body of an entry `e`, packed; null where it has none
PACKED = "(select packed from bodies where entry_id = e.id) as packed"
_PREFIX = 2  # bytes with the number of code points that are those of the summary
_PUT = """
    insert into bodies values (?, ?) on conflict (entry_id) do update set packed = excluded.packed
"""
_OF_ENTRIES = """
    select entry_id, packed from bodies
    where entry_id in (select cast(value as integer) from json_each(?))
"""


def pack(summary: str, body: str) -> bytes:
    """Return a body as it is kept beside its summary."""
    shared = repeated(summary, body)
    return shared.to_bytes(_PREFIX, "big") + zlib.compress(body[shared:].encode())


def unpack(summary: str, packed: bytes | None) -> str:
    """Inverse of `pack`; empty for none."""
    if not packed:
        return ""
    shared = int.from_bytes(packed[:_PREFIX], "big")
    return summary[:shared] + zlib.decompress(packed[_PREFIX:]).decode()


def with_body(known: KnownEntry, packed: bytes | None) -> KnownEntry:
    """Return an entry with its body."""
    return fields_changed(known, body=unpack(known.summary, packed)) if packed else known


def insert(db: Database, bodies: Iterable[tuple[int, str, str]]) -> None:
    """Write the bodies of entries, each given with its id and summary; none where it is empty."""
    rows = [(number, pack(summary, body)) for number, summary, body in bodies if body]
    if rows:
        db.executemany(_PUT, rows)


def replace(db: Database, entry_id: int, summary: str, body: str) -> None:
    """Write the body of an entry in place of the former one."""
    if body:
        insert(db, [(entry_id, summary, body)])
    else:
        delete(db, [entry_id])


def delete(db: Database, entries: Sequence[int]) -> None:
    """Delete the bodies of these entries."""
    db.executemany("delete from bodies where entry_id = ?", [(entry,) for entry in entries])


def packed_of(db: Database, entries: Sequence[int]) -> dict[int, bytes]:
    """Return the packed bodies of those of these entries that have one."""
    rows = db.execute(_OF_ENTRIES, [json.dumps(entries)]).fetchall()
    return {row["entry_id"]: row["packed"] for row in rows}
