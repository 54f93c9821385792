"""The loopback Bot API's webhook keeps to what is known of the real one.

Its module names the differences.

Not a test of the project: it makes the other tests' server trustworthy.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from aiohttp import web
from botapi import BotApi, Post
from ptb import TLS, client, refused
from support import FeedServer
from telegram import Bot, Update
from telegram.error import Conflict
from telegram_harness import ANN, BOB


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with client(api) as ready:
        yield ready


@dataclass
class Listener:
    """What a bot hears at its webhook, and the status it answers each time."""

    url: str
    answers: Callable[[int], int] = lambda _: 200
    heard: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    hold: asyncio.Event | None = None
    at_once: int = 0
    _now: int = 0
    _arrivals: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def __call__(self, request: web.Request) -> web.Response:
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        self.heard.append(await request.json())
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        self._arrivals.put_nowait(None)
        status = self.answers(len(self.heard))
        if self.hold:
            await self.hold.wait()
        self._now -= 1
        return web.Response(status=status)

    async def hears(self, count: int) -> None:
        """Return when that many more updates have come."""
        async with asyncio.timeout(30):
            for _ in range(count):
                await self._arrivals.get()

    @property
    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.heard]


@pytest.fixture
def listener(server: FeedServer) -> Listener:
    listener = Listener(server.url("/hook"))
    server.handle("/hook", listener)
    return listener


async def test_updates_are_posted_in_order_with_the_secret(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    api.say(ANN, ANN, "before")
    await bot.set_webhook(listener.url, secret_token="Secret_1-2")
    ids = [api.say(user, user, text) for user, text in ((ANN, "one"), (BOB, "two"), (ANN, "three"))]
    await api.drained()

    assert listener.texts == ["before", "one", "two", "three"]
    assert [update["update_id"] for update in listener.heard][1:] == ids
    assert set(listener.secrets) == {"Secret_1-2"}
    assert listener.at_once == 1
    heard = Update.de_json(listener.heard[1], bot)
    assert heard.message is not None
    assert heard.message.from_user is not None
    assert heard.message.from_user.id == ANN


async def test_without_a_secret_there_is_no_such_header(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    await bot.set_webhook(listener.url)
    api.say(ANN, ANN, "x")
    await api.drained()

    assert listener.secrets == [None]


@pytest.mark.parametrize("status", [500, 403, 302, 410])
async def test_an_update_comes_again_until_the_answer_is_a_success(
    api: BotApi, bot: Bot, listener: Listener, status: int
) -> None:
    listener.answers = lambda count: status if count < 3 else 204
    await bot.set_webhook(listener.url)
    first, second = api.say(ANN, ANN, "one"), api.say(BOB, BOB, "two")
    await api.drained()

    assert listener.texts == ["one", "one", "one", "two"]
    assert api.webhook.posts == [
        Post(first, status),
        Post(first, status),
        Post(first, 204),
        Post(second, 204),
    ]
    info = await bot.get_webhook_info()
    assert info.last_error_date is not None
    assert (info.last_error_message or "").startswith(f"Wrong response from the webhook: {status}")
    assert info.pending_update_count == 0


async def test_whoever_does_not_listen_is_tried_again(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    with socket.socket() as taken_but_deaf:
        taken_but_deaf.bind(("127.0.0.1", 0))
        await bot.set_webhook(f"http://127.0.0.1:{taken_but_deaf.getsockname()[1]}/")
        api.say(ANN, ANN, "x")
        await api.posted(2)

    assert {post.status for post in api.webhook.posts} == {None}
    assert (await bot.get_webhook_info()).last_error_message == "Connection refused"
    await bot.set_webhook(listener.url)
    await api.drained()
    assert listener.texts == ["x"]
    assert (await bot.get_webhook_info()).last_error_message is None


async def test_an_answer_that_does_not_come_in_time_is_none(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    listener.hold = asyncio.Event()
    api.webhook.answer_seconds = 0.05
    await bot.set_webhook(listener.url)
    api.say(ANN, ANN, "x")
    await api.posted()
    listener.hold.set()
    await api.drained()

    assert api.webhook.posts[0].status is None
    assert api.webhook.posts[-1].status == 200
    assert (await bot.get_webhook_info()).last_error_message == "Read timeout expired"


async def test_chats_are_told_side_by_side_when_that_is_wanted_each_in_its_order(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    listener.hold = asyncio.Event()
    api.webhook.connections = 40
    await bot.set_webhook(listener.url, max_connections=2)
    for user, text in ((ANN, "a1"), (ANN, "a2"), (BOB, "b1"), (BOB, "b2")):
        api.say(user, user, text)
    await listener.hears(2)
    assert set(listener.texts) == {"a1", "b1"}
    listener.hold.set()
    await api.drained()

    assert listener.at_once == 2
    assert [text for text in listener.texts if text in {"a1", "a2"}] == ["a1", "a2"]


async def test_nothing_is_posted_once_the_webhook_is_deleted(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    await bot.set_webhook(listener.url)
    api.say(ANN, ANN, "posted")
    await api.drained()
    await bot.delete_webhook()
    api.say(ANN, ANN, "polled")
    await api.quiet()

    [update] = await bot.get_updates()
    assert update.message is not None
    assert (update.message.text, listener.texts) == ("polled", ["posted"])


async def test_pending_updates_can_be_dropped_with_the_webhook(api: BotApi, bot: Bot) -> None:
    api.say(ANN, ANN, "x")
    await bot.set_webhook("https://a.b/", drop_pending_updates=True)
    api.say(ANN, ANN, "y")

    assert (await bot.get_webhook_info()).pending_update_count == 1
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


async def test_polling_is_refused_while_a_webhook_is_set(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    await bot.set_webhook(listener.url)

    assert await refused(bot.get_updates(), Conflict) == (
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to "
        "delete the webhook first"
    )


async def test_the_choice_of_updates_made_for_the_webhook_lasts(
    api: BotApi, bot: Bot, listener: Listener
) -> None:
    sent = await bot.send_message(ANN, "x")
    await bot.set_webhook(listener.url, allowed_updates=["message_reaction"])
    api.say(ANN, ANN, "unheard")
    api.react(ANN, ANN, sent.message_id, "👍")
    await api.drained()

    assert [set(update) for update in listener.heard] == [{"update_id", "message_reaction"}]
    await bot.delete_webhook()
    api.say(ANN, ANN, "unheard")
    assert await bot.get_updates() == ()
    assert (await bot.get_webhook_info()).allowed_updates == ("message_reaction",)


async def test_the_webhook_says_what_it_is(api: BotApi, bot: Bot) -> None:
    none = await bot.get_webhook_info()
    assert (none.url, none.max_connections, none.allowed_updates, none.has_custom_certificate) == (
        "",
        None,
        (),
        False,
    )

    await bot.set_webhook("https://a.b:8443/hook", max_connections=1000)
    some = await bot.get_webhook_info()
    assert (some.url, some.max_connections) == ("https://a.b:8443/hook", 100)
    await bot.set_webhook("a.b/hook")
    assert (await bot.get_webhook_info()).url == "https://a.b/hook"
    assert (await bot.get_webhook_info()).max_connections == 40


@pytest.mark.parametrize(
    ("url", "secret", "reply"),
    [
        ("http://a.b/", "", "Bad webhook: an https url must be provided for webhook"),
        (
            "https://a.b:8080/",
            "",
            "Bad webhook: webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        ("https:///x", "", "Invalid webhook url specified"),
        ("https://a.b/", "x" * 257, "Secret token is too long"),
        ("https://a.b/", "not a token", "Secret token contains unallowed characters"),
    ],
)
async def test_a_webhook_that_telegram_would_not_take_is_refused(
    bot: Bot, url: str, secret: str, reply: str
) -> None:
    assert await refused(bot.set_webhook(url, secret_token=secret)) == reply
    assert (await bot.get_webhook_info()).url == ""


async def test_setting_and_deleting_tell_whether_they_changed_anything(api: BotApi) -> None:
    async with httpx.AsyncClient(verify=TLS, base_url=f"{api.url}/bot{api.token}/") as http:
        set_it, delete_it = {"url": "https://a.b/", "secret_token": "x" * 256}, {"url": ""}
        replies = [
            (await http.post("setWebhook", json=body)).json()
            for body in (set_it, set_it, delete_it)
        ]
        replies.append((await http.post("deleteWebhook")).json())

    assert all(answer["ok"] and answer["result"] is True for answer in replies)
    assert [answer["description"] for answer in replies] == [
        "Webhook was set",
        "Webhook is already set",
        "Webhook was deleted",
        "Webhook is already deleted",
    ]


async def test_leaving_the_server_ends_a_post_under_way(listener: Listener) -> None:
    listener.hold = asyncio.Event()
    async with BotApi() as api:
        api.add_private(ANN)
        async with client(api) as bot:
            await bot.set_webhook(listener.url)
        api.say(ANN, ANN, "x")
        await listener.hears(1)

    assert api.webhook.posts == []
    listener.hold.set()
