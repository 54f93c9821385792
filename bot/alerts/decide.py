"""Decide which chats an entry rings, which messages have to change, and what stays silent. No I/O, no clock, no text.

A chat is rung once per story, at the level of stories that it chose. Further entries change the message; a subscription that waits for
publishers holds the alert until enough carry the story. A known entry with other words rings only where the old words did not match.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model.alerts import (
    PRIORITIES,
    AlertGrowth,
    AlertIntent,
    AlertRevision,
    KnownAlert,
    Priority,
    Stance,
    StoryState,
)
from bot.model.chats import AlertOptions
from bot.model.entries import RECENT, Article, Match, NewEntry, PlacedEntry, Revision, Silence
from bot.model.feeds import FeedDue
from bot.model.stories import Grouping, StoryIds
from bot.query.index import Index
from bot.stories.assign import Merges


@dataclass(frozen=True, slots=True)
class AlertDecisions:
    """What the entries of one feed mean for the chats."""

    alerts: tuple[AlertIntent, ...]
    revisions: tuple[AlertRevision, ...]
    growths: tuple[AlertGrowth, ...] = ()


@dataclass(frozen=True, slots=True)
class _Hit:
    """An entry whose words match, or did so for the first time."""

    entry: int
    story_ids: StoryIds
    catch_up: bool = False
    collapse: bool = False


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


def priority(all_options: Iterable[AlertOptions]) -> Priority:
    """That of the most urgent."""
    return min((PRIORITIES[one.urgency] for one in all_options), default=Priority.NORMAL)


class AlertDecider:
    """Decides for one batch; remembers what it decided so that later entries of the batch see it."""

    def __init__(
        self,
        index: Index,
        state: StoryState,
        merges: Merges,
        grouping: Callable[[int], Grouping],
        now: datetime,
    ) -> None:
        self._index, self._grouping, self._now = index, grouping, now
        self._stories: dict[int, dict[int, KnownAlert]] = {}  # story to chat to alert
        self._origins: dict[tuple[Grouping, int], set[str]] = {}
        self._stances: dict[int, dict[int, Stance]] = {}  # storyline to chat
        self._told: dict[
            tuple[int, int], int
        ] = {}  # chat and story to the publishers that its alert counted before stories merged
        self._aside = [alert for alert in state.alerts if alert.aside]
        active = (alert for alert in state.alerts if not alert.aside)
        for alert in sorted(
            active, key=lambda one: (one.lost, one.held, one.story_id)
        ):  # what was sent outlives what waits
            kept = merges.follow(alert.grouping, alert.story_id)
            chats = self._stories.setdefault(kept, {})
            first = chats.get(alert.chat_id, alert)
            joined = (
                first.subscriptions if alert.lost else first.subscriptions | alert.subscriptions
            )
            chats[alert.chat_id] = replace(
                first, story_id=kept, subscriptions=joined, again=first.again or alert.again
            )
            if merges.done:
                told = len(state.origins.get((alert.grouping, alert.story_id), ()))
                self._told.setdefault((alert.chat_id, kept), told)
        for (level, number), origins in state.origins.items():
            self._origins.setdefault((level, merges.follow(level, number)), set()).update(origins)
        # Where two storylines become one, what the chat wants of the one that stays goes first, as in the store.
        for number, stances in sorted(
            state.stances.items(), key=lambda one: merges.follow(Grouping.LOOSE, one[0]) != one[0]
        ):
            chats_want = self._stances.setdefault(merges.follow(Grouping.LOOSE, number), {})
            for chat, stance in stances.items():
                chats_want.setdefault(chat, stance)
        self._merges = merges

    def ring(
        self, new: Iterable[PlacedEntry], revisions: Iterable[Revision], feed: FeedDue
    ) -> AlertDecisions:
        """Alerts and changes for the entries of one feed."""
        self._alerts: list[AlertIntent] = []
        self._changes: list[AlertRevision] = []
        self._growths: dict[tuple[int, int], AlertGrowth] = {}
        self._for = feed.chats
        for entry in new:
            self._new(entry, feed)
        for revision in revisions:
            self._revised(revision, feed)
        return AlertDecisions(
            tuple(self._alerts), tuple(self._changes), tuple(self._growths.values())
        )

    def _new(self, placed: PlacedEntry, feed: FeedDue) -> None:
        entry, story_ids = placed.entry, placed.story_ids
        before = self._having(story_ids)
        counts = {
            level: len(self._origins.get((level, story_ids.at(level)), ())) for level in Grouping
        }
        for level in Grouping:
            self._origins.setdefault((level, story_ids.at(level)), set()).add(placed.origin)
        recent = entry.published is not None and entry.published > self._now - RECENT
        if entry.silent is not Silence.ARCHIVE and (not entry.silent or recent):
            self._match(placed, feed)
        for alert in before:
            self._grow(
                alert,
                self._told.pop((alert.chat_id, alert.story_id), counts[alert.grouping]),
                story_ids,
            )

    def _match(self, placed: PlacedEntry, feed: FeedDue) -> None:
        entry = placed.entry
        baseline = entry.silent is Silence.BASELINE
        hit = _Hit(
            entry.id, placed.story_ids, catch_up=baseline, collapse=entry.silent is Silence.FLOOD
        )
        stances = self._stances.get(placed.story_ids.storyline, {})
        for chat, found in self._by_chat(
            self._index.match(article(entry, feed)), terminals_only=baseline
        ).items():
            if stances.get(chat) is not Stance.MUTE:
                self._place(chat, hit, found)
        for chat, stance in stances.items():
            may = self._for is None or chat in self._for
            if (
                stance is Stance.FOLLOW
                and may
                and not baseline
                and self._had(chat, placed.story_ids) is None
            ):
                self._alert(chat, hit, [], followed=True)

    def _revised(self, revision: Revision, feed: FeedDue) -> None:
        known, story_ids = revision.known, self._merges.resolve(revision.known.story_ids)
        now_says = article(revision, feed)
        matches = self._index.match(now_says)
        said = replace(now_says, title=known.title, summary=known.summary)
        before = {match.subscription_id for match in self._index.match(said)} if matches else set()
        first_time = [match for match in matches if match.subscription_id not in before]
        leading = [alert for alert in self._having(story_ids) if alert.entry_id == known.id]
        shown_to = {alert.chat_id for alert in leading}
        stances = self._stances.get(story_ids.storyline, {})
        for chat, found in self._by_chat(first_time, terminals_only=False).items():
            if chat not in shown_to and stances.get(chat) is not Stance.MUTE:
                self._place(chat, _Hit(known.id, story_ids), found)
        now_matching = self._by_chat(matches, terminals_only=False)
        for alert in leading:
            self._join(alert, known.id, now_matching.get(alert.chat_id, []), story_ids)
        for alert in self._aside:
            if alert.entry_id == known.id:
                self._changes.append(
                    AlertRevision(
                        alert.chat_id,
                        alert.story_id,
                        known.id,
                        tuple(now_matching.get(alert.chat_id, ())),
                    )
                )

    def _by_chat(
        self, matches: Iterable[Match], *, terminals_only: bool
    ) -> Mapping[int, list[Match]]:
        chats: dict[int, list[Match]] = {}
        for match in matches:
            subscription = self._index.subscription(match.subscription_id)
            if subscription:
                for chat in subscription.terminals if terminals_only else subscription.chats:
                    if self._for is None or chat in self._for:
                        chats.setdefault(chat, []).append(match)
        return chats

    def _having(self, story_ids: StoryIds) -> list[KnownAlert]:
        """The alerts of the entry's stories, in all chats."""
        shown = (
            self._as_of(alert, number, story_ids)
            for number in _numbers(story_ids)
            for alert in self._stories.get(number, {}).values()
        )
        return [alert for alert in shown if alert]

    def _had(self, chat: int, story_ids: StoryIds) -> KnownAlert | None:
        """The alert that a chat has of the entry's story, the one at the chat's own level where there are two."""
        known = (
            (number, self._stories.get(number, {}).get(chat)) for number in _numbers(story_ids)
        )
        mine = [
            shown
            for number, alert in known
            if alert and (shown := self._as_of(alert, number, story_ids))
        ]
        return min(
            mine,
            key=lambda alert: alert.story_id != story_ids.at(self._grouping(chat)),
            default=None,
        )

    def _as_of(self, alert: KnownAlert, number: int, story_ids: StoryIds) -> KnownAlert | None:
        """The alert, where it is for a story of this number that the entry belongs to.

        An alert keeps to the level at which it was made. Where its chat chose a wider one since, and the wider story has the same number,
        it is for that from now on.
        """
        if number == story_ids.at(alert.grouping):
            return alert
        level = self._grouping(alert.chat_id)
        return replace(alert, grouping=level) if number == story_ids.at(level) else None

    def _place(self, chat: int, hit: _Hit, found: list[Match]) -> None:
        have = self._had(chat, hit.story_ids)
        if have is None:
            self._alert(chat, hit, found)
            return
        further = [match for match in found if match.subscription_id not in have.subscriptions]
        if further:
            self._join(have, hit.entry, further, hit.story_ids)

    def _join(self, alert: KnownAlert, entry: int, found: list[Match], story_ids: StoryIds) -> None:
        """Other words, or further subscriptions, for an alert that a chat has."""
        chat, numbers = alert.chat_id, {match.subscription_id for match in found}
        further = self._all_options(chat, numbers - alert.subscriptions)
        due_at = self._due(further) if alert.held else None
        urgent = self._urgency(further, self._count(alert.grouping, story_ids), Priority.NOTICE)
        self._changes.append(
            AlertRevision(chat, alert.story_id, entry, tuple(found), due_at, urgent)
        )
        joined = replace(alert, subscriptions=alert.subscriptions | numbers)
        self._stories[alert.story_id][chat] = joined
        if alert.held:
            self._grow(joined, self._count(alert.grouping, story_ids), story_ids)

    def _due(self, all_options: Iterable[AlertOptions]) -> datetime | None:
        waits = [one.or_after for one in all_options if one.or_after is not None]
        return self._now + min(waits) if waits else None

    def _alert(self, chat: int, hit: _Hit, found: list[Match], *, followed: bool = False) -> None:
        level = self._grouping(chat)
        story, count = hit.story_ids.at(level), self._count(level, hit.story_ids)
        all_options = self._all_options(chat, (match.subscription_id for match in found))
        followed = (
            followed or self._stances.get(hit.story_ids.storyline, {}).get(chat) is Stance.FOLLOW
        )
        held = not followed and not any(one.publishers <= count for one in all_options)
        intent = AlertIntent(
            chat,
            story,
            hit.entry,
            tuple(found),
            hit.catch_up,
            collapse=hit.collapse and not held,
            grouping=level,
            priority=self._urgency(all_options, count, priority(all_options)),
            held=held,
            due_at=self._due(all_options) if held else None,
            followed=followed,
        )
        self._alerts.append(intent)
        subscriptions = frozenset(match.subscription_id for match in found)
        self._stories.setdefault(story, {})[chat] = KnownAlert(
            chat, story, hit.entry, subscriptions, level, held
        )

    def _grow(self, alert: KnownAlert, before: int, story_ids: StoryIds) -> None:
        """A further entry: the message shows it; a held alert may have enough publishers now, one that rang may ring once more."""
        chat, level = alert.chat_id, alert.grouping
        had_level = self._stories[alert.story_id].get(chat, alert).grouping
        alert = replace(self._stories[alert.story_id].get(chat, alert), grouping=level)
        count = self._count(alert.grouping, story_ids)
        all_options = self._all_options(chat, alert.subscriptions)
        stance = self._stances.get(story_ids.storyline, {}).get(chat)
        muted = stance is Stance.MUTE
        enough = (
            alert.held
            and not muted
            and (stance is Stance.FOLLOW or any(one.publishers <= count for one in all_options))
        )
        urgent = self._urgency(all_options, count, Priority.NOTICE)
        release = self._urgency(all_options, count, priority(all_options)) if enough else None
        at = min((one.alert_again_at for one in all_options if one.alert_again_at), default=0)
        again = (
            bool(at) and not alert.held and not alert.again and before < at <= count and not muted
        )
        key = (chat, alert.story_id)
        had = self._growths.get(key, AlertGrowth(chat, alert.story_id))
        self._growths[key] = replace(
            had,
            release=had.release if release is None else release,
            priority=Priority.NOTICE if alert.held or muted else min(had.priority, urgent),
            again=had.again or again,
            grouping=level if level is not had_level else had.grouping,
        )
        self._stories[alert.story_id][chat] = replace(
            alert, held=alert.held and release is None, again=alert.again or again
        )

    def _urgency(
        self, all_options: Iterable[AlertOptions], count: int, otherwise: Priority
    ) -> Priority:
        """That of the most urgent which need not wait for further publishers."""
        return min(
            (PRIORITIES[one.urgency] for one in all_options if one.publishers <= count),
            default=otherwise,
        )

    def _count(self, level: Grouping, story_ids: StoryIds) -> int:
        """Independent publishers of the entry's story."""
        return len(self._origins.get((level, story_ids.at(level)), ()))

    def _all_options(self, chat: int, subscriptions: Iterable[int]) -> list[AlertOptions]:
        """How those ring that still ring the chat."""
        found = (self._index.subscription(number) for number in sorted(subscriptions))
        return [one.options for one in found if one and chat in one.chats]


def _numbers(story_ids: StoryIds) -> Iterable[int]:
    """The numbers of an entry's stories, each once, the widest first."""
    return dict.fromkeys((story_ids.storyline, story_ids.story, story_ids.strict))
