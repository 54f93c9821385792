"""Post to Slack: with a bot's token, whose messages can change, or by an incoming webhook.

https://docs.slack.dev/reference/methods/chat.postMessage and chat.update
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from collections.abc import Callable
from typing import Any

import structlog

from bot.delivery.channels.http import Answer, Client, failure
from bot.delivery.channels.webhook import NO_DESTINATION
from bot.delivery.markup import plain_text, shortened, to_slack
from bot.model.delivery import (
    ChatClosed,
    Delivery,
    MessageLost,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceFault,
    Undecided,
)
from bot.model.destinations import Destination, HookDestination, TokenDestination
from bot.model.message import Message

_LOST = {"message_not_found", "cant_update_message", "edit_window_closed"}
_CLOSED = {
    "account_inactive",
    "channel_not_found",
    "ekm_access_denied",
    "invalid_auth",
    "is_archived",
    "missing_scope",
    "not_authed",
    "not_in_channel",
    "restricted_action",
    "token_expired",
    "token_revoked",
    "no_service",
    "channel_is_archived",
    "invalid_token",
}
_LATER = {"service_unavailable", "team_added_to_org", "ratelimited", "rate_limited"}
log = structlog.stdlib.get_logger("newsbell.services")
_DOUBT = {"internal_error", "fatal_error", "request_timeout"}


class SlackChannel:
    """Implements `ports.Channel` with a bot's token."""

    def __init__(self, client: Client, destination: Callable[[str], Destination | None]) -> None:
        self._client, self._destination = client, destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Post the message, or change the one that the delivery names."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, TokenDestination):
            return NotSent(NO_DESTINATION)
        body = content(delivery, message)
        changes = delivery.changes_message
        if changes:
            channel, _, stamp = delivery.reference.partition(" ")
            if not stamp:
                return MessageLost("the message is not there any more")
            method, body = "chat.update", body | {"channel": channel, "ts": stamp}
        else:
            method, body = "chat.postMessage", body | {"channel": place.channel}
            if delivery.reply_reference:
                body["thread_ts"] = delivery.reply_reference.partition(" ")[2]
        answer = await self._client.call(
            "POST",
            f"{place.server.rstrip('/')}/api/{method}",
            idempotent=changes,
            json=body,
            headers={"Authorization": f"Bearer {place.token}"},
        )
        if not isinstance(answer, Answer):
            return answer
        if not answer.is_success:
            return failure(answer, idempotent=changes)
        if answer.content.get("ok") is True:
            reference = f"{answer.text('channel')} {answer.text('ts')}"
            return Sent(delivery.message_id or delivery.id, reference)
        return _outcome(answer.text("error"), changes=changes)


class SlackWebhookChannel:
    """Implements `ports.Channel` by an incoming webhook: its messages never change."""

    def __init__(self, client: Client, destination: Callable[[str], Destination | None]) -> None:
        self._client, self._destination = client, destination

    async def send(self, delivery: Delivery, message: Message) -> SendOutcome:
        """Post the message."""
        place = self._destination(delivery.chat.name)
        if not isinstance(place, HookDestination):
            return NotSent(NO_DESTINATION)
        answer = await self._client.call("POST", place.url, json=content(delivery, message))
        if not isinstance(answer, Answer):
            return answer
        if answer.is_success:
            return Sent(delivery.message_id or delivery.id)
        said = answer.body[:100].decode("utf-8", "replace").strip()
        if said in _CLOSED | _LATER | _DOUBT:
            return _outcome(said, changes=False)
        return failure(answer)


def content(delivery: Delivery, message: Message) -> dict[str, Any]:
    """Return the body of a message: blocks, and a text for notifications."""
    short = shortened(message, delivery.abilities.length)
    body: dict[str, Any] = {
        "text": _escaped(plain_text(short)),
        "unfurl_links": bool(message.preview),
        "unfurl_media": bool(message.preview),
    }
    return body if delivery.plain else body | {"blocks": to_slack(short)}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _outcome(error: str, *, changes: bool) -> SendOutcome:
    """Return what an error that Slack names means."""
    reason = f"Slack says {error or 'nothing that can be read'}"
    if error in _LOST:
        return MessageLost(reason)
    if error in _CLOSED:
        log.warning("chat_closed", words=reason)
        return ChatClosed(
            "its service does not let newsbell write there; check what feeds.yaml says of it.",
            probe=True,
            soon=True,
        )
    if error in _LATER:
        return NotSent(reason)
    if error in _DOUBT or not error:
        return NotSent(reason) if changes else Undecided(reason, ServiceFault.ERROR)
    return Refused(f"{reason}.")
