"""The Bot API of the tests with a weather: how it answers changes from outside, for all calls.

Notes in a ledger what was carried out, whatever the bot was told of it. No assertions.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from random import Random

from aiohttp import web
from botapi import BotApi
from botapi.answers import denial_reason, not_json, server_error
from botapi.errors import too_many_requests
from botapi.faults import ServerError
from botapi.server import TOKEN, Call
from outside.ledger import Ledger

_SENDS = frozenset({"sendMessage", "sendDocument", "sendPhoto"})
_EDITS = frozenset({"editMessageText", "editMessageCaption"})


class Weather(StrEnum):
    """How the service is."""

    FINE = "fine"
    BAD_GATEWAY = "502"  #: with a page of HTML
    INTERNAL = "500"  #: as JSON
    PORTAL = "html"  #: 200 with HTML, as a captive portal answers
    HANGING = "hang"  #: no answer
    FLOOD = "429"
    REFUSED = "refused"  #: nothing listens


#: Answers after which a call may have been carried out. A restarting server did not take it.
_UNDECIDABLE = frozenset({Weather.BAD_GATEWAY, Weather.PORTAL, Weather.HANGING})


class OutsideApi(BotApi):
    """A Bot API with weather."""

    def __init__(
        self,
        ledger: Ledger,
        chance: Random,
        clock: Callable[[], float] = time.monotonic,
        token: str = TOKEN,
    ) -> None:
        super().__init__(token, clock=clock)
        self.ledger, self.chance = ledger, chance
        self.weather = Weather.FINE
        #: how many calls met each weather
        self.met: Counter[str] = Counter()
        self.methods: Counter[str] = Counter()
        self.broken_limits = 0
        self.open_calls = 0
        self._weather_changed = asyncio.Event()
        self._port = 0

    async def change(self, weather: Weather) -> None:
        """Let the weather be this; what hangs is let go without an answer."""
        before, self.weather = self.weather, weather
        self._weather_changed.set()
        self._weather_changed = asyncio.Event()
        self._port = self._port or self._runner.addresses[0][1]
        if weather is Weather.REFUSED:
            for site in list(self._runner.sites):
                await site.stop()
        elif before is Weather.REFUSED:
            site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
            await site.start()

    async def _meet(self, call: Call) -> web.Response | None:
        if call.method != "getUpdates":
            self.open_calls += 1
        try:
            return await self._answer(call)
        finally:
            if call.method != "getUpdates":
                self.open_calls -= 1
            self._tidy()

    async def _answer(self, call: Call) -> web.Response | None:
        weather, changed = self.weather, self._weather_changed
        if weather is Weather.FINE:
            return await super()._meet(call)
        self.met[weather.value] += 1
        if weather is Weather.FLOOD:
            return denial_reason(too_many_requests(2))
        is_undecidable = weather in _UNDECIDABLE and call.method != "getUpdates"
        if is_undecidable and self.chance.random() < 0.1:
            await self._process(call)  # carried out, and answered as if it were not
        if weather is Weather.BAD_GATEWAY:
            return server_error(ServerError(502))
        if weather is Weather.INTERNAL:
            return server_error(ServerError(500, html=False))
        if weather is Weather.PORTAL:
            return not_json()
        if weather is Weather.HANGING:
            await changed.wait()
        return None

    async def _carry_out(self, call: Call) -> object:
        result = await super()._carry_out(call)
        self.methods[call.method] += 1
        if call.method in _SENDS | _EDITS and isinstance(call.chat_id, int):
            text = str(call.params.get("text") or call.params.get("caption") or "")
            message = call.params.get("message_id")
            if message is None and isinstance(result, dict):
                message = result.get("message_id")
            self.ledger.arrive(call.chat_id, int(message or 0), text, self._clock())
        return result

    def _tidy(self) -> None:
        """Forget the calls that came long ago."""
        self.broken_limits += len(self.violations)
        self.violations.clear()
        if len(self.calls) > 2000:
            del self.calls[:1000]

    def forget_messages(self, rest: int = 200) -> None:
        """Keep the last messages of each chat only; a run of days has a hundred thousand."""
        for chat in self.chats.values():
            for number in sorted(chat.messages)[:-rest]:
                del chat.messages[number]
