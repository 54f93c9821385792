"""An entry and what became of it as values for JSON; `docs/explain.schema.json` has the types.

Times are ISO 8601 in UTC. Finds nothing out (`account` does); no I/O.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.model.archive import AlertFact, EntryFacts
from bot.search.account import Account, Outcome, UpdateAccount
from bot.search.account_text import TimeFormat, account_text
from bot.text.clean import plain


@dataclass(frozen=True, slots=True)
class UncountedRecord:
    """An article of a story that adds no publisher to it."""

    article: int
    title: str
    #: for whom another article counted already; empty: it does not confirm the story
    counts_for: str


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """The alert of the article's story in the chat."""

    article: int  #: that made it
    title: str
    outcome: str  #: as of an account
    sent_at: str | None
    message: int | None  #: its number in the chat


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """What became of the article after its alert, and how the chat heard of it."""

    what: str  #: withdrawn, corrected or progress
    at: str  #: when newsbell learned of it
    fate: str  #: told, edited, shown, unsent, muted, unwanted or untold
    outcome: str  #: of the reply that tells it, as of an account; empty where there is none
    sent_at: str | None
    message: int | None  #: of that reply: its number in the chat


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """What became of the article for a subscription in a chat."""

    chat: int
    chat_name: str
    #: null: the chat follows the storyline, or the subscription was removed since
    subscription: int | None
    subscription_name: str
    matches: bool  #: the query of today matches the article of today
    #: sent, joined, noted, waiting, held, not_sent, lost or forgotten
    outcome: str
    because: str  #: the cause; empty where the outcome says all
    text: str  #: the same in English; empty where the words do not match
    at: str | None  #: when the message was sent, or the cause came about
    until: str | None  #: when it goes out, at the latest where it is held
    message: int | None  #: of a sent message: its number in the chat
    alert: AlertRecord | None
    publishers: int | None  #: of what is held: how many have the story
    needed: int | None  #: and for how many it waits
    uncounted: tuple[UncountedRecord, ...]
    lacks: tuple[str, ...]  #: parts of the query that the article lacks
    query: str  #: where it was another one when the article came: that
    again_at: str | None  #: when a second alert was sent
    updates: tuple[UpdateRecord, ...]  #: what became of the article after its alert


@dataclass(frozen=True, slots=True)
class StoriesRecord:
    """The numbers of an article's stories."""

    strict: int
    story: int
    storyline: int


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """An article, and what became of it."""

    article: int
    title: str
    link: str
    feed: str
    first_seen: str | None
    published: str | None
    stories: StoriesRecord | None
    accounts: tuple[AccountRecord, ...]


def entry_record(
    facts: EntryFacts, accounts: Iterable[Account], chats: Mapping[int, str], when: TimeFormat
) -> EntryRecord:
    """Return an entry with its accounts; `chats` are the names of chats by id."""
    entry, ids = facts.entry, facts.story_ids
    return EntryRecord(
        article=entry.id,
        title=entry.article.title,
        link=entry.article.link,
        feed=entry.article.feed_name,
        first_seen=_time(entry.first_seen_at),
        published=_time(entry.published),
        stories=StoriesRecord(strict=ids.strict, story=ids.story, storyline=ids.storyline)
        if ids
        else None,
        accounts=tuple(_account(account, chats, when) for account in accounts),
    )


def _account(account: Account, chats: Mapping[int, str], when: TimeFormat) -> AccountRecord:
    alert, progress = account.alert, account.progress
    is_own = account.outcome not in {Outcome.JOINED, Outcome.NOT_SENT, Outcome.FORGOTTEN}
    own = alert if is_own else None
    is_held = own is not None and account.outcome is Outcome.HELD
    return AccountRecord(
        chat=account.chat_id,
        chat_name=chats.get(account.chat_id, ""),
        subscription=account.subscription_id,
        subscription_name=account.name,
        matches=account.matches,
        outcome=account.outcome,
        because=_because(account),
        text=plain(account_text(account, when)),
        at=_time(progress.at if own else account.at),
        until=_time(progress.until) if own else None,
        message=own.message_id if own else None,
        alert=_alert(alert, account) if alert else None,
        publishers=own.publishers if own and is_held else None,
        needed=account.needed or None,
        uncounted=tuple(
            UncountedRecord(article=item.entry_id, title=item.title, counts_for=item.counts_for)
            for item in (own.uncounted if own else ())
        ),
        lacks=account.lacks if account.outcome is Outcome.NOT_SENT else (),
        query=account.query,
        again_at=_time(own.again_at) if own else None,
        updates=tuple(_update(item) for item in account.updates),
    )


def _update(update: UpdateAccount) -> UpdateRecord:
    progress = update.progress
    return UpdateRecord(
        what=update.kind,
        at=update.at.astimezone(UTC).isoformat(),
        fate=update.fate,
        outcome=progress.outcome if progress else "",
        sent_at=_time(progress.at) if progress else None,
        message=update.message_id,
    )


def _because(account: Account) -> str:
    wait = account.progress.wait
    if account.outcome is Outcome.WAITING and not account.cause and wait is not None:
        return wait.cause
    return account.cause


def _alert(alert: AlertFact, account: Account) -> AlertRecord:
    return AlertRecord(
        article=alert.entry_id,
        title=alert.title,
        outcome=account.progress.outcome,
        sent_at=_time(alert.settled_at) if alert.is_sent else None,
        message=alert.message_id,
    )


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
