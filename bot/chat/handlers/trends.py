"""How much was told of something, day by day, as a picture. Counts through `lookback`; the drawing is `chart`'s."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from bot.chat.access import Permission
from bot.chat.context import Context, StaticScreen, busy, mistake, say, show
from bot.errors import ChartError, QueryError, StoreError
from bot.model.chat_events import Reply, Screen
from bot.model.message import File, Message
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.query.tree import show as as_query
from bot.text.clean import cut

Days = tuple[tuple[date, int, int], ...]  #: each day with its stories and publishers

DAYS = 14  #: where nobody says
MOST_DAYS = 90


class Trends(StaticScreen):
    """The command /trend."""

    def __init__(
        self,
        names: Callable[[], Names],
        counted: Callable[[Node, int, Context], Awaitable[Days]],
        drawn: Callable[[Days, Context], Awaitable[bytes]],
    ) -> None:
        self._names, self._counted, self._drawn = names, counted, drawn

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (all of it is the same)
        """A look."""
        return Permission.READ

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:  # noqa: ARG002 (as the protocol says)
        """It has no buttons."""
        return Reply()

    async def command(self, context: Context, _name: str, rest: str) -> Reply:
        """Begin; the picture comes when it is drawn."""
        translator = context.translator
        query, _, last = rest.rpartition(" ")
        counted = bool(query) and last.isdecimal() and len(last) < 4  # a year belongs to the query
        days, query = (int(last), query) if counted else (DAYS, rest)
        if not query:
            return say(
                translator.gettext(
                    "Send the command with a query, for example: {example}",
                    example="/trend Syria 30",
                )
            )
        try:
            parse(query, self._names())
        except QueryError as error:
            return Reply(mistake(error, translator))
        values = {"busy": "draw", "query": query, "days": min(max(days, 2), MOST_DAYS)}
        return show(Message(translator.gettext("Counting …")), Screen("trend", values))

    async def work(self, context: Context, screen: Screen) -> Reply:
        """Count and draw. Raises StoreError."""
        translator, query = context.translator, str(screen.values["query"])
        done = replace(screen, values={})
        try:
            tree = parse(query, self._names())
            days = await self._counted(tree, int(screen.values["days"]), context)
        except QueryError as error:
            return Reply(mistake(error, translator), screen=done)
        except StoreError:
            return Reply(Message(busy(translator)), screen=done)
        text = translator.ngettext(
            "{number} story", "{number} stories", sum(stories for _, stories, _ in days)
        )
        text = f"{cut(as_query(tree), 600)}\n{text}"
        try:
            picture = await self._drawn(days, context)
        except ChartError as error:
            return Reply(Message(f"{text}\n\n{error}"), screen=done)
        return Reply(Message(text, file=File("trend.png", picture, picture=True)), screen=done)
