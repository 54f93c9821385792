"""Decide which chats get an alert for an entry, and which messages have to change.

A chat gets one alert per story, at the level of stories that it chose. Further entries change the
message; a subscription that waits for publishers holds the alert back until enough carry the
story. A known entry with other words leads to an alert only where the old words did not match.
No I/O, no clock, no text.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from bot.alerts.changes import change_of, loudest, withdrawal
from bot.alerts.readiness import (
    enough,
    first_due,
    most_urgent,
    ready_priority,
    release_priority,
)
from bot.alerts.state import AlertState, AlertStateDraft
from bot.model.alerts import (
    AlertGrowth,
    AlertIntent,
    AlertRevision,
    AlertUpdate,
    Fate,
    KnownAlert,
    MatchRecord,
    Priority,
    Stance,
)
from bot.model.chats import AlertOptions, Developments, Subscription, Updates
from bot.model.entries import (
    RECENT,
    Article,
    KnownEntry,
    Match,
    NewEntry,
    PlacedEntry,
    Revision,
    Silence,
)
from bot.model.feeds import FeedDue
from bot.model.stories import Grouping, StoryIds
from bot.model.updates import ArticleChange


class Matcher(Protocol):
    """What decisions need of the query index."""

    def match(self, article: Article) -> list[Match]:
        """Return the subscriptions that match an article."""
        ...

    def subscription(self, number: int) -> Subscription | None:
        """Return a subscription in force."""
        ...


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What the decisions of a batch are made by."""

    index: Matcher
    grouping: Callable[[int], Grouping]  #: the level of stories that a chat chose
    now: datetime
    #: how a chat hears of developments
    developments: Callable[[int], Developments] = lambda _chat: Developments.NOTE
    #: how a chat hears of changes of what it was alerted of; None: nobody chose
    updates: Callable[[int], Updates | None] = lambda _chat: None


@dataclass(frozen=True, slots=True)
class AlertDecisions:
    """What the entries of one feed mean for the chats."""

    alerts: tuple[AlertIntent, ...] = ()
    revisions: tuple[AlertRevision, ...] = ()
    growths: tuple[AlertGrowth, ...] = ()
    records: tuple[MatchRecord, ...] = ()  #: what was decided about each match
    updates: tuple[AlertUpdate, ...] = ()


def decide_alerts(
    entries: Sequence[PlacedEntry],
    revisions: Sequence[Revision],
    feed: FeedDue,
    state: AlertState,
    rules: AlertRules,
    withdrawn: Sequence[KnownEntry] = (),
) -> tuple[AlertDecisions, AlertState]:
    """Decide about the entries of one feed; the decisions, and the state for the next feed.

    `withdrawn` are those that it took back.
    """
    if not entries and not revisions and not withdrawn:
        return AlertDecisions(), state
    decision = FeedAlerts(feed, state, rules)
    for entry in entries:
        decision.add_entry(entry)
    for revision in revisions:
        decision.add_revision(revision)
    for known in withdrawn:
        decision.add_withdrawal(known)
    return decision.result()


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
        body=entry.body,
        categories=entry.categories,
    )


@dataclass(frozen=True, slots=True)
class _Hit:
    """An entry whose words match, or did so for the first time."""

    entry: int
    story_ids: StoryIds
    catch_up: bool = False
    collapse: bool = False


