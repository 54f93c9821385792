"""The wire: a loopback HTTP server that speaks as the Bot API does, and fails as planned.

    request | read parameters | token | fault | flood limits | method | answer

Decides nothing about chats and texts; it is no client and reaches nothing outside.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self, assert_never

from aiohttp import web

from .answers import denial_reason, not_json, server_error, success
from .asking import Asking
from .errors import ApiError, Json, too_many_requests
from .faults import (
    DropAfter,
    DropBefore,
    Fault,
    FaultPlan,
    Hang,
    NotJson,
    Refuse,
    ServerError,
    Slow,
    TooManyRequests,
    carries_out,
)
from .limits import FloodGate, Violation
from .params import read_params

TOKEN: Final = "123456:AAbbccddeeffgghhiijjkkllmmnnooppqqr"
_TOKEN: Final = re.compile(r"[1-9]\d*:[A-Za-z0-9_-]+", re.ASCII)
_FOREVER: Final = 3600.0  # seconds; whoever asked has given up by then
_BODY_BYTES: Final = 64 << 20
_SENDS: Final = frozenset({"sendMessage", "sendDocument", "sendPhoto"})
_EDITS: Final = frozenset({"editMessageText", "editMessageCaption", "editMessageReplyMarkup"})


@dataclass
class Call:
    """One request and what came of it."""

    method: str
    #: decoded: numbers, flags and JSON values are what they stand for
    params: Json
    #: on the server's clock
    time: float
    #: the HTTP status answered; None until then, and for ever on a closed connection
    status: int | None = None
    #: whether it was carried out
    processed: bool = False

    @property
    def chat_id(self) -> object:
        """Return the chat the request names."""
        return self.params.get("chat_id")


class BotApi(Asking):
    """A Bot API for one bot, on a free port of 127.0.0.1 for as long as it is entered."""

    def __init__(
        self, token: str = TOKEN, *, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(int(token.partition(":")[0]))
        self.token = token
        self.url = ""
        self.calls: list[Call] = []
        self.enforce_limits = False
        self.violations: list[Violation] = []
        self._clock = clock
        self._faults = FaultPlan()
        self._url_guard = FloodGate()
        self._running = 0
        self._last_stir = 0.0
        self._closing = asyncio.Event()
        self._arrival = asyncio.Condition()
        self._methods = self._table()
        application = web.Application(client_max_size=_BODY_BYTES)
        application.router.add_get("/file/bot{token}/{path:.+}", self._download)
        application.router.add_route("*", "/bot{token}/{method}", self._serve)
        application.router.add_route("*", "/{path:.*}", self._not_found)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self.updates.close()
        await self.webhook.close()
        await self._runner.cleanup()

    def fault(
        self, fault: Fault, method: str | None = "sendMessage", chat_id: int | str | None = None,
        times: int = 1, after: int = 0,
    ) -> None:  # fmt: skip
        """Plan a fault for the next `times` fitting calls, once `after` of them have passed.

        A call meets the first planned fault it fits; `method=None` fits every method.
        """
        self._faults.add(fault, method, chat_id, times=times, after=after)

    async def quiet(self, seconds: float = 0.2, within: float = 30.0) -> None:
        """Return when nothing but polling was under way for that long.

        A post to a webhook is something.

        Raises:
            TimeoutError: it never became quiet.

        """
        loop = asyncio.get_running_loop()
        self._last_stir = max(self._last_stir, loop.time())
        async with asyncio.timeout(within):
            while self._running or loop.time() < self._last_stir + seconds:
                rest = self._last_stir + seconds - loop.time()
                await asyncio.sleep(max(rest, seconds / 10))

    async def arrived(self, method: str, count: int = 1, within: float = 30.0) -> None:
        """Return when that many calls of a method have come since the server began.

        Raises:
            TimeoutError: they never came.
        """
        async with asyncio.timeout(within), self._arrival:
            await self._arrival.wait_for(
                lambda: sum(call.method == method for call in self.calls) >= count
            )

    async def drained(self, within: float = 30.0) -> None:
        """Return when the bot has taken every update, by its webhook or by confirming a poll.

        Raises:
            TimeoutError: it never did.
        """
        async with asyncio.timeout(within):
            await self.updates.empty.wait()

    async def posted(self, count: int = 1, within: float = 30.0) -> None:
        """Return when that many posts to the webhook have ended, taken or not.

        `webhook.posts` has them.

        Raises:
            TimeoutError: they never were.

        """
        async with asyncio.timeout(within):
            await self.webhook.tried(count)

    def _table(self) -> dict[str, tuple[str, Callable[[Json], object]]]:
        served: dict[str, Callable[[Json], object]] = {
            "sendMessage": self.send_message,
            "sendDocument": self.send_document,
            "sendPhoto": self.send_photo,
            "editMessageText": self.edit_message_text,
            "editMessageCaption": self.edit_message_caption,
            "editMessageReplyMarkup": self.edit_message_reply_markup,
            "deleteMessage": self.delete_message,
            "getMe": self.get_me,
            "getUpdates": lambda _: None,
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "getWebhookInfo": self.get_webhook_info,
            "answerCallbackQuery": self.answer_callback_query,
            "setMyCommands": self.set_my_commands,
            "getMyCommands": self.get_my_commands,
            "deleteMyCommands": self.delete_my_commands,
            "getChat": self.get_chat,
            "getChatMember": self.get_chat_member,
            "getChatAdministrators": self.get_chat_administrators,
            "getFile": self.get_file,
        }
        return {name.lower(): (name, method) for name, method in served.items()}

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = request.match_info["method"]
        name = self._methods.get(asked.lower(), (asked, None))[0]
        call = Call(name, {}, self._clock())
        polling = name == "getUpdates"
        self.stir(0 if polling else 1)
        try:
            call.params = await read_params(request)
            await self._record(call)
            self._check_token(request.match_info["token"])
            response = await self._meet(call)
        except ApiError as error:
            response = denial_reason(error)
        finally:
            self.stir(0 if polling else -1)
        if response is None:
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        call.status = response.status
        return response

    async def _record(self, call: Call) -> None:
        self.calls.append(call)
        async with self._arrival:
            self._arrival.notify_all()

    def stir(self, running: int) -> None:
        """Hear that something began (1) or ended (-1)."""
        self._running += running
        if running:
            self._last_stir = asyncio.get_running_loop().time()

    def _check_token(self, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise ApiError(404, "Not Found")
        if token != self.token:
            raise ApiError(401, "Unauthorized")

    async def _meet(self, call: Call) -> web.Response | None:
        """Answer a call with the fault planned for it, or properly; None is no answer."""
        fault = self._faults.take(call.method, call.chat_id)
        proper = await self._process(call) if carries_out(fault) else None
        match fault:
            case None:
                pass
            case Slow():
                await self._pause(fault.seconds)
            case TooManyRequests():
                seconds, complete = fault.retry_after, fault.with_parameters
                return denial_reason(too_many_requests(seconds, with_parameters=complete))
            case Refuse():
                return denial_reason(ApiError(fault.code, fault.description, fault.parameters))
            case ServerError():
                return server_error(fault)
            case NotJson():
                return not_json()
            case Hang():
                await self._pause(_FOREVER)
                return None
            case DropBefore() | DropAfter():
                return None
            case _:
                assert_never(fault)
        return proper

    async def _process(self, call: Call) -> web.Response:
        """Carry a call out."""
        try:
            self._check_limits(call)
            result = await self._carry_out(call)
        except ApiError as error:
            return denial_reason(error)
        call.processed = True
        return success(result)

    async def _carry_out(self, call: Call) -> object:
        if call.method == "getUpdates":
            return await self._poll(call.params)
        served = self._methods.get(call.method.lower())
        if served is None:
            raise ApiError(404, "Not Found")
        return served[1](call.params)

    async def _poll(self, params: Json) -> list[Json]:
        offset, limit, wait = (int(params.get(key, 0)) for key in ("offset", "limit", "timeout"))
        return await self.updates.poll(offset, limit, wait, params.get("allowed_updates"))

    def _check_limits(self, call: Call) -> None:
        if not self.enforce_limits or call.method not in _SENDS | _EDITS:
            return
        chat = self.find(call.chat_id)
        if chat is None:
            return
        edit = call.method in _EDITS
        now = self._clock()
        violation = self._url_guard.admit(call.method, chat.id, now, group=chat.is_group, edit=edit)
        if violation:
            self.violations.append(violation)
            raise too_many_requests(violation.retry_after)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond the server's own end."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    async def _download(self, request: web.Request) -> web.Response:
        try:
            self._check_token(request.match_info["token"])
        except ApiError as error:
            return denial_reason(error)
        content = self.fetched(request.match_info["path"])
        return (
            denial_reason(ApiError(404, "Not Found"))
            if content is None
            else web.Response(body=content)
        )

    async def _not_found(self, _: web.Request) -> web.Response:
        return denial_reason(ApiError(404, "Not Found"))
