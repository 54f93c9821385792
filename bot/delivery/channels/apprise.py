"""Send by Apprise to any of the services that it knows: one message a story, which never changes.

The library is an extra, and is loaded with the first message. It does not say whether a message
that failed may be sent later, so it is tried again.
"""

import importlib
from collections.abc import Callable
from typing import Any

from bot.delivery.channels.webhook import NO_DESTINATION
from bot.delivery.markup import plain_text, shortened
from bot.model.delivery import ChatClosed, Delivery, NotSent, SendOutcome, Sent
from bot.model.destinations import Destination, HookDestination
from bot.model.message import Message


class AppriseChannel:
    """Implements `ports.Channel`."""

    def __init__(self, destination: Callable[[str], Destination | None]) -> None:
        self._destination = destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Hand the message to Apprise."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, HookDestination):
            return NotSent(NO_DESTINATION)
        try:
            library: Any = importlib.import_module("apprise")
        except ImportError:
            return ChatClosed(
                "Apprise is not installed: install newsbell[apprise].", probe=True, soon=True
            )
        service = library.Apprise()
        if not service.add(place.url):
            return ChatClosed("its address is not valid; mend it in feeds.yaml.", probe=False)
        title, _, rest = plain_text(shortened(message, delivery.abilities.length)).partition("\n")
        links = [alert.link for alert in delivery.alerts if alert.link][:1]
        body = "\n\n".join([rest.strip() or title, *links])
        if await service.async_notify(body=body, title=title):
            return Sent(delivery.message_id or delivery.id)
        return NotSent("Apprise could not send it")
