"""Run what takes long for a screen in the background, also after a restart. No texts.

What a chat asked for is done one after the other; other chats do not wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

import structlog
from structlog.contextvars import bind_contextvars
from telegram.error import TelegramError

from bot.chat.dispatcher import Dispatcher, UpdateResult
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.chat_events import Reply, Screen, ScreenTask
from bot.model.chats import ChatSettings
from bot.model.message import Message
from bot.ports import Clock, Store

PAUSES = (2.0, 10.0, 60.0)  #: seconds before a task whose store or Telegram failed runs again

log = structlog.stdlib.get_logger("newsbell.screens")


class ScreenTasks:
    """The tasks of screens that say something is being done. One task a screen."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        store: Store,
        translator: Callable[[ChatSettings], Translator],
        clock: Clock,
        finished: Callable[[UpdateResult], Awaitable[None]],
    ) -> None:
        """`finished` is called after each task, with what follows from it."""
        self._dispatcher, self._store, self._translator = dispatcher, store, translator
        self._clock, self._finished = clock, finished
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()  # by chat

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
        result = UpdateResult(changed=False, chat_id=None)
        try:
            if screen.task is ScreenTask.LOOK:  # waits for a site, and nothing for it
                result = await self._try(chat_id, user_id, screen)
            else:
                turn = self._turns.setdefault(chat_id, asyncio.Lock())
                async with turn:
                    result = await self._try(chat_id, user_id, screen)
        except (StoreError, TelegramError) as error:
            log.error("screen_task_failed", error=str(error), will_retry="on_restart")
            self._dispatcher.forget_postponed(chat_id)
        except Exception:  # a task that fails by our own mistake must not start again for ever
            log.exception("screen_task_failed", will_retry="never")
            text = self._translator(ChatSettings()).gettext(
                "Something went wrong in newsbell; see its log."
            )
            reply = Reply(Message(text), screen=Screen(screen.name))
            await self._store.chats.finish(chat_id, user_id, screen, reply, self._clock.now())
            self._dispatcher.forget_postponed(chat_id)
        await self._finished(result)

    async def _try(self, chat_id: int, user_id: int, screen: Screen) -> UpdateResult:
        """Run a task, again where store or Telegram did not answer; it did nothing then."""
        for pause in PAUSES:
            try:
                return await self._dispatcher.run_task(chat_id, screen, user_id)
            except (StoreError, TelegramError) as error:
                log.warning("screen_task_failed", error=str(error), retry_after=pause)
                await asyncio.sleep(pause)
        return await self._dispatcher.run_task(chat_id, screen, user_id)
