"""Publish to a topic of ntfy. A message of the same sequence replaces what it was before.

https://docs.ntfy.sh/publish/#updating-deleting-notifications (from version 2.16 on; an older server
shows the change as a second message).
"""

from collections.abc import Callable

from bot.delivery.channels.http import Answer, Client, failure
from bot.delivery.channels.webhook import NO_DESTINATION, event_id
from bot.delivery.markup import plain_text, shortened
from bot.model.delivery import Delivery, DeliveryKind, NotSent, SendOutcome, Sent
from bot.model.destinations import Destination, TokenDestination
from bot.model.message import Message

_DEFAULT, _LOW = "3", "2"
_TITLE = 250  # code points
_LINK = 1000  # code points of a link that fits into a header


class NtfyChannel:
    """Implements `ports.Channel`."""

    def __init__(self, client: Client, destination: Callable[[str], Destination | None]) -> None:
        self._client, self._destination = client, destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Publish the message under its sequence."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, TokenDestination):
            return NotSent(NO_DESTINATION)
        sequence = delivery.reference or event_id(delivery)
        headers, body = content(delivery, message, sequence)
        if place.token:
            headers.append((b"Authorization", f"Bearer {place.token}".encode()))
        answer = await self._client.call(
            "POST",
            f"{place.server.rstrip('/')}/{place.channel}",
            idempotent=True,
            content=body,
            headers=headers,
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.is_success:
            return Sent(delivery.message_id or delivery.id, sequence)
        return failure(answer, idempotent=True)


def content(
    delivery: Delivery, message: Message, sequence: str
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return headers in UTF-8, as ntfy reads them, and the text: its first line is the title."""
    short = shortened(message, delivery.abilities.length)
    first, _, rest = plain_text(short).partition("\n")
    headers = [
        (b"X-Sequence-ID", sequence.encode()),
        (b"X-Title", " ".join(first.split())[:_TITLE].encode()),
        (b"X-Priority", _priority(delivery).encode()),
    ]
    link = delivery.alerts[0].link if len(delivery.alerts) == 1 else ""
    if link and link.isascii() and link.isprintable() and len(link) <= _LINK:
        headers.append((b"X-Click", link.encode()))
    return headers, (rest.strip() or first).encode()


def _priority(delivery: Delivery) -> str:
    quiet = delivery.silent or delivery.kind in {DeliveryKind.EDIT, DeliveryKind.NOTICE}
    return _LOW if quiet else _DEFAULT
