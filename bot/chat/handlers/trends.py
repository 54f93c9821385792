"""How much was reported about something, day by day, as a picture.

Counting and drawing are done elsewhere.
"""

from dataclasses import replace
from enum import StrEnum

from bot.chat.access import Permission
from bot.chat.callbacks import Callback
from bot.chat.context import Context, StaticScreen, query_mistake, text_reply
from bot.chat.replies import archive_unavailable, no_article, search_too_long
from bot.chat.services import SearchService
from bot.errors import ChartError, QueryError, StoreError, StoreTimeout
from bot.model.chat_events import Reply, Screen
from bot.model.message import File, Message
from bot.query.tree import show as as_query
from bot.text.clean import cut

DAYS = 14  #: where nobody says how many
MAX_DAYS = 90
_MIN_DAYS = 2
_TITLE = 80  # characters of a query that stand over the picture
_DAY_DIGITS = 3  # a longer number, such as a year, belongs to the query


class TrendAction(StrEnum):
    """A trend has no buttons."""


class Trends(StaticScreen):
    """The command /trend."""

    actions = TrendAction
    needs = Permission.READ

    def __init__(self, search: SearchService) -> None:
        self._search = search

    async def press(self, _context: Context, _screen: Screen, _callback: Callback, /) -> Reply:
        """Return an empty reply: there are no buttons."""
        return Reply()

    async def draw(self, context: Context, text: str) -> Reply:
        """/trend: draw a picture. Raises StoreError."""
        words, _, last = text.rpartition(" ")
        has_days = bool(words) and last.isdecimal() and len(last) <= _DAY_DIGITS
        query, days = (words, int(last)) if has_days else (text, DAYS)
        return await self._picture(context, query, min(max(days, _MIN_DAYS), MAX_DAYS))

    async def run_task(self, context: Context, screen: Screen) -> Reply:
        """Draw what an earlier version left behind. Raises StoreError."""
        values = screen.values
        reply = await self._picture(context, str(values["query"]), int(values["days"]))
        return replace(reply, screen=replace(screen, values={}))

    async def _picture(self, context: Context, query: str, days: int) -> Reply:
        """Count and draw."""
        translator = context.translator
        try:
            tree = await self._search.affordable(query)
            counts = await self._search.daily_counts(tree, context.chat.id, days, translator)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        except StoreTimeout:
            return text_reply(search_too_long(translator))
        except StoreError:
            return text_reply(archive_unavailable(translator))
        stories = sum(stories for _, stories, _ in counts)
        if not stories:
            return text_reply(no_article(translator, days))
        total = translator.ngettext("{number} story", "{number} stories", stories)
        text = f"{cut(as_query(tree), 600)}\n{total}"
        try:
            picture = await self._search.draw(counts, cut(as_query(tree), _TITLE), translator)
        except ChartError as error:
            return text_reply(f"{text}\n\n{error}")
        return Reply(Message(text, file=File("trend.png", picture, picture=True)))
