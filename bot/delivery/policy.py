"""Decide what becomes of a delivery after its outcome: retries, repeats, pauses, dead letters.

No I/O, no clock.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.i18n.phrase import Phrase, counted_phrase, gettext_noop, phrase
from bot.model.chats import ChatKind
from bot.model.delivery import (
    ChatClosed,
    ChatMoved,
    Delivery,
    DeliveryKind,
    DeliveryState,
    DropReason,
    MessageLost,
    NoticeIntent,
    NoticeKind,
    NotSent,
    Outage,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    ServiceFault,
    Settlement,
    Unchanged,
    Undecided,
    notice,
)

PROBE_AFTER = timedelta(hours=24)  #: between two tries in a chat where the bot lacks rights
NOT_FOUND_LIMIT = 3  #: "chat not found" that many times in a row pauses the chat
UNDECIDED_TRIES = 20  #: undecided tries of one message, at least, before newsbell gives up
UNDECIDED_SPAN = timedelta(hours=6)  #: and the time since the first of them
OUTAGE_NOTICE = timedelta(minutes=1)  #: an outage of which the operator hears
LONG_PAUSE = timedelta(hours=1)  #: a pause that Telegram asks for and the operator hears of
LONGEST_TRY = timedelta(seconds=30)  #: between two tries at another service than Telegram
OUTAGE_TRIES = 6  #: tries in vain at such a service, about a minute, of which the operator hears
LONGEST_TOPIC_TRY = timedelta(hours=1)  #: between two tries in a topic that is closed
_OWN_KINDS = {ChatKind.TELEGRAM, ChatKind.TERMINAL}
_SHOWS_ALERTS = {DeliveryKind.ALERT, DeliveryKind.EDIT}  # the message that later edits change
_FIRST_TOPIC_TRY = timedelta(minutes=1)
_FIRST_BACKOFF = timedelta(seconds=2)
_LONGEST_BACKOFF = timedelta(minutes=10)

#: what is wrong with the service; in English the notice has the details instead
_FAULTS = {
    ServiceFault.UNREACHABLE: gettext_noop("no connection"),
    ServiceFault.CERTIFICATE: gettext_noop("its certificate is not valid"),
    ServiceFault.PORTAL: gettext_noop("something answers that is not Telegram"),
    ServiceFault.ERROR: gettext_noop("its server has a fault"),
    ServiceFault.SILENT: gettext_noop("no answer in time"),
    ServiceFault.BROKEN: gettext_noop("the connection ended before the answer"),
    ServiceFault.REFUSED: gettext_noop("it refused the bot's token"),
}


def backoff(attempt: int) -> timedelta:
    """2 s, 4 s, 8 s ... up to ten minutes."""
    return min(_FIRST_BACKOFF * (1 << min(max(attempt - 1, 0), 12)), _LONGEST_BACKOFF)


def topic_backoff(attempt: int) -> timedelta:
    """1 minute, 2, 4 ... up to an hour: in case nobody says that a topic is open again."""
    return min(_FIRST_TOPIC_TRY * (1 << min(max(attempt - 1, 0), 6)), LONGEST_TOPIC_TRY)


def settle(
    delivery: Delivery,
    outcome: SendOutcome,
    now: datetime,
    probe_at: datetime | None = None,
    *,
    digest: bytes = b"",
) -> Settlement:
    """What the store is to keep of this outcome.

    `probe_at`: the service takes nothing, and this is when it is tried next. `digest` is that of
    what was sent.
    """
    match outcome:
        case Sent():
            return _sent(delivery, outcome, digest)
        case Unchanged():
            return Settlement(
                delivery,
                DeliveryState.DROPPED,
                message_id=delivery.message_id,
                shown=delivery.shown,
                error=DropReason.UNCHANGED,
                counts=False,
            )
        case NotSent():
            return _not_sent(delivery, outcome, now)
        case Undecided():
            return _undecided(delivery, outcome, now, probe_at)
        case Refused(reason=reason):
            return _refused(delivery, reason)
        case ChatClosed():
            return _closed(delivery, outcome, now)
        case ChatMoved(address=address):
            reason = "the group became a supergroup"
            # One move is made at once. Whoever is sent on again and again must not be in a hurry.
            at = now + backoff(delivery.attempt) if delivery.attempt > 1 else None
            return Settlement(
                delivery, DeliveryState.QUEUED, error=reason, move_to=address, retry_at=at
            )
        case MessageLost(reason=reason):
            is_lost = reason != DropReason.NO_EDITS
            return Settlement(delivery, DeliveryState.DROPPED, error=reason, lost=is_lost)
        case ServiceDown(reason=reason):
            at = _with_service(now + backoff(delivery.attempt), now, probe_at)
            return Settlement(
                delivery, DeliveryState.QUEUED, error=reason, counts=False, retry_at=at
            )
        case _:
            assert_never(outcome)


def _sent(delivery: Delivery, outcome: Sent, digest: bytes) -> Settlement:
    # Of a terminal more is read than its messages show: every edit is printed there.
    is_kept = (
        delivery.kind in _SHOWS_ALERTS
        and delivery.chat.kind is not ChatKind.TERMINAL
        and not delivery.shows_first_try
    )
    return Settlement(
        delivery,
        DeliveryState.SENT,
        message_id=outcome.message_id,
        reference=outcome.reference,
        shown=digest if is_kept else b"",
    )


def failed(delivery: Delivery, reason: str, now: datetime, *, doubt: bool) -> Settlement:
    """What the store is to keep where newsbell itself failed to settle a delivery."""
    at = now + backoff(delivery.attempt)
    return Settlement(delivery, DeliveryState.QUEUED, error=reason, doubt=doubt, retry_at=at)


def outage_notice(outage: Outage, now: datetime) -> NoticeIntent | None:
    """What the operator hears once messages go through again; nothing of a short outage."""
    span = now - outage.since
    if span < OUTAGE_NOTICE:
        return None
    text = phrase(
        "Telegram took no messages for {span}, since {since} UTC: {reason}. "
        "What waited is being sent now.",
        span=_minutes(span),
        since=f"{outage.since:%Y-%m-%d %H:%M}",
        reason=Phrase(_FAULTS[outage.fault], english=outage.reason.rstrip(".")),
    )
    return notice(NoticeKind.SERVICE_DOWN, text)


def essence(settlement: Settlement) -> Settlement:
    """The least that has to be stored: the state of the delivery, and when it is tried again."""
    return Settlement(
        settlement.delivery,
        settlement.state,
        error=settlement.error,
        doubt=settlement.doubt,
        plain=settlement.plain,
        retry_at=settlement.retry_at,
    )


def _with_service(at: datetime, now: datetime, probe_at: datetime | None) -> datetime:
    """While the service takes nothing, the next probe comes at the latest when it is due."""
    return at if probe_at is None else min(at, max(now, probe_at))


def _retry(
    delivery: Delivery, reason: str, at: datetime, told: NoticeIntent | None = None
) -> Settlement:
    return Settlement(delivery, DeliveryState.QUEUED, error=reason, retry_at=at, notice=told)


def _minutes(span: timedelta) -> Phrase:
    minutes = max(round(span.total_seconds() / 60), 1)
    return counted_phrase("{number} minute", "{number} minutes", minutes)


def _not_sent(delivery: Delivery, outcome: NotSent, now: datetime) -> Settlement:
    wait = outcome.retry_after or _pause(delivery)
    told = _unreachable(delivery, outcome)
    if wait >= LONG_PAUSE and outcome.rate_limited:
        words: dict[str, str | int | Phrase] = {
            "span": _minutes(wait),
            "chat": delivery.chat.name,
        }
        if delivery.chat.kind is ChatKind.TELEGRAM:
            text = phrase(
                "Telegram asks for a pause of {span} in {chat}. "
                "Its alerts are kept and sent later.",
                **words,
            )
        else:
            text = phrase(
                "The service of {chat} asks for a pause of {span}. "
                "Its alerts are kept and sent later.",
                **words,
            )
        told = notice(NoticeKind.CHAT_PAUSED, text)
    return _retry(delivery, outcome.reason, now + wait, told)


def _pause(delivery: Delivery) -> timedelta:
    """How long a message waits that could not be sent.

    Telegram is tried with one message for all (`service_gate`); other services have one chat.
    """
    pause = backoff(delivery.attempt)
    return pause if delivery.chat.address else min(pause, LONGEST_TRY)


def _unreachable(delivery: Delivery, outcome: NotSent) -> NoticeIntent | None:
    """What the operator hears, once, of a service other than Telegram that takes nothing."""
    is_known = delivery.attempt != OUTAGE_TRIES or outcome.rate_limited
    if is_known or delivery.chat.kind in _OWN_KINDS or delivery.kind is DeliveryKind.NOTICE:
        return None
    text = phrase(
        "{chat} takes no messages: {reason} Its alerts are kept and sent later.",
        chat=delivery.chat.name,
        reason=Phrase(_sentence(outcome.reason)),
    )
    return notice(NoticeKind.CHAT_PAUSED, text)


def _sentence(reason: str) -> str:
    return reason if reason.endswith(".") else f"{reason}."


def _undecided(
    delivery: Delivery, outcome: Undecided, now: datetime, probe_at: datetime | None
) -> Settlement:
    """Try again, with more and more time between; what is no change says that it is a repeat.

    Nothing is missed stands above nothing alerts twice. After many tries over hours the message
    must not keep back what waits behind it.
    """
    since = delivery.doubted_at or now
    if delivery.doubts + 1 < UNDECIDED_TRIES or now - since < UNDECIDED_SPAN:
        at = now + backoff(delivery.attempt)
        return Settlement(
            delivery,
            DeliveryState.QUEUED,
            error=outcome.reason,
            doubt=True,
            retry_at=_with_service(at, now, probe_at if outcome.fault else None),
        )
    told = None
    if delivery.kind is not DeliveryKind.NOTICE:
        text = phrase(
            "Nobody can tell whether a message to {chat} arrived, after many tries. "
            "`newsbell outbox list` shows it, `newsbell outbox retry` sends it again.",
            chat=delivery.chat.name,
        )
        told = notice(NoticeKind.UNDECIDED, text)
    return Settlement(
        delivery, DeliveryState.UNKNOWN, error=outcome.reason, doubt=True, notice=told
    )


def _refused(delivery: Delivery, reason: str) -> Settlement:
    """Try once without style, then give the message up as a dead letter."""
    if not delivery.plain:
        return Settlement(delivery, DeliveryState.QUEUED, error=reason, plain=True)
    told = None
    if delivery.kind is not DeliveryKind.NOTICE:
        words = {"chat": delivery.chat.name, "reason": reason}
        if delivery.chat.kind is ChatKind.TELEGRAM:
            text = phrase(
                "Telegram refuses a message to {chat}: {reason} `newsbell outbox list` shows it.",
                **words,
            )
        else:
            text = phrase(
                "The service of {chat} refuses a message: {reason} "
                "`newsbell outbox list` shows it.",
                **words,
            )
        told = notice(NoticeKind.DEAD_LETTER, text)
    return Settlement(delivery, DeliveryState.DEAD, error=reason, notice=told)


def _closed(delivery: Delivery, outcome: ChatClosed, now: datetime) -> Settlement:
    """Wait for rights, or pause the chat until a person acts."""
    reason = outcome.reason
    text = phrase(
        "{chat} takes no messages: {reason} Its alerts are kept and sent later.",
        chat=delivery.chat.name,
        reason=Phrase(reason),
    )
    told = notice(NoticeKind.CHAT_PAUSED, text)
    if outcome.probe:
        wait = topic_backoff(delivery.attempt) if outcome.soon else PROBE_AFTER
        return replace(_retry(delivery, reason, now + wait, told), topic_only=True)
    # Tries that are in doubt were no answer: they do not count towards the limit.
    if not outcome.final and delivery.attempt - delivery.doubts < NOT_FOUND_LIMIT:
        return _retry(delivery, reason, now + backoff(delivery.attempt + 3))
    return Settlement(delivery, DeliveryState.QUEUED, error=reason, pause=reason, notice=told)
