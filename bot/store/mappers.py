"""Values to rows and back: times, durations, states, spans, and the one select that several rooms share. Runs nothing."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from sqlite3 import Row
from typing import Any

from bot.model.chats import AlertOptions, Chat, ChatKind, ChatSettings, Subscription, Urgency
from bot.model.entries import EntryKeys, KnownEntry, Span
from bot.model.feeds import Failure, FeedDue, FeedHints, FeedState, Policy, Redirection
from bot.model.message import Button, Entity
from bot.model.stories import Grouping, StoryIds

STATE_COLUMNS = (
    "next_poll_at etag last_modified body_hash policy links_identify cut newest most_new rate baseline_at last_poll_at last_ok_at interval "
    "reason full_at failures failing_since failure failure_text noticed gone empties gaps adopted_url redirection hints"
).split()

#: subscriptions in force with the chats they ring; `where` may narrow them
SUBSCRIPTIONS = (
    "select s.*, json_group_array(c.id) as chats, "
    "json_group_array(c.id) filter (where c.kind = 'terminal') as terminals "
    "from subscriptions s join routes on subscription_id = s.id join chats c on c.id = chat_id "
    "where s.removed_at is null and s.paused = 0 and c.allowed = 1 {where}group by s.id order by s.id"
)


def put_time(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds: text that sorts as time does. Raises ValueError for a naive time."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def get_time(text: str | None) -> datetime | None:
    """The other way."""
    return datetime.fromisoformat(text) if text else None


def sure_time(text: str) -> datetime:
    """A time that is always there."""
    return datetime.fromisoformat(text)


def _put_hints(hints: FeedHints) -> str:
    if hints == FeedHints():
        return ""
    ttl = hints.ttl.total_seconds() if hints.ttl else None
    return json.dumps(
        {"ttl": ttl, "hours": sorted(hints.skip_hours), "days": sorted(hints.skip_days)}
    )


def _get_hints(text: str) -> FeedHints:
    if not text:
        return FeedHints()
    data = json.loads(text)
    ttl = timedelta(seconds=data["ttl"]) if data["ttl"] else None
    return FeedHints(ttl, frozenset(data["hours"]), frozenset(data["days"]))


def put_state(state: FeedState) -> dict[str, Any]:
    """A feed's state as columns, without its document."""
    times = (
        "next_poll_at",
        "newest",
        "baseline_at",
        "last_poll_at",
        "last_ok_at",
        "full_at",
        "failing_since",
    )
    row: dict[str, Any] = {name: getattr(state, name) for name in STATE_COLUMNS}
    row.update({name: put_time(getattr(state, name)) for name in times})
    moved = state.redirection
    row["interval"] = state.interval.total_seconds()
    row["redirection"] = (
        json.dumps([moved.url, moved.polls, put_time(moved.since)]) if moved else None
    )
    row["hints"] = _put_hints(state.hints)
    return row


def get_state(row: Row) -> FeedState:
    """The other way; the document comes along where the row has one."""
    moved = json.loads(row["redirection"]) if row["redirection"] else None
    return FeedState(
        next_poll_at=sure_time(row["next_poll_at"]),
        etag=row["etag"],
        last_modified=row["last_modified"],
        body_hash=row["body_hash"],
        document=row["records"] or b"" if "records" in row.keys() else b"",  # noqa: SIM118 (a Row is no mapping)
        policy=Policy(row["policy"]),
        links_identify=bool(row["links_identify"]),
        cut=row["cut"],
        newest=get_time(row["newest"]),
        most_new=row["most_new"],
        rate=row["rate"],
        baseline_at=get_time(row["baseline_at"]),
        last_poll_at=get_time(row["last_poll_at"]),
        last_ok_at=get_time(row["last_ok_at"]),
        interval=timedelta(seconds=row["interval"]),
        reason=row["reason"],
        full_at=get_time(row["full_at"]),
        failures=row["failures"],
        failing_since=get_time(row["failing_since"]),
        failure=Failure(row["failure"]) if row["failure"] else None,
        failure_text=row["failure_text"],
        noticed=bool(row["noticed"]),
        gone=row["gone"],
        empties=row["empties"],
        gaps=row["gaps"],
        adopted_url=row["adopted_url"],
        redirection=Redirection(moved[0], moved[1], sure_time(moved[2])) if moved else None,
        hints=_get_hints(row["hints"]),
    )


def get_feed(row: Row) -> FeedDue:
    """A feed with its state."""
    every = timedelta(seconds=row["every"]) if row["every"] else None
    chats = (
        frozenset(json.loads(row["chats"]))
        if "chats" in row.keys() and not row["declared"]
        else None
    )  # noqa: SIM118 (a Row is no mapping)
    return FeedDue(
        row["id"],
        row["url"],
        row["name"],
        row["publisher"],
        tuple(json.loads(row["tags"])),
        every,
        get_state(row),
        chats,
    )


