"""Decide what becomes of a delivery after its outcome: the whole policy of tries, repeats, pauses and dead letters. No I/O, no clock."""

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
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    Settlement,
    Undecided,
)

REPEAT_AFTER = timedelta(seconds=5)  #: before the one repeat of an undecided alert
PROBE_AFTER = timedelta(hours=24)  #: between two tries in a chat that lacks rights
HALT = timedelta(minutes=5)  #: between two tries with a token that was refused
STRIKES = 3  #: "chat not found" so many times in a row pauses the chat
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_WAIT = timedelta(minutes=10)


def backoff(attempt: int) -> timedelta:
    """2 s, 4 s, 8 s ... up to ten minutes."""
    return min(_FIRST_WAIT * (1 << min(attempt - 1, 12)), _LONGEST_WAIT)


def settle(delivery: Delivery, outcome: SendOutcome, now: datetime) -> Settlement:
    """What the store is to keep of this outcome."""
    match outcome:
        case Sent(message_id=message_id):
            return Settlement(delivery, DeliveryState.SENT, message_id=message_id)
        case NotSent(reason=reason, after=after):
            return Settlement(
                delivery,
                DeliveryState.QUEUED,
                error=reason,
                park_until=now + (after or backoff(delivery.attempt)),
            )
        case Undecided(reason=reason):
            return _undecided(delivery, reason, now)
        case Refused(reason=reason):
            return _refused(delivery, reason)
        case ChatClosed():
            return _closed(delivery, outcome, now)
        case ChatMoved(address=address):
            return Settlement(
                delivery,
                DeliveryState.QUEUED,
                error="the group became a supergroup",
                move_to=address,
            )
        case MessageLost(reason=reason):
            return Settlement(delivery, DeliveryState.DROPPED, error=reason)
        case ServiceDown(reason=reason):
            notice = NoticeIntent(
                "halted",
                f"Telegram refuses the bot's token: {reason} Set a valid token and restart newsbell.",
            )
            return Settlement(
                delivery, DeliveryState.QUEUED, error=reason, park_until=now + HALT, notice=notice
            )
        case _:
            assert_never(outcome)


def _undecided(delivery: Delivery, reason: str, now: datetime) -> Settlement:
    """An edit may be made twice without harm, an alert repeated once and marked; a notice or reply is left undecided."""
    again = Settlement(
        delivery, DeliveryState.QUEUED, error=reason, doubt=True, park_until=now + REPEAT_AFTER
    )
    match delivery.kind:
        case DeliveryKind.EDIT if delivery.attempt < 5:
            return again
        case DeliveryKind.REPLY if delivery.edits and delivery.attempt < 5:
            return again
        case DeliveryKind.ALERT if delivery.doubts == 0:
            return again
        case DeliveryKind.ALERT:
            text = (
                f"An alert to {delivery.chat.name} and its repeat may both not have arrived. "
                "`newsbell outbox list` shows it, `newsbell outbox retry` with its number sends it again."
            )
            return Settlement(
                delivery,
                DeliveryState.UNKNOWN,
                error=reason,
                doubt=True,
                notice=NoticeIntent("undecided", text),
            )
        case _:
            return Settlement(delivery, DeliveryState.UNKNOWN, error=reason, doubt=True)


def _refused(delivery: Delivery, reason: str) -> Settlement:
    if not delivery.plain:
        return Settlement(delivery, DeliveryState.QUEUED, error=reason, plain=True)
    notice = NoticeIntent(
        "dead_letter",
        f"Telegram refuses a message to {delivery.chat.name}: {reason} `newsbell outbox list` shows it.",
    )
    return Settlement(
        delivery,
        DeliveryState.DEAD,
        error=reason,
        notice=None if delivery.kind is DeliveryKind.NOTICE else notice,
    )


def _closed(delivery: Delivery, outcome: ChatClosed, now: datetime) -> Settlement:
    notice = NoticeIntent(
        "chat_paused",
        f"{delivery.chat.name} takes no messages: {outcome.reason} Its alerts wait; nothing is lost.",
    )
    if outcome.probe:
        return Settlement(
            delivery,
            DeliveryState.QUEUED,
            error=outcome.reason,
            park_until=now + PROBE_AFTER,
            notice=notice,
        )
    if not outcome.final and delivery.attempt < STRIKES:
        return Settlement(
            delivery,
            DeliveryState.QUEUED,
            error=outcome.reason,
            park_until=now + backoff(delivery.attempt + 3),
        )
    return Settlement(
        delivery, DeliveryState.QUEUED, error=outcome.reason, pause=outcome.reason, notice=notice
    )
