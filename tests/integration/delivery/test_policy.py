"""Every known answer of Telegram, from the wire to the settlement: fault, outcome, settlement."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from botapi import (
    BotApi,
    DropAfter,
    DropBefore,
    Fault,
    NotJson,
    Refuse,
    ServerError,
    Slow,
    TooManyRequests,
)
from support import NOON
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.delivery import policy
from bot.delivery.channels.telegram import TelegramChannel, open_bot
from bot.model.chats import Chat, ChatKind
from bot.model.delivery import (
    ChatClosed,
    ChatMoved,
    Delivery,
    DeliveryKind,
    DeliveryState,
    MessageLost,
    NoticeIntent,
    NoticeKind,
    NotSent,
    Refused,
    SendOutcome,
    Sent,
    ServiceDown,
    ServiceFault,
    Settlement,
    Undecided,
)
from bot.model.message import Message

ANN, GROUP, FORUM, CHANNEL, TOPIC = 7, -10, -1001, -1002, 55
QUEUED = DeliveryState.QUEUED
SECOND, DAY = timedelta(seconds=1), timedelta(hours=24)
BLOCKED = "the person blocked the bot."
ACCOUNT_GONE = "the person's account was deleted."
WRITE_FIRST = "the person must first write to the bot."
OUT = "the bot is no longer in the chat; add it again."
NO_CHAT = "Telegram does not know this chat; check its id, and that the bot is in it."
NO_RIGHTS = "the bot may not write there; give it the right to send messages."
NO_TOPIC = "the topic is closed or deleted; reopen it, or set another one."
TOKEN = "the token is not valid."
LOST = "the message is not there any more"
IN_DOUBT = "the connection ended before the answer"
SILENT = "Telegram does not answer in time"
PORTAL = "something that is not Telegram answers: a login page of the network, or a proxy"
NO_ADDRESS = "Telegram says that the group became a supergroup, and names no usable address"


@pytest.fixture(autouse=True)
def _as_the_app_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as made:
        made.add_private(ANN)
        made.add_group(GROUP, members={ANN: "creator"})
        made.add_supergroup(FORUM, forum=True)
        made.add_topic(FORUM, TOPIC)
        made.add_channel(CHANNEL)
        yield made


def delivery(
    address: int = ANN, topic: int = 0, kind: DeliveryKind = DeliveryKind.ALERT, **more: Any
) -> Delivery:
    more = {"attempt": 1, "doubts": 0, "plain": False, **more}
    return Delivery(1, kind, Chat(1, "desk", ChatKind.TELEGRAM, address, topic), **more)


EDIT = delivery(kind=DeliveryKind.EDIT, message_id=2)
EDIT_LOST = delivery(kind=DeliveryKind.EDIT, message_id=99)


async def send(api: BotApi, what: Delivery, token: str = "", url: str = "") -> SendOutcome:
    async with open_bot(token or api.token, url or api.url) as made:
        return await TelegramChannel(made).send(what, Message("Fire in the harbour"))


def became(what: Delivery, outcome: SendOutcome) -> Settlement:
    return policy.settle(what, outcome, NOON)


def waits(reason: str, span: timedelta, **more: Any) -> dict[str, Any]:
    return {"state": QUEUED, "error": reason, "retry_at": NOON + span, **more}


def chat_notice(reason: str) -> NoticeIntent:
    return NoticeIntent(
        NoticeKind.CHAT_PAUSED,
        f"desk takes no messages: {reason} Its alerts are kept and sent later.",
    )


def paused(reason: str) -> dict[str, Any]:
    return {"state": QUEUED, "error": reason, "pause": reason, "notice": chat_notice(reason)}


def again(reason: str) -> dict[str, Any]:
    return waits(reason, 2 * SECOND, doubt=True)


def down(reason: str) -> dict[str, Any]:
    return waits(reason, 2 * SECOND, counts=False)


def plain(reason: str) -> dict[str, Any]:
    return {"state": QUEUED, "error": reason, "plain": True}


Change = Callable[[BotApi], object]

#: what happens in the world, the delivery, the outcome, the settlement's fields beside the delivery
WORLD: dict[str, tuple[Change, Delivery, SendOutcome, dict[str, Any]]] = {
    "sent": (lambda _: None, delivery(), Sent(2), {"state": DeliveryState.SENT, "message_id": 2}),
    "sent to a topic": (
        lambda _: None,
        delivery(FORUM, TOPIC),
        Sent(2),
        {"state": DeliveryState.SENT, "message_id": 2},
    ),
    "blocked": (
        lambda api: api.block(ANN),
        delivery(),
        ChatClosed(BLOCKED, probe=False),
        paused(BLOCKED),
    ),
    "deactivated": (
        lambda api: api.deactivate(ANN),
        delivery(),
        ChatClosed(ACCOUNT_GONE, probe=False),
        paused(ACCOUNT_GONE),
    ),
    "kicked from group": (
        lambda api: api.kick(GROUP),
        delivery(GROUP),
        ChatClosed(OUT, probe=False),
        paused(OUT),
    ),
    "kicked from supergroup": (
        lambda api: api.kick(FORUM),
        delivery(FORUM),
        ChatClosed(OUT, probe=False),
        paused(OUT),
    ),
    "kicked from channel": (
        lambda api: api.kick(CHANNEL),
        delivery(CHANNEL),
        ChatClosed(OUT, probe=False),
        paused(OUT),
    ),
    "group deleted": (
        lambda api: api.delete_group(GROUP),
        delivery(GROUP),
        ChatClosed(OUT, probe=False),
        paused(OUT),
    ),
    "never started": (
        lambda api: api.person(8),
        delivery(8),
        ChatClosed(WRITE_FIRST, probe=False),
        paused(WRITE_FIRST),
    ),
    "to the bot": (
        lambda _: None,
        delivery(123456),
        ChatClosed(WRITE_FIRST, probe=False),
        paused(WRITE_FIRST),
    ),
    "not found, first": (
        lambda _: None,
        delivery(9),
        ChatClosed(NO_CHAT, probe=False, final=False),
        waits(NO_CHAT, 16 * SECOND),
    ),
    "not found, third": (
        lambda _: None,
        delivery(9, attempt=3),
        ChatClosed(NO_CHAT, probe=False, final=False),
        paused(NO_CHAT),
    ),
    "upgraded": (
        lambda api: api.migrate(GROUP, -1009),
        delivery(GROUP),
        ChatMoved(-1009),
        {"state": QUEUED, "error": "the group became a supergroup", "move_to": -1009},
    ),
    "restricted": (
        lambda api: api.restrict(FORUM),
        delivery(FORUM),
        ChatClosed(NO_RIGHTS, probe=True),
        waits(NO_RIGHTS, DAY, notice=chat_notice(NO_RIGHTS), topic_only=True),
    ),
    "topic closed": (
        lambda api: api.close_topic(FORUM, TOPIC),
        delivery(FORUM, TOPIC),
        ChatClosed(NO_TOPIC, probe=True, soon=True),
        waits(NO_TOPIC, 60 * SECOND, notice=chat_notice(NO_TOPIC), topic_only=True),
    ),
    "topic deleted": (
        lambda api: api.delete_topic(FORUM, TOPIC),
        delivery(FORUM, TOPIC),
        ChatClosed(NO_TOPIC, probe=True),
        waits(NO_TOPIC, DAY, notice=chat_notice(NO_TOPIC), topic_only=True),
    ),
    "message to edit not found": (
        lambda _: None,
        EDIT_LOST,
        MessageLost(LOST),
        {"state": DeliveryState.DROPPED, "error": LOST, "lost": True},
    ),
}


@pytest.mark.parametrize("row", WORLD.values(), ids=WORLD)
async def test_what_happens_in_telegram_becomes_an_outcome_and_a_settlement(
    api: BotApi, row: tuple[Change, Delivery, SendOutcome, dict[str, Any]]
) -> None:
    change, what, outcome, fields = row
    change(api)

    result = await send(api, what)

    assert result == outcome
    assert became(what, result) == Settlement(what, **fields)


def denial_reason(description: str) -> tuple[Fault, Delivery, SendOutcome, dict[str, Any]]:
    """A 400 that refuses this message. python-telegram-bot strips the lead and capitalises."""
    reason = f"{description.removeprefix('Bad Request: ').capitalize()}."
    return Refuse(400, description), delivery(), Refused(reason), plain(reason)


def closed(
    code: int, description: str, reason: str, *, probe: bool
) -> tuple[Fault, Delivery, SendOutcome, dict[str, Any]]:
    return (
        Refuse(code, description),
        delivery(),
        ChatClosed(reason, probe=probe),
        waits(reason, DAY, notice=chat_notice(reason), topic_only=True)
        if probe
        else paused(reason),
    )


def doubtful(
    fault: Fault, reason: str, kind: ServiceFault
) -> tuple[Fault, Delivery, SendOutcome, dict[str, Any]]:
    return fault, delivery(), Undecided(reason, kind), again(reason)


def service_down(
    fault: Fault, reason: str, kind: ServiceFault
) -> tuple[Fault, Delivery, SendOutcome, dict[str, Any]]:
    return fault, delivery(), ServiceDown(reason, kind), down(reason)


def own_error(words: str) -> str:
    return f"Telegram answers with an error of its own: {words}"


MOVED = "Bad Request: group chat was upgraded to a supergroup chat"
PAUSE, RESTART = "Telegram asks for a pause", "Telegram's server restarts"
TOO_LARGE = {413: "Request Entity Too Large"}
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content "
    "and reply markup of the message"
)


def long_pause(minutes: int) -> NoticeIntent:
    return NoticeIntent(
        NoticeKind.CHAT_PAUSED,
        f"Telegram asks for a pause of {minutes} minutes in desk. "
        "Its alerts are kept and sent later.",
    )


#: the fault at the endpoint, the delivery, the outcome, the settlement's fields beside the delivery
WIRE: dict[str, tuple[Fault, Delivery, SendOutcome, dict[str, Any]]] = {
    "403 not a member of group": closed(
        403, "Forbidden: bot is not a member of the group chat", OUT, probe=False
    ),
    "403 not a member of supergroup": closed(
        403, "Forbidden: bot is not a member of the supergroup chat", OUT, probe=False
    ),
    "403 not a member of channel": closed(
        403, "Forbidden: bot is not a member of the channel chat", OUT, probe=False
    ),
    "403 bots": closed(403, "Forbidden: bot can't send messages to bots", WRITE_FIRST, probe=False),
    "403 unknown": closed(
        403,
        "Forbidden: something of tomorrow",
        "Telegram does not allow the bot to write there.",
        probe=True,
    ),
    "400 no photo rights": closed(
        400, "Bad Request: not enough rights to send photos to the chat", NO_RIGHTS, probe=True
    ),
    "400 no write access": closed(
        400, "Bad Request: have no write access to the chat", NO_RIGHTS, probe=True
    ),
    "400 CHAT_WRITE_FORBIDDEN": closed(
        400, "Bad Request: CHAT_WRITE_FORBIDDEN", NO_RIGHTS, probe=True
    ),
    "400 CHAT_SEND_PLAIN_FORBIDDEN": closed(
        400, "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN", NO_RIGHTS, probe=True
    ),
    "400 CHAT_RESTRICTED": closed(400, "Bad Request: CHAT_RESTRICTED", NO_RIGHTS, probe=True),
    "400 TOPIC_DELETED": closed(400, "Bad Request: TOPIC_DELETED", NO_TOPIC, probe=True),
    "400 private chat not found": (
        Refuse(400, "Bad Request: private chat not found"),
        delivery(),
        ChatClosed(NO_CHAT, probe=False, final=False),
        waits(NO_CHAT, 16 * SECOND),
    ),
    "400 PEER_ID_INVALID": (
        Refuse(400, "Bad Request: PEER_ID_INVALID"),
        delivery(),
        ChatClosed(NO_CHAT, probe=False, final=False),
        waits(NO_CHAT, 16 * SECOND),
    ),
    "400 not modified": (
        Refuse(400, NOT_MODIFIED),
        EDIT,
        Sent(2),
        {"state": DeliveryState.SENT, "message_id": 2},
    ),
    "400 can't be edited": (
        Refuse(400, "Bad Request: message can't be edited"),
        EDIT,
        MessageLost(LOST),
        {"state": DeliveryState.DROPPED, "error": LOST, "lost": True},
    ),
    "400 too long": denial_reason("Bad Request: message is too long"),
    "400 caption too long": denial_reason("Bad Request: message caption is too long"),
    "400 text too long": denial_reason("Bad Request: text is too long"),
    "400 empty": denial_reason("Bad Request: message text is empty"),
    "400 can't parse": denial_reason("Bad Request: can't parse entities: unsupported start tag"),
    "400 BUTTON_DATA_INVALID": denial_reason("Bad Request: BUTTON_DATA_INVALID"),
    "400 BUTTON_URL_INVALID": denial_reason("Bad Request: BUTTON_URL_INVALID"),
    "400 markup too long": denial_reason("Bad Request: reply markup is too long"),
    "400 wrong URL": denial_reason("Bad Request: Wrong HTTP URL specified"),
    "400 failed URL": denial_reason("Bad Request: Failed to get HTTP URL content"),
    "400 web page": denial_reason("Bad Request: wrong type of the web page content"),
    "400 file too big": denial_reason("Bad Request: file is too big"),
    "400 unknown": denial_reason("Bad Request: SOMETHING_OF_TOMORROW"),
    "406 unknown": (
        Refuse(406, "Not Acceptable: FROZEN_METHOD_INVALID"),
        delivery(),
        Refused("Not Acceptable: FROZEN_METHOD_INVALID."),
        plain("Not Acceptable: FROZEN_METHOD_INVALID."),
    ),
    "413": (
        Refuse(413, TOO_LARGE[413]),
        delivery(),
        Refused("the message is too large."),
        plain("the message is too large."),
    ),
    "401": service_down(Refuse(401, "Unauthorized"), TOKEN, ServiceFault.REFUSED),
    "404": service_down(
        Refuse(404, "Not Found"),
        "the Bot API's address is not found (404)",
        ServiceFault.PORTAL,
    ),
    "409": (
        Refuse(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot "
            "instance is running",
        ),
        delivery(),
        NotSent("another program uses the same bot", 30 * SECOND),
        waits("another program uses the same bot", 30 * SECOND),
    ),
    "429": (
        TooManyRequests(17),
        delivery(),
        NotSent(PAUSE, 17 * SECOND, rate_limited=True),
        waits(PAUSE, 17 * SECOND),
    ),
    "429 of hours": (
        TooManyRequests(10072),
        delivery(),
        NotSent(PAUSE, 10072 * SECOND, rate_limited=True),
        waits(PAUSE, 10072 * SECOND, notice=long_pause(168)),
    ),
    "429 in words only": (
        TooManyRequests(17, with_parameters=False),
        delivery(),
        NotSent(PAUSE, 17 * SECOND, rate_limited=True),
        waits(PAUSE, 17 * SECOND),
    ),
    "429 without a wait": (
        Refuse(429, "Too Many Requests"),
        delivery(),
        NotSent(PAUSE, 5 * SECOND, rate_limited=True),
        waits(PAUSE, 5 * SECOND),
    ),
    "429 of 30,000 years": (
        TooManyRequests(1_000_000_000_000),
        delivery(),
        NotSent(PAUSE, DAY, rate_limited=True),
        waits(PAUSE, DAY, notice=long_pause(1440)),
    ),
    "429 of a negative time": (
        Refuse(429, "Too Many Requests", {"retry_after": -7}),
        delivery(),
        NotSent(PAUSE, 5 * SECOND, rate_limited=True),
        waits(PAUSE, 5 * SECOND),
    ),
    **{
        f"400 moved to {address!r}": (
            Refuse(400, MOVED, {"migrate_to_chat_id": address}),
            delivery(GROUP),
            NotSent(NO_ADDRESS),
            waits(NO_ADDRESS, 2 * SECOND),
        )
        for address in ("abc", GROUP, 77, True, -1.5, -(1 << 70), None, [-1009], {"id": -1009})
    },
    "500 restart": service_down(ServerError(500, html=False), RESTART, ServiceFault.ERROR),
    "500 page": doubtful(
        ServerError(500), own_error("Internal Server Error (500)"), ServiceFault.ERROR
    ),
    "500 in words": doubtful(
        Refuse(500, "Internal Server Error"), own_error("Internal Server Error"), ServiceFault.ERROR
    ),
    "502 page": doubtful(ServerError(502), own_error("Bad Gateway (502)"), ServiceFault.ERROR),
    "502 JSON": doubtful(
        ServerError(502, html=False), own_error("Bad Gateway"), ServiceFault.ERROR
    ),
    "504 page, carried out": doubtful(
        ServerError(504, processed=True), own_error("Gateway Timeout (504)"), ServiceFault.ERROR
    ),
    **{
        f"{status} page": service_down(ServerError(status), PORTAL, ServiceFault.PORTAL)
        for status in (302, 400, 401, 403, 404, 407, 451)
    },
    "200 no JSON": doubtful(NotJson(), PORTAL, ServiceFault.PORTAL),
    "200 no JSON, carried out": doubtful(NotJson(processed=True), PORTAL, ServiceFault.PORTAL),
    "dropped before": doubtful(DropBefore(), IN_DOUBT, ServiceFault.BROKEN),
    "dropped after": doubtful(DropAfter(), IN_DOUBT, ServiceFault.BROKEN),
}


@pytest.mark.parametrize("row", WIRE.values(), ids=WIRE)
async def test_what_the_endpoint_answers_becomes_an_outcome_and_a_settlement(
    api: BotApi, row: tuple[Fault, Delivery, SendOutcome, dict[str, Any]]
) -> None:
    fault, what, outcome, fields = row
    api.fault(fault, method=None)

    result = await send(api, what)

    assert result == outcome
    assert became(what, result) == Settlement(what, **fields)


async def test_a_wrong_token_stops_the_service(api: BotApi) -> None:
    wrong = await send(api, delivery(), token="123456:AAwrongwrongwrongwrongwrongwrongwro")

    assert wrong == ServiceDown(TOKEN, ServiceFault.REFUSED)


async def test_the_question_whether_the_service_works_tells_its_faults_apart(api: BotApi) -> None:
    answers = []
    for fault in (None, ServerError(502), NotJson(), Refuse(401, "Unauthorized"), DropBefore()):
        if fault:
            api.fault(fault, method="getMe")
        async with open_bot(api.token, api.url) as made:
            answers.append(await TelegramChannel(made).check())

    faults = [answer.fault for answer in answers if isinstance(answer, ServiceDown)]
    assert answers[0] is None
    assert faults == [
        ServiceFault.ERROR,
        ServiceFault.PORTAL,
        ServiceFault.REFUSED,
        ServiceFault.BROKEN,
    ]


async def test_a_certificate_that_fails_is_no_portal(tmp_path: Path) -> None:
    """The certificate is signed by itself; a portal speaks no TLS at all."""
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "certificate")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *files, *names]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n")
        writer.close()

    outcomes = []
    for tls in (context, None):
        server = await asyncio.start_server(refuse, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        async with server, open_bot("123456:ABC", f"https://localhost:{port}") as made:
            outcomes.append(await TelegramChannel(made).send(delivery(), Message("Fire")))

    assert outcomes == [
        ServiceDown("the certificate of Telegram's address fails", ServiceFault.CERTIFICATE),
        ServiceDown(f"no secure connection: {PORTAL}", ServiceFault.PORTAL),
    ]


async def test_a_refused_connection_is_surely_not_sent(api: BotApi) -> None:
    async with BotApi() as gone:
        nowhere = gone.url

    result = await send(api, delivery(), url=nowhere)

    assert result == ServiceDown("Telegram cannot be reached", ServiceFault.UNREACHABLE)
    assert became(delivery(), result) == Settlement(
        delivery(), **down("Telegram cannot be reached")
    )


async def test_an_answer_that_comes_too_late_leaves_it_in_doubt(api: BotApi) -> None:
    api.fault(Slow(30))
    request = HTTPXRequest(read_timeout=0.2)
    async with request:
        result = await TelegramChannel(
            Bot(api.token, base_url=f"{api.url}/bot", request=request)
        ).send(delivery(), Message("Fire"))

    assert result == Undecided(SILENT, ServiceFault.SILENT)
    assert [message.text for message in api.messages(ANN)] == ["Fire"], "it had arrived"


async def test_no_free_connection_is_surely_not_sent(api: BotApi) -> None:
    api.fault(Slow(30))
    request = HTTPXRequest(connection_pool_size=1, pool_timeout=0.2)
    async with request:
        channel = TelegramChannel(Bot(api.token, base_url=f"{api.url}/bot", request=request))
        first = asyncio.ensure_future(channel.send(delivery(), Message("Fire")))
        await api.arrived("sendMessage")
        second = await channel.send(delivery(GROUP), Message("Fire"))
        first.cancel()

    assert second == NotSent("too many requests to Telegram are under way")
    assert api.messages(GROUP) == []


ODD = ["true", "{}", "7", "null", '{"message_id": "x"}', '{"message_id": 1e999}', "[[[]]]"]


@pytest.mark.parametrize("result", [*ODD, "[" * 100_000, "9" * 5000])
async def test_an_answer_that_names_no_message_leaves_it_in_doubt(api: BotApi, result: str) -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.Response(
            text=f'{{"ok": true, "result": {result}}}', content_type="application/json"
        )

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", odd)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        outcome = await send(api, delivery(), url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()

    assert isinstance(outcome, Undecided)


async def test_a_text_without_a_letter_is_refused_before_it_is_sent(api: BotApi) -> None:
    async with open_bot(api.token, api.url) as made:
        result = await TelegramChannel(made).send(delivery(), Message(" \n"))

    assert (result, api.calls) == (Refused("there is no text to send."), [])


KINDS = [
    delivery(),
    EDIT,
    *(delivery(kind=kind) for kind in (DeliveryKind.AGAIN, DeliveryKind.NOTICE)),
    *(delivery(kind=DeliveryKind.REPLY, edits=edits) for edits in (False, True)),
]


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize(
    ("doubts", "since", "state"),
    [
        (0, None, QUEUED),
        (policy.UNDECIDED_TRIES - 2, DAY, QUEUED),
        (policy.UNDECIDED_TRIES + 50, policy.UNDECIDED_SPAN - SECOND, QUEUED),
        (policy.UNDECIDED_TRIES - 1, policy.UNDECIDED_SPAN, DeliveryState.UNKNOWN),
        (policy.UNDECIDED_TRIES - 1, -DAY, QUEUED),
    ],
)
def test_what_is_in_doubt_is_tried_again_until_many_tries_over_hours_were(
    what: Delivery, doubts: int, since: timedelta | None, state: DeliveryState
) -> None:
    first = None if since is None else NOON - since
    what = replace(what, doubts=doubts, attempt=doubts + 1, doubted_at=first)

    result = became(what, Undecided("x"))

    assert (result.state, result.doubt) == (state, True)
    is_notice = what.kind is DeliveryKind.NOTICE
    assert (result.notice is not None) == (state is DeliveryState.UNKNOWN and not is_notice)


def test_while_the_service_takes_nothing_a_message_is_tried_with_the_next_probe() -> None:
    probe_at = NOON + 9 * SECOND
    doubtful_try = Undecided("x", ServiceFault.ERROR)

    spans = [
        policy.settle(delivery(attempt=attempt), outcome, NOON, probe_at).retry_at
        for attempt in (1, 50)
        for outcome in (doubtful_try, ServiceDown("x", ServiceFault.SILENT), Undecided("x"))
    ]

    seconds = [(span - NOON).total_seconds() for span in spans if span]
    assert seconds == [2, 2, 2, 9, 9, 600]


def test_of_a_group_that_is_sent_on_again_and_again_each_move_waits_longer() -> None:
    first, second, tenth = (
        became(delivery(attempt=attempt), ChatMoved(-5)).retry_at for attempt in (1, 2, 10)
    )

    assert (first, second, tenth) == (None, NOON + 4 * SECOND, NOON + 600 * SECOND)


def test_what_is_refused_plain_as_well_is_dead_and_the_operator_is_notified() -> None:
    result = became(delivery(plain=True), Refused("no."))
    notice = NoticeIntent(
        NoticeKind.DEAD_LETTER,
        "Telegram refuses a message to desk: no. `newsbell outbox list` shows it.",
    )

    assert result == Settlement(
        delivery(plain=True), DeliveryState.DEAD, error="no.", notice=notice
    )
    assert became(delivery(plain=True, kind=DeliveryKind.NOTICE), Refused("no.")).notice is None


def test_waits_double_up_to_ten_minutes() -> None:
    spans = [
        became(delivery(attempt=attempt), NotSent("x")).retry_at
        for attempt in (1, 2, 3, 8, 9, 10, 1000)
    ]

    assert [(span - NOON).total_seconds() for span in spans if span] == [
        2,
        4,
        8,
        256,
        512,
        600,
        600,
    ]
