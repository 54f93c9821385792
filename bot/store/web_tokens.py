"""The secret words of the web page: links, sessions, feeds of alerts, and the key of its links.

Of a word only its hash is stored. Decides nothing about rights: they are those of the person now.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from bot.model.chats import Chat
from bot.model.web import WebToken, WebTokenKind
from bot.store import meta
from bot.store.engines.engine import Database, Writer
from bot.store.mappers import get_chat, put_time, sure_time
from bot.store.meta import MetaName
from bot.store.sql import literal, put

FEEDS_LAST = timedelta(days=36_500)  #: feeds of alerts, and groups, are until they are revoked
_KEY_BYTES = 32
_VALID = """
    select kind, user_id, chat_id, made_at, expires_at from web_tokens
    where token_hash = ? and kind = ? and expires_at > ?
"""
_INSERT = put("web_tokens", "token_hash", "kind, user_id, chat_id, made_at, expires_at")
_CHATS_OF = f"""
    select c.* from web_tokens t join chats c on c.id = t.chat_id
    where t.user_id = ? and t.kind = {literal(WebTokenKind.CHAT)} and c.allowed = 1
    order by c.name, c.id
"""
_FEED_OF = f"""
    select made_at from web_tokens where chat_id = ? and kind = {literal(WebTokenKind.FEED)}
"""
_DROP_FEED = f"""
    delete from web_tokens where chat_id = ? and kind = {literal(WebTokenKind.FEED)}
"""


class WebTables:
    """Implements `ports.WebStore`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def token(self, kind: WebTokenKind, word: str, now: datetime) -> WebToken | None:
        """Return what a word opens; None where it is unknown, used, revoked or expired."""
        rows = await self._writer.fetch(
            "read a word of the web page", _VALID, [word_hash(word), kind, put_time(now)]
        )
        return _token(rows[0]) if rows else None

    async def make_link(self, word: str | bytes, now: datetime, expires_at: datetime) -> None:
        """Keep a link of the command line: it opens the page for the operator."""
        await self._writer.run(
            "keep a link to the web page",
            lambda db: put_link(db, word, 0, None, now, expires_at),
        )

    async def open_session(
        self, link: str, session: str, now: datetime, expires_at: datetime
    ) -> bool:
        """Use a link, and keep a session in its place; False where the link is not good."""

        def work(db: Database) -> bool:
            row = db.execute(_VALID, [word_hash(link), WebTokenKind.LINK, put_time(now)]).fetchone()
            if row is None:
                return False
            db.execute("delete from web_tokens where token_hash = ?", [word_hash(link)])
            who = (row["user_id"], row["chat_id"])
            _put(db, WebTokenKind.SESSION, session, who, now, expires_at)
            return True

        return await self._writer.run("open the web page", work)

    async def chats_of(self, user_id: int) -> list[Chat]:
        """Return the groups in which a person asked for the page, those that are allowed."""
        rows = await self._writer.fetch("read the groups of a person", _CHATS_OF, [user_id])
        return [get_chat(row) for row in rows]

    async def end_session(self, word: str) -> None:
        """Forget a session."""
        await self._writer.run(
            "end a session",
            lambda db: db.execute("delete from web_tokens where token_hash = ?", [word_hash(word)]),
        )

    async def revoke_all(self) -> int:
        """End all sessions, links and links to stories; return how many sessions and links."""

        def work(db: Database) -> int:
            meta.write(db, MetaName.WEB_KEY, secrets.token_hex(_KEY_BYTES))
            kinds = [WebTokenKind.LINK, WebTokenKind.SESSION]
            return db.execute("delete from web_tokens where kind in (?, ?)", kinds).rowcount

        return await self._writer.run("end the sessions of the web page", work)

    async def make_feed(self, chat_id: int, user_id: int, word: str | bytes, now: datetime) -> None:
        """Let a word open the alerts of a chat; an earlier one opens them no more."""

        def work(db: Database) -> None:
            db.execute(_DROP_FEED, [chat_id])
            _put(db, WebTokenKind.FEED, word, (user_id, chat_id), now, now + FEEDS_LAST)

        await self._writer.run("keep the feed of a chat", work)

    async def revoke_feed(self, chat_id: int) -> bool:
        """Let no word open the alerts of a chat; False where none did."""
        return await self._writer.run(
            "revoke the feed of a chat",
            lambda db: bool(db.execute(_DROP_FEED, [chat_id]).rowcount),
        )

    async def feed_made_at(self, chat_id: int) -> datetime | None:
        """Return when the word was made that opens the alerts of a chat; None for none."""
        rows = await self._writer.fetch("read the feed of a chat", _FEED_OF, [chat_id])
        return sure_time(rows[0]["made_at"]) if rows else None

    async def key(self) -> bytes:
        """Return the key by which links to stories are signed; the first call makes it."""

        def work(db: Database) -> bytes:
            stored = meta.read(db, MetaName.WEB_KEY)
            if stored is None:
                stored = secrets.token_hex(_KEY_BYTES)
                meta.write(db, MetaName.WEB_KEY, stored)
            return bytes.fromhex(stored)

        return await self._writer.run("read the key of the web page", work)


def word_hash(word: str) -> bytes:
    """Return what is stored of a word."""
    return blake2b(word.encode(), digest_size=32, person=b"newsbell web").digest()


def put_link(
    db: Database,
    word: str | bytes,
    user_id: int,
    chat_id: int | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a link that opens the page once for a person, and end their earlier ones."""
    db.execute(
        "delete from web_tokens where user_id = ? and kind = ?", [user_id, WebTokenKind.LINK]
    )
    _put(db, WebTokenKind.LINK, word, (user_id, chat_id), now, expires_at)


def put_chat(db: Database, user_id: int, chat_id: int, now: datetime) -> None:
    """Keep that a person wants to see a group on the page."""
    name = f"{user_id} in {chat_id}"  # no word: nothing is opened by it
    _put(db, WebTokenKind.CHAT, name, (user_id, chat_id), now, now + FEEDS_LAST)


def forget_person(db: Database, user_id: int) -> None:
    """Delete what is a person's; feeds of their chats stay the chats'."""
    db.execute(
        "delete from web_tokens where user_id = ? and kind != ?", [user_id, WebTokenKind.FEED]
    )


def _put(
    db: Database,
    kind: WebTokenKind,
    word: str | bytes,
    who: tuple[int, int | None],
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a word, or its hash, where that is all there is; `who` is a person and a chat."""
    digest = word_hash(word) if isinstance(word, str) else word
    values: list[Any] = [digest, kind, *who, put_time(now), put_time(expires_at)]
    db.execute(_INSERT, values)


def _token(row: Any) -> WebToken:
    return WebToken(
        WebTokenKind(row["kind"]),
        row["user_id"],
        row["chat_id"],
        sure_time(row["made_at"]),
        sure_time(row["expires_at"]),
    )
