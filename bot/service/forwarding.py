"""Requests of the command line on a machine whose newsbell does not lead: asked, and answered.

By rows of the database (`store.requests`). What a request does is not known here.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import structlog

from bot.errors import ActionRefused, StoreError
from bot.model.database_address import PostgresAddress
from bot.ports import RequestStore
from bot.service.control import subject_of
from bot.store.stores import PostgresStore
from bot.store.web_tokens import word_hash

WAIT = timedelta(seconds=8)  #: for an answer
LOOK = timedelta(milliseconds=100)  #: between two looks for it
BEAT = timedelta(seconds=1)  #: between two looks for requests, where nobody tells of one
PAUSE = timedelta(seconds=2)  #: after the database failed
_NOT_DONE = (
    "No newsbell that leads answered within {seconds:.0f} seconds, and nothing was done: "
    "`newsbell status` says who leads; try again."
)
_NOT_SAID = (
    "The newsbell that leads has not said within {seconds:.0f} seconds what became of it: "
    "look whether it was done before you try again."
)
_UNDECIDED = (
    "The newsbell that led ended before it said what became of it: look whether it was done "
    "before you try again."
)

log = structlog.stdlib.get_logger("newsbell.nodes")
Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]


async def forward(requests: RequestStore, node: str, request: Mapping[str, Any]) -> int:
    """Have the one that leads do it; return how much it changed.

    Raises ActionRefused with its reason, or where nobody answered; StoreError.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + WAIT.total_seconds()
    number = await requests.ask(node, json.dumps(request))
    while (text := await requests.answer_to(number)) is None:
        if loop.time() >= until:
            sentence = _NOT_DONE if await requests.withdraw(number) else _NOT_SAID
            raise ActionRefused(sentence.format(seconds=WAIT.total_seconds()))
        await asyncio.sleep(LOOK.total_seconds())
    answer = json.loads(text)
    if "error" in answer:
        raise ActionRefused(str(answer["error"]))
    return int(answer["done"])


async def forward_alone(address: PostgresAddress, request: Mapping[str, Any]) -> int:
    """As `forward`, on a machine where no newsbell runs."""
    async with PostgresStore(address, "a command", leads=False) as store:
        return await forward(store.requests, "a command", request)


def numbers_request(do: str, ids: tuple[int, ...]) -> Mapping[str, Any]:
    """Return a request about deliveries, feeds or people."""
    return {"do": do, subject_of(do): list(ids)}


def web_request(do: str, word: str | bytes, chat: int) -> Mapping[str, Any]:
    """Return a request about the web page; of the word it has the hash, which opens nothing."""
    digest = word_hash(word) if isinstance(word, str) else word
    return {"do": do, "hash": digest.hex(), "chat": chat}


class Answering:
    """Answers what other machines ask the one that leads."""

    def __init__(self, requests: RequestStore, answer: Answer) -> None:
        self._requests, self._answer = requests, answer
        self._asked = asyncio.Event()

    def wake(self) -> None:
        """Look for requests now."""
        self._asked.set()

    async def run(self) -> None:
        """Answer until cancelled."""
        undecided = json.dumps({"error": _UNDECIDED})
        while True:
            try:
                await self._requests.answer_undecided(undecided)
                while True:
                    await self.answer_all()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._asked.wait(), BEAT.total_seconds())
                    self._asked.clear()
            except StoreError as error:
                log.error("requests_failed", error=str(error), retry_after=PAUSE.total_seconds())
                await asyncio.sleep(PAUSE.total_seconds())

    async def answer_all(self) -> None:
        """Answer all requests that wait. Raises StoreError."""
        while (asked := await self._requests.take()) is not None:
            answer = await self._answer(json.loads(asked.text))
            await self._requests.answer(asked.id, json.dumps(answer))
            log.info("request_answered", node=asked.node, failed="error" in answer)
