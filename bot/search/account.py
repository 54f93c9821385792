"""What became of an entry for a subscription in a chat, and why: one account, read by all.

From what was recorded when the entry came, and from what is stored of alerts and deliveries.
Decides nothing about alerts, says nothing in words (`account_text` does); no I/O, no clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.alerts import Fate
from bot.model.archive import (
    AlertFact,
    EntryFacts,
    EntryRecord,
    KnownSubscription,
    SubscriptionVersion,
)
from bot.model.delivery import DeliveryState, DropReason, Wait
from bot.model.entries import Silence
from bot.model.updates import ChangeKind, UpdateFate
from bot.query.explain import Explanation, explain
from bot.query.tree import Node
from bot.query.words import ArticleWords

#: within this a change of a subscription takes effect
_CHANGING = timedelta(seconds=10)


class Outcome(StrEnum):
    """What became of an entry."""

    SENT = "sent"  #: it made the chat's alert, which arrived
    JOINED = "joined"  #: the chat's alert of its story is another entry's
    NOTED = "noted"  #: it was sent as a note about a story that was alerted
    WAITING = "waiting"  #: its message is queued
    HELD = "held"  #: its alert waits for more publishers
    NOT_SENT = "not_sent"
    LOST = "lost"  #: its message did not arrive, or nobody knows
    FORGOTTEN = "forgotten"  #: that is no longer stored


#: the message arrived
ARRIVED = frozenset({Outcome.SENT, Outcome.NOTED})
#: it may still be sent
_UNSEEN = frozenset({Outcome.HELD, Outcome.WAITING})


class Cause(StrEnum):
    """Why."""

    NONE = ""  #: the outcome says all
    OTHER_SUBSCRIPTION = "other_subscription"  #: sent for another one, not for this
    #: sent because its story was alerted for the subscription; its own words do not match
    DEVELOPMENT = "development"
    SENDING = "sending"
    MUTED = "muted"
    PAUSED = "paused"
    MADE_LATER = "made_later"
    DELETED = "deleted"
    BASELINE = "baseline"
    ARCHIVE = "archive"
    FEED_OF_OTHERS = "feed_of_others"
    NOT_IN_FEEDS = "not_in_feeds"
    NO_MATCH = "no_match"
    QUERY_CHANGED = "query_changed"
    CHAT_ADDED_LATER = "chat_added_later"
    READ_DIFFERENTLY = "read_differently"  #: lists, names or the feed's labels were others
    CHANGING = "changing"  #: it came within seconds of a change of the subscription
    WITHDRAWN = "withdrawn"  #: nobody wanted it any more before it went out
    BROKEN_QUERY = "broken_query"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    DROPPED = "dropped"  #: by a person
    NOT_NEEDED = "not_needed"
    WAITED_TOO_LONG = "waited_too_long"
    MERGED = "merged"  #: its story became part of one that was alerted
    NOT_RECORDED = "not_recorded"  #: it came before reasons were kept


@dataclass(frozen=True, slots=True)
class ParsedSubscription:
    """A subscription with its tree."""

    subscription: KnownSubscription
    tree: Node | None
    problem: str = ""  #: why there is no tree


@dataclass(frozen=True, slots=True)
class AlertAccount:
    """How far an alert has come."""

    outcome: Outcome
    cause: Cause = Cause.NONE
    at: datetime | None = None  #: when it was sent
    until: datetime | None = None  #: when it goes out, at the latest where it is held
    wait: Wait | None = None
    reason: str = ""  #: of a refusal


@dataclass(frozen=True, slots=True)
class UpdateAccount:
    """How a chat heard of a change of an entry that it was alerted of."""

    kind: ChangeKind
    at: datetime
    fate: UpdateFate
    progress: AlertAccount | None = None  #: of the reply that tells it
    message_id: int | None = None  #: of that reply


@dataclass(frozen=True, slots=True)
class Account:
    """What became of an entry for a subscription in a chat."""

    chat_id: int
    subscription_id: int | None  #: None: the chat follows the storyline, or it was removed
    name: str  #: of the subscription, also where it was removed
    matches: bool  #: the query reads so now that it matches the entry as it is now
    outcome: Outcome
    cause: Cause = Cause.NONE
    alert: AlertFact | None = None  #: the chat's alert of the entry's story
    #: how far that has come
    progress: AlertAccount = field(default_factory=lambda: AlertAccount(Outcome.FORGOTTEN))
    explanation: Explanation | None = None  #: by the query that decided
    query: str = ""  #: where it was another one when the entry came: that
    limited_to: tuple[str, ...] = ()  #: the same of its feeds
    at: datetime | None = None  #: when the cause came about
    needed: int = 0  #: of what is held: the publishers that it waits for
    updates: tuple[UpdateAccount, ...] = ()  #: what became of the entry after its alert

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return the parts of the query that the entry lacks."""
        return self.explanation.missing if self.explanation else ()


