"""The command by which people have deleted what is stored about them. Deletes nothing itself."""

from enum import StrEnum

from bot.chat.callbacks import Callback, button
from bot.chat.context import Context, StaticScreen, show, text_reply
from bot.chat.replies import unknown_button
from bot.model.chat_events import ForgetPerson, Reply, Screen
from bot.model.message import Message
from bot.ports import ChatStore


class PrivacyAction(StrEnum):
    """What the buttons do."""

    DELETE = "delete"
    KEEP = "keep"


class Privacy(StaticScreen):
    """The command /forgetme, in private chats."""

    actions = PrivacyAction

    def __init__(self, store: ChatStore) -> None:
        self._store = store

    async def ask(self, context: Context, _argument: str) -> Reply:
        """/forgetme: say what is deleted, and ask. Raises StoreError."""
        translator = context.translator
        if not context.update.private:
            return text_reply(
                translator.gettext("Send {command} in our private chat.", command="/forgetme")
            )
        if refusal := await self._refusal(context):
            return text_reply(refusal)
        text = translator.gettext(
            "This deletes everything stored about you: the subscriptions, alerts and settings of "
            "this chat, the feeds you added here, and your access. Groups and channels keep "
            "theirs, without your name. It cannot be undone."
        )
        buttons = [
            button(translator.gettext("Delete everything"), PrivacyAction.DELETE),
            button(translator.gettext("Keep"), PrivacyAction.KEEP),
        ]
        return show(Message(text), Screen("privacy"), buttons)

    async def press(self, context: Context, _screen: Screen, callback: Callback) -> Reply:
        """Delete, or leave all as it is. Raises StoreError."""
        translator = context.translator
        if not context.update.private:
            return unknown_button(context)
        if callback.action is PrivacyAction.KEEP:
            return Reply(Message(translator.gettext("Nothing was deleted.")), edit=True)
        if refusal := await self._refusal(context):
            return Reply(Message(refusal), edit=True)
        text = translator.gettext(
            "Deleted. Copies in backups go with the backups. To begin again: /start"
        )
        return Reply(Message(text), (ForgetPerson(),), edit=True)

    async def _refusal(self, context: Context) -> str:
        """Why it cannot be done here; empty where it can."""
        if not await self._store.is_declared(context.update.user_id):
            return ""
        return context.translator.gettext(
            "You are named in feeds.yaml. Ask the operator of this bot to remove you there first."
        )
