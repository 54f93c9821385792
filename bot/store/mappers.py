"""Convert values to columns and rows to values; the select of subscriptions. Runs nothing."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model.chats import (
    AlertOptions,
    Chat,
    ChatKind,
    ChatSettings,
    Developments,
    Subscription,
    Updates,
    Urgency,
)
from bot.model.entries import (
    Article,
    EntryKeys,
    KnownEntry,
    NewEntry,
    PlacedEntry,
    Silence,
    Span,
)
from bot.model.feeds import Failure, FeedDue, FeedHints, FeedState, FeedText, Policy, Redirection
from bot.model.hosts import HostPace
from bot.model.message import Button, Entity
from bot.model.stories import Grouping, Placement, StoryIds
from bot.store.bodies import unpack
from bot.store.engines.engine import Row
from bot.store.page_terms import unpack_terms
from bot.store.sql import TERMINAL

STATE_COLUMNS = """
    next_poll_at etag last_modified body_hash policy links_identify cut newest most_new rate
    baseline_at last_poll_at last_ok_at interval reason full_at failures failing_since failure
    failure_text noticed gone empties gaps adopted_url redirection hints hint hint_reason seconds
    unread trust most_old boilerplate
    news_at rhythm_at pauses longest_pause stopped delay
""".split()

PACE_COLUMNS = """
    not_before reason interval proven refused_interval since held patience refusals asked_at
""".split()
#: the pace of the host `feeds.host`; null where nothing was learned
PACE_OF_HOST = (
    "(select json_array(" + ", ".join(PACE_COLUMNS) + ") from hosts where host = feeds.host)"
)

_SUBSCRIPTIONS = f"""
    select s.*, json_group_array(c.id) as chats,
        json_group_array(c.id) filter (where c.kind = {TERMINAL}) as terminals
    from subscriptions s join routes on subscription_id = s.id join chats c on c.id = chat_id
    where s.removed_at is null and s.paused = 0 and c.allowed = 1 {{where}}
    group by s.id order by s.id
"""
#: subscriptions in force, each with all its chats
ALL_SUBSCRIPTIONS = _SUBSCRIPTIONS.format(where="")
#: those of one chat, each with all its chats
SUBSCRIPTIONS_OF_CHAT = _SUBSCRIPTIONS.format(
    where="and s.id in (select subscription_id from routes where chat_id = ?)"
)


def put_time(moment: datetime | None) -> str | None:
    """Return ISO 8601 in UTC with microseconds, which sorts by time.

    Raises ValueError for a naive time.
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def get_time(text: str | None) -> datetime | None:
    """Inverse of `put_time`."""
    return datetime.fromisoformat(text) if text else None


def sure_time(text: str) -> datetime:
    """Inverse of `put_time` for a column that is never null."""
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
    """Return a feed's state as columns, without its document."""
    times = (
        "next_poll_at",
        "newest",
        "baseline_at",
        "last_poll_at",
        "last_ok_at",
        "full_at",
        "failing_since",
        "news_at",
        "rhythm_at",
    )
    row: dict[str, Any] = {name: getattr(state, name) for name in STATE_COLUMNS}
    row.update({name: put_time(getattr(state, name)) for name in times})
    moved = state.redirection
    row["interval"] = state.interval.total_seconds()
    row["redirection"] = (
        json.dumps([moved.url, moved.polls, put_time(moved.since)]) if moved else None
    )
    row["hints"] = _put_hints(state.hints)
    row["hint"] = state.hint.total_seconds()
    return row


