"""What a changed feeds.yaml lost of what it had: a sign that it was only half saved."""

from collections.abc import Collection

from bot.i18n.phrase import Phrase, gettext_noop, joined, phrase
from bot.model.desired_config import DesiredConfig


def most_lost(old: DesiredConfig, new: DesiredConfig) -> Phrase | None:
    """Say what a file lost, as in "9 of 12 feeds", where that is most of a kind; else None.

    What is replaced by as much else is no loss.
    """
    losses = (
        _loss(
            [feed.url for feed in old.feeds],
            [feed.url for feed in new.feeds],
            gettext_noop("any feeds"),
            gettext_noop("{lost} of {all} feeds"),
        ),
        _loss(
            [chat.name for chat in old.chats],
            [chat.name for chat in new.chats],
            gettext_noop("any chats"),
            gettext_noop("{lost} of {all} chats"),
        ),
        _loss(
            [subscription.name for subscription in old.subscriptions],
            [subscription.name for subscription in new.subscriptions],
            gettext_noop("any subscriptions"),
            gettext_noop("{lost} of {all} subscriptions"),
        ),
    )
    said = [loss for loss in losses if loss]
    return joined(", ", *said) if said else None


def _loss(before: Collection[str], after: Collection[str], whole: str, share: str) -> Phrase | None:
    lost = len(set(before) - set(after))
    if 2 * lost <= len(before) or 2 * len(after) >= len(before):
        return None
    return phrase(share, lost=lost, all=len(before)) if after else phrase(whole)
