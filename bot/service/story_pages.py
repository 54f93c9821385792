"""Addresses of stories in alerts, for chats that have no buttons to ask with. Not the pages."""

from bot.model.delivery import Delivery, DeliveryKind
from bot.ports import WebStore
from bot.web.signed import story_link

_KINDS = frozenset({DeliveryKind.ALERT, DeliveryKind.EDIT})


class StoryPages:
    """Signs links to the web page, where people reach it."""

    def __init__(self, store: WebStore, public: str) -> None:
        """`public` is the address of the web page; empty where it is for this machine alone."""
        self._store, self._public = store, public

    async def address(self, delivery: Delivery) -> str:
        """Return the address of the story of an alert in a chat without buttons; else nothing.

        Raises StoreError.
        """
        chat = delivery.chat
        has_buttons = delivery.abilities.buttons and not chat.channel
        is_alert = delivery.kind in _KINDS and len(delivery.alerts) == 1 and not delivery.silent
        if not self._public or has_buttons or not is_alert:
            return ""
        entry_id = delivery.alerts[0].story_id  # a story is named by its first entry
        return f"{self._public}/s/{story_link(await self._store.key(), chat.id, entry_id)}"
