"""Decide which chats an entry rings, which messages have to change, and what stays silent. No I/O, no clock, no text.

A chat is rung once per story. A known entry with other words rings only where the old words did not match.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.identity import RECENT
from bot.model.chats import AlertIntent, AlertRevision, KnownAlert
from bot.model.entries import Article, Match, NewEntry, Revision
from bot.model.feeds import FeedDue
from bot.query.index import Index


@dataclass(frozen=True, slots=True)
class Rung:
    """What the entries of one feed mean for the chats."""

    alerts: tuple[AlertIntent, ...]
    revisions: tuple[AlertRevision, ...]


def article(entry: NewEntry | Revision, feed: FeedDue) -> Article:
    """An entry as queries look at it."""
    return Article(
        title=entry.title,
        summary=entry.summary,
        language=entry.language,
        link=entry.link,
        author=entry.author,
        source=entry.source,
        feed=feed.url,
        feed_name=feed.name,
        publisher=feed.publisher,
        tags=feed.tags,
    )


def _by_chat(index: Index, matches: Iterable[Match], *, terminals_only: bool) -> Mapping[int, list[Match]]:
    chats: dict[int, list[Match]] = {}
    for match in matches:
        subscription = index.subscription(match.subscription_id)
        if subscription:
            for chat in subscription.terminals if terminals_only else subscription.chats:
                chats.setdefault(chat, []).append(match)
    return chats


class Ringer:
    """Decides for one batch; remembers what it decided so that later entries of the batch see it."""

    def __init__(self, index: Index, alerted: Iterable[KnownAlert], now: datetime) -> None:
        self._index = index
        self._stories: dict[int, dict[int, KnownAlert]] = {}  # story to chat to alert
        for alert in alerted:
            self._stories.setdefault(alert.story_id, {})[alert.chat_id] = alert
        self._now = now

    def ring(self, new: Iterable[NewEntry], revisions: Iterable[Revision], feed: FeedDue) -> Rung:
        """Alerts and changes for the entries of one feed."""
        alerts: list[AlertIntent] = []
        changes: list[AlertRevision] = []
        for entry in new:
            self._new(entry, feed, alerts, changes)
        for revision in revisions:
            self._revised(revision, feed, alerts, changes)
        return Rung(tuple(alerts), tuple(changes))

    def _new(self, entry: NewEntry, feed: FeedDue, alerts: list[AlertIntent], changes: list[AlertRevision]) -> None:
        recent = entry.published is not None and entry.published > self._now - RECENT
        if entry.silent == "archive" or (entry.silent and not recent):
            return
        matches = self._index.match(article(entry, feed))
        baseline = entry.silent == "baseline"
        for chat, found in _by_chat(self._index, matches, terminals_only=baseline).items():
            self._place(
                chat,
                entry.story_id,
                entry.id,
                found,
                alerts,
                changes,
                catch_up=baseline,
                collapse=entry.silent == "flood",
            )

    def _revised(self, revision: Revision, feed: FeedDue, alerts: list[AlertIntent], changes: list[AlertRevision]) -> None:
        known = revision.known
        now_says = article(revision, feed)
        matches = self._index.match(now_says)
        said = replace(now_says, title=known.title, summary=known.summary)
        before = {match.subscription_id for match in self._index.match(said)} if matches else set()
        first_time = [match for match in matches if match.subscription_id not in before]
        alerted = dict(self._stories.get(known.story_id, {}))
        for chat, found in _by_chat(self._index, first_time, terminals_only=False).items():
            if chat not in alerted:
                self._place(chat, known.story_id, known.id, found, alerts, changes)
        now_matching = _by_chat(self._index, matches, terminals_only=False)
        for chat, alert in alerted.items():
            if alert.entry_id == known.id:
                changes.append(AlertRevision(chat, known.story_id, known.id, tuple(now_matching.get(chat, ()))))

    def _place(
        self,
        chat: int,
        story: int,
        entry: int,
        found: list[Match],
        alerts: list[AlertIntent],
        changes: list[AlertRevision],
        *,
        catch_up: bool = False,
        collapse: bool = False,
    ) -> None:
        subscriptions = frozenset(match.subscription_id for match in found)
        chats = self._stories.setdefault(story, {})
        have = chats.get(chat)
        if have is None:
            alerts.append(AlertIntent(chat, story, entry, tuple(found), catch_up, collapse))
            chats[chat] = KnownAlert(chat, story, entry, subscriptions)
        elif subscriptions - have.subscriptions:
            changes.append(AlertRevision(chat, story, entry, tuple(m for m in found if m.subscription_id not in have.subscriptions)))
            chats[chat] = KnownAlert(chat, story, have.entry_id, have.subscriptions | subscriptions)
