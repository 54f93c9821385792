"""Run what takes long for a screen in the background, also after a restart. No texts."""

import asyncio
from collections.abc import Callable

import structlog
from structlog.contextvars import bind_contextvars

from bot.chat.dispatcher import Dispatcher
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.chat_events import Reply, Screen
from bot.model.chats import ChatSettings
from bot.model.message import Message
from bot.ports import Clock, Store

log = structlog.stdlib.get_logger("newsbell.screens")


class ScreenTasks:
    """The tasks of screens that say something is being done. One task a screen."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        store: Store,
        translator: Callable[[ChatSettings], Translator],
        clock: Clock,
        finished: Callable[[], None],
    ) -> None:
        """`finished` is called after each task."""
        self._dispatcher, self._store, self._translator = dispatcher, store, translator
        self._clock, self._finished = clock, finished
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start what is stored as being done and not running, that of an earlier process too."""
        running = {task.get_name() for task in self._tasks}
        for chat_id, user_id, screen in await self._store.chats.busy_screens():
            name = f"screen {screen.id}"
            if name not in running:
                task = asyncio.create_task(self._run(chat_id, user_id, screen), name=name)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until no task runs."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def cancel(self) -> None:
        """Cancel all tasks; what is not done starts again at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, chat_id: int, user_id: int, screen: Screen) -> None:
        bind_contextvars(screen_id=screen.id)  # the task has a context of its own
        try:
            await self._dispatcher.run_task(chat_id, screen, user_id)
        except StoreError as error:
            log.error("screen_task_failed", error=str(error), will_retry="on_restart")
        except Exception:  # a task that fails by our own mistake must not start again for ever
            log.exception("screen_task_failed", will_retry="never")
            text = self._translator(ChatSettings()).gettext(
                "Something went wrong in newsbell; see its log."
            )
            reply = Reply(Message(text), screen=Screen(screen.name))
            await self._store.chats.finish(chat_id, user_id, screen, reply, self._clock.now())
        self._finished()