#: reads a query; None where it cannot be read
Reader = Callable[[str], Node | None]


def accounts_of(
    facts: EntryFacts, parsed: Sequence[ParsedSubscription], read: Reader, chat: int | None = None
) -> list[Account]:
    """Return an account for each subscription in each of its chats, and each other alert.

    Only those of a `chat`, where one is given.
    """
    entry = _Entry(facts, ArticleWords(facts.entry.article), parsed, read)
    accounts: list[Account] = []
    for item in parsed:
        chats = item.subscription.chats
        numbers = [number for number in chats if chat is None or number == chat]
        accounts += [entry.with_updates(entry.account(item, number)) for number in numbers]
    for alert in facts.alerts:
        if alert.entry_id == facts.entry.id and (chat is None or alert.chat_id == chat):
            accounts += entry.others(alert, accounts)
    return accounts


def progress_of(alert: AlertFact, subscriptions: Iterable[KnownSubscription]) -> AlertAccount:
    """Return how far an alert has come; `subscriptions` are those that are not removed."""
    if alert.pending:
        wanting = _wanting(alert, subscriptions)
        if alert.muted:
            return AlertAccount(Outcome.NOT_SENT, Cause.MUTED)
        if not wanting and not alert.followed:
            return AlertAccount(Outcome.NOT_SENT, Cause.WITHDRAWN)
        return AlertAccount(Outcome.HELD, until=alert.due_at)
    if alert.is_sent:
        outcome = Outcome.NOTED if alert.note else Outcome.SENT
        return AlertAccount(outcome, at=alert.settled_at)
    match alert.state:
        case DeliveryState.QUEUED:
            until = alert.wait.until if alert.wait else None
            return AlertAccount(Outcome.WAITING, until=until, wait=alert.wait)
        case DeliveryState.SENDING:
            return AlertAccount(Outcome.WAITING, Cause.SENDING)
        case DeliveryState.UNKNOWN:
            return AlertAccount(Outcome.LOST, Cause.UNDECIDED, reason=alert.error)
        case DeliveryState.DEAD:
            return AlertAccount(Outcome.LOST, Cause.REFUSED, reason=alert.error)
        case DeliveryState.DROPPED:
            return _DROPPED.get(alert.error, AlertAccount(Outcome.NOT_SENT, Cause.NOT_NEEDED))
        case _:
            return AlertAccount(Outcome.FORGOTTEN)


_DROPPED: Mapping[str, AlertAccount] = {
    DropReason.MUTED: AlertAccount(Outcome.NOT_SENT, Cause.MUTED),
    DropReason.WITHDRAWN: AlertAccount(Outcome.NOT_SENT, Cause.WITHDRAWN),
    DropReason.MERGED_STORY: AlertAccount(Outcome.NOT_SENT, Cause.MERGED),
    DropReason.BY_HAND: AlertAccount(Outcome.LOST, Cause.DROPPED),
    DropReason.WAITED_TOO_LONG: AlertAccount(Outcome.LOST, Cause.WAITED_TOO_LONG),
}


