"""How a subscription rings, as people write it before a query in a chat: `publishers:2 or_after:30m urgency:breaking ring_again_at:4`.

The names are those of feeds.yaml. Reading only; what it does is `alerts`' matter.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.errors import QueryError
from bot.model.chats import Ringing, Urgency
from bot.text.duration import duration, written

MOST_PUBLISHERS = 50
LONGEST_WAIT = timedelta(days=3)  #: as long as a story is open
_OPTION = re.compile(r"(urgency|publishers|or_after|ring_again_at):(\S*)\s*", re.IGNORECASE)
_BEHIND = re.compile(rf"(?<=\s){_OPTION.pattern}", re.IGNORECASE)


def problem(
    ringing: Ringing, text: str = "", places: Mapping[str, int] | None = None
) -> tuple[str, QueryError] | None:
    """The option that makes no sense with the others, and why; None where all is well. `places` says where in the text options stand."""
    after, again = ((places or {}).get(name, 0) for name in ("or_after", "ring_again_at"))
    if ringing.or_after is not None and ringing.publishers < 2:
        return "or_after", QueryError(
            text, after, "or_after goes with publishers: 2 or more, for it ends the wait for them"
        )
    if ringing.or_after is not None and not timedelta(0) < ringing.or_after <= LONGEST_WAIT:
        return "or_after", QueryError(text, after, "expected between 1s and 3d")
    if ringing.ring_again_at and ringing.ring_again_at <= ringing.publishers:
        return "ring_again_at", QueryError(
            text, again, "expected more than the publishers that the first ring waits for"
        )
    return None


def split(text: str) -> tuple[Ringing, str]:
    """The options in front, and the query behind them. Raises QueryError with the place."""
    ringing, at = Ringing(), 0
    places: dict[str, int] = {}
    while found := _OPTION.match(text, at):
        name, value = found.group(1).lower(), found.group(2).lower()
        places[name] = found.start(2)
        ringing = _with(ringing, name, value, text, found.start(2))
        at = found.end()
    wrong = problem(ringing, text, places)
    if wrong:
        raise wrong[1]
    return ringing, text[at:].strip()


def misplaced(query: str) -> QueryError | None:
    """That an option stands behind or within a query, where it would be taken for a field."""
    found = _BEHIND.search(query)
    if not found:
        return None
    option, example = found.group(1).lower(), f"{found.group().strip()} ceasefire"
    return QueryError(
        query,
        found.start(),
        "{option}: stands before the query, as in {example}",
        option=option,
        example=example,
    )


def _with(ringing: Ringing, name: str, value: str, text: str, at: int) -> Ringing:
    """The options with one more, whose value stands there in the text. Raises QueryError."""
    match name:
        case "urgency":
            if value not in set(Urgency):
                raise QueryError(text, at, "urgency: expected breaking, normal or digest")
            return replace(ringing, urgency=Urgency(value))
        case "or_after":
            try:
                return replace(ringing, or_after=duration(value))
            except ValueError:
                raise QueryError(
                    text, at, "or_after: expected a duration such as 90s, 2m, 1h or 1d"
                ) from None
        case _:
            low = 1 if name == "publishers" else 2
            if not value.isdecimal() or len(value) > 3 or not low <= int(value) <= MOST_PUBLISHERS:
                most = MOST_PUBLISHERS
                raise QueryError(
                    text,
                    at,
                    "{option}: expected a number from {low} to {most}",
                    option=name,
                    low=low,
                    most=most,
                )
            return (
                replace(ringing, publishers=int(value))
                if name == "publishers"
                else replace(ringing, ring_again_at=int(value))
            )


def words(ringing: Ringing) -> str:
    """The options that differ from the usual, as they are written before a query; empty for none."""
    parts = []
    if ringing.urgency is not Urgency.NORMAL:
        parts.append(f"urgency:{ringing.urgency}")
    if ringing.publishers > 1:
        parts.append(f"publishers:{ringing.publishers}")
    if ringing.or_after is not None:
        parts.append(f"or_after:{written(ringing.or_after)}")
    if ringing.ring_again_at:
        parts.append(f"ring_again_at:{ringing.ring_again_at}")
    return " ".join(parts)
