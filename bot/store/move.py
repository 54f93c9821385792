"""Copy a database to another place, on either engine, so that newsbell goes on there.

The source is never written. The target gets a mark first (`engines.unfinished`), by which every
newsbell refuses it, then all tables, then the rows: table by table in order of references, in
batches by primary key, a transaction each. So the last key that is there says how far a move came,
and one that was ended at any moment goes on. When all is there, every table is read again on both
sides and compared; only then the mark is dropped.

The index of the search is not copied: engines have nothing in common there, and it is made of the
entries alone. The newsbell that runs on the target fills it, and a search looks at every entry that
is not in it yet.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from bot.errors import StoreBusy, StoreError
from bot.model.database_address import DatabaseAddress
from bot.model.nodes import GONE
from bot.store.engines import postgres_schema, unfinished
from bot.store.engines.engine import Database
from bot.store.engines.place import Place, Target
from bot.store.engines.sqlite_place import SqlitePlace
from bot.store.engines.tables import Table, tables
from bot.store.meta import MetaName
from bot.store.nodes import read_nodes

BATCH = 20_000  #: rows of one transaction
_REPORTED = 1_000  # rows between two reports of how far it is
_FINGERPRINT, _CHANGED = "fingerprint", "changed"  # names of values of the mark
_BEGUN, _COPYING = "begun", "copying"  # states of a move
# of the index of the search, and who runs on the source
_LEFT_OUT = frozenset({"searched_again", "unsearched", "nodes", "requests"})
_SEARCH_VALUES = (
    MetaName.SEARCHED,
    MetaName.SEARCH_ROWS,
    MetaName.SEARCH_OBSOLETE,
    MetaName.SEARCH_KEYS,
)
_CONDITIONS = {"meta": f"name not in ({', '.join(repr(name.value) for name in _SEARCH_VALUES)})"}


class Watcher(Protocol):
    """Is told how far a move is."""

    def began(self, doing: str, rows: int) -> None:
        """Something begins that looks at so many rows: `Copying`, `Comparing`."""

    def advanced(self, rows: int) -> None:
        """So many more rows are done."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move did."""

    rows: int
    tables: int  #: that have rows
    resumed: int  #: rows that an earlier attempt had copied
    changed: int  #: texts without their zero bytes, since the target cannot hold them


def move(source: DatabaseAddress, target: DatabaseAddress, watcher: Watcher) -> Moved:
    """Copy all that is stored at `source` to `target`, compare it, and let newsbell use it.

    An attempt that was ended goes on where it was. Raises StoreBusy where a newsbell runs on one of
    both, StoreError where the source is of another version, the target holds something else, or
    what was copied is not the same.
    """
    if _resolved(source) == _resolved(target):
        raise StoreError(f"{target} is the database itself: name another place.")
    old, new = _place_of(source), _place_of(target)
    with old.reader().open() as db, old.locked() as check, new.target() as opened:
        _check_nodes(db, source)
        work = _Move(old, db, new, opened, watcher)
        work.begin()
        work.copy()
        work.compare()
        check()
        return work.finish()


def _check_nodes(db: Database, source: DatabaseAddress) -> None:
    """Refuse a source that a newsbell uses which waits for its turn: it would take the lock."""
    living = [state.node.name for state in read_nodes(db) if not state.is_gone]
    if living:
        raise StoreBusy(
            f"Another newsbell ({living[0]}) is using {source}; stop all of them, and start the "
            f"move {GONE.total_seconds():.0f} seconds later."
        )


def _resolved(address: DatabaseAddress) -> object:
    return address.resolve() if isinstance(address, Path) else address.url


def _place_of(address: DatabaseAddress) -> Place:
    if isinstance(address, Path):
        return SqlitePlace(address)
    from bot.store.engines.postgres_place import (  # noqa: PLC0415 (a driver that few need)
        PostgresPlace,
    )

    return PostgresPlace(address)


