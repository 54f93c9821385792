"""Post and change messages of Mattermost with a bot's token.

https://developers.mattermost.com/api-documentation/ (posts: create, patch)
"""

from collections.abc import Callable
from typing import Any

from bot.delivery.channels.http import Answer, Client, failure
from bot.delivery.channels.webhook import NO_DESTINATION
from bot.delivery.markup import fitting, plain_text, to_markdown
from bot.model.delivery import Delivery, MessageLost, NotSent, SendOutcome, Sent
from bot.model.destinations import Destination, TokenDestination
from bot.model.message import Message

_GONE = 404


class MattermostChannel:
    """Implements `ports.Channel`."""

    def __init__(self, client: Client, destination: Callable[[str], Destination | None]) -> None:
        self._client, self._destination = client, destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Post the message, or change the one that the delivery names."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, TokenDestination):
            return NotSent(NO_DESTINATION)
        short = fitting(message, delivery.abilities.length, to_markdown)
        text = plain_text(short) if delivery.plain else to_markdown(short)
        body: dict[str, Any] = {"message": text}
        method, path = "POST", "/api/v4/posts"
        if delivery.changes_message:
            if not delivery.reference:
                return MessageLost("the message is not there any more")
            method, path = "PUT", f"{path}/{delivery.reference}/patch"
        else:
            body["channel_id"] = place.channel
            if delivery.reply_reference:
                body["root_id"] = delivery.reply_reference
        answer = await self._client.call(
            method,
            place.server.rstrip("/") + path,
            idempotent=delivery.changes_message,
            json=body,
            headers={"Authorization": f"Bearer {place.token}"},
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.is_success:
            reference = answer.text("id") or delivery.reference
            return Sent(delivery.message_id or delivery.id, reference)
        if delivery.changes_message and answer.status == _GONE:
            return MessageLost("the message is not there any more")
        return failure(answer, idempotent=delivery.changes_message)