class FeedAlerts:
    """What the entries of one feed mean for the chats, entry by entry.

    `decide_alerts` is all of it at once. A caller may let other tasks run between two entries.
    """

    def __init__(self, feed: FeedDue, state: AlertState, rules: AlertRules) -> None:
        self._feed = feed
        self._index, self._grouping, self._now = rules.index, rules.grouping, rules.now
        self._developments, self._updates = rules.developments, rules.updates
        self._draft = AlertStateDraft(state)
        self._state = self._draft.state
        self._alerts: list[AlertIntent] = []
        self._revisions: list[AlertRevision] = []
        self._growths: dict[tuple[int, int], AlertGrowth] = {}  # by chat and story
        self._changes: list[AlertUpdate] = []
        # by entry, chat and subscription: the last decision holds
        self._records: dict[tuple[int, int, int], MatchRecord] = {}

    def result(self) -> tuple[AlertDecisions, AlertState]:
        """What was decided, and the state after it."""
        decisions = AlertDecisions(
            tuple(self._alerts),
            tuple(self._revisions),
            tuple(self._growths.values()),
            tuple(self._records.values()),
            tuple(self._changes),
        )
        return decisions, self._state

    def add_entry(self, placed: PlacedEntry) -> None:
        """Decide about a new entry."""
        entry, story_ids = placed.entry, placed.story_ids
        earlier = self._state.of_stories(story_ids, self._grouping)
        before = [
            self._state.publishers(alert.chat_id, alert.grouping, story_ids) for alert in earlier
        ]
        self._draft.add_origin(placed, self._feed.chats)
        recent = entry.published is not None and entry.published > self._now - RECENT
        if entry.silent in {None, Silence.FLOOD} or (entry.silent is Silence.BASELINE and recent):
            matches = self._match(placed)
            if placed.placement.development and entry.silent is not Silence.BASELINE:
                self._tell(placed, earlier, matches)
        for alert, count in zip(earlier, before, strict=True):
            self._grow(alert, self._draft.take_counted(alert, count), story_ids)

    def add_revision(self, revision: Revision) -> None:
        """Decide about a known entry with other words."""
        known = revision.known
        story_ids = self._state.merges.resolve(known.story_ids)
        new_words = article(revision, self._feed)
        matches = self._index.match(new_words)
        first_matches = self._first_matches(matches, new_words, revision)
        leading = [
            alert
            for alert in self._state.of_stories(story_ids, self._grouping)
            if alert.entry_id == known.id
        ]
        leading_chats = {alert.chat_id for alert in leading}
        for chat, chat_matches in self._by_chat(first_matches, known.id).items():
            if chat in leading_chats:
                self._record(known.id, chat, chat_matches, Fate.LEADS)
            elif self._state.stance(chat, story_ids) is Stance.MUTE:
                self._record(known.id, chat, chat_matches, Fate.MUTED)
            else:
                self._alert_or_add(chat, _Hit(known.id, story_ids), chat_matches)
        by_chat = self._by_chat(matches)
        first = len(self._revisions)
        for alert in leading:
            self._add_matches(alert, known.id, by_chat.get(alert.chat_id, []), story_ids)
        for alert in self._state.superseded:
            if alert.entry_id == known.id:
                chat_matches = by_chat.get(alert.chat_id, [])
                self._revise(alert, known.id, chat_matches)
        if revision.flips:
            flips = [replace(item, flips=True) for item in self._revisions[first:]]
            self._revisions[first:] = flips
        if leading_chats or any(item.entry_id == known.id for item in self._state.superseded):
            self._add_change(known, story_ids, change_of(revision, self._feed))

    def add_withdrawal(self, known: KnownEntry) -> None:
        """Decide about a known entry that its feed took back, or whose page is gone for good."""
        story_ids = self._state.merges.resolve(known.story_ids)
        self._add_change(known, story_ids, withdrawal(known))

    def _add_change(
        self, known: KnownEntry, story_ids: StoryIds, change: ArticleChange | None
    ) -> None:
        """What a change of an entry means for each chat that has its alert: once, of several."""
        if change is None:
            return
        alerts: dict[int, KnownAlert] = {}
        for alert in (*self._state.of_stories(story_ids, self._grouping), *self._state.superseded):
            if alert.entry_id == known.id and self._may_alert(alert.chat_id):
                alerts.setdefault(alert.chat_id, alert)
        for chat, alert in alerts.items():
            numbers = [
                number
                for number in sorted(alert.subscriptions)
                if (item := self._index.subscription(number)) and chat in item.chats
            ]
            options, default = self._options(chat, numbers), self._updates(chat)
            stance = self._state.stance(chat, story_ids)
            self._changes.append(
                AlertUpdate(
                    chat,
                    alert.story_id,
                    known.id,
                    change,
                    tuple(numbers),
                    loudest([item.updates or default for item in options] or [default]),
                    most_urgent(options),
                    followed=stance is Stance.FOLLOW,
                    muted=stance is Stance.MUTE,
                )
            )

    def _first_matches(
        self, matches: list[Match], new_words: Article, revision: Revision
    ) -> list[Match]:
        """Matches of subscriptions that the entry's old words did not match."""
        if not matches:
            return []
        known = revision.known
        # A text that comes to an article of yesterday is no news.
        is_old = known.first_seen_at <= self._now - RECENT
        body = known.body or (revision.body if is_old else "")
        old_words = replace(new_words, title=known.title, summary=known.summary, body=body)
        before = {match.subscription_id for match in self._index.match(old_words)}
        return [match for match in matches if match.subscription_id not in before]

    def _tell(
        self, placed: PlacedEntry, earlier: Sequence[KnownAlert], matches: Sequence[Match]
    ) -> None:
        """News for the chats that were alerted of its story before it came."""
        told: set[int] = set()
        for alert in earlier:
            chat, story_ids = alert.chat_id, placed.story_ids
            if (
                chat in told
                or alert.note
                or alert.pending
                or alert.story_id == story_ids.strict
                or not self._may_alert(chat)
                or self._state.stance(chat, story_ids) is Stance.MUTE
            ):
                continue
            told.add(chat)
            self._tell_chat(chat, placed, alert, matches)

    def _tell_chat(
        self, chat: int, placed: PlacedEntry, alert: KnownAlert, matches: Sequence[Match]
    ) -> None:
        options = self._options(chat, alert.subscriptions)
        default = self._developments(chat)
        chosen = {item.developments or default for item in options} or {default}
        if chosen == {Developments.EDIT}:
            return
        note = Developments.ALERT not in chosen
        words = {match.subscription_id: match for match in matches}
        wanted = tuple(
            words.get(number, Match(number, ())) for number in sorted(alert.subscriptions)
        )
        priority = most_urgent(options)
        story = placed.story_ids.strict
        self._alerts.append(
            AlertIntent(
                chat,
                story,
                placed.entry.id,
                wanted,
                collapse=placed.entry.silent is Silence.FLOOD,
                grouping=Grouping.STRICT,
                priority=max(priority, Priority.NORMAL) if note else priority,
                followed=not wanted,
                note_of=alert.story_id if note else 0,
            )
        )
        self._record(placed.entry.id, chat, wanted, Fate.TOLD)
        self._draft.put(
            KnownAlert(
                chat, story, placed.entry.id, alert.subscriptions, Grouping.STRICT, note=note
            )
        )

    def _match(self, placed: PlacedEntry) -> list[Match]:
        """Alerts for the chats whose words match the entry or that follow its storyline.

        Return what matched.
        """
        entry, story_ids = placed.entry, placed.story_ids
        baseline = entry.silent is Silence.BASELINE
        flood = entry.silent is Silence.FLOOD
        hit = _Hit(entry.id, story_ids, catch_up=baseline, collapse=flood)
        stances = self._state.stances.get(story_ids.storyline, {})
        matches = self._index.match(article(entry, self._feed))
        by_chat = self._by_chat(matches, entry.id, terminals_only=baseline)
        for chat, chat_matches in by_chat.items():
            if stances.get(chat) is Stance.MUTE:
                self._record(entry.id, chat, chat_matches, Fate.MUTED)
            else:
                self._alert_or_add(chat, hit, chat_matches)
        if baseline:
            return matches
        for chat, stance in stances.items():
            follows = stance is Stance.FOLLOW and self._may_alert(chat)
            if follows and self._state.of_chat(chat, story_ids, self._grouping) is None:
                self._alert(chat, hit, [])
        return matches

    def _may_alert(self, chat: int) -> bool:
        return self._feed.chats is None or chat in self._feed.chats

    def _by_chat(
        self, matches: Iterable[Match], entry: int = 0, *, terminals_only: bool = False
    ) -> Mapping[int, list[Match]]:
        """The matches of each chat that reads the feed; of an `entry`, the others are recorded."""
        chats: dict[int, list[Match]] = {}
        for match in matches:
            subscription = self._index.subscription(match.subscription_id)
            if subscription:
                for chat in subscription.terminals if terminals_only else subscription.chats:
                    if self._may_alert(chat):
                        chats.setdefault(chat, []).append(match)
                    elif entry:
                        self._record(entry, chat, [match], Fate.FOREIGN)
        return chats

    def _record(
        self, entry: int, chat: int, matches: Iterable[Match], fate: Fate, leader: int = 0
    ) -> None:
        numbers = [match.subscription_id for match in matches] or [0]
        for number in numbers:
            record = MatchRecord(entry, chat, number, fate, leader)
            self._records[entry, chat, number] = record

    def _alert_or_add(self, chat: int, hit: _Hit, matches: list[Match]) -> None:
        """A new alert, or further subscriptions for the one that the chat has of the story."""
        alert = self._state.of_chat(chat, hit.story_ids, self._grouping)
        if alert is None:
            self._alert(chat, hit, matches)
            return
        self._record(hit.entry, chat, matches, Fate.JOINS, alert.entry_id)
        further = [match for match in matches if match.subscription_id not in alert.subscriptions]
        if further:
            self._add_matches(alert, hit.entry, further, hit.story_ids)

    def _alert(self, chat: int, hit: _Hit, matches: list[Match]) -> None:
        level = self._grouping(chat)
        story, count = hit.story_ids.at(level), self._state.publishers(chat, level, hit.story_ids)
        subscriptions = frozenset(match.subscription_id for match in matches)
        options = self._options(chat, subscriptions)
        followed = self._state.stance(chat, hit.story_ids) is Stance.FOLLOW
        pending = not followed and not enough(options, count)
        intent = AlertIntent(
            chat,
            story,
            hit.entry,
            tuple(matches),
            hit.catch_up,
            collapse=hit.collapse and not pending,
            grouping=level,
            priority=release_priority(options, count, follows=followed),
            pending=pending,
            due_at=first_due(options, self._now) if pending else None,
            followed=followed,
        )
        self._alerts.append(intent)
        self._record(hit.entry, chat, matches, Fate.LEADS)
        self._draft.put(KnownAlert(chat, story, hit.entry, subscriptions, level, pending))

    def _add_matches(
        self, alert: KnownAlert, entry: int, matches: list[Match], story_ids: StoryIds
    ) -> None:
        """Other words, or further subscriptions, for an alert that a chat has."""
        subscriptions = frozenset(match.subscription_id for match in matches)
        options = self._options(alert.chat_id, subscriptions - alert.subscriptions)
        count = self._state.publishers(alert.chat_id, alert.grouping, story_ids)
        due_at = first_due(options, self._now) if alert.pending else None
        self._revise(alert, entry, matches, due_at, ready_priority(options, count, Priority.NOTICE))
        joined = replace(alert, subscriptions=alert.subscriptions | subscriptions)
        self._draft.put(joined)
        if alert.pending:
            self._grow(joined, count, story_ids)

    def _revise(
        self,
        alert: KnownAlert,
        entry: int,
        matches: list[Match],
        due_at: datetime | None = None,
        priority: Priority = Priority.NOTICE,
    ) -> None:
        self._revisions.append(
            AlertRevision(alert.chat_id, alert.story_id, entry, tuple(matches), due_at, priority)
        )

    def _grow(self, alert: KnownAlert, before: int, story_ids: StoryIds) -> None:
        """A further entry: the message shows it, and the alert may go out now, or once more.

        `before`: how many publishers carried the story before.
        """
        chat, level = alert.chat_id, alert.grouping
        current = self._state.alerts[alert.story_id].get(chat, alert)
        alert = replace(current, grouping=level)
        count = self._state.publishers(chat, level, story_ids)
        options = self._options(chat, alert.subscriptions)
        stance = self._state.stance(chat, story_ids)
        muted = stance is Stance.MUTE
        follows = stance is Stance.FOLLOW
        release = None
        if alert.pending and not muted and (follows or enough(options, count)):
            release = release_priority(options, count, follows=follows)
        again_at = min((item.alert_again_at for item in options if item.alert_again_at), default=0)
        again = (
            before < again_at <= count
            and not alert.note
            and not alert.pending
            and not alert.alerted_again
            and not muted
        )
        key = (chat, alert.story_id)
        growth = self._growths.get(key, AlertGrowth(chat, alert.story_id))
        urgent = min(growth.priority, ready_priority(options, count, Priority.NOTICE))
        self._growths[key] = replace(
            growth,
            release=growth.release if release is None else release,
            priority=Priority.NOTICE if alert.pending or muted else urgent,
            again=growth.again or again,
            grouping=level if level is not current.grouping else growth.grouping,
        )
        pending = alert.pending and release is None
        again = alert.alerted_again or again
        self._draft.put(replace(alert, pending=pending, alerted_again=again))

    def _options(self, chat: int, subscriptions: Iterable[int]) -> list[AlertOptions]:
        """The options of those subscriptions that still send alerts to the chat."""
        candidates = (self._index.subscription(number) for number in sorted(subscriptions))
        return [item.options for item in candidates if item and chat in item.chats]
