"""Decide how long the next clean-up keeps what nobody needs. Deletes nothing, tells nobody.

A shorter `settings.retention` deletes for good. So the operator is told first how much, and nothing
is deleted by it for a day, in which the file can be put back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.i18n.phrase import Phrase, counted_phrase, joined, phrase, span_phrase
from bot.model.retention import Obsolete, Retention, RetentionState

NOTICE_FIRST = timedelta(days=1)  #: between the notice of a shorter retention and its effect


@dataclass(frozen=True, slots=True)
class RetentionDecision:
    """What the next clean-up keeps to."""

    retention: Retention
    state: RetentionState  #: to be kept
    announces: bool = False  #: the operator is to be told how much a shorter retention deletes


def decide(state: RetentionState, wanted: Retention, now: datetime) -> RetentionDecision:
    """Return what to keep to: longer retention at once, a shorter one after it was announced."""
    longer = wanted.longer(state.used)
    if longer == wanted:
        return RetentionDecision(wanted, RetentionState(wanted))
    told_at = state.announced_at
    if state.announced != wanted or told_at is None:
        return RetentionDecision(longer, RetentionState(longer, wanted, now), announces=True)
    if now - told_at < NOTICE_FIRST:
        return RetentionDecision(longer, RetentionState(longer, wanted, told_at))
    return RetentionDecision(wanted, RetentionState(wanted))


def announcement(obsolete: Obsolete) -> Phrase:
    """Return what the operator reads of a shorter retention."""
    return joined(
        "\n",
        phrase(
            "settings.retention is shorter than before. What is older is deleted for good in "
            "{span}, unless feeds.yaml is changed back until then:",
            span=span_phrase(NOTICE_FIRST),
        ),
        *obsolete_phrases(obsolete),
    )


def obsolete_text(obsolete: Obsolete) -> str:
    """Return the same as one English list."""
    return ", ".join(str(line) for line in obsolete_phrases(obsolete))


def obsolete_phrases(obsolete: Obsolete) -> list[Phrase]:
    """Return a line for each kind of which something would be deleted."""
    lines = (
        (
            obsolete.alerts,
            counted_phrase(
                "{number} alert with its articles",
                "{number} alerts with their articles",
                obsolete.alerts,
            ),
        ),
        (
            obsolete.articles,
            counted_phrase(
                "{number} article that alerted nobody",
                "{number} articles that alerted nobody",
                obsolete.articles,
            ),
        ),
        (
            obsolete.messages,
            counted_phrase(
                "the record of {number} message",
                "the records of {number} messages",
                obsolete.messages,
            ),
        ),
        (
            obsolete.removed,
            counted_phrase(
                "{number} removed subscription or feed",
                "{number} removed subscriptions and feeds",
                obsolete.removed,
            ),
        ),
    )
    return [line for count, line in lines if count]
