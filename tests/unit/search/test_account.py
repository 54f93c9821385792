"""What an account says became of an entry, from what was recorded and what is stored."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from support import NOON, known_subscription

from bot.model.alerts import Fate
from bot.model.archive import (
    AlertFact,
    EntryFacts,
    EntryRecord,
    KnownSubscription,
    StoredEntry,
    SubscriptionVersion,
    UncountedEntry,
)
from bot.model.chats import AlertOptions
from bot.model.delivery import DeliveryState, DropReason, Wait, WaitCause
from bot.model.entries import Article, Silence
from bot.query.parser import parse
from bot.search import account_record
from bot.search.account import Account, Cause, Outcome, ParsedSubscription, accounts_of
from bot.search.account_record import entry_record
from bot.search.account_text import account_text

ROOT = Path(__file__).resolve().parents[3]
ENTRY = StoredEntry(10, 10, Article("Ferry sinks", feed_name="Coast"), NOON, NOON, None)
FERRY = known_subscription(1, "Ferry", "ferry")
ALERT = AlertFact(
    1, 10, "Ferry sinks", NOON, DeliveryState.SENT, "", NOON, arrived=True, matches={1: 10}
)
OTHER = replace(ALERT, entry_id=4, title="A ferry is missing", matches={1: 4})
LEADS = EntryRecord(1, 1, Fate.LEADS, 0)
JOINS = EntryRecord(1, 1, Fate.JOINS, 4)


def account(
    alerts: Sequence[AlertFact] = (),
    records: Sequence[EntryRecord] = (),
    subscription: KnownSubscription = FERRY,
    entry: StoredEntry = ENTRY,
    *,
    recorded: bool = True,
) -> Account:
    """The first account of the entry."""
    facts = EntryFacts(entry, tuple(alerts), (), tuple(records), recorded)
    held = [ParsedSubscription(subscription, parse(subscription.query))]
    return accounts_of(facts, held, parse)[0]


def told(item: Account) -> str:
    return account_text(item, "at {:%H:%M}".format)


def read_before(
    query: str = "ferry",
    feeds: tuple[str, ...] = (),
    chats: tuple[int, ...] = (1,),
    *,
    paused: bool = False,
    removed: bool = False,
) -> KnownSubscription:
    """The subscription, as if it had read so when the entry came."""
    day = timedelta(days=1)
    before = SubscriptionVersion(0, NOON - day, query, feeds, frozenset(chats), paused, removed)
    now = SubscriptionVersion(20, NOON + day, "ferry", (), frozenset({1}))
    return replace(FERRY, versions=(before, now))


@pytest.mark.parametrize(
    ("changes", "outcome", "cause", "text"),
    [
        ({}, Outcome.SENT, Cause.NONE, "sent at 12:00"),
        ({"note": True}, Outcome.NOTED, Cause.NONE, "told as news of a story that was alerted"),
        ({"again_at": NOON}, Outcome.SENT, Cause.NONE, "a second alert was sent at 12:00"),
        ({"state": None}, Outcome.SENT, Cause.NONE, "sent at 12:00"),
        ({"state": None, "arrived": False}, Outcome.FORGOTTEN, Cause.NONE, "no longer stored"),
        ({"state": DeliveryState.SENDING}, Outcome.WAITING, Cause.SENDING, "is being sent"),
        ({"state": DeliveryState.DEAD, "error": "no"}, Outcome.LOST, Cause.REFUSED, "(no)"),
        ({"state": DeliveryState.UNKNOWN}, Outcome.LOST, Cause.UNDECIDED, "may or may not"),
        ({"pending": True, "matches": {}}, Outcome.NOT_SENT, Cause.WITHDRAWN, "no subscription"),
        ({"pending": True, "muted": True}, Outcome.NOT_SENT, Cause.MUTED, "muted the storyline"),
    ],
)
def test_an_entry_that_made_an_alert_is_as_its_alert(
    changes: dict[str, object], outcome: Outcome, cause: Cause, text: str
) -> None:
    alert = replace(ALERT, **changes)  # type: ignore[arg-type]  # fields of an alert
    item = account([alert], [LEADS])

    assert (item.outcome, item.cause) == (outcome, cause)
    assert text in told(item)


def test_a_match_that_was_refused_is_not_told_of_the_alert_that_the_chat_has() -> None:
    item = account([OTHER], [EntryRecord(1, 1, Fate.MUTED, 0)])

    assert (item.outcome, item.cause) == (Outcome.NOT_SENT, Cause.MUTED)
    assert told(item) == "no alert, because this chat had muted the storyline"


def test_what_is_withdrawn_for_one_is_not_told_of_as_waiting_for_another() -> None:
    waiting = replace(ALERT, state=DeliveryState.QUEUED, arrived=False, matches={2: 10})
    item = account([waiting], [LEADS])

    assert (item.outcome, item.cause) == (Outcome.NOT_SENT, Cause.WITHDRAWN)
    assert told(item).startswith("not sent, because no subscription wanted it")


def test_what_went_out_while_the_subscription_was_paused_was_sent_for_another() -> None:
    paused = SubscriptionVersion(12, NOON, "ferry", (), frozenset({1}), paused=True)
    alert = replace(ALERT, settled_at=NOON + timedelta(hours=1))
    assert account([alert], [LEADS]).cause is Cause.NONE
    item = account([alert], [LEADS], replace(FERRY, versions=(paused,)))
    assert (item.outcome, item.cause) == (Outcome.SENT, Cause.OTHER_SUBSCRIPTION)


@pytest.mark.parametrize(
    "changes", [{"pending": True, "matches": {1: 10, 2: 10}}, {"state": DeliveryState.QUEUED}]
)
def test_what_waits_for_others_is_not_sent_for_a_subscription_that_is_paused(
    changes: dict[str, object],
) -> None:
    waiting = replace(ALERT, arrived=False, **changes)  # type: ignore[arg-type]  # its fields
    item = account([waiting], [LEADS], replace(FERRY, paused=True))

    assert (item.outcome, item.cause) == (Outcome.NOT_SENT, Cause.PAUSED)
    assert told(item) == "no alert, because the subscription was paused"


def test_a_development_that_does_not_match_is_told_as_news_of_its_story() -> None:
    development = [EntryRecord(1, 1, Fate.TOLD, 0)]
    storm = replace(FERRY, query="storm")
    item = account([ALERT], development, storm)

    assert (item.outcome, item.cause, item.matches) == (Outcome.SENT, Cause.DEVELOPMENT, False)
    assert told(item) == "told as news of a story that was alerted, sent at 12:00"
    assert account([ALERT], development).cause is Cause.NONE
    assert account([replace(ALERT, note=True)], development, storm).cause is Cause.NONE


@pytest.mark.parametrize(
    ("reason", "outcome", "cause"),
    [
        (DropReason.BY_HAND, Outcome.LOST, Cause.DROPPED),
        (DropReason.MUTED, Outcome.NOT_SENT, Cause.MUTED),
        (DropReason.MERGED_STORY, Outcome.NOT_SENT, Cause.MERGED),
        (DropReason.WAITED_TOO_LONG, Outcome.LOST, Cause.WAITED_TOO_LONG),
        (DropReason.SUPERGROUP, Outcome.NOT_SENT, Cause.NOT_NEEDED),
    ],
)
def test_what_was_dropped_is_told_by_the_stored_reason(
    reason: DropReason, outcome: Outcome, cause: Cause
) -> None:
    item = account(
        [replace(ALERT, state=DeliveryState.DROPPED, arrived=False, error=reason)], [LEADS]
    )

    assert (item.outcome, item.cause) == (outcome, cause)


def test_what_waits_says_why_and_until_when() -> None:
    wait = Wait(WaitCause.QUIET_HOURS, NOON + timedelta(hours=7))
    item = account([replace(ALERT, state=DeliveryState.QUEUED, arrived=False, wait=wait)], [LEADS])

    assert item.outcome is Outcome.WAITING
    assert told(item) == "waiting for the end of quiet hours; next try at 19:00"


def test_what_is_held_says_how_many_publishers_of_how_many_and_who_does_not_count() -> None:
    two = replace(FERRY, options=AlertOptions(publishers=3))
    held = replace(
        ALERT,
        pending=True,
        publishers=2,
        due_at=NOON,
        uncounted=(UncountedEntry(11, "Ferry down", "Coast"), UncountedEntry(12, "Storm")),
    )
    item = account([held], [LEADS], two)

    assert (item.outcome, item.needed) == (Outcome.HELD, 3)
    assert told(item) == (
        "waiting for more publishers: 2 of 3 have the story; “Ferry down” does not count, because "
        "Coast had the story already; “Storm” does not count, because it does not confirm the "
        "story; you are alerted at 12:00 at the latest"
    )


def test_an_entry_that_joined_names_the_alert_and_when_that_was_sent() -> None:
    item = account([OTHER], [JOINS])

    assert item.outcome is Outcome.JOINED
    assert told(item) == "it belongs to the story of “A ferry is missing” (sent at 12:00)"


def test_an_entry_whose_alert_was_taken_over_is_told_of_the_story_it_became_part_of() -> None:
    item = account([OTHER], [LEADS])

    assert (item.outcome, item.cause) == (Outcome.JOINED, Cause.MERGED)


def test_nothing_is_said_of_an_alert_that_is_gone() -> None:
    assert account((), [JOINS]).outcome is Outcome.FORGOTTEN
    assert account((), [LEADS]).outcome is Outcome.FORGOTTEN


@pytest.mark.parametrize(
    ("fate", "cause"),
    [(Fate.MUTED, Cause.MUTED), (Fate.FOREIGN, Cause.FEED_OF_OTHERS)],
)
def test_a_match_that_was_refused_says_so(fate: Fate, cause: Cause) -> None:
    item = account((), [EntryRecord(1, 1, fate, 0)])

    assert (item.outcome, item.cause) == (Outcome.NOT_SENT, cause)


@pytest.mark.parametrize(
    ("subscription", "cause", "text"),
    [
        (known_subscription(1, "Ferry", "ferry", since=10), Cause.MADE_LATER, "made later"),
        (read_before(paused=True), Cause.PAUSED, "was paused"),
        (read_before(removed=True), Cause.DELETED, "was removed then"),
        (read_before(chats=(7,)), Cause.CHAT_ADDED_LATER, "not send to this chat then"),
        (read_before("storm"), Cause.QUERY_CHANGED, "the query was “storm” then (Missing: storm)"),
        (read_before(feeds=("Hills",)), Cause.QUERY_CHANGED, "limited to Hills then"),
        (read_before(), Cause.READ_DIFFERENTLY, "did not match when it came"),
        (replace(FERRY, query="storm"), Cause.NO_MATCH, ""),
        (replace(FERRY, feeds=("Hills",)), Cause.NOT_IN_FEEDS, ""),
    ],
)
def test_what_was_not_matched_is_told_by_how_the_subscription_read_then(
    subscription: KnownSubscription, cause: Cause, text: str
) -> None:
    item = account((), (), subscription)

    assert (item.outcome, item.cause) == (Outcome.NOT_SENT, cause)
    assert text in told(item)


@pytest.mark.parametrize("silence", [Silence.BASELINE, Silence.ARCHIVE])
def test_a_silent_entry_says_why_it_is_silent(silence: Silence) -> None:
    item = account((), (), FERRY, replace(ENTRY, silent=silence))

    assert item.cause == silence.value
    assert told(item).startswith("no alert, because it ")


def test_an_entry_of_before_records_is_not_guessed_about() -> None:
    item = account((), (), recorded=False)

    assert (item.outcome, item.cause) == (Outcome.FORGOTTEN, Cause.NOT_RECORDED)


def test_an_alert_without_a_living_subscription_is_accounted_for_too() -> None:
    removed = replace(ALERT, matches={5: 10}, removed={5: ("Boats", NOON)})
    facts = EntryFacts(ENTRY, (removed,), (), ())
    storm = ParsedSubscription(replace(FERRY, query="storm"), parse("storm"))
    first, second = accounts_of(facts, [storm], parse)

    assert (first.outcome, first.cause) == (Outcome.NOT_SENT, Cause.NO_MATCH)
    assert (second.subscription_id, second.name, second.outcome) == (None, "Boats", Outcome.SENT)


def test_a_chat_is_told_nothing_of_other_chats() -> None:
    two = replace(FERRY, chats=(1, 2))
    facts = EntryFacts(ENTRY, (ALERT, replace(ALERT, chat_id=2)), (), (LEADS,))
    accounts = accounts_of(facts, [ParsedSubscription(two, parse("ferry"))], parse, 1)

    assert [item.chat_id for item in accounts] == [1]


def test_the_documented_schema_is_that_of_the_records() -> None:
    adapter = TypeAdapter(account_record.EntryRecord)
    documented = json.loads((ROOT / "docs" / "explain.schema.json").read_text(encoding="utf-8"))
    facts = EntryFacts(ENTRY, (OTHER,), (), (JOINS,))
    held = [ParsedSubscription(FERRY, parse("ferry"))]
    record = entry_record(facts, accounts_of(facts, held, parse), {1: "Desk"}, str)

    assert documented == adapter.json_schema()
    assert adapter.validate_json(json.dumps(asdict(record)), strict=True) == record
