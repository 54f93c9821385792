"""Single values of the database by name, in the table `meta`. No rules about them."""

from enum import StrEnum

from sqlite_utils import Database


class MetaName(StrEnum):
    """Names of single values."""

    CLOCK_SEEN = "clock_seen"  #: the time, written while newsbell runs
    CLOCK_SET = "clock_set"  #: when the clock was last found to have been set
    LAST_UPDATE = "last_update"  #: number of the last handled Telegram update
    LANGUAGES = "languages"  #: JSON array: languages of all entries ever kept
    SEARCHED = "searched"  #: id of the last entry in the search index
    SEARCH_ROWS = "search_rows"  #: rows of the search index


def read(db: Database, name: str) -> str | None:
    """Return a value; None where it was never written."""
    row = db.execute("select value from meta where name = ?", [name]).fetchone()
    return str(row["value"]) if row else None


def read_number(db: Database, name: str) -> int:
    """Return a value as a number; 0 where it was never written."""
    return int(read(db, name) or 0)


def write(db: Database, name: str, value: object) -> None:
    """Write a value as text."""
    db.execute("insert or replace into meta values (?, ?)", [name, str(value)])
