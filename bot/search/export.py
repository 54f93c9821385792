"""What people made in chats, as it would stand in feeds.yaml: chats, feeds, subscriptions. Values only; nothing is read or written here."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.i18n.catalog import clock_text
from bot.model.archive import ChatFact
from bot.model.chats import Subscription, Urgency
from bot.text.duration import format_duration

_NAME_MOST = 100  # as in the file


def export_config(
    subscriptions: Iterable[Subscription],
    chats: Mapping[int, ChatFact],
    feeds: Iterable[tuple[str, str, tuple[str, ...]]] = (),
) -> dict[str, Any]:
    """The keys `chats` (those that the file does not name yet), `feeds` and `subscriptions`; each is absent where it would be empty.

    `feeds` are address, name and tags of those that chats added.
    """
    made = [one for one in subscriptions if not one.declared]
    used = {number for one in made for number in one.chats}
    names = _names(
        {
            number: chats[number]
            for number in sorted(used, key=lambda one: (not chats[one].declared, one))
        }
    )
    places = {
        names[number]: _place(chats[number])
        for number in sorted(used)
        if not chats[number].declared
    }
    taken: set[str] = set()
    rows = [
        _row(one, _unique(one.name, taken), [names[number] for number in one.chats]) for one in made
    ]
    named: set[str] = set()
    added = [
        {"url": url, "name": _unique(name, named), **({"tags": list(tags)} if tags else {})}
        for url, name, tags in feeds
    ]
    return {
        key: value
        for key, value in (("chats", places), ("feeds", added), ("subscriptions", rows))
        if value
    }


def _names(chats: Mapping[int, ChatFact]) -> dict[int, str]:
    """A name of its own for each chat; those that the file names keep theirs."""
    taken: set[str] = set()
    return {
        number: _unique(chat.name or str(chat.address), taken) for number, chat in chats.items()
    }


def _unique(name: str, taken: set[str]) -> str:
    name = name[:_NAME_MOST] or "chat"
    found, number = name, 1
    while found in taken:
        number += 1
        tail = f" ({number})"
        found = name[: _NAME_MOST - len(tail)] + tail
    taken.add(found)
    return found


def _place(chat: ChatFact) -> dict[str, Any]:
    place: dict[str, Any] = {
        "telegram": chat.address,
        **({"topic": chat.topic} if chat.topic else {}),
    }
    settings = chat.settings
    if settings.language:
        place["language"] = settings.language
    if settings.zone:
        place["timezone"] = settings.zone
    if settings.quiet and settings.quiet[0] != settings.quiet[1]:
        place["quiet"] = f"{clock_text(settings.quiet[0])}-{clock_text(settings.quiet[1])}"
    if settings.digest_at:
        place["digest"] = [clock_text(one) for one in settings.digest_at]
    if settings.digest_from:
        place["digest_from"] = settings.digest_from
    return place


def _row(one: Subscription, name: str, to: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "query": one.query}
    how = one.options
    if one.feeds:
        row["feeds"] = list(one.feeds)
    if how.urgency is not Urgency.NORMAL:
        row["urgency"] = how.urgency.value
    if how.publishers > 1:
        row["publishers"] = how.publishers
    if how.or_after is not None:
        row["or_after"] = format_duration(how.or_after)
    if how.alert_again_at:
        row["alert_again_at"] = how.alert_again_at
    return row | {"to": to}
