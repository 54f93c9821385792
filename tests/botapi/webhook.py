"""The webhook: what setWebhook accepts, and the posting of updates to the bot's address.

Posts to loopback only; to an address elsewhere nothing is sent and the updates wait. Makes no
update itself. It differs from Telegram where tests need it: loopback may be plain http on any port
with any certificate, a refused update comes again after a fixed short delay (Telegram: at once,
then after 2, 4, ... some 120 s), one post is under way at a time unless `connections` says more
(Telegram: as many as max_connections), a method in the answer is not carried out, and neither
Retry-After nor 410 is heeded.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp
from yarl import URL

from .errors import Json, bad_request
from .updates import UpdateQueue

PORTS: Final = frozenset({80, 88, 443, 8443})
SECRET: Final = 256
CONNECTIONS: Final = 40
MOST_CONNECTIONS: Final = 100
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True, slots=True)
class Hook:
    """What setWebhook set."""

    url: str
    secret: str
    max_connections: int

    @property
    def on_loopback(self) -> bool:
        """Say whether updates are posted at all."""
        return _on_loopback(URL(self.url))


@dataclass(frozen=True, slots=True)
class Post:
    """One try to hand an update over."""

    update_id: int
    #: of the answer; None where there was none
    status: int | None


def read_hook(params: Json) -> Hook:
    """Return the webhook a request asks for.

    Raises:
        ApiError: the secret or the address is none that Telegram takes.
    """
    secret = str(params.get("secret_token") or "")
    if len(secret) > SECRET:
        raise bad_request("secret token is too long")
    if not re.fullmatch("[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
    address = str(params["url"])
    try:
        url = URL(address if "://" in address else f"https://{address}")
        host, port = url.host, url.port
    except ValueError:
        host = port = None
    if not host:
        raise bad_request("invalid webhook URL specified")
    if not _on_loopback(url):
        if url.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if port not in PORTS:
            raise bad_request(
                "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"
            )
    asked = int(params.get("max_connections") or CONNECTIONS)
    return Hook(str(url), secret, min(max(asked, 1), MOST_CONNECTIONS))


class Webhook:
    """Hands the queue's updates over, each until it is taken; those of one chat in order."""

    def __init__(self, updates: UpdateQueue, stir: Callable[[int], None]) -> None:
        #: how long a refused update waits until it is posted again
        self.retry_seconds = 0.02
        #: how long an answer may take
        self.answer_seconds = 10.0
        #: how many posts may be under way at once; Telegram: `max_connections`, 40 by default
        self.connections = 1
        #: every try, in order of its end
        self.posts: list[Post] = []
        self.hook: Hook | None = None
        self._updates = updates
        self._stir = stir
        self._error: tuple[int, str] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._tried = asyncio.Event()

    def set(self, hook: Hook | None) -> None:
        """Post to this address from now on, or to none."""
        for task in self._tasks:
            task.cancel()
        self.hook, self._error = hook, None
        if hook is not None and hook.on_loopback:
            self._keep(asyncio.create_task(self._deliver(hook)))

    async def close(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks)
        self.set(None)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def tried(self, count: int) -> None:
        """Return when that many posts have ended."""
        while len(self.posts) < count:
            self._tried.clear()
            await self._tried.wait()

    def info(self) -> Json:
        """Return what getWebhookInfo says; fields that do not apply are left out."""
        info: Json = {
            "url": self.hook.url if self.hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if self._error:
            info |= {"last_error_date": self._error[0], "last_error_message": self._error[1]}
        if self.hook:
            info["max_connections"] = self.hook.max_connections
        if self._updates.allowed:
            info["allowed_updates"] = sorted(self._updates.allowed)
        return info

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, hook: Hook) -> None:
        timeout = aiohttp.ClientTimeout(total=self.answer_seconds)
        busy: dict[Hashable, asyncio.Task[None]] = {}
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while True:
                self._updates.news.clear()
                for update in list(self._updates.pending):
                    lane = _lane(update)
                    if lane not in busy and len(busy) < min(self.connections, hook.max_connections):
                        busy[lane] = group.create_task(self._hand_over(session, hook, update))
                        busy[lane].add_done_callback(partial(self._free, busy, lane))
                await self._updates.news.wait()

    def _free(
        self, busy: dict[Hashable, asyncio.Task[None]], lane: Hashable, _: asyncio.Task[None]
    ) -> None:
        del busy[lane]
        self._updates.news.set()

    async def _hand_over(self, session: aiohttp.ClientSession, hook: Hook, update: Json) -> None:
        while True:
            self._stir(1)
            try:
                status, error = await _post(session, hook, update)
            finally:
                self._stir(-1)
            self.posts.append(Post(update["update_id"], status))
            self._tried.set()
            if not error:
                self._updates.forget(update["update_id"])
                return
            self._error = int(time.time()), error
            await asyncio.sleep(self.retry_seconds)


async def _post(session: aiohttp.ClientSession, hook: Hook, update: Json) -> tuple[int | None, str]:
    """Return the status of the answer and what Telegram would call an error."""
    headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
    try:
        async with session.post(
            hook.url, json=update, headers=headers, allow_redirects=False, ssl=False
        ) as answer:
            await answer.read()
            taken = 200 <= answer.status < 300
            return (
                answer.status,
                ""
                if taken
                else f"Wrong response from the webhook: {answer.status} {answer.reason}",
            )
    except aiohttp.ClientConnectorError:
        return None, "Connection refused"
    except TimeoutError:
        return None, "Read timeout expired"
    except aiohttp.ClientError:
        return None, "Webhook connection closed"


def _lane(update: Json) -> Hashable:
    """Return the order that Telegram keeps: by chat for messages, by person for presses."""
    kind = next(name for name in update if name != "update_id")
    payload = update[kind]
    if kind == "callback_query":
        return kind, payload["from"]["id"]
    messages = kind in {"message", "edited_message", "channel_post", "edited_channel_post"}
    return "message" if messages else kind, payload["chat"]["id"]


def _on_loopback(url: URL) -> bool:
    host = url.host or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
