"""The mark of a database into which a move is copying: until it is gone, no newsbell may use it.

A table of its own, made before any other and dropped with the end of the move. Copies nothing.
"""

from bot.errors import StoreError
from bot.store.engines.engine import Database

MARK = "moving"  #: the table
SOURCE, STATE = "source", "state"  #: names of values in it


def create(db: Database, values: dict[str, str]) -> None:
    """Make the mark. In a transaction."""
    db.execute(f"create table {MARK} (name text primary key, value text not null)")
    for name, value in values.items():
        write(db, name, value)


def read(db: Database, name: str) -> str:
    """Return a value; empty where it was never written."""
    row = db.execute(f"select value from {MARK} where name = ?", [name]).fetchone()
    return str(row["value"]) if row else ""


def write(db: Database, name: str, value: str) -> None:
    """Write a value."""
    db.execute(
        f"insert into {MARK} values (?, ?) on conflict (name) do update set value = excluded.value",
        [name, value],
    )


def drop(db: Database) -> None:
    """Let newsbell use the database."""
    db.execute(f"drop table {MARK}")


def refusal(db: Database, place: object) -> StoreError:
    """Return why a database with the mark is not used, and what to do."""
    return StoreError(
        f"{place} holds a part of {read(db, SOURCE)}: a move into it has not ended. Let "
        f"settings.database name {read(db, SOURCE)} again, and finish the move: "
        f"`newsbell move --to {place}`."
    )
