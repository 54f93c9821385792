"""Decide what becomes of a delivery after its outcome: retries, repeats, pauses, dead letters.

No I/O, no clock.
"""

from datetime import datetime, timedelta
from typing import assert_never

from bot.model.delivery import (
    ChatClosed,
    ChatMoved,
    Delivery,
    DeliveryKind,
    DeliveryState,
    MessageLost,
    NoticeIntent,
    NoticeKind,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    Settlement,
    Undecided,
)

REPEAT_AFTER = timedelta(seconds=5)  #: before the only repeat of an undecided alert
PROBE_AFTER = timedelta(hours=24)  #: between two tries in a chat where the bot lacks rights
SERVICE_RETRY = timedelta(minutes=5)  #: between two tries with a token that was refused
NOT_FOUND_LIMIT = 3  #: "chat not found" that many times in a row pauses the chat
_EDIT_ATTEMPTS = 5  # of a change whose outcome is undecided each time
_FIRST_BACKOFF = timedelta(seconds=2)
_LONGEST_BACKOFF = timedelta(minutes=10)


def backoff(attempt: int) -> timedelta:
    """2 s, 4 s, 8 s ... up to ten minutes."""
    return min(_FIRST_BACKOFF * (1 << min(attempt - 1, 12)), _LONGEST_BACKOFF)


def settle(delivery: Delivery, outcome: SendOutcome, now: datetime) -> Settlement:
    """What the store is to keep of this outcome."""
    match outcome:
        case Sent(message_id=message_id):
            return Settlement(delivery, DeliveryState.SENT, message_id=message_id)
        case NotSent(reason=reason, retry_after=retry_after):
            return _retry(delivery, reason, now + (retry_after or backoff(delivery.attempt)))
        case Undecided(reason=reason):
            return _undecided(delivery, reason, now)
        case Refused(reason=reason):
            return _refused(delivery, reason)
        case ChatClosed():
            return _closed(delivery, outcome, now)
        case ChatMoved(address=address):
            reason = "the group became a supergroup"
            return Settlement(delivery, DeliveryState.QUEUED, error=reason, move_to=address)
        case MessageLost(reason=reason):
            return Settlement(delivery, DeliveryState.DROPPED, error=reason)
        case ServiceDown(reason=reason):
            text = (
                f"Telegram refuses the bot's token: {reason} "
                "Set a valid token and restart newsbell."
            )
            notice = NoticeIntent(NoticeKind.SERVICE_DOWN, text)
            return _retry(delivery, reason, now + SERVICE_RETRY, notice)
        case _:
            assert_never(outcome)


def _retry(
    delivery: Delivery, reason: str, at: datetime, notice: NoticeIntent | None = None
) -> Settlement:
    return Settlement(delivery, DeliveryState.QUEUED, error=reason, retry_at=at, notice=notice)


def _undecided(delivery: Delivery, reason: str, now: datetime) -> Settlement:
    """Try again what does no harm if it arrives twice; repeat an alert once, and mark it.

    A change of a message does no harm. A notice or a reply is left undecided.
    """
    changes_message = delivery.kind is DeliveryKind.EDIT or (
        delivery.kind is DeliveryKind.REPLY and delivery.edits
    )
    is_alert = delivery.kind is DeliveryKind.ALERT
    if (changes_message and delivery.attempt < _EDIT_ATTEMPTS) or (
        is_alert and delivery.doubts == 0
    ):
        at = now + REPEAT_AFTER
        return Settlement(delivery, DeliveryState.QUEUED, error=reason, doubt=True, retry_at=at)
    notice = None
    if is_alert:
        text = (
            f"An alert to {delivery.chat.name} and its repeat may not have arrived. "
            "`newsbell outbox list` shows it, "
            "`newsbell outbox retry` with its number sends it again."
        )
        notice = NoticeIntent(NoticeKind.UNDECIDED, text)
    return Settlement(delivery, DeliveryState.UNKNOWN, error=reason, doubt=True, notice=notice)


def _refused(delivery: Delivery, reason: str) -> Settlement:
    """Try once without style, then give the message up as a dead letter."""
    if not delivery.plain:
        return Settlement(delivery, DeliveryState.QUEUED, error=reason, plain=True)
    notice = None
    if delivery.kind is not DeliveryKind.NOTICE:
        text = (
            f"Telegram refuses a message to {delivery.chat.name}: {reason} "
            "`newsbell outbox list` shows it."
        )
        notice = NoticeIntent(NoticeKind.DEAD_LETTER, text)
    return Settlement(delivery, DeliveryState.DEAD, error=reason, notice=notice)


def _closed(delivery: Delivery, outcome: ChatClosed, now: datetime) -> Settlement:
    """Wait for rights, or pause the chat until a person acts."""
    reason = outcome.reason
    text = f"{delivery.chat.name} takes no messages: {reason} Its alerts are kept and sent later."
    notice = NoticeIntent(NoticeKind.CHAT_PAUSED, text)
    if outcome.probe:
        return _retry(delivery, reason, now + PROBE_AFTER, notice)
    if not outcome.final and delivery.attempt < NOT_FOUND_LIMIT:
        return _retry(delivery, reason, now + backoff(delivery.attempt + 3))
    return Settlement(delivery, DeliveryState.QUEUED, error=reason, pause=reason, notice=notice)