def get_story_ids(row: Row) -> StoryIds:
    """The stories of an entry."""
    return StoryIds(row["strict_id"], row["story_id"], row["storyline_id"])


def get_known(row: Row) -> KnownEntry:
    """An entry with its keys."""
    return KnownEntry(
        id=row["id"],
        feed_id=row["feed_id"],
        story_ids=get_story_ids(row),
        keys=EntryKeys(row["guid_key"], row["link_key"], row["title_key"], row["article_key"]),
        title=row["title"],
        summary=row["summary"],
        published=get_time(row["published"]),
        updated=get_time(row["updated"]),
        first_seen_at=sure_time(row["first_seen_at"]),
    )


def get_settings(text: str) -> ChatSettings:
    """What a chat, or the file of it, says."""
    if text == "{}":
        return ChatSettings()
    data = json.loads(text)
    return ChatSettings(
        data.get("language"),
        data.get("zone"),
        (data["quiet"][0], data["quiet"][1]) if "quiet" in data else None,
        tuple(data["digest_at"]) if "digest_at" in data else None,
        data.get("digest_from"),
    )


def put_settings(settings: ChatSettings) -> str:
    """The other way; what was not said is not kept."""
    return json.dumps(
        {name: value for name, value in asdict(settings).items() if value is not None}
    )


def get_chat(row: Mapping[str, Any] | Row) -> Chat:
    """A chat."""
    declared = get_settings(row["declared_settings"])
    return Chat(
        row["id"],
        row["name"],
        ChatKind(row["kind"]),
        row["address"],
        row["topic"],
        allowed=bool(row["allowed"]),
        paused=row["paused"],
        grouping=Grouping(row["declared_grouping"]) if row["declared_grouping"] else None,
        settings=declared.over(get_settings(row["settings"])),
        fixed=frozenset(name for name, value in asdict(declared).items() if value is not None),
        managed_chat=row["acts_for"],
        operator=bool(row["operator"]),
        channel=bool(row["channel"]),
    )


def get_subscription(row: Row) -> Subscription:
    """A row of SUBSCRIPTIONS."""
    return Subscription(
        row["id"],
        row["name"],
        row["query"],
        tuple(json.loads(row["feeds"])),
        tuple(json.loads(row["chats"])),
        tuple(json.loads(row["terminals"])),
        bool(row["declared"]),
        get_alert_options(row),
        bool(row["paused"]),
    )


def get_alert_options(row: Row) -> AlertOptions:
    """How a subscription rings."""
    wait = timedelta(seconds=row["or_after"]) if row["or_after"] is not None else None
    return AlertOptions(Urgency(row["urgency"]), row["publishers"], wait, row["ring_again_at"])


def put_alert_options(options: AlertOptions) -> tuple[str, int, float | None, int]:
    """The other way: urgency, publishers, or_after, ring_again_at."""
    wait = options.or_after.total_seconds() if options.or_after is not None else None
    return (options.urgency.value, options.publishers, wait, options.alert_again_at)


def put_spans(spans: Iterable[Span]) -> str:
    """Spans as compact JSON."""
    return json.dumps(
        [[span.field, span.start, span.end, span.term] for span in spans], ensure_ascii=False
    )


def get_spans(text: str) -> tuple[Span, ...]:
    """The other way."""
    return tuple(Span(*one) for one in json.loads(text))


def put_entities(entities: Iterable[Entity]) -> str:
    """Entities as JSON."""
    return json.dumps([asdict(entity) for entity in entities])


def get_entities(text: str) -> tuple[Entity, ...]:
    """The other way."""
    return tuple(Entity(**one) for one in json.loads(text))


def put_buttons(buttons: Iterable[Iterable[Button]], screen: int) -> str:
    """Rows of buttons as JSON; the words of a screen's buttons go behind its number."""
    lead = f"{screen}:" if screen else ""
    return json.dumps(
        [
            [[one.text, "" if one.url else f"{lead}{one.word}", one.url] for one in row]
            for row in buttons
        ],
        ensure_ascii=False,
    )


def get_buttons(text: str) -> tuple[tuple[Button, ...], ...]:
    """The other way."""
    return tuple(tuple(Button(*one) for one in row) for row in json.loads(text))


def get_list(text: str) -> list[Any]:
    """The values of a JSON array."""
    return list(json.loads(text))


def marks(many: Iterable[Any]) -> str:
    """As many question marks as there are values."""
    return ",".join("?" for _ in many)
