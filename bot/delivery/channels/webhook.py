"""Post events about alerts to an address, signed as Standard Webhooks says.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
The body is described by docs/webhook.schema.json. An event that is sent again has the same id, so
that a receiver takes it once.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from standardwebhooks.webhooks import Webhook

from bot.delivery.channels.http import Answer, Client, failure
from bot.delivery.channels.terminal import alert_record
from bot.delivery.markup import plain_text
from bot.model.alerts import AlertView
from bot.model.chats import Chat
from bot.model.delivery import Delivery, DeliveryKind, NotSent, SendOutcome, Sent
from bot.model.destinations import Destination, WebhookDestination
from bot.model.message import Message
from bot.ports import Clock

NO_DESTINATION = "feeds.yaml does not say where this chat is"


class WebhookChannel:
    """Implements `ports.Channel`."""

    def __init__(
        self, client: Client, destination: Callable[[str], Destination | None], clock: Clock
    ) -> None:
        self._client, self._destination, self._clock = client, destination, clock

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Post the event of a delivery."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, WebhookDestination):
            return NotSent(NO_DESTINATION)
        now = self._clock.now()
        body = json.dumps(event(delivery, message, now), ensure_ascii=False).encode()
        headers = signed(event_id(delivery), now, body, place.secret)
        answer = await self._client.call(
            "POST", place.url, idempotent=True, content=body, headers=headers
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.is_success:
            return Sent(delivery.message_id or delivery.id)
        return failure(answer, idempotent=True)


def event_id(delivery: Delivery) -> str:
    """Return an id that is the same for each try of a delivery, and another for each delivery."""
    parts = (delivery.id, delivery.created_at, delivery.chat.name)
    return "msg_" + hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def signed(message_id: str, now: datetime, body: bytes, secret: bytes) -> Mapping[str, str]:
    """Return the headers of an event, with its signature where there is a secret."""
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
    }
    if secret:
        signature = Webhook(secret).sign(message_id, now, body.decode())
        headers["webhook-signature"] = signature
    return headers


def event(delivery: Delivery, message: Message, now: datetime) -> dict[str, Any]:
    """Return the body of an event."""
    data: dict[str, Any] = {"chat": delivery.chat.name, "text": plain_text(message)}
    alerts = [_alert(delivery.chat, alert) for alert in delivery.alerts]
    if len(alerts) == 1:
        data["alert"] = alerts[0]
    elif alerts:
        data["alerts"] = alerts
    return {"type": _kind(delivery), "timestamp": now.isoformat(), "data": data}


def _alert(chat: Chat, alert: AlertView) -> dict[str, Any]:
    record = {"id": f"{chat.id}-{alert.story_id}", **alert_record(alert)}
    if alert.update:
        record["update"] |= {"of": f"{chat.id}-{alert.update.of_story}"}
    return record


def _kind(delivery: Delivery) -> str:
    match delivery.kind:
        case DeliveryKind.NOTICE | DeliveryKind.REPLY:
            return "notice"
        case DeliveryKind.EDIT:
            return "alert.changed"
        case DeliveryKind.AGAIN:
            return "alert.confirmed"
    if not delivery.alerts:
        return "notice"
    if len(delivery.alerts) == 1 and delivery.alerts[0].update:
        return "alert.update"
    if delivery.silent:
        return "alert.development"
    return "alert.created" if len(delivery.alerts) == 1 else "alert.digest"
