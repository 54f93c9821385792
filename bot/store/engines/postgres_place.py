"""A database on a PostgreSQL server as what is moved from or to; implements `place.Place`.

Knows no table's meaning.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, cast

from psycopg.types.string import StrDumper

from bot.model.database_address import PostgresAddress
from bot.store.engines import engine, postgres, postgres_schema
from bot.store.engines.tables import Table, tables


class PostgresPlace:
    """A database on a server."""

    keeps_zero_bytes = False

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address

    def __str__(self) -> str:
        return str(self._address)

    def reader(self) -> postgres.Reader:
        """Return what reads it."""
        return postgres.Reader(self._address)

    @contextmanager
    def locked(self) -> Iterator[Callable[[], None]]:
        """Keep every newsbell out, as `place.Place.locked` says.

        Another process can end the connection that has the lock.
        """
        with self._connected() as db:

            def check() -> None:
                with postgres.wrapped("be kept from others", "then start the move again"):
                    db.execute("select 1")

            yield check

    def last_numbers(self, db: engine.Database) -> dict[str, int]:
        """Return what the sequence of each table gave last."""
        numbers = {
            table.name: db.execute(
                "select pg_sequence_last_value(pg_get_serial_sequence(?, ?)::regclass) as last",
                [table.name, table.key[0]],
            ).fetchone()["last"]
            for table in tables()
            if table.numbered
        }
        return {name: number for name, number in numbers.items() if number}

    @contextmanager
    def target(self) -> Iterator["PostgresTarget"]:
        """Take the lock and open it for writing, whatever is in it. Raises StoreError."""
        with postgres.wrapped("be moved", "then start the move again"), self._connected() as db:
            yield PostgresTarget(db)

    @contextmanager
    def _connected(self) -> Iterator[postgres.Database]:
        """A connection that has the lock."""
        with closing(postgres.connected(self._address)) as connection:
            database = postgres.Database(connection)
            if not postgres.take_lock(database):
                raise postgres.busy(self._address)
            yield database


class PostgresTarget:
    """A database that is being written; implements `place.Target`."""

    def __init__(self, db: postgres.Database) -> None:
        self.db = db

    def names(self) -> frozenset[str]:
        """Return the names of all tables in the schema that ours are made in."""
        rows = self.db.execute(
            "select tablename from pg_tables where schemaname = current_schema()"
        ).fetchall()
        return frozenset(row["tablename"] for row in rows)

    def migrate(self) -> None:
        """Make the tables."""
        with self.db.atomic():
            postgres_schema.migrate(cast("engine.Database", self.db))

    def suspend(self) -> None:
        """Turn the triggers off that the tables' owner made; references are checked."""
        for table in tables():
            self.db.execute(f"alter table {table.name} disable trigger user")

    def insert(self, table: Table, rows: Iterable[tuple[Any, ...]]) -> int:
        """Write rows, and return how many."""
        names = ", ".join(column.name for column in table.columns)
        with self.db.conn.cursor() as cursor:
            # Values are what the columns are of, so that psycopg's own, which are fast, will do.
            cursor.adapters.register_dumper(str, StrDumper)
            with cursor.copy(f"copy {table.name} ({names}) from stdin".encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            return cursor.rowcount

    def settle(self, last: Mapping[str, int]) -> None:
        """Turn the triggers on, and number later rows behind those that are there."""
        for table in tables():
            self.db.execute(f"alter table {table.name} enable trigger user")
            if not table.numbered:
                continue
            name = table.key[0]
            row = self.db.execute(f"select max({name}) as highest from {table.name}").fetchone()
            number = max(row["highest"] or 0, last.get(table.name, 0))
            self.db.execute(
                "select setval(pg_get_serial_sequence(:table, :key), "
                "greatest(cast(:last as integer), 1), cast(:last as integer) > 0)",
                {"table": table.name, "key": name, "last": number},
            )

    def tidy(self) -> None:
        """Let the planner know how large the tables are."""
        self.db.conn.execute("analyze")