def get_state(row: Row) -> FeedState:
    """Inverse of `put_state`; with the document where the row has a column of it."""
    moved = json.loads(row["redirection"]) if row["redirection"] else None
    return FeedState(
        next_poll_at=sure_time(row["next_poll_at"]),
        etag=row["etag"],
        last_modified=row["last_modified"],
        body_hash=row["body_hash"],
        document=(row["records"] or b"") if _has(row, "records") else b"",
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
        hint=timedelta(seconds=row["hint"]),
        hint_reason=row["hint_reason"],
        boilerplate=row["boilerplate"],
        seconds=row["seconds"],
        unread=row["unread"],
        trust=row["trust"],
        most_old=row["most_old"],
        news_at=get_time(row["news_at"]),
        rhythm_at=get_time(row["rhythm_at"]),
        pauses=row["pauses"],
        longest_pause=row["longest_pause"],
        stopped=bool(row["stopped"]),
        delay=row["delay"],
    )


def put_pace(pace: HostPace, now: datetime) -> dict[str, Any]:
    """Return the pace of a host as columns; where it need not wait, it did until now."""
    row = asdict(pace)
    for name in ("interval", "proven", "refused_interval"):
        row[name] = row[name].total_seconds()
    times = {name: put_time(row[name]) for name in ("since", "asked_at")}
    return {**row, **times, "not_before": put_time(pace.not_before or now)}


def get_pace(text: str | None) -> HostPace:
    """Inverse of `put_pace`, from `PACE_OF_HOST`."""
    if not text:
        return HostPace()
    row = dict(zip(PACE_COLUMNS, json.loads(text), strict=True))
    for name in ("not_before", "since", "asked_at"):
        row[name] = get_time(row[name])
    for name in ("interval", "proven", "refused_interval"):
        row[name] = timedelta(seconds=row[name])
    return HostPace(**row)


def _has(row: Row, column: str) -> bool:
    return column in row.keys()  # noqa: SIM118 (a Row is no mapping)


def get_feed(row: Row) -> FeedDue:
    """Return a feed with its state."""
    every = timedelta(seconds=row["every"]) if row["every"] else None
    restricted = _has(row, "chats") and not row["declared"]
    chats = frozenset(json.loads(row["chats"])) if restricted else None
    return FeedDue(
        row["id"],
        row["url"],
        row["name"],
        row["publisher"],
        tuple(json.loads(row["tags"])),
        every,
        get_state(row),
        chats,
        text=FeedText(row["text"]),
        host_pace=get_pace(row["host_pace"]) if _has(row, "host_pace") else HostPace(),
        has_siblings=_has(row, "has_siblings") and bool(row["has_siblings"]),
    )


def get_placed(row: Row) -> PlacedEntry:
    """Return a stored entry as it was placed, without why."""
    number = int(row["id"])
    keys = EntryKeys(row["guid_key"], row["link_key"], row["title_key"], row["article_key"])
    entry = NewEntry(
        number,
        row["feed_id"],
        keys,
        row["guid"],
        row["link"],
        row["title"],
        row["summary"],
        row["author"],
        row["source"],
        get_time(row["published"]),
        get_time(row["updated"]),
        sure_time(row["first_seen_at"]),
        Silence(row["silent"]) if row["silent"] else None,
        row["language"],
        row["core"],
        unpack(row["summary"], row["packed"]),
        get_categories(row["categories"]),
    )
    placement = Placement(number, get_story_ids(row))
    return PlacedEntry(entry, placement, row["house"], row["origin"], row["agency"])


def get_article(row: Row) -> Article:
    """Return an entry as queries look at it."""
    return Article(
        title=row["title"],
        summary=row["summary"],
        language=row["language"],
        link=row["link"],
        author=row["author"],
        source=row["source"],
        feed=row["feed_url"],
        feed_name=row["feed_name"],
        publisher=row["publisher"],
        tags=tuple(json.loads(row["tags"])),
        body=unpack(row["summary"], row["packed"]),
        categories=get_categories(row["categories"]),
        terms=unpack_terms(row["terms"]),
    )


def put_categories(categories: Iterable[str]) -> str:
    """Return categories as text, one a line."""
    return "\n".join(categories)


def get_categories(text: str) -> tuple[str, ...]:
    """Inverse of `put_categories`."""
    return tuple(text.split("\n")) if text else ()


