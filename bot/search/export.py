"""Chats, feeds and subscriptions that were made in chats, as values for feeds.yaml. No I/O."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.i18n.catalog import clock_text
from bot.model.archive import ChatFact
from bot.model.chats import Subscription, Urgency
from bot.text.duration import format_duration

_MAX_NAME = 100  # as in the file


def export_config(
    subscriptions: Iterable[Subscription],
    chats: Mapping[int, ChatFact],
    feeds: Iterable[tuple[str, str, tuple[str, ...]]] = (),
) -> dict[str, Any]:
    """Return the keys `chats` (those not in the file yet), `feeds` and `subscriptions`.

    Empty ones are absent. `feeds` are address, name and tags of feeds that chats added.
    """
    exported = [subscription for subscription in subscriptions if not subscription.declared]
    used = {number for subscription in exported for number in subscription.chats}
    names = _chat_names(
        {
            number: chats[number]
            for number in sorted(used, key=lambda number: (not chats[number].declared, number))
        }
    )
    new_chats = {
        names[number]: _chat(chats[number]) for number in sorted(used) if not chats[number].declared
    }
    taken: set[str] = set()
    rows = [
        _subscription(
            subscription,
            _unique(subscription.name, taken),
            [names[number] for number in subscription.chats],
        )
        for subscription in exported
    ]
    taken_by_feeds: set[str] = set()
    added = [
        {
            "url": url,
            "name": _unique(name, taken_by_feeds),
            **({"tags": list(tags)} if tags else {}),
        }
        for url, name, tags in feeds
    ]
    return {
        key: value
        for key, value in (("chats", new_chats), ("feeds", added), ("subscriptions", rows))
        if value
    }


def _chat_names(chats: Mapping[int, ChatFact]) -> dict[int, str]:
    """A unique name for each chat; those that have a name in the file keep it."""
    taken: set[str] = set()
    return {
        number: _unique(chat.name or str(chat.address), taken) for number, chat in chats.items()
    }


def _unique(name: str, taken: set[str]) -> str:
    name = name[:_MAX_NAME] or "chat"
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f" ({number})"
        candidate = name[: _MAX_NAME - len(suffix)] + suffix
    taken.add(candidate)
    return candidate


def _chat(chat: ChatFact) -> dict[str, Any]:
    row: dict[str, Any] = {
        "telegram": chat.address,
        **({"topic": chat.topic} if chat.topic else {}),
    }
    settings = chat.settings
    if settings.language:
        row["language"] = settings.language
    if settings.zone:
        row["timezone"] = settings.zone
    if settings.quiet and settings.quiet[0] != settings.quiet[1]:
        row["quiet"] = f"{clock_text(settings.quiet[0])}-{clock_text(settings.quiet[1])}"
    if settings.digest_at:
        row["digest"] = [clock_text(minutes) for minutes in settings.digest_at]
    if settings.digest_from:
        row["digest_from"] = settings.digest_from
    if settings.developments:
        row["developments"] = settings.developments.value
    if settings.updates:
        row["updates"] = settings.updates.value
    if chat.grouping:
        row["stories"] = chat.grouping.value
    return row


def _subscription(subscription: Subscription, name: str, to: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "query": subscription.query}
    options = subscription.options
    if subscription.feeds:
        row["feeds"] = list(subscription.feeds)
    if options.urgency is not Urgency.NORMAL:
        row["urgency"] = options.urgency.value
    if options.publishers > 1:
        row["publishers"] = options.publishers
    if options.or_after is not None:
        row["or_after"] = format_duration(options.or_after)
    if options.alert_again_at:
        row["alert_again_at"] = options.alert_again_at
    if options.developments:
        row["developments"] = options.developments.value
    if options.updates:
        row["updates"] = options.updates.value
    return row | {"to": to}
