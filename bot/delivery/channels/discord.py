"""Post and change messages by a webhook of Discord.

https://discord.com/developers/docs/resources/webhook#execute-webhook
Nobody is notified by what a message says: mentions are switched off.
"""

from collections.abc import Callable
from typing import Any

from bot.delivery.channels.http import Answer, Client, bounded, failure
from bot.delivery.channels.webhook import NO_DESTINATION
from bot.delivery.markup import fitting, to_markdown
from bot.model.delivery import Delivery, MessageLost, NotSent, SendOutcome, Sent
from bot.model.destinations import Destination, HookDestination
from bot.model.message import Message

SILENT = 1 << 12  #: SUPPRESS_NOTIFICATIONS
NO_PREVIEWS = 1 << 2  #: SUPPRESS_EMBEDS
_UNKNOWN_MESSAGE = 10008


class DiscordChannel:
    """Implements `ports.Channel`."""

    def __init__(self, client: Client, destination: Callable[[str], Destination | None]) -> None:
        self._client, self._destination = client, destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Post the message, or change the one that the delivery names."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, HookDestination):
            return NotSent(NO_DESTINATION)
        body = content(delivery, message)
        url = place.url.rstrip("/")
        if delivery.changes_message:
            if not delivery.reference:
                return MessageLost("the message is not there any more")
            path = f"{url}/messages/{delivery.reference}"
            answer = await self._client.call("PATCH", path, idempotent=True, json=body)
        else:
            answer = await self._client.call("POST", f"{url}?wait=true", json=body)
        if not isinstance(answer, Answer):
            return answer
        if not answer.is_success:
            return _failure(answer, changes=delivery.changes_message)
        return Sent(delivery.message_id or delivery.id, answer.text("id") or delivery.reference)


def content(delivery: Delivery, message: Message) -> dict[str, Any]:
    """Return the body of a message."""
    short = fitting(message, delivery.abilities.length, to_text)
    body: dict[str, Any] = {"content": to_text(short), "allowed_mentions": {"parse": []}}
    flags = SILENT * delivery.silent + NO_PREVIEWS * (not message.preview)
    if delivery.changes_message:
        flags &= NO_PREVIEWS  # the only one that can be changed
    return body | ({"flags": flags} if flags else {})


def to_text(message: Message) -> str:
    """Return a message in Discord's Markdown, in which two underscores underline."""
    return to_markdown(message, underline="__")


def _failure(answer: Answer, *, changes: bool) -> SendOutcome:
    if changes and answer.content.get("code") == _UNKNOWN_MESSAGE:
        return MessageLost("the message is not there any more")
    return failure(answer, idempotent=changes, pause=bounded(answer.content.get("retry_after")))
