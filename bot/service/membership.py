"""Signs of life of a node, and what whoever leads does for the others. Decides nothing of feeds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Self

import structlog

from bot.errors import StoreError, StoreLost
from bot.feeds.handover import Intake
from bot.model.nodes import News, Node
from bot.ports import Clock, NodeStore, RequestStore
from bot.service.forwarding import Answer, Answering
from bot.service.supervisor import Part

BEAT = timedelta(seconds=1)  #: between two signs of life
DEAF = timedelta(seconds=1)  #: after the connection ended that listens

log = structlog.stdlib.get_logger("newsbell.nodes")


async def keep_listening(nodes: NodeStore, told: Callable[[str], None]) -> None:
    """Call `told` with what nodes tell each other, until cancelled, whatever the connection does.

    With "" whenever it begins anew: anything may have happened unheard.
    """
    while True:
        try:
            await nodes.listen(told)
        except StoreError as error:
            log.warning("not_listening", error=str(error))
        await asyncio.sleep(DEAF.total_seconds())


class Signs:
    """Signs of life of a node that leads, from the moment on in which it has the lock."""

    def __init__(self, nodes: NodeStore, node: Node, clock: Clock) -> None:
        self._nodes, self._node, self._clock = nodes, node, clock
        self.digest: Callable[[], str] = lambda: node.digest  #: of the feeds.yaml in force
        self._opening: asyncio.Task[None] | None = None

    async def give(self) -> None:
        """Give a sign of life. Raises StoreError, and StoreLost where another node leads."""
        node = replace(self._node, digest=self.digest())
        await self._nodes.beat(node, leads=True, now=self._clock.now)

    @asynccontextmanager
    async def given(self) -> AsyncIterator[Self]:
        """Give them while the context lasts, and say at its end that the node is gone.

        Raises StoreError at the beginning.
        """
        await self.give()
        self._opening = asyncio.create_task(self._repeat(), name="signs of life")
        try:
            yield self
        finally:
            self.end()
            with suppress(StoreError):
                await self._nodes.leave(self._node.name)

    def end(self) -> None:
        """Leave them to somebody else."""
        if self._opening:
            self._opening.cancel()

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            with suppress(StoreError):  # whatever is under way meets it as well
                await self.give()


class Membership:
    """What a newsbell does that leads, besides what it does alone."""

    def __init__(
        self, nodes: NodeStore, requests: RequestStore, signs: Signs, intake: Intake
    ) -> None:
        self._nodes, self._requests, self._signs, self._intake = nodes, requests, signs, intake
        self._answering: Answering | None = None

    def parts(self, answer: Answer) -> list[Part]:
        """Return what runs as long as it leads; `answer` does what other machines ask for."""
        answering = self._answering = Answering(self._requests, answer)
        return [
            Part("answering other machines", answering.run),
            Part("leading", self.lead, essential=True),
            Part("taking in what other nodes polled", self._intake.run),
            Part("listening to other nodes", self.listen),
        ]

    async def listen(self) -> None:
        """Hear of what other nodes did, until cancelled; without it, it is found by looking."""
        await keep_listening(self._nodes, self._told)

    def _told(self, what: str) -> None:
        if what in ("", News.POLLS):
            self._intake.wake()
        if self._answering and what in ("", News.REQUESTS):
            self._answering.wake()

    async def lead(self) -> None:
        """Give signs of life, and free what nodes claimed that are gone.

        Raises StoreLost where another node leads by now.
        """
        self._signs.end()
        while True:
            try:
                await self._signs.give()
                freed = await self._nodes.release_of_gone()
                if freed:
                    log.warning("claims_of_gone_nodes", feeds=freed)
            except StoreLost:
                raise
            except StoreError as error:
                log.error("no_sign_of_life", error=str(error))
            await asyncio.sleep(BEAT.total_seconds())
