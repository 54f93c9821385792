"""Commands about an alert that reply to none: offer the chat's newest alerts to choose from.

What a command does is `storylines`'.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from bot.chat.access import Permission
from bot.chat.callbacks import Callback, button
from bot.chat.context import Context, StaticScreen, show, text_reply
from bot.chat.guard import CommandRoute
from bot.chat.replies import unknown_button
from bot.model.chat_events import Command, Reply, Screen
from bot.model.message import Message
from bot.ports import ChatStore
from bot.text.clean import cut, plain

SHOWN = 6  #: alerts to choose from


class RecentAction(StrEnum):
    """What the buttons do."""

    CHOOSE = "choose"  #: value: the alert's message


class RecentAlerts(StaticScreen):
    """Chooses the alert of a command."""

    actions = RecentAction

    def __init__(self, store: ChatStore, commands: Mapping[str, CommandRoute]) -> None:
        """`commands` are those that reply to an alert, by name."""
        self._store, self._commands = store, commands

    def permission(self, screen: Screen, _callback: Callback | None) -> Permission:
        """Return what the command needs."""
        route = self._commands.get(str(screen.values.get("command", "")))
        return route.permission if route else Permission.CHANGE

    def is_slow(self, screen: Screen, _callback: Callback | None) -> bool:
        """Return whether the command is."""
        route = self._commands.get(str(screen.values.get("command", "")))
        return route is not None and route.slow

    async def run(self, context: Context, argument: str) -> Reply:
        """Run the command on the alert that it replies to, or offer alerts. Raises StoreError."""
        update, translator = context.update, context.translator
        command = update.name if isinstance(update, Command) else ""
        if update.reply_to is not None or argument:
            return await self._commands[command].handle(context, argument)
        alerts = await self._store.recent_alerts(context.current_chat.id, SHOWN)
        if not alerts:
            return text_reply(translator.gettext("No alerts here yet."))
        rows = [
            [button(cut(plain(title), 40), RecentAction.CHOOSE, message_id)]
            for message_id, title in alerts
        ]
        text = translator.gettext(
            "Which story? You can also reply to any alert with {command}.", command=command
        )
        screen = Screen("recent", {"command": command})
        return show(Message(text), screen, *rows)

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Run the command on the chosen alert. Raises StoreError."""
        route = self._commands.get(str(screen.values.get("command", "")))
        if route is None:
            return unknown_button(context)
        chosen = replace(context.update, reply_to=callback.number)
        return await route.handle(replace(context, update=chosen), "")
