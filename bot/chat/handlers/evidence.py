"""The command by which operators get a storyline as evidence, in a file. Writes nothing down."""

import json

from bot import __version__
from bot.chat.context import Context, text_reply
from bot.chat.replies import archive_unavailable
from bot.chat.services import SearchService
from bot.errors import StoreError
from bot.model.chat_events import Reply
from bot.model.message import File, Message
from bot.ports import ChatStore
from bot.search.evidence_record import evidence_record


class EvidenceFiles:
    """The command /evidence."""

    def __init__(self, store: ChatStore, search: SearchService) -> None:
        self._store, self._search = store, search

    async def send(self, context: Context, text: str) -> Reply:
        """/evidence: send the storyline of an article as a file. Raises StoreError."""
        translator, entry_id = context.translator, 0
        reply_to = context.update.reply_to
        if not text and reply_to is None:
            hint = translator.gettext(
                "Reply to an alert with {command}, or send {command} and a link.",
                command="/evidence",
            )
            return text_reply(hint)
        try:
            if text:
                entry_id = (await self._search.found(text, None)).entry_id
            elif reply_to is not None:
                alert = await self._store.alert_of(context.current_chat.id, reply_to)
                entry_id = alert.entry_id if alert else 0
            found = await self._search.evidence(entry_id) if entry_id else None
        except StoreError:
            return text_reply(archive_unavailable(translator))
        if found is None:
            return text_reply(
                translator.gettext("No stored article was found with this address or headline.")
            )
        record = evidence_record(found, __version__, context.now)
        content = json.dumps(record, ensure_ascii=False, indent=1).encode()
        name = f"evidence-{found.storyline}.json"
        return Reply(Message(f"SHA-256 {record['sha256']}", file=File(name, content)))
