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
    SEARCH_OBSOLETE = "search_obsolete"  #: those that belong to no entry, or to its former words
    STOPPING = "stopping"  #: the feed that a clean-up is marking the entries of; 0 for none
    CLEANED_AT = "cleaned_at"  #: when a clean-up last went through to its end
    CHECKED_AT = "checked_at"  #: when all of the database was last checked


def read(db: Database, name: str) -> str | None:
    """Return a value; None where it was never written."""
    row = db.execute("select value from meta where name = ?", [name]).fetchone()
    return str(row["value"]) if row else None


def read_number(db: Database, name: str) -> int:
    """Return a value as a number; 0 where it was never written."""
    return int(read(db, name) or 0)


def add(db: Database, name: str, number: int) -> None:
    """Add to a value that is a number."""
    db.execute(
        "insert into meta values (?, ?) on conflict (name) do update "
        "set value = cast(value as integer) + cast(excluded.value as integer)",
        [name, str(number)],
    )


def write(db: Database, name: str, value: object) -> None:
    """Write a value as text."""
    db.execute("insert or replace into meta values (?, ?)", [name, str(value)])