def _wanting(
    alert: AlertFact, subscriptions: Iterable[KnownSubscription]
) -> list[KnownSubscription]:
    """The subscriptions in force that want an alert."""
    return [
        item
        for item in subscriptions
        if item.id in alert.matches and not item.paused and alert.chat_id in item.chats
    ]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of which accounts are given."""

    facts: EntryFacts
    words: ArticleWords
    parsed: Sequence[ParsedSubscription]
    read: Reader

    @property
    def id(self) -> int:
        return self.facts.entry.id

    def account(self, item: ParsedSubscription, chat: int) -> Account:
        """What became of the entry for a subscription in one of its chats."""
        subscription = item.subscription
        explanation = explain(item.tree, self.words) if item.tree is not None else None
        in_feeds = self._is_in(subscription.feeds)
        matches = explanation is not None and explanation.matched and in_feeds
        about = Account(
            chat,
            subscription.id,
            subscription.name,
            matches,
            Outcome.NOT_SENT,
            explanation=explanation,
        )
        own = self._own(chat)
        record = self._record(chat, subscription.id)
        if record is not None and record.fate in _REFUSED:
            return self._without(about, _REFUSED[record.fate])
        if record is not None and record.fate is Fate.JOINS:
            return self._joined(about, self._led_by(chat, record.leader))
        if own is not None and own.matches.get(subscription.id) == self.id:
            return self._of(about, own, subscription, record)
        if record is not None:
            return self._withdrawn(about, own, subscription)
        if own is not None and (matches or subscription.id in own.matches):
            progress = self._progress(own)
            if progress.outcome in ARRIVED:
                return self._as(about, own, Cause.OTHER_SUBSCRIPTION)
        return self._unmatched(about, item, chat)

    def others(self, alert: AlertFact, accounts: Sequence[Account]) -> Iterator[Account]:
        """What became of an alert of the entry that no subscription of today accounts for."""
        if any(
            item.alert is alert and alert.matches.get(item.subscription_id or 0) == self.id
            for item in accounts
        ):
            return
        names = ", ".join(name for name, _ in alert.removed.values())
        about = Account(alert.chat_id, None, names, bool(alert.matches), Outcome.NOT_SENT)
        yield self.with_updates(self._as(about, alert))

    def with_updates(self, account: Account) -> Account:
        """Add what became of the entry since, where the account is of the alert that it made."""
        alert = account.alert
        if alert is None or alert.entry_id != self.id or account.outcome not in ARRIVED:
            return account
        subscriptions = self._subscriptions()
        updates = tuple(
            UpdateAccount(
                item.kind,
                item.at,
                item.fate,
                progress_of(item.reply, subscriptions) if item.reply else None,
                item.reply.message_id if item.reply else None,
            )
            for item in self.facts.updates
            if item.chat_id == account.chat_id
        )
        return replace(account, updates=updates)

    def _of(
        self,
        about: Account,
        own: AlertFact,
        subscription: KnownSubscription,
        record: EntryRecord | None,
    ) -> Account:
        """The entry made the alert, and the subscription wants it."""
        account = self._as(about, own)
        if subscription.paused and account.outcome in _UNSEEN:
            return replace(account, outcome=Outcome.NOT_SENT, cause=Cause.PAUSED)
        is_told = record is not None and record.fate is Fate.TOLD
        if account.outcome in ARRIVED and subscription.was_paused(account.progress.at):
            return replace(account, cause=Cause.OTHER_SUBSCRIPTION)
        if is_told and not account.matches and account.outcome is Outcome.SENT:
            return replace(account, cause=Cause.DEVELOPMENT)
        if account.outcome is Outcome.HELD:
            needed = min(
                (item.options.publishers for item in _wanting(own, self._subscriptions())),
                default=0,
            )
            return replace(account, needed=needed)
        if account.cause is Cause.WITHDRAWN and subscription.paused:
            return replace(account, cause=Cause.PAUSED)
        return account

    def _withdrawn(
        self, about: Account, own: AlertFact | None, subscription: KnownSubscription
    ) -> Account:
        """It led to an alert that is gone, or that is not this subscription's any more."""
        if own is None:
            leading = self._led_by(about.chat_id, 0)
            if leading is None:
                return replace(about, outcome=Outcome.FORGOTTEN)
            return replace(self._joined(about, leading), cause=Cause.MERGED)
        if self._progress(own).outcome in ARRIVED:
            return self._as(about, own, Cause.OTHER_SUBSCRIPTION)
        cause = Cause.PAUSED if subscription.paused else Cause.WITHDRAWN
        return replace(self._as(about, own), outcome=Outcome.NOT_SENT, cause=cause)

    def _unmatched(self, about: Account, item: ParsedSubscription, chat: int) -> Account:
        """Nothing was decided for this subscription: why."""
        subscription = item.subscription
        if not self.facts.recorded:
            if about.matches or item.tree is None:
                leading = self._led_by(chat, 0)
                if leading is not None and subscription.id in leading.matches:
                    return self._joined(about, leading)
                return self._without(about, Cause.NOT_RECORDED, Outcome.FORGOTTEN)
            return self._without(about, self._no_match(subscription))
        if item.tree is None:
            return self._without(about, Cause.BROKEN_QUERY)
        if not about.matches:
            return self._without(about, self._no_match(subscription))
        silence = _SILENCES.get(self.facts.entry.silent)
        if silence is not None:
            return self._without(about, silence)
        version = subscription.version_for(self.id)
        if version is None:
            return self._without(about, Cause.MADE_LATER, at=subscription.created_at)
        return self._by_version(about, subscription, version)

    def _by_version(
        self, about: Account, subscription: KnownSubscription, version: SubscriptionVersion
    ) -> Account:
        """It matches now, and did not as it read when the entry came."""
        for cause, holds in (
            (Cause.DELETED, version.removed),
            (Cause.PAUSED, version.paused),
            (Cause.CHAT_ADDED_LATER, about.chat_id not in version.chats),
            (Cause.CHANGING, self.facts.entry.first_seen_at - version.at < _CHANGING),
        ):
            if holds:
                return self._without(about, cause, at=version.at)
        if (version.query, version.feeds) != (subscription.query, subscription.feeds):
            return self._read_otherwise(about, version)
        return self._without(about, Cause.READ_DIFFERENTLY)

    def _read_otherwise(self, about: Account, version: SubscriptionVersion) -> Account:
        """The subscription was another one when the entry came."""
        account = self._without(about, Cause.QUERY_CHANGED)
        if not self._is_in(version.feeds):
            return replace(account, limited_to=version.feeds)
        tree = self.read(version.query)
        explanation = explain(tree, self.words) if tree is not None else None
        if explanation is not None and explanation.matched:
            return replace(account, cause=Cause.READ_DIFFERENTLY)
        return replace(account, query=version.query, explanation=explanation)

    def _no_match(self, subscription: KnownSubscription) -> Cause:
        return Cause.NO_MATCH if self._is_in(subscription.feeds) else Cause.NOT_IN_FEEDS

    def _is_in(self, feeds: Sequence[str]) -> bool:
        return not feeds or not self.facts.entry.article.selectors.isdisjoint(feeds)

    def _joined(self, about: Account, alert: AlertFact | None) -> Account:
        if alert is None:
            return replace(about, outcome=Outcome.FORGOTTEN)
        return replace(about, outcome=Outcome.JOINED, alert=alert, progress=self._progress(alert))

    def _as(self, about: Account, alert: AlertFact, cause: Cause | None = None) -> Account:
        """It is as the alert is."""
        progress = self._progress(alert)
        return replace(
            about,
            outcome=progress.outcome,
            cause=progress.cause if cause is None else cause,
            alert=alert,
            progress=progress,
        )

    def _without(
        self,
        about: Account,
        cause: Cause,
        outcome: Outcome = Outcome.NOT_SENT,
        at: datetime | None = None,
    ) -> Account:
        """No alert for this subscription; the chat's alert of the story is shown beside."""
        alert = self._own(about.chat_id) or self._led_by(about.chat_id, 0)
        account = replace(about, outcome=outcome, cause=cause, at=at)
        if alert is None:
            return account
        return replace(account, alert=alert, progress=self._progress(alert))

    def _progress(self, alert: AlertFact) -> AlertAccount:
        return progress_of(alert, self._subscriptions())

    def _subscriptions(self) -> list[KnownSubscription]:
        return [item.subscription for item in self.parsed]

    def _own(self, chat: int) -> AlertFact | None:
        """The chat's alert that the entry made."""
        own = (item for item in self.facts.alerts if item.chat_id == chat)
        return next((item for item in own if item.entry_id == self.id), None)

    def _led_by(self, chat: int, leader: int) -> AlertFact | None:
        """The chat's alert that this entry made, else another one of the story."""
        others = [item for item in self.facts.alerts if item.chat_id == chat]
        others = [item for item in others if item.entry_id != self.id] or others
        others.sort(key=lambda item: (item.entry_id != leader, item.note))
        return others[0] if others else None

    def _record(self, chat: int, subscription: int) -> EntryRecord | None:
        for record in self.facts.records:
            if record.chat_id == chat and record.subscription_id == subscription:
                return record
        return None


_REFUSED = {Fate.MUTED: Cause.MUTED, Fate.FOREIGN: Cause.FEED_OF_OTHERS}
_SILENCES: Mapping[Silence | None, Cause] = {
    Silence.BASELINE: Cause.BASELINE,
    Silence.ARCHIVE: Cause.ARCHIVE,
}
