"""How much was told of something, day by day, as a picture. Counts through `lookback`; the drawing is `chart`'s."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date

from bot.chat.access import Deed
from bot.chat.context import Still, Turn, busy, mistake, say, show
from bot.errors import ChartError, QueryError, StoreError
from bot.model.chat_events import Said, Screen
from bot.model.message import File, Message
from bot.query.parser import Names, parse
from bot.query.tree import Node
from bot.query.tree import show as as_query
from bot.text.clean import cut

Days = tuple[tuple[date, int, int], ...]  #: each day with its stories and publishers

DAYS = 14  #: where nobody says
MOST_DAYS = 90


class Trends(Still):
    """The command /trend."""

    def __init__(
        self,
        names: Callable[[], Names],
        counted: Callable[[Node, int, Turn], Awaitable[Days]],
        drawn: Callable[[Days, Turn], Awaitable[bytes]],
    ) -> None:
        self._names, self._counted, self._drawn = names, counted, drawn

    def deed(self, screen: Screen, word: str) -> Deed:  # noqa: ARG002 (all of it is the same)
        """A look."""
        return Deed.READ

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:  # noqa: ARG002 (as the protocol says)
        """It has no buttons."""
        return Said()

    async def command(self, turn: Turn, _name: str, rest: str) -> Said:
        """Begin; the picture comes when it is drawn."""
        voice = turn.voice
        query, _, last = rest.rpartition(" ")
        counted = bool(query) and last.isdecimal() and len(last) < 4  # a year belongs to the query
        days, query = (int(last), query) if counted else (DAYS, rest)
        if not query:
            return say(
                voice.say(
                    "Write a query after the command, for example: {example}",
                    example="/trend Syria 30",
                )
            )
        try:
            parse(query, self._names())
        except QueryError as error:
            return Said(mistake(error, voice))
        values = {"busy": "draw", "query": query, "days": min(max(days, 2), MOST_DAYS)}
        return show(Message(voice.say("Counting …")), Screen("trend", values))

    async def work(self, turn: Turn, screen: Screen) -> Said:
        """Count and draw. Raises StoreError."""
        voice, query = turn.voice, str(screen.values["query"])
        done = replace(screen, values={})
        try:
            tree = parse(query, self._names())
            days = await self._counted(tree, int(screen.values["days"]), turn)
        except QueryError as error:
            return Said(mistake(error, voice), screen=done)
        except StoreError:
            return Said(Message(busy(voice)), screen=done)
        text = voice.count(
            "{number} story", "{number} stories", sum(stories for _, stories, _ in days)
        )
        text = f"{cut(as_query(tree), 600)}\n{text}"
        try:
            picture = await self._drawn(days, turn)
        except ChartError as error:
            return Said(Message(f"{text}\n\n{error}"), screen=done)
        return Said(Message(text, file=File("trend.png", picture, picture=True)), screen=done)
