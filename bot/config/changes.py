"""What another feeds.yaml would change: settings, feeds, chats, subscriptions. Applies nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from bot.config.load import Config
from bot.config.schema import Settings
from bot.model.chats import DeclaredSubscription
from bot.query.parser import parse

#: settings that take effect while newsbell runs, with those below them; the others after a restart
LIVE = (
    *("timezone", "language", "stories", "access", "network.spacing", "telegram.admins"),
    *("sources.telegram", "rsshub"),
    *("quotas.subscriptions", "quotas.feeds", "quotas.hosts_an_hour", "heartbeat", "retention"),
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes of one kind, by name."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: and what of each


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Everything that changes."""

    settings: tuple[str, ...]  #: keys below `settings`
    feeds: Changes
    chats: Changes
    subscriptions: Changes
    #: subscriptions that match or alert otherwise or are new, each with what it was
    rematched: tuple[tuple[DeclaredSubscription | None, DeclaredSubscription], ...]

    def __bool__(self) -> bool:
        kinds = (self.feeds, self.chats, self.subscriptions)
        return bool(self.settings or self.rematched) or any(
            kind.added or kind.removed or kind.changed for kind in kinds
        )


def is_live(key: str) -> bool:
    """Whether a change of a key below `settings` takes effect while newsbell runs."""
    return any(key == live or key.startswith(f"{live}.") for live in LIVE)


def setting_changes(old: Settings, new: Settings) -> tuple[str, ...]:
    """Return the keys below `settings` that change."""
    return tuple(_keys(old, new))


def file_changes(old: Config, new: Config) -> FileChanges:
    """Return what changes from one valid configuration to another."""
    before = {item.name: item for item in old.declared.subscriptions}
    return FileChanges(
        setting_changes(old.settings, new.settings),
        _changes(
            {feed.url: feed for feed in old.declared.feeds},
            {feed.url: feed for feed in new.declared.feeds},
        ),
        _changes(
            {chat.name: chat for chat in old.declared.chats},
            {chat.name: chat for chat in new.declared.chats},
        ),
        _changes(before, {item.name: item for item in new.declared.subscriptions}),
        tuple(
            (before.get(item.name), item)
            for item in new.declared.subscriptions
            if _alerts_otherwise(before.get(item.name), item, old, new)
        ),
    )


def _alerts_otherwise(
    earlier: DeclaredSubscription | None, later: DeclaredSubscription, old: Config, new: Config
) -> bool:
    """Whether the lists that a query names count too: they are part of what it matches."""
    return (
        earlier is None
        or (earlier.feeds, earlier.options) != (later.feeds, later.options)
        or parse(earlier.query, old.names) != parse(later.query, new.names)
    )


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    return Changes(
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
        {
            name: tuple(_differing(old[name], new[name]))
            for name in new
            if name in old and old[name] != new[name]
        },
    )


def _differing(old: Any, new: Any, below: str = "") -> Iterator[str]:
    """Yield the names of fields that differ, those of values within by their own."""
    for part in fields(old):
        before, after = getattr(old, part.name), getattr(new, part.name)
        if before == after:
            continue
        if is_dataclass(before) and is_dataclass(after):
            yield from _differing(before, after, below)
        else:
            yield f"{below}{part.name}"


def _keys(old: BaseModel, new: BaseModel, above: str = "") -> Iterator[str]:
    for name in type(old).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            yield from _keys(before, after, f"{above}{name}.")
        elif _plain(before) != _plain(after):
            yield f"{above}{name}"


def _plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
