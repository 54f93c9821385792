"""Channels that somebody administers: linked in the private chat, and managed from there.

Posts nothing itself.
"""

from dataclasses import replace
from enum import StrEnum

from bot.chat.access import Permission
from bot.chat.callbacks import Callback, button
from bot.chat.context import Context, StaticScreen, back_button, show, text_reply
from bot.model.chat_events import ExpectedInput, LinkChannel, ManageChat, Reply, Screen
from bot.model.message import Message
from bot.ports import ChatStore, Members
from bot.text.clean import cut

_SHOWN = 10  # linked channels


class ChannelAction(StrEnum):
    """What the buttons of /channels do."""

    MANAGE = "act"  #: value: the chat's number; 0 for this chat
    LINK = "link"
    LIST = "list"


class Channels(StaticScreen):
    """The command /channels, in private chats."""

    actions = ChannelAction
    needs = Permission.READ

    def __init__(self, store: ChatStore, members: Members) -> None:
        self._store, self._members = store, members

    async def list_or_link(self, context: Context, name: str) -> Reply:
        """/channels: list linked channels, or link one by its name. Raises StoreError."""
        if not context.update.private:
            return text_reply(
                context.translator.gettext("This works only in a private chat with me.")
            )
        screen = Screen("channels")
        return (
            await self._link(context, screen, name) if name else await self._list(context, screen)
        )

    async def _list(self, context: Context, screen: Screen, *, edit: bool = False) -> Reply:
        translator = context.translator
        channels = await self._store.linked_channels(context.update.user_id)
        lines = [
            translator.gettext(
                "Make me an administrator of your channel, then link it here. Which chat do you "
                "want to manage?"
            )
        ]
        number = context.current_chat.managed_chat
        managed = await self._store.chat(number) if number is not None else None
        if managed:
            lines.append(
                translator.gettext("You are managing {name} from here.", name=cut(managed.name, 60))
            )
        rows = [
            [button(f"📣 {cut(channel.name, 40)}", ChannelAction.MANAGE, channel.id)]
            for channel in channels[:_SHOWN]
        ]
        rows.append(
            [
                button(translator.gettext("This chat"), ChannelAction.MANAGE, 0),
                button(translator.gettext("Link a channel"), ChannelAction.LINK),
            ]
        )
        screen = replace(screen, values={}, expects=ExpectedInput.NOTHING)
        return show(Message("\n\n".join(lines)), screen, *rows, edit=edit)

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Manage a channel, or the chat itself again. Raises StoreError."""
        match callback.action:
            case ChannelAction.LINK:
                text = context.translator.gettext(
                    "Send the name of the channel, for example: @example_channel."
                )
                waiting = replace(screen, expects=ExpectedInput.CHANNEL)
                back = [back_button(context, ChannelAction.LIST)]
                return show(Message(text), waiting, back, edit=True)
            case ChannelAction.LIST:
                return await self._list(context, screen, edit=True)
            case _:
                return await self._manage(context, screen, callback)

    async def _manage(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        translator, user_id = context.translator, context.update.user_id
        if callback.value == "0":
            text = translator.gettext("You are managing this chat again.")
            reply = show(Message(text), screen, edit=True)
            return replace(reply, changes=(ManageChat(None),))
        linked = await self._store.linked_channels(user_id)
        channel = next((chat for chat in linked if chat.id == callback.number), None)
        if channel is None or not await self._members.is_admin(channel.address, user_id):
            return Reply(
                toast=translator.gettext("You are no longer an administrator of this channel.")
            )
        text = translator.gettext(
            "You are now managing {name} from here: /subscribe, /subscriptions, /settings. To "
            "stop: /channels",
            name=cut(channel.name, 60),
        )
        reply = show(Message(text), screen, edit=True)
        return replace(reply, changes=(ManageChat(channel.id),))

    async def read_input(self, context: Context, screen: Screen, text: str) -> Reply:
        """Link a channel by its name. Raises StoreError."""
        return await self._link(context, replace(screen, id=0), text)

    async def _link(self, context: Context, screen: Screen, text: str) -> Reply:
        translator = context.translator
        name = _channel_name(text)
        channel = await self._members.channel(name, context.update.user_id)
        if channel is None:
            return text_reply(
                translator.gettext(
                    "I cannot link {name}: we both have to be administrators there, and I need "
                    "the right to post.",
                    name=cut(name, 60),
                )
            )
        address, title = channel
        linked = translator.gettext(
            "Linked {name}. To manage it, tap its name in /channels.", name=cut(title, 60)
        )
        screen = replace(screen, expects=ExpectedInput.NOTHING)
        return replace(show(Message(linked), screen), changes=(LinkChannel(address, title),))


def _channel_name(text: str) -> str:
    """Return a channel's number, or its name with the @, from what a person writes."""
    words = text.split()
    name = words[0].removeprefix("https://t.me/") if words else ""
    is_number = name.lstrip("-").isdecimal()
    return name if is_number or name.startswith("@") else f"@{name}"
