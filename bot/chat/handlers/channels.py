"""Channels that somebody administers: linked from the private chat, and acted for from there. Posts nothing itself."""

from dataclasses import replace

from bot.chat.access import Permission
from bot.chat.context import Context, StaticScreen, number_in, say, show
from bot.model.chat_events import LinkChannel, ManageChat, Reply, Screen
from bot.model.message import Button, Message
from bot.ports import ChatStore, Members
from bot.text.clean import cut


class Channels(StaticScreen):
    """The command /channels, in private chats."""

    def __init__(self, store: ChatStore, members: Members) -> None:
        self._store, self._members = store, members

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (all of it is the same)
        """Reading: whether the person administers the channel is asked when it is linked, and at each change in it."""
        return Permission.READ

    async def command(self, context: Context, _name: str, rest: str) -> Reply:
        """The list, or link a channel by its name. Raises StoreError."""
        if context.update.address < 0:
            return say(context.translator.gettext("This works only in a private chat with me."))
        return (
            await self._link(context, Screen("channels"), rest)
            if rest
            else await self._list(context, Screen("channels"))
        )

    async def _list(self, context: Context, screen: Screen, *, edit: bool = False) -> Reply:
        translator, linked = (
            context.translator,
            await self._store.linked_channels(context.update.user_id),
        )
        lines = [
            translator.gettext(
                "Make me an administrator of your channel, then link it here. "
                "Which chat do you want to manage?"
            )
        ]
        meant = (
            await self._store.chat(context.here.managed_chat)
            if context.here.managed_chat is not None
            else None
        )
        if meant:
            lines.append(
                translator.gettext("You are managing {name} from here.", name=cut(meant.name, 60))
            )
        rows = [[Button(f"📣 {cut(chat.name, 40)}", f"act {chat.id}")] for chat in linked[:10]]
        rows.append(
            [
                Button(translator.gettext("This chat"), "act 0"),
                Button(translator.gettext("Link a channel"), "link"),
            ]
        )
        return show(
            Message("\n\n".join(lines)), replace(screen, values={}, expects=""), *rows, edit=edit
        )

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """Act for a channel, or for the chat itself again. Raises StoreError."""
        translator = context.translator
        match word.partition(" ")[0]:
            case "link":
                text = translator.gettext(
                    "Send the name of the channel, for example: @example_channel."
                )
                return show(
                    Message(text),
                    replace(screen, expects="channel"),
                    [Button("‹ " + translator.gettext("Back"), "list")],
                    edit=True,
                )
            case "list":
                return await self._list(context, screen, edit=True)
            case "act" if word == "act 0":
                done = show(
                    Message(translator.gettext("You are managing this chat again.")),
                    screen,
                    edit=True,
                )
                return replace(done, changes=(ManageChat(None),))
            case "act":
                chat = next(
                    (
                        one
                        for one in await self._store.linked_channels(context.update.user_id)
                        if one.id == number_in(word)
                    ),
                    None,
                )
                if chat is None or not await self._members.is_admin(
                    chat.address, context.update.user_id
                ):
                    return Reply(
                        toast=translator.gettext(
                            "You are no longer an administrator of this channel."
                        )
                    )
                text = translator.gettext(
                    "You are now managing {name} from here: /subscribe, "
                    "/subscriptions, /settings. To stop: /channels",
                    name=cut(chat.name, 60),
                )
                return replace(
                    show(Message(text), screen, edit=True), changes=(ManageChat(chat.id),)
                )
            case _:
                return Reply(toast=translator.gettext("This button no longer works."))

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """The name of a channel. Raises StoreError."""
        return await self._link(context, replace(screen, id=0), text)

    async def _link(self, context: Context, screen: Screen, text: str) -> Reply:
        translator, name = (
            context.translator,
            text.strip().split()[0].removeprefix("https://t.me/") if text.strip() else "",
        )
        name = name if name.lstrip("-").isdecimal() or name.startswith("@") else f"@{name}"
        found = await self._members.channel(name, context.update.user_id)
        if found is None:
            return say(
                translator.gettext(
                    "I cannot link {name}: we both have to be administrators there, "
                    "and I need the right to post.",
                    name=cut(name, 60),
                )
            )
        address, title = found
        text = translator.gettext(
            "Linked {name}. To manage it, tap its name in /channels.", name=cut(title, 60)
        )
        return replace(
            show(Message(text), replace(screen, expects="")), changes=(LinkChannel(address, title),)
        )
