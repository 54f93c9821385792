"""SQL that several statements share: enums as literals, conditions, marks. Runs nothing.

States and kinds are literals and not bound values where an index is partial: SQLite uses such an
index only where the statement repeats the condition of the index in its own words.
"""

from collections.abc import Sized
from datetime import timedelta
from enum import StrEnum

from bot.model.abilities import ABILITIES
from bot.model.alerts import Priority, Stance
from bot.model.chats import ChatKind, TokenPurpose
from bot.model.delivery import DeliveryKind, DeliveryState
from bot.model.stories import Grouping


class StoredRole(StrEnum):
    """Values of `people.role`."""

    DECLARED = "declared"  #: an owner whom the configuration file names
    OWNER = "owner"
    ADMIN = "admin"
    USER = "user"
    BLOCKED = "blocked"
    FORMER = "former"  #: the configuration file named them once, or they came when all might
    OPEN = "open"  #: came by themselves while everyone may


class Entered(StrEnum):
    """Values of `chats.entered`: how a chat was admitted."""

    BY_OTHERS = ""  #: by the file, an operator or an invitation
    OPENLY = "open"  #: by itself, while everyone may


def literal(value: StrEnum) -> str:
    """Return a value of an enum as an SQL literal."""
    return "'" + value.value.replace("'", "''") + "'"


def literals(*values: StrEnum) -> str:
    """Return values of an enum as an SQL list in parentheses."""
    return f"({', '.join(literal(value) for value in values)})"


def marks(values: Sized) -> str:
    """Return as many question marks as there are values."""
    return ",".join("?" * len(values))


def put(table: str, keys: str, columns: str) -> str:
    """Return the statement that inserts a row, or gives the row of these keys other columns.

    `keys` and `columns`: names with commas between; the values are in this order.
    """
    names = [*keys.split(", "), *columns.split(", ")]
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns.split(", "))
    return (
        f"insert into {table} ({', '.join(names)}) values ({marks(names)}) "
        f"on conflict ({keys}) do update set {changes}"
    )


OVERDUE = timedelta(minutes=2)  #: how long what is due may wait before it counts as overdue
QUEUED = literal(DeliveryState.QUEUED)
SENDING = literal(DeliveryState.SENDING)
MERGED = literal(DeliveryState.MERGED)
DROPPED = literal(DeliveryState.DROPPED)
DEAD = literal(DeliveryState.DEAD)
UNKNOWN = literal(DeliveryState.UNKNOWN)

ALERT = literal(DeliveryKind.ALERT)
EDIT = literal(DeliveryKind.EDIT)
SECOND_ALERT = literal(DeliveryKind.AGAIN)
NOTICE = literal(DeliveryKind.NOTICE)
REPLY = literal(DeliveryKind.REPLY)

TELEGRAM = literal(ChatKind.TELEGRAM)
TERMINAL = literal(ChatKind.TERMINAL)
#: kinds of chats in which a repeated send arrives once: as it was when it was first tried
IDEMPOTENT = literals(*(kind for kind, able in ABILITIES.items() if able.idempotent))
#: kinds of chats in which several alerts that wait may become one message
COLLECTING = literals(*(kind for kind, able in ABILITIES.items() if able.collects))

DECLARED = literal(StoredRole.DECLARED)
BLOCKED = literal(StoredRole.BLOCKED)
FORMER = literal(StoredRole.FORMER)
CAME_OPENLY = literal(StoredRole.OPEN)
OPERATORS = literals(StoredRole.DECLARED, StoredRole.OWNER, StoredRole.ADMIN)

MUTE = literal(Stance.MUTE)
CLAIM = literal(TokenPurpose.CLAIM)
INVITE = literal(TokenPurpose.INVITE)

#: deliveries of which nothing more will happen
IS_DONE = f"state in {literals(DeliveryState.SENT, DeliveryState.MERGED, DeliveryState.DROPPED)}"
#: an alert that was refused for good, or of which nobody knows whether it arrived
IS_UNDELIVERED = f"state in {literals(DeliveryState.UNKNOWN, DeliveryState.DEAD)}"
_UNANSWERED = {DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.MERGED}
IS_QUEUED = f"state = {QUEUED}"
# The index of what is not queued serves only where that is said as well.
IS_SENDING = f"state = {SENDING} and state != {QUEUED}"
#: a call was made for it, and nothing more happens with it by itself
IS_ANSWERED = (
    f"state in {literals(*(state for state in DeliveryState if state not in _UNANSWERED))} "
    f"and state != {QUEUED}"
)
HAS_ALERTS = "exists (select 1 from outbox_alerts where outbox_id = outbox.id)"
#: the column of `entries` that names an entry's story at a level
STORY_COLUMNS = {
    Grouping.STRICT: "strict_id",
    Grouping.NORMAL: "story_id",
    Grouping.LOOSE: "storyline_id",
}
#: Alerts that wait for a digest are not sent one by one. In quiet hours only replies, silent
#: changes and breaking alerts go out. A chat that is not allowed gets replies and notices; what
#: else waits there goes out when it is allowed again. Needs `:now`, and both tables.
IS_RIPE = f"""
    (outbox.not_before is null or outbox.not_before <= :now)
    and (outbox.priority != {Priority.DIGEST.value} or outbox.form != '' or outbox.kind != {ALERT})
    and (
        chats.quiet_until is null or chats.quiet_until <= :now
        or outbox.priority <= {Priority.BREAKING.value}
        or outbox.kind in {literals(DeliveryKind.REPLY, DeliveryKind.EDIT, DeliveryKind.NOTICE)}
    )
    and (
        chats.allowed = 1
        or outbox.kind in {literals(DeliveryKind.REPLY, DeliveryKind.NOTICE)}
    )
"""


def confirms(grouping: Grouping, entries: str = "") -> str:
    """Return the condition for entries whose publishers count as such of their story.

    `entries` is what the statement calls the table, with a dot behind it.

    In a strict story all do; in a wider one the first does, and those that confirm it.
    """
    if grouping is Grouping.STRICT:
        return "true"
    return f"{entries}confirms = 1 or {entries}id = {entries}{STORY_COLUMNS[grouping]}"