def get_story_ids(row: Row) -> StoryIds:
    """Return the stories of an entry."""
    return StoryIds(row["strict_id"], row["story_id"], row["storyline_id"])


def get_known(row: Row) -> KnownEntry:
    """Return an entry with its keys."""
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
        withdrawn=row["withdrawn_at"] is not None,
    )


def get_settings(text: str) -> ChatSettings:
    """Return the settings that a chat chose, or that the file declares for it."""
    if text == "{}":
        return ChatSettings()
    data = json.loads(text)
    return ChatSettings(
        data.get("language"),
        data.get("zone"),
        (data["quiet"][0], data["quiet"][1]) if "quiet" in data else None,
        tuple(data["digest_at"]) if "digest_at" in data else None,
        data.get("digest_from"),
        Developments(data["developments"]) if "developments" in data else None,
        data.get("hide_names"),
        Updates(data["updates"]) if "updates" in data else None,
    )


def put_settings(settings: ChatSettings) -> str:
    """Inverse of `get_settings`; what is None is left out."""
    return json.dumps(
        {name: value for name, value in asdict(settings).items() if value is not None}
    )


def get_chat(row: Mapping[str, Any] | Row) -> Chat:
    """Return a chat."""
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
    """Return a subscription from a row of `ALL_SUBSCRIPTIONS` or `SUBSCRIPTIONS_OF_CHAT`."""
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
    """Return the alert options of a subscription."""
    wait = timedelta(seconds=row["or_after"]) if row["or_after"] is not None else None
    developments, updates = row["developments"], row["updates"]
    return AlertOptions(
        Urgency(row["urgency"]),
        row["publishers"],
        wait,
        row["ring_again_at"],
        Developments(developments) if developments else None,
        Updates(updates) if updates else None,
    )


#: the columns of alert options, in the order of `put_alert_options`
OPTION_COLUMNS = (
    *("urgency", "publishers", "or_after", "ring_again_at", "developments", "updates"),
)


def put_alert_options(options: AlertOptions) -> tuple[str, int, float | None, int, str, str]:
    """Inverse of `get_alert_options`: the values of `OPTION_COLUMNS`."""
    wait = options.or_after.total_seconds() if options.or_after is not None else None
    return (
        options.urgency.value,
        options.publishers,
        wait,
        options.alert_again_at,
        (options.developments or ""),
        (options.updates or ""),
    )


def put_spans(spans: Iterable[Span]) -> str:
    """Return spans as compact JSON."""
    return json.dumps(
        [[span.field, span.start, span.end, span.term] for span in spans], ensure_ascii=False
    )


def get_spans(text: str) -> tuple[Span, ...]:
    """Inverse of `put_spans`."""
    return tuple(Span(*span) for span in json.loads(text))


def put_entities(entities: Iterable[Entity]) -> str:
    """Return entities as JSON."""
    return json.dumps([asdict(entity) for entity in entities])


def get_entities(text: str) -> tuple[Entity, ...]:
    """Inverse of `put_entities`."""
    return tuple(Entity(**entity) for entity in json.loads(text))


def put_buttons(buttons: Iterable[Iterable[Button]], screen: int) -> str:
    """Return rows of buttons as JSON; the words of a screen's buttons follow its number."""
    lead = f"{screen}:" if screen else ""
    return json.dumps(
        [
            [
                [button.text, "" if button.url else f"{lead}{button.word}", button.url]
                for button in row
            ]
            for row in buttons
        ],
        ensure_ascii=False,
    )


def get_buttons(text: str) -> tuple[tuple[Button, ...], ...]:
    """Return rows of buttons, whose words are as they were stored."""
    return tuple(tuple(Button(*button) for button in row) for row in json.loads(text))


def get_list(text: str) -> list[Any]:
    """Return the values of a JSON array."""
    return list(json.loads(text))
