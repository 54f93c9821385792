"""The methods that send, edit and delete messages. They know the world, not the wire."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final

from .chats import GENERAL_TOPIC, Chat, Message
from .errors import Json, bad_request
from .files import check_upload, describe
from .keyboards import check_markup, is_inline
from .params import Upload
from .people import People
from .text import CAPTION_LIMIT, TEXT_LIMIT, Formatted, check_length, parse, settle

#: a bot deletes nothing older: BAPI "sent less than 48 hours ago"
DELETABLE: Final = 2 * 86400
_SAME: Final = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)


class Sending(People):
    """A world a bot can write to."""

    #: whether a text_link given as an entity fails the message when Telegram does not accept the
    #: link (so the live API is said to do), or is dropped without a word as an `<a href>` is
    refuse_bad_links = False

    def send_message(self, params: Json) -> Json:
        """Serve sendMessage."""
        text = str(params.get("text") or "")
        if not text:
            raise bad_request("message text is empty")
        parsed = self._parse(text, params, "entities")
        chat = self._writable(params, "text messages")
        formatted = self._settle(parsed, TEXT_LIMIT)
        return self.message_json(self._send(chat, formatted, params))

    def send_document(self, params: Json) -> Json:
        """Serve sendDocument."""
        return self._send_file(params, "document")

    def send_photo(self, params: Json) -> Json:
        """Serve sendPhoto."""
        return self._send_file(params, "photo")

    def edit_message_text(self, params: Json) -> Json:
        """Serve editMessageText."""
        text = str(params.get("text") or "")
        if not text:
            raise bad_request("message text is empty")
        parsed = self._parse(text, params, "entities")
        chat, message = self._editable(params)
        if message.attachment:
            raise bad_request("there is no text in the message to edit")
        return self._edit(chat, message, self._settle(parsed, TEXT_LIMIT), params)

    def edit_message_caption(self, params: Json) -> Json:
        """Serve editMessageCaption; without a caption it takes the old one away."""
        parsed = self._parse(str(params.get("caption") or ""), params, "caption_entities")
        chat, message = self._editable(params)
        if not message.attachment:
            raise bad_request("there is no caption in the message to edit")
        return self._edit(chat, message, self._settle(parsed, CAPTION_LIMIT), params)

    def edit_message_reply_markup(self, params: Json) -> Json:
        """Serve editMessageReplyMarkup."""
        chat, message = self._editable(params)
        markup = check_markup(params.get("reply_markup"), chat.kind, only_inline=True)
        if markup == message.reply_markup:
            raise bad_request(_SAME)
        return self.message_json(self.store(chat, replace(message, reply_markup=markup)))

    def delete_message(self, params: Json) -> bool:
        """Serve deleteMessage."""
        chat = self.reach(params.get("chat_id"))
        message = chat.messages.get(params.get("message_id", 0))
        if message is None or message.deleted:
            raise bad_request("message to delete not found")
        foreign = message.sender_id is not None and chat.kind != "private"
        if foreign and not self.may(chat, "can_delete_messages"):
            raise bad_request("message can't be deleted")
        if time.time() >= message.date + DELETABLE:
            small = chat.kind in {"private", "group"}
            raise bad_request(
                "message can't be deleted for everyone" if small else "message can't be deleted"
            )
        self.store(chat, replace(message, deleted=True))
        return True

    def _edit(self, chat: Chat, message: Message, formatted: Formatted, params: Json) -> Json:
        markup = check_markup(params.get("reply_markup"), chat.kind, only_inline=True)
        edited = replace(
            message, text=formatted.text, entities=formatted.entities, reply_markup=markup
        )
        if edited == message:
            raise bad_request(_SAME)
        edits = [*message.edits, (formatted.text, formatted.entities)]
        return self.message_json(self.store(chat, replace(edited, edits=edits)))

    def _send_file(self, params: Json, kind: str) -> Json:
        caption = str(params.get("caption") or "")
        parsed = self._parse(caption, params, "caption_entities")
        chat = self._writable(params, f"{kind}s")
        formatted = self._settle(parsed, CAPTION_LIMIT)
        file = self._stored(params, kind)
        attachment: dict[str, Any] = {kind: [file] if kind == "photo" else file}
        return self.message_json(self._send(chat, formatted, params, attachment))

    def _stored(self, params: Json, kind: str) -> Json:
        """Return the description of an uploaded file or of one Telegram has."""
        upload = params.get(kind)
        if isinstance(upload, str) and upload.startswith("attach://"):
            upload = params.get(upload.removeprefix("attach://"))
        if isinstance(upload, Upload):
            check_upload(upload.filename, upload.content, kind)
            return self.keep_file(upload.filename, upload.content, kind)
        if upload in self.files:
            return describe(upload, *self.files[upload], kind)
        if not upload:
            raise bad_request(f"there is no {kind} in the request")
        raise bad_request("Wrong HTTP URL specified")

    def _parse(self, text: str, params: Json, field: str) -> Formatted:
        mode, entities = str(params.get("parse_mode") or ""), params.get(field) or []
        return parse(text, mode, entities, refuse_bad_links=self.refuse_bad_links)

    def _settle(self, parsed: Formatted, limit: int) -> Formatted:
        formatted = settle(parsed, self.users.get, may_be_empty=limit == CAPTION_LIMIT)
        check_length(formatted, limit)
        return formatted

    def _writable(self, params: Json, what: str) -> Chat:
        """Return the chat to write to, its topic checked."""
        chat = self.reach(params.get("chat_id"))
        if chat.kind == "channel" and not self.may(chat, "can_post_messages"):
            raise bad_request("need administrator rights in the channel chat")
        if chat.restricted:
            raise bad_request(f"not enough rights to send {what} to the chat")
        thread_id = params.get("message_thread_id")
        if thread_id is not None:
            if thread_id == GENERAL_TOPIC or thread_id not in chat.topics:
                raise bad_request("message thread not found")
            if chat.topics[thread_id].closed:
                raise bad_request("TOPIC_CLOSED")
        return chat

    def _send(
        self, chat: Chat, formatted: Formatted, params: Json, attachment: Json | None = None
    ) -> Message:
        message = Message(
            message_id=0, chat_id=chat.id, thread_id=params.get("message_thread_id"),
            text=formatted.text, entities=formatted.entities,
            reply_markup=check_markup(params.get("reply_markup"), chat.kind),
            reply_to=_reply_to(chat, params),
            silent=bool(params.get("disable_notification")),
            link_preview=params.get("link_preview_options"), attachment=attachment or {},
        )  # fmt: skip
        return self.store(chat, replace(message, message_id=next(chat.ids)))

    def _editable(self, params: Json) -> tuple[Chat, Message]:
        chat = self.reach(params.get("chat_id"))
        message = chat.messages.get(params.get("message_id", 0))
        if message is None or message.deleted:
            raise bad_request("message to edit not found")
        if message.sender_id is not None or not is_inline(message.reply_markup):
            raise bad_request("message can't be edited")
        return chat, message


def _reply_to(chat: Chat, params: Json) -> int | None:
    reply = params.get("reply_parameters") or {}
    message_id: int | None = reply.get("message_id", params.get("reply_to_message_id"))
    if message_id is None:
        return None
    message = chat.messages.get(message_id)
    if message is not None and not message.deleted:
        return message_id
    lenient = reply.get("allow_sending_without_reply", params.get("allow_sending_without_reply"))
    if lenient:
        return None
    raise bad_request("message to be replied not found")
