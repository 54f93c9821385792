"""Send to rooms of Matrix that are not encrypted, and change what was sent.

https://spec.matrix.org/v1.11/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
A transaction id makes each send idempotent; `m.replace` changes a message (section 11.5).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import structlog

from bot.delivery.channels.http import Answer, Client, bounded, failure
from bot.delivery.channels.webhook import NO_DESTINATION, event_id
from bot.delivery.markup import fitting, plain_text, to_html
from bot.model.delivery import (
    ChatClosed,
    Delivery,
    DeliveryKind,
    MessageLost,
    NotSent,
    SendOutcome,
    Sent,
)
from bot.model.destinations import Destination, TokenDestination
from bot.model.message import Message

_CLOSED = {"M_FORBIDDEN", "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_NOT_FOUND", "M_USER_DEACTIVATED"}

log = structlog.stdlib.get_logger("newsbell.services")


class MatrixChannel:
    """Implements `ports.Channel`."""

    def __init__(self, client: Client, destination: Callable[[str], Destination | None]) -> None:
        self._client, self._destination = client, destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Send the message, or change the one that the delivery names."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, TokenDestination):
            return NotSent(NO_DESTINATION)
        if delivery.changes_message and not delivery.reference:
            return MessageLost("the message is not there any more")
        room = quote(place.channel, safe="")
        path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/{event_id(delivery)}"
        answer = await self._client.call(
            "PUT",
            place.server.rstrip("/") + path,
            idempotent=True,
            json=content(delivery, message),
            headers={"Authorization": f"Bearer {place.token}"},
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.is_success:
            sent = answer.text("event_id")
            return Sent(delivery.message_id or delivery.id, delivery.reference or sent)
        return _failure(answer)


def content(delivery: Delivery, message: Message) -> dict[str, Any]:
    """Return the content of an event."""
    short = fitting(message, delivery.abilities.length, to_html)
    quiet = delivery.silent or delivery.kind is DeliveryKind.NOTICE
    body: dict[str, Any] = {"msgtype": "m.notice" if quiet else "m.text", "body": plain_text(short)}
    if not delivery.plain:
        body |= {"format": "org.matrix.custom.html", "formatted_body": to_html(short)}
    if delivery.changes_message:
        relation = {"rel_type": "m.replace", "event_id": delivery.reference}
        # What clients without changes show.
        return body | {
            "body": f"* {body['body']}",
            "m.new_content": body,
            "m.relates_to": relation,
        }
    if delivery.reply_reference:
        body["m.relates_to"] = {"m.in_reply_to": {"event_id": delivery.reply_reference}}
    return body


def _failure(answer: Answer) -> SendOutcome:
    code = answer.text("errcode")
    if code == "M_LIMIT_EXCEEDED":
        millis = answer.content.get("retry_after_ms")
        pause = bounded(millis / 1000 if isinstance(millis, int | float) else None)
        return failure(answer, idempotent=True, pause=pause or timedelta(seconds=5))
    if code in _CLOSED:
        log.warning("chat_closed", words=code)
        return ChatClosed(
            "its service does not let newsbell write there; check what feeds.yaml says of it.",
            probe=True,
            soon=True,
        )
    return failure(answer, idempotent=True)
