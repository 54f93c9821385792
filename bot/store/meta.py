"""Single values of the database by name, in the table `meta`. No rules about them."""

from collections.abc import Mapping
from enum import StrEnum

from bot.store.engines.engine import Database
from bot.store.sql import put

_ADDRESS_LENGTH = 17  # characters of a number of 52 bits with its sign


class MetaName(StrEnum):
    """Names of single values."""

    CLOCK_SEEN = "clock_seen"  #: the time, written while newsbell runs
    CLOCK_SET = "clock_set"  #: when the clock was last found to have been set
    LAST_UPDATE = "last_update"  #: number of the last handled Telegram update
    LANGUAGES = "languages"  #: JSON array: languages of all entries ever kept
    SEARCHED = "searched"  #: id of the last entry in the search index
    OUTAGE = "outage"  #: JSON object: since when and why Telegram takes nothing; or null
    SEARCH_ROWS = "search_rows"  #: rows of the search index
    SEARCH_OBSOLETE = "search_obsolete"  #: those that belong to no entry, or to its former words
    SEARCH_KEYS = "search_keys"  #: version of its keys, `prefilter.KEYS_VERSION`
    STOPPING = "stopping"  #: the feed that a clean-up is marking the entries of; 0 for none
    CONFIG = "config"  #: JSON object: the last feeds.yaml that took effect, without secrets
    CLEANED_AT = "cleaned_at"  #: when a clean-up last went through to its end
    RECORDED_AFTER = "recorded_after"  #: id of the last entry of which no decision was kept
    RETENTION = "retention"  #: JSON object: what clean-ups keep to, and what was announced
    WEB_KEY = "web_key"  #: by which links to stories are signed; secret
    TERM = "term"  #: how often somebody began to lead on a server
    CHECKED_AT = "checked_at"  #: when all of the database was last checked


MOVED = "moved:"  #: and the address of a group: the address of the supergroup that it became


def moves(db: Database) -> dict[int, int]:
    """Return the addresses of groups that became supergroups, and of these."""
    rows = db.execute("select * from meta where name like ?", [f"{MOVED}%"]).fetchall()
    pairs = [(row["name"].removeprefix(MOVED), row["value"]) for row in rows]
    return {int(old): int(new) for old, new in pairs if _is_address(old) and _is_address(new)}


def _is_address(text: str) -> bool:
    return len(text) <= _ADDRESS_LENGTH and text.removeprefix("-").isdecimal() and text.isascii()


def moved_to(all_moves: Mapping[int, int], address: int) -> int:
    """Return where a chat is now that was once at this address, over several moves."""
    seen = {address}
    while address in all_moves and all_moves[address] not in seen:
        address = all_moves[address]
        seen.add(address)
    return address


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
        "set value = cast(cast(meta.value as integer) + cast(excluded.value as integer) as text)",
        [name, str(number)],
    )


def write(db: Database, name: str, value: object) -> None:
    """Write a value as text."""
    db.execute(put("meta", "name", "value"), [name, str(value)])
