"""Read a delivery with all that its message shows. Changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.i18n.phrase import load_phrase
from bot.model.alerts import AlertView, BundleKind, Confirmation, Continuation
from bot.model.chats import Chat
from bot.model.delivery import Delivery, DeliveryKind
from bot.model.entries import Span
from bot.model.message import File
from bot.model.stories import Grouping
from bot.model.updates import ChangeKind, UpdateView
from bot.store import alert_updates, bodies
from bot.store.engines.engine import Database
from bot.store.mappers import (
    get_buttons,
    get_chat,
    get_entities,
    get_spans,
    get_time,
    sure_time,
)
from bot.store.sql import ALERT, STORY_COLUMNS, confirms, marks

CONFIRMATIONS = 8  #: further entries of a story that its message names, at most

_VIEWS = """
    select a.*, e.title, e.link, e.summary, e.source, e.published, e.first_seen_at, e.agency,
        e.storyline_id, e.withdrawn_at, (
            select group_concat(distinct kind) from update_records u
            where u.entry_id = a.entry_id and u.chat_id = a.chat_id
        ) as changes, coalesce(nullif(c.name, ''), f.name) as feed, f.publisher
    from alerts a join entries e on e.id = a.entry_id join feeds f on f.id = e.feed_id
    left join feed_chats c on f.private = 1 and c.feed_id = f.id and c.chat_id = a.chat_id
    where a.chat_id = ? and a.story_id in ({marks}) order by a.created_at, a.story_id
"""
_MATCHES = """
    select name, spans, snippet, entry_id, removed_at is null and s.paused = 0 as in_force
    from alert_matches join subscriptions s on s.id = subscription_id
    where chat_id = ? and story_id = ? order by s.id
"""
# What a feed brought that another chat added is nothing that this chat sees.
_READABLE = """
    from entries e join feeds f on f.id = e.feed_id
    left join feed_chats c on f.private = 1 and c.feed_id = f.id and c.chat_id = :chat
    where e.{column} = :story and (f.private = 0 or c.chat_id is not null)
"""
_COUNTS = f"""
    select count(*), count(distinct case when {{confirms}} then e.origin end) {_READABLE}
"""
_CONFIRMATIONS = f"""
    select e.link, coalesce(nullif(e.source, ''), nullif(c.name, ''), f.name) as name, e.agency,
        e.first_seen_at, coalesce(min(e.published, e.first_seen_at), e.first_seen_at) as at
    {_READABLE} and e.id != :entry order by at, e.id limit :limit
"""
_DOUBTFUL_ALERT = f"""
    select 1 from outbox_alerts a join outbox o on o.id = outbox_id
    where a.chat_id = ? and a.story_id in ({{marks}}) and kind = {ALERT} and doubts > 0 limit 1
"""
_PARENT = """
    select parent.message_id from alerts note
    join alerts parent on parent.chat_id = note.chat_id and parent.story_id = note.note_of
    where note.chat_id = ? and note.story_id = ? and parent.message_id is not null
"""
# The newest article that does not tell what the alert's own strict story tells.
_LATEST = f"""
    select e.link, coalesce(nullif(e.source, ''), nullif(c.name, ''), f.name) as name, e.agency,
        e.title, coalesce(min(e.published, e.first_seen_at), e.first_seen_at) as at
    {_READABLE} and e.strict_id != (select strict_id from entries where id = :entry)
    order by e.id desc limit 1
"""
# A message with both goes on itself.
_CONTINUATION = """
    select title, message_id from alerts a join entries e on e.id = a.entry_id
    where a.chat_id = ? and a.story_id = ? and message_id is not null and message_id is not ?
"""
_REFERENCE = "select reference from message_references where chat_id = ? and message_id = ?"
_MESSAGE_OF_SCREEN = """
    select message_id from outbox where screen = ? and message_id is not null order by id limit 1
