"""Decide why a queued delivery waits, and until when.

The conditions are those by which the store chooses what may go out (`sql.IS_RIPE` and the query
of waiting chats): what they hold back has its cause here. The pace of messages within Telegram's
limits is none: what waits for it is in line. Takes `now`; no I/O.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from bot.model.alerts import BundleKind, Priority
from bot.model.delivery import DeliveryKind, Wait, WaitCause, WaitFacts

_WITHOUT_ACCESS = {DeliveryKind.REPLY, DeliveryKind.NOTICE}  # go to a chat that is not allowed
_SILENT = {DeliveryKind.REPLY, DeliveryKind.EDIT, DeliveryKind.NOTICE}  # go out in quiet hours
#: how long these last is of no interest while the service takes nothing
_PAUSES = {WaitCause.RETRY, WaitCause.CHAT_PACE, WaitCause.EDIT_PACE}
_LATEST = datetime.max.replace(tzinfo=UTC)


def wait_of(facts: WaitFacts, now: datetime) -> Wait:
    """Why a queued delivery has not gone out: of several causes the one that ends last.

    What only a person can end comes first.
    """
    if facts.paused:
        return Wait(WaitCause.PAUSED, reason=facts.paused)
    if not facts.is_allowed and facts.kind not in _WITHOUT_ACCESS:
        return Wait(WaitCause.NOT_ALLOWED)
    last = max(_timed(facts, now), key=lambda wait: wait.until or _LATEST, default=None)
    if facts.outage and (last is None or last.cause in _PAUSES):
        return Wait(WaitCause.SERVICE_DOWN, reason=facts.outage.reason)
    if last:
        return last
    is_gathered = facts.form is not BundleKind.ALERT
    return Wait(WaitCause.COLLECTED if is_gathered else WaitCause.IN_LINE)


def _timed(facts: WaitFacts, now: datetime) -> Iterator[Wait]:
    is_alert = facts.kind is DeliveryKind.ALERT
    if is_alert and facts.priority is Priority.DIGEST and facts.form is BundleKind.ALERT:
        yield Wait(WaitCause.DIGEST, _later(facts.next_digest_at, now))
    is_loud = facts.kind not in _SILENT and facts.priority > Priority.BREAKING
    if is_loud and (until := _later(facts.quiet_until, now)):
        yield Wait(WaitCause.QUIET_HOURS, until)
    if until := _later(facts.chat_not_before, now):
        is_tried = facts.attempts > 0 or bool(facts.error)
        cause = WaitCause.RETRY if is_tried else WaitCause.CHAT_PACE
        yield Wait(cause, until, facts.error)
    if until := _later(facts.not_before, now):
        yield Wait(WaitCause.EDIT_PACE, until)


def _later(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment and moment > now else None
