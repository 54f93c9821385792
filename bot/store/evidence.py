"""Read a storyline with all that is stored of it, as evidence. Reads only, decides nothing."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from bot.feeds.feed_notices import shown_url
from bot.feeds.last_document import NO_BLOCK, Document
from bot.model.evidence import (
    Evidence,
    EvidenceAlert,
    EvidenceArticle,
    EvidenceConfig,
    EvidenceDelivery,
    EvidenceFeed,
    EvidenceMatch,
    EvidencePair,
    EvidenceRevision,
)
from bot.store import kept_config
from bot.store.engines.engine import Database
from bot.store.mappers import get_spans, get_time, sure_time

_ARTICLES = """
    select e.*, f.name as feed, f.url as feed_url, f.publisher as feed_publisher
    from entries e join feeds f on f.id = e.feed_id
    where e.storyline_id = (select storyline_id from entries where id = ?) and {readable}
    order by e.id
"""
_REVISIONS = "select * from revisions where entry_id = ? order by at"
_PAIRS = "select * from joins where entry_id = ? order by score desc, other_id"
_FEED = """
    select f.name, f.last_ok_at, f.body_hash, f.etag, f.last_modified, d.records
    from feeds f left join documents d on d.feed_id = f.id where f.id = ?
"""
_ALERTS = """
    select a.*, c.name as chat, c.kind as service, (
        select kind from update_records r where r.chat_id = a.chat_id and r.reply = a.story_id
        order by r.id desc limit 1
    ) as change
    from alerts a join chats c on c.id = a.chat_id
    where a.entry_id in (select cast(value as integer) from json_each(:entries))
    and (cast(:chat as integer) is null or a.chat_id = :chat)
    order by a.created_at, a.chat_id, a.story_id
"""
_MATCHES = """
    select m.entry_id, m.spans, s.name, s.query from alert_matches m
    join subscriptions s on s.id = m.subscription_id
    where m.chat_id = ? and m.story_id = ? order by s.id
"""
_DELIVERIES = """
    select o.* from outbox_alerts x join outbox o on o.id = x.outbox_id
    where x.chat_id = ? and x.story_id = ? order by o.id
"""


def read(db: Database, entry_id: int, readable: str, chat_id: int | None) -> Evidence | None:
    """Return the storyline of an entry; None where the entry is not stored.

    `readable` is the condition for what may be read; `chat_id`: the alerts of this chat alone.
    """
    rows = db.execute(_ARTICLES.format(readable=readable), [entry_id]).fetchall()
    if not rows:
        return None
    feeds = {
        number: db.execute(_FEED, [number]).fetchone()
        for number in dict.fromkeys(row["feed_id"] for row in rows)
    }
    blocks = _blocks(feeds.values(), {row["id"] for row in rows})
    entries = json.dumps([row["id"] for row in rows])
    alerts = db.execute(_ALERTS, {"entries": entries, "chat": chat_id}).fetchall()
    return Evidence(
        rows[0]["storyline_id"],
        tuple(_article(db, row, blocks.get(row["id"], ())) for row in rows),
        tuple(_feed(row) for row in feeds.values()),
        tuple(_alert(db, row) for row in alerts),
        _configuration(db),
    )


def _blocks(feeds: Any, entries: set[int]) -> Mapping[int, tuple[str, ...]]:
    """Hashes of the blocks of these entries in the last documents of their feeds."""
    found: dict[int, tuple[str, ...]] = {}
    for feed in feeds:
        for block, entry in Document.unpack(feed["records"] or b"").records:
            if entry in entries and block != NO_BLOCK:
                found[entry] = (*found.get(entry, ()), block.hex())
    return found


def _article(db: Database, row: Any, blocks: Sequence[str]) -> EvidenceArticle:
    number = row["id"]
    return EvidenceArticle(
        article=number,
        feed=row["feed"],
        feed_url=shown_url(row["feed_url"]),
        publisher=row["feed_publisher"],
        source=row["source"],
        agency=row["agency"],
        counts_for=row["origin"],
        link=row["link"],
        guid=row["guid"],
        title=row["title"],
        summary=row["summary"],
        author=row["author"],
        language=row["language"],
        published=get_time(row["published"]),
        updated=get_time(row["updated"]),
        first_seen=sure_time(row["first_seen_at"]),
        left_feed=get_time(row["absent_since"]),
        silent=row["silent"],
        strict=row["strict_id"],
        story=row["story_id"],
        storyline=row["storyline_id"],
        pairs=tuple(
            EvidencePair(pair["other_id"], pair["score"], pair["reason"])
            for pair in db.execute(_PAIRS, [number]).fetchall()
        ),
        revisions=tuple(
            EvidenceRevision(sure_time(each["at"]), each["title"], each["summary"])
            for each in db.execute(_REVISIONS, [number]).fetchall()
        ),
        guid_key=row["guid_key"].hex(),
        link_key=row["link_key"].hex(),
        title_key=row["title_key"].hex(),
        blocks=tuple(blocks),
    )


def _feed(row: Any) -> EvidenceFeed:
    return EvidenceFeed(
        row["name"],
        get_time(row["last_ok_at"]),
        row["body_hash"].hex(),
        row["etag"],
        row["last_modified"],
    )


def _alert(db: Database, row: Any) -> EvidenceAlert:
    key = [row["chat_id"], row["story_id"]]
    return EvidenceAlert(
        chat=row["chat"],
        service=row["service"],
        story=row["story_id"],
        level=row["grouping"],
        article=row["entry_id"],
        note=row["note_of"] is not None,
        update=row["change"] or "",
        title=row["first_title"],
        made=sure_time(row["created_at"]),
        message=row["message_id"],
        matches=tuple(
            EvidenceMatch(
                each["name"],
                each["query"],
                each["entry_id"],
                tuple(dict.fromkeys(span.term for span in get_spans(each["spans"]))),
            )
            for each in db.execute(_MATCHES, key).fetchall()
        ),
        deliveries=tuple(
            EvidenceDelivery(
                each["kind"],
                each["state"],
                each["attempts"],
                sure_time(each["created_at"]),
                get_time(each["settled_at"]),
                each["message_id"],
                each["error"],
            )
            for each in db.execute(_DELIVERIES, key).fetchall()
        ),
    )


def _configuration(db: Database) -> EvidenceConfig | None:
    kept = kept_config.read(db)
    if kept is None:
        return None
    return EvidenceConfig(kept.file, sha256(kept.text.encode()).hexdigest(), kept.taken_at)