class _Move:
    """One attempt."""

    def __init__(
        self, old: Place, source: Database, new: Place, target: Target, watcher: Watcher
    ) -> None:
        self._old, self._source, self._new, self._target = old, source, new, target
        self._watcher = watcher
        self._tables = [table for table in tables() if table.name not in _LEFT_OUT]
        self._counts = {table.name: _count(source, table) for table in self._tables}
        self._total = sum(self._counts.values())
        self._resumed = 0

    def begin(self) -> None:
        """See that the target is empty or holds a part of this source, and make its tables."""
        fingerprint = self._fingerprint()
        names = self._target.names()
        if not names:
            with self._target.db.atomic():
                values = {unfinished.SOURCE: str(self._old), unfinished.STATE: _BEGUN}
                unfinished.create(self._target.db, values)
        elif unfinished.MARK in names:
            self._check_source()
            if unfinished.read(self._target.db, _FINGERPRINT) != fingerprint:
                # Rows may have changed that are copied already.
                unfinished.write(self._target.db, unfinished.STATE, _BEGUN)
        elif postgres_schema.MIGRATIONS in names:
            raise StoreError(
                f"{self._new} is a whole database of newsbell already: let settings.database name "
                "it where a move into it has ended, otherwise name another place."
            )
        else:
            raise StoreError(
                f"{self._new} holds other tables ({min(names)}): make a database of its own for "
                "newsbell."
            )
        self._target.migrate()
        if unfinished.read(self._target.db, unfinished.STATE) == _BEGUN:
            self._clear(fingerprint)

    def _check_source(self) -> None:
        source = unfinished.read(self._target.db, unfinished.SOURCE)
        if source != str(self._old):
            raise StoreError(
                f"{self._new} holds a part of {source}: finish that move with a feeds.yaml whose "
                f"settings.database is {source}, or name a new database."
            )

    def _clear(self, fingerprint: str) -> None:
        """Take all rows out of the tables: a move begins, or begins anew."""
        db = self._target.db
        with db.atomic():
            self._target.suspend()
            for table in reversed(tables()):
                db.execute(f"delete from {table.name}")
            unfinished.write(db, _FINGERPRINT, fingerprint)
            unfinished.write(db, _CHANGED, "0")
            unfinished.write(db, unfinished.STATE, _COPYING)

    def _fingerprint(self) -> str:
        """What is another one once a newsbell ran on the source: it writes the time there."""
        rows = [tuple(row) for row in self._source.execute("select name, value from meta")]
        migrations = self._source.execute(
            f"select name from {postgres_schema.MIGRATIONS}"
        ).fetchall()
        ids = [
            self._source.execute(f"select max({table.key[0]}) from {table.name}").fetchone()[0]
            for table in self._tables
            if table.numbered
        ]
        seen = (sorted(rows), sorted(row["name"] for row in migrations), self._counts, ids)
        return hashlib.blake2b(repr(seen).encode(), digest_size=16).hexdigest()

    def copy(self) -> None:
        """Copy what is not there yet."""
        there = {table.name: _count(self._target.db, table) for table in self._tables}
        self._resumed = sum(there.values())
        self._watcher.began("Copying", self._total)
        self._watcher.advanced(self._resumed)
        for table in self._tables:
            if self._counts[table.name]:
                self._copy(table, is_begun=bool(there[table.name]))

    def _copy(self, table: Table, *, is_begun: bool) -> None:
        db = self._target.db
        kept = Kept(table, zero_bytes=self._new.keeps_zero_bytes)
        last = _last_key(db, table) if is_begun else ()
        rows = self._told(kept.rows(_stream(self._source, table, last)))
        # What refers to its own table comes in one piece: the row that is meant may come later.
        size = None if table.name in table.parents else BATCH
        while True:
            before = kept.changed
            with db.atomic():
                count = self._target.insert(table, islice(rows, size))
                if kept.changed > before:
                    total = int(unfinished.read(db, _CHANGED)) + kept.changed - before
                    unfinished.write(db, _CHANGED, str(total))
            if size is None or count < size:
                return

    def _told(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """The rows, of which the watcher is told."""
        number = 0
        for number, row in enumerate(rows, 1):
            yield row
            if number % _REPORTED == 0:
                self._watcher.advanced(_REPORTED)
        self._watcher.advanced(number % _REPORTED)

    def compare(self) -> None:
        """Read every table on both sides. Raises StoreError for the first that differs."""
        self._watcher.began("Comparing", self._total)
        for table in self._tables:
            digests = [
                self._digest(self._source, table, is_told=True),
                self._digest(self._target.db, table),
            ]
            if digests[0] != digests[1]:
                raise StoreError(self._difference(table))

    def _digest(self, db: Database, table: Table, *, is_told: bool = False) -> tuple[int, bytes]:
        """The number of rows of a table, and a digest of all that they hold."""
        digest, count = hashlib.blake2b(), 0
        kept = Kept(table, zero_bytes=self._new.keeps_zero_bytes)
        rows = kept.rows(_stream(db, table))
        for row in self._told(rows) if is_told else rows:
            digest.update(repr(row).encode())  # of no two rows the same
            count += 1
        return count, digest.digest()

    def _difference(self, table: Table) -> str:
        """Which row differs first, and what to do."""
        sides = [
            Kept(table, zero_bytes=self._new.keeps_zero_bytes).rows(_stream(db, table))
            for db in (self._source, self._target.db)
        ]
        first = next((max(pair, key=bool) for pair in _pairs(*sides) if pair[0] != pair[1]), None)
        where = f", first at {', '.join(map(_shown, table.key_of(first)))}" if first else ""
        return (
            f"What was copied is not the same: the table {table.name} differs{where}. Nothing may "
            f"use {self._new}: delete it, check its disk, and start the move again."
        )

    def finish(self) -> Moved:
        """Let newsbell use the target."""
        db = self._target.db
        changed = int(unfinished.read(db, _CHANGED))
        with db.atomic():
            self._target.settle(self._old.last_numbers(self._source))
            unfinished.drop(db)
        self._target.tidy()
        used = sum(count > 0 for count in self._counts.values())
        return Moved(self._total, used, self._resumed, changed)


class Kept:
    """Rows of a table as they are kept: each value of the type of its column, on every engine."""

    def __init__(self, table: Table, *, zero_bytes: bool) -> None:
        self.changed = 0  #: texts whose zero bytes were left out
        self._table, self._zero_bytes = table, zero_bytes
        self._kinds = [column.kind for column in table.columns]
        self._plain: set[tuple[type, ...]] = set()  # types of rows that are as they should be
        self._numbers = {place for place, kind in enumerate(self._kinds) if kind is float}
        self._texts = [place for place, kind in enumerate(self._kinds) if kind is str]

    def rows(self, rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        """Yield these rows. Raises StoreError for a value that no engine but SQLite would keep."""
        for found in rows:
            row = tuple(found)
            if self._numbers:  # SQLite knows no zero below zero
                row = tuple(
                    value + 0.0 if place in self._numbers and value is not None else value
                    for place, value in enumerate(row)
                )
            types = tuple(map(type, row))
            if types not in self._plain:
                self._check(row)
                self._plain.add(types)
            if not self._zero_bytes and any(
                "\0" in row[place] for place in self._texts if row[place] is not None
            ):
                row = self._without_zero_bytes(row)
            yield row

    def _check(self, row: Sequence[Any]) -> None:
        for column, value in zip(self._table.columns, row, strict=True):
            if value is not None and type(value) is not column.kind:
                key = ", ".join(map(_shown, self._table.key_of(tuple(row))))
                raise StoreError(
                    f"The database cannot be moved: {column.name} of {self._table.name} {key} is "
                    f"{_shown(value)}, where {column.kind.__name__} is expected. Restore a backup, "
                    "or correct the row by hand."
                )

    def _without_zero_bytes(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place in self._texts:
            if values[place] is not None and "\0" in values[place]:
                values[place] = values[place].replace("\0", "")
                self.changed += 1
        return tuple(values)


def _pairs(old: Iterator[Any], new: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """The rows of two tables side by side; None where there is none."""
    while True:
        pair = next(old, None), next(new, None)
        if pair == (None, None):
            return
        yield pair


def _shown(value: object) -> str:
    """A value for a person, in one line and not long."""
    return value.hex() if isinstance(value, bytes) else repr(value)[:60]


def _count(db: Database, table: Table) -> int:
    condition = _CONDITIONS.get(table.name, "true")
    statement = f"select count(*) as rows from {table.name} where {condition}"
    return int(db.execute(statement).fetchone()["rows"])


def _last_key(db: Database, table: Table) -> tuple[Any, ...]:
    row = db.execute(f"{table.select(back=True)} limit 1").fetchone()
    return table.key_of(tuple(row))


def _stream(db: Database, table: Table, after: tuple[Any, ...] = ()) -> Iterator[Any]:
    condition = _CONDITIONS.get(table.name, "true")
    if after:
        condition = f"{condition} and {table.after()}"
    return db.stream(table.select(condition), after)