"""


def read(db: Database, row: Any) -> Delivery:
    """Return the delivery of a row of the outbox."""
    chat = get_chat(db.execute("select * from chats where id = ?", [row["chat_id"]]).fetchone())
    kind = DeliveryKind(row["kind"])
    alerts = db.execute(
        "select story_id from outbox_alerts where outbox_id = ?", [row["id"]]
    ).fetchall()
    stories = [alert["story_id"] for alert in alerts]
    message_id, marked, reply_to, shown = None, False, row["reply_to"], b""
    if kind is DeliveryKind.EDIT:
        marked = _is_repeat(db, chat.id, stories)
        message_id, stories, shown = _message_with(db, chat.id, stories)
    if kind is DeliveryKind.AGAIN:
        reply_to, _, _ = _message_with(db, chat.id, stories)
    if kind is DeliveryKind.ALERT and len(stories) == 1:
        reply_to = _message_of_parent(db, chat.id, stories[0])
    if row["edits"] is not None:
        message_id = row["edits"] or _message_of_screen(db, row["screen"])
    return Delivery(
        id=row["id"],
        kind=kind,
        chat=chat,
        attempt=row["attempts"],
        doubts=row["doubts"],
        plain=bool(row["plain"]),
        alerts=tuple(_views(db, chat, stories)),
        text=row["text"],
        phrase=load_phrase(row["phrase"]),
        entities=get_entities(row["entities"]),
        message_id=message_id,
        reply_to=reply_to,
        created_at=sure_time(row["created_at"]),
        marked=marked,
        edits=row["edits"] is not None and message_id is not None,
        buttons=get_buttons(row["buttons"]),
        asks=bool(row["asks"]),
        file=_file(row),
        doubted_at=get_time(row["doubted_at"]),
        shown=shown,
        reference=_reference(db, chat, message_id),
        reply_reference=_reference(db, chat, reply_to),
    )


def _reference(db: Database, chat: Chat, message_id: int | None) -> str:
    """By which another service than Telegram knows a message; empty where there is none."""
    if chat.address or message_id is None:
        return ""
    row = db.execute(_REFERENCE, [chat.id, message_id]).fetchone()
    return row["reference"] if row else ""


def _file(row: Any) -> File | None:
    if row["file"] is None:
        return None
    return File(row["file_name"], row["file"], bool(row["picture"]))


def _message_of_screen(db: Database, screen: int) -> int | None:
    row = db.execute(_MESSAGE_OF_SCREEN, [screen]).fetchone()
    return row["message_id"] if row else None


def _is_repeat(db: Database, chat_id: int, stories: Sequence[int]) -> bool:
    """Whether an earlier copy of the message with these alerts may have arrived as well."""
    statement = _DOUBTFUL_ALERT.format(marks=marks(stories))
    return db.execute(statement, [chat_id, *stories]).fetchone() is not None


def _message_with(
    db: Database, chat_id: int, stories: list[int]
) -> tuple[int | None, list[int], bytes]:
    """The message with these alerts, the stories of all its alerts, and a digest of its text."""
    row = db.execute(
        "select message_id from alerts where chat_id = ? and story_id = ?",
        [chat_id, stories[0] if stories else 0],
    ).fetchone()
    if row is None or row["message_id"] is None:
        return None, stories, b""
    alerts = db.execute(
        "select story_id, shown from alerts where chat_id = ? and message_id = ?",
        [chat_id, row["message_id"]],
    ).fetchall()
    digests = {alert["shown"] for alert in alerts}
    shown = digests.pop() if len(digests) == 1 else b""
    return row["message_id"], [alert["story_id"] for alert in alerts], shown


def _message_of_parent(db: Database, chat_id: int, story: int) -> int | None:
    """The message that a note replies to."""
    row = db.execute(_PARENT, [chat_id, story]).fetchone()
    return row["message_id"] if row else None


def _views(db: Database, chat: Chat, stories: Sequence[int]) -> list[AlertView]:
    statement = _VIEWS.format(marks=marks(stories))
    rows = db.execute(statement, [chat.id, *stories]).fetchall()
    return [_view(db, chat, row) for row in rows]


def _view(db: Database, chat: Chat, row: Any) -> AlertView:
    matches = db.execute(_MATCHES, [row["chat_id"], row["story_id"]]).fetchall()
    # A deleted subscription is named only where it was the only one.
    matches = [match for match in matches if match["in_force"]] or matches
    own = [match for match in matches if match["entry_id"] == row["entry_id"]]
    spans, body = _marked(db, row, own)
    confirmations, latest, entries, publishers = _story(db, row)
    changes = (row["changes"] or "").split(",")
    return AlertView(
        story_id=row["story_id"],
        title=row["title"],
        first_title=row["first_title"],
        link=row["link"],
        summary=row["summary"],
        feed=row["feed"],
        publisher=row["publisher"],
        source=row["source"],
        published=get_time(row["published"]),
        first_seen_at=sure_time(row["first_seen_at"]),
        subscriptions=tuple(dict.fromkeys(match["name"] for match in matches)),
        spans=spans,
        catch_up=bool(row["catch_up"]),
        revision=row["revision"],
        agency=row["agency"],
        also=tuple(confirmations),
        entries=max(entries, 1),
        publishers=max(publishers, 1),
        single=bool(row["single"]),
        followed=bool(row["followed"]),
        storyline_id=row["storyline_id"],
        form=BundleKind(row["form"]),
        taken_by=row["taken_by"],
        note=row["note_of"] is not None,
        latest=latest,
        continuation=_continuation(db, chat, row),
        body=body,
        withdrawn=row["withdrawn_at"] is not None or ChangeKind.WITHDRAWN in changes,
        corrected=ChangeKind.CORRECTED in changes,
        update=_update(db, row),
    )


def _update(db: Database, row: Any) -> UpdateView | None:
    """What an alert says that is a reply about a change of its article."""
    if not row["update_form"]:
        return None
    place = (row["chat_id"], row["story_id"], row["note_of"])
    return alert_updates.view(db, *place, row["update_form"])


def _marked(db: Database, alert: Any, matches: Sequence[Any]) -> tuple[tuple[Span, ...], str]:
    """What matched of the entry of an alert, and its body, or a part of its page, where that did.

    Of the pages whose text is not kept, the part around the first match is.
    """
    spans = [span for match in matches for span in get_spans(match["spans"])]
    snippet = next((match for match in matches if match["snippet"]), None)
    if snippet is not None:
        own = [span for span in get_spans(snippet["spans"]) if span.field == "page"]
        others = [span for span in spans if span.field in {"title", "summary"}]
        return (*others, *(replace(span, field="body") for span in own)), snippet["snippet"]
    if all(span.field != "body" for span in spans):
        return tuple(spans), ""
    packed = bodies.packed_of(db, [alert["entry_id"]]).get(alert["entry_id"])
    return tuple(spans), bodies.unpack(alert["summary"], packed)


def _continuation(db: Database, chat: Chat, alert: Any) -> Continuation | None:
    """The message of the story that an alert's story became part of."""
    if alert["merged_into"] is None:
        return None
    values = [chat.id, alert["merged_into"], alert["message_id"]]
    row = db.execute(_CONTINUATION, values).fetchone()
    if row is None:
        return None
    return Continuation(row["title"], row["message_id"], chat.link_to(row["message_id"]))


def _story(db: Database, alert: Any) -> tuple[list[Confirmation], Confirmation | None, int, int]:
    """The first further entries of an alert's story, its latest news, entries and publishers."""
    grouping = Grouping(alert["grouping"])
    column = STORY_COLUMNS[grouping]
    story = alert["story_id"] if alert["merged_into"] is None else alert["merged_into"]
    values = {"chat": alert["chat_id"], "story": story}
    entries, publishers = db.execute(
        _COUNTS.format(column=column, confirms=confirms(grouping, "e.")), values
    ).fetchone()
    if entries <= 1:
        return [], None, entries, publishers
    values |= {"entry": alert["entry_id"], "limit": CONFIRMATIONS}
    rows = db.execute(_CONFIRMATIONS.format(column=column), values).fetchall()
    confirmations = [
        Confirmation(row["name"], row["link"], sure_time(row["at"]), row["agency"]) for row in rows
    ]
    row = db.execute(_LATEST.format(column=column), values).fetchone()
    latest = row and Confirmation(
        row["name"], row["link"], sure_time(row["at"]), row["agency"], row["title"]
    )
    return confirmations, latest, entries, publishers
