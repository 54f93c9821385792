"""How much was reported about something, day by day, as a picture.

Counting and drawing are done elsewhere.
"""

from dataclasses import replace
from enum import StrEnum

from bot.chat.access import Permission
from bot.chat.callbacks import Callback
from bot.chat.context import Context, StaticScreen, query_mistake, show
from bot.chat.replies import archive_unavailable, search_too_long
from bot.chat.services import SearchService
from bot.errors import ChartError, QueryError, StoreError, StoreTimeout
from bot.model.chat_events import Reply, Screen, ScreenTask
from bot.model.message import File, Message
from bot.query.tree import show as as_query
from bot.text.clean import cut

DAYS = 14  #: where nobody says how many
MAX_DAYS = 90
_MIN_DAYS = 2
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
        """/trend: begin; the picture follows when it is drawn."""
        translator = context.translator
        words, _, last = text.rpartition(" ")
        has_days = bool(words) and last.isdecimal() and len(last) <= _DAY_DIGITS
        query, days = (words, int(last)) if has_days else (text, DAYS)
        try:
            await self._search.affordable(query)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        values = {"query": query, "days": min(max(days, _MIN_DAYS), MAX_DAYS)}
        screen = Screen("trend", values, task=ScreenTask.DRAW)
        return show(Message(translator.gettext("Counting …")), screen)

    async def run_task(self, context: Context, screen: Screen) -> Reply:
        """Count and draw. Raises StoreError."""
        translator, query = context.translator, str(screen.values["query"])
        done = replace(screen, values={})
        try:
            tree = await self._search.affordable(query)
            days = int(screen.values["days"])
            counts = await self._search.daily_counts(tree, context.chat.id, days, translator)
        except QueryError as error:
            return Reply(query_mistake(error, translator), screen=done)
        except StoreTimeout:
            return Reply(Message(search_too_long(translator)), screen=done)
        except StoreError:
            return Reply(Message(archive_unavailable(translator)), screen=done)
        stories = sum(stories for _, stories, _ in counts)
        total = translator.ngettext("{number} story", "{number} stories", stories)
        text = f"{cut(as_query(tree), 600)}\n{total}"
        try:
            picture = await self._search.draw(counts, translator)
        except ChartError as error:
            return Reply(Message(f"{text}\n\n{error}"), screen=done)
        return Reply(Message(text, file=File("trend.png", picture, picture=True)), screen=done)
