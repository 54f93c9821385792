"""Alert options of a subscription, as people write them before a query in a chat.

For example `publishers:2 or_after:30m urgency:breaking alert_again_at:4`; the names are those of
feeds.yaml. Reading only: `decide` acts on them.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.errors import QueryError
from bot.model.chats import AlertOptions, Developments, Updates, Urgency
from bot.text.duration import format_duration, parse_duration

MAX_PUBLISHERS = 50
LONGEST_WAIT = timedelta(days=3)  #: as long as a story is open
RENAMED = {"ring_again_at": "alert_again_at"}  #: old names that still work
_OPTION = re.compile(
    r"(urgency|publishers|or_after|alert_again_at|ring_again_at|developments|updates):(\S*)\s*",
    re.IGNORECASE,
)
_BEHIND = re.compile(rf"(?<=\s){_OPTION.pattern}", re.IGNORECASE)


def problem(
    options: AlertOptions, text: str = "", positions: Mapping[str, int] | None = None
) -> tuple[str, QueryError] | None:
    """The option that makes no sense with the others, and why; None for none.

    `positions` are the offsets of options in the text.
    """
    after, again = ((positions or {}).get(name, 0) for name in ("or_after", "alert_again_at"))
    if options.or_after is not None and options.publishers < 2:
        return "or_after", QueryError(
            text, after, "or_after needs publishers: 2 or more; it limits how long to wait for them"
        )
    if options.or_after is not None and not timedelta(0) < options.or_after <= LONGEST_WAIT:
        return "or_after", QueryError(text, after, "must be between 1s and 3d")
    if options.alert_again_at and options.alert_again_at <= options.publishers:
        return "alert_again_at", QueryError(
            text, again, "must be more than the publishers of the first alert"
        )
    return None


def split(text: str) -> tuple[AlertOptions, str]:
    """The options in front, and the query behind them. Raises QueryError with the place."""
    options, at = AlertOptions(), 0
    positions: dict[str, int] = {}
    while match := _OPTION.match(text, at):
        name, value = _current(match.group(1)), match.group(2).lower()
        positions[name] = match.start(2)
        options = _with(options, name, value, text, match.start(2))
        at = match.end()
    wrong = problem(options, text, positions)
    if wrong:
        raise wrong[1]
    return options, text[at:].strip()


def _current(name: str) -> str:
    """The name of an option as it is written today."""
    name = name.lower()
    return RENAMED.get(name, name)


def misplaced(query: str) -> QueryError | None:
    """An error if an option is after or within a query, where it would be read as a field."""
    match = _BEHIND.search(query)
    if not match:
        return None
    option = _current(match.group(1))
    example = f"{option}:{match.group(2)} ceasefire"
    return QueryError(
        query,
        match.start(),
        "{option}: goes before the query, as in {example}",
        option=option,
        example=example,
    )


def _with(options: AlertOptions, name: str, value: str, text: str, at: int) -> AlertOptions:
    """The options with a further option, whose value is at `at` in the text.

    Raises QueryError.
    """
    match name:
        case "urgency":
            if value not in set(Urgency):
                raise QueryError(text, at, "urgency: expected breaking, normal or digest")
            return replace(options, urgency=Urgency(value))
        case "developments":
            if value not in set(Developments):
                raise QueryError(text, at, "developments: expected note, alert or edit")
            return replace(options, developments=Developments(value))
        case "updates":
            if value not in set(Updates):
                raise QueryError(text, at, "updates: expected note, alert or edit")
            return replace(options, updates=Updates(value))
        case "or_after":
            try:
                return replace(options, or_after=parse_duration(value))
            except ValueError:
                raise QueryError(
                    text, at, "or_after: expected a duration such as 90s, 2m, 1h or 1d"
                ) from None
        case _:
            low = 1 if name == "publishers" else 2
            if not value.isdecimal() or len(value) > 3 or not low <= int(value) <= MAX_PUBLISHERS:
                raise QueryError(
                    text,
                    at,
                    "{option}: expected a number from {low} to {most}",
                    option=name,
                    low=low,
                    most=MAX_PUBLISHERS,
                )
            return (
                replace(options, publishers=int(value))
                if name == "publishers"
                else replace(options, alert_again_at=int(value))
            )


def words(options: AlertOptions) -> str:
    """The options that are not the defaults, as written before a query; empty for none."""
    parts = []
    if options.urgency is not Urgency.NORMAL:
        parts.append(f"urgency:{options.urgency}")
    if options.publishers > 1:
        parts.append(f"publishers:{options.publishers}")
    if options.or_after is not None:
        parts.append(f"or_after:{format_duration(options.or_after)}")
    if options.alert_again_at:
        parts.append(f"alert_again_at:{options.alert_again_at}")
    if options.developments:
        parts.append(f"developments:{options.developments}")
    if options.updates:
        parts.append(f"updates:{options.updates}")
    return " ".join(parts)
