"""What the command line asks about the web page, done to the store: links, feeds, revocation."""

from datetime import datetime, timedelta

from bot.chat.handlers.web import LINK_MINUTES
from bot.model.web import COMMAND_LINE
from bot.ports import WebStore
from bot.service.control import WEB_FEED, WEB_LINK, WEB_NO_FEED


async def change_web(
    store: WebStore, do: str, word: str | bytes, chat_id: int, now: datetime
) -> int:
    """Do it; return how much it changed. `word` is secret, or its hash. Raises StoreError."""
    if do == WEB_LINK:
        await store.make_link(word, now, now + timedelta(minutes=LINK_MINUTES))
        return 1
    if do == WEB_FEED:
        await store.make_feed(chat_id, COMMAND_LINE, word, now)
        return 1
    if do == WEB_NO_FEED:
        return int(await store.revoke_feed(chat_id))
    return await store.revoke_all()
