"""The choice of what is matched of a feed's articles, below the feed that `/feeds NAME` shows."""

from enum import StrEnum

from bot.chat.access import OPERATORS
from bot.chat.callbacks import button
from bot.chat.context import Context
from bot.i18n.catalog import Translator
from bot.model.chat_events import OwnFeed
from bot.model.feeds import FeedText
from bot.model.message import Button

#: by what the buttons carry
CHOICES = (FeedText.TEASER, FeedText.FEED, FeedText.FULL)


def text_buttons(context: Context, feed: OwnFeed, action: StrEnum) -> list[Button]:
    """Return a button for each choice that the person has; none where feeds.yaml has the feed.

    Pages of articles are asked for by operators alone.
    """
    if feed.declared or not feed.added_here:
        return []
    choices = CHOICES if context.person.role in OPERATORS else CHOICES[:2]
    return [
        button(_marked(choice, feed, context.translator), action, f"{feed.id}.{number}")
        for number, choice in enumerate(choices)
    ]


def chosen(value: str) -> tuple[int, FeedText] | None:
    """Return the feed and the choice of a button; None where it is none of these."""
    feed, _, number = value.partition(".")
    if not feed.isdecimal() or number not in {"0", "1", "2"}:
        return None
    return int(feed), CHOICES[int(number)]


def _marked(choice: FeedText, feed: OwnFeed, translator: Translator) -> str:
    return f"✓ {label(choice, translator)}" if choice is feed.text else label(choice, translator)


def label(choice: FeedText, translator: Translator) -> str:
    """Return what is matched, as a button says it."""
    match choice:
        case FeedText.TEASER:
            return translator.gettext("Headlines and summaries")
        case FeedText.FEED:
            return translator.gettext("The feed's text too")
        case FeedText.FULL:
            return translator.gettext("Whole articles")
