"""Channels that somebody administers: linked from the private chat, and acted for from there. Posts nothing itself."""

from dataclasses import replace

from bot.chat.access import Deed
from bot.chat.context import Still, Turn, number_in, say, show
from bot.model.chat_events import ActFor, LinkChannel, Said, Screen
from bot.model.message import Button, Message
from bot.ports import Members, PeopleStore
from bot.text.clean import cut


class Channels(Still):
    """The command /channels, in private chats."""

    def __init__(self, store: PeopleStore, members: Members) -> None:
        self._store, self._members = store, members

    def deed(self, screen: Screen, word: str) -> Deed:  # noqa: ARG002 (all of it is the same)
        """Reading: whether the person administers the channel is asked when it is linked, and at each change in it."""
        return Deed.READ

    async def command(self, turn: Turn, _name: str, rest: str) -> Said:
        """The list, or link a channel by its name. Raises StoreError."""
        if turn.update.address < 0:
            return say(turn.voice.say("Do that in a private chat with me."))
        return (
            await self._link(turn, Screen("channels"), rest)
            if rest
            else await self._list(turn, Screen("channels"))
        )

    async def _list(self, turn: Turn, screen: Screen, *, edit: bool = False) -> Said:
        voice, linked = turn.voice, await self._store.linked(turn.update.user_id)
        lines = [
            voice.say(
                "Make me an administrator of your channel, then link it here. Whom shall I act for?"
            )
        ]
        meant = (
            await self._store.chat(turn.here.acts_for) if turn.here.acts_for is not None else None
        )
        if meant:
            lines.append(
                voice.say("What you write here is meant for {name} now.", name=cut(meant.name, 60))
            )
        rows = [[Button(f"📣 {cut(chat.name, 40)}", f"act {chat.id}")] for chat in linked[:10]]
        rows.append(
            [Button(voice.say("This chat"), "act 0"), Button(voice.say("Link a channel"), "link")]
        )
        return show(
            Message("\n\n".join(lines)), replace(screen, values={}, expects=""), *rows, edit=edit
        )

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """Act for a channel, or for the chat itself again. Raises StoreError."""
        voice = turn.voice
        match word.partition(" ")[0]:
            case "link":
                text = voice.say("Write the name of the channel, for example: @example_channel.")
                return show(
                    Message(text),
                    replace(screen, expects="channel"),
                    [Button("‹ " + voice.say("Back"), "list")],
                    edit=True,
                )
            case "list":
                return await self._list(turn, screen, edit=True)
            case "act" if word == "act 0":
                done = show(
                    Message(voice.say("What you write here is meant for this chat again.")),
                    screen,
                    edit=True,
                )
                return replace(done, changes=(ActFor(None),))
            case "act":
                chat = next(
                    (
                        one
                        for one in await self._store.linked(turn.update.user_id)
                        if one.id == number_in(word)
                    ),
                    None,
                )
                if chat is None or not await self._members.is_admin(
                    chat.address, turn.update.user_id
                ):
                    return Said(toast=voice.say("You do not administer this channel any more."))
                text = voice.say(
                    "From now on what you write here is meant for {name}: /subscribe, /subscriptions, /settings. /channels ends it.",
                    name=cut(chat.name, 60),
                )
                return replace(show(Message(text), screen, edit=True), changes=(ActFor(chat.id),))
            case _:
                return Said(toast=voice.say("I do not know this button any more."))

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:
        """The name of a channel. Raises StoreError."""
        return await self._link(turn, replace(screen, id=0), text)

    async def _link(self, turn: Turn, screen: Screen, text: str) -> Said:
        voice, name = (
            turn.voice,
            text.strip().split()[0].removeprefix("https://t.me/") if text.strip() else "",
        )
        name = name if name.lstrip("-").isdecimal() or name.startswith("@") else f"@{name}"
        found = await self._members.channel(name, turn.update.user_id)
        if found is None:
            return say(
                voice.say(
                    "I cannot link {name}: you have to be one of its administrators, and so have I, with the right to post.",
                    name=cut(name, 60),
                )
            )
        address, title = found
        text = voice.say(
            "Linked {name}. Press its name under /channels to act for it.", name=cut(title, 60)
        )
        return replace(
            show(Message(text), replace(screen, expects="")), changes=(LinkChannel(address, title),)
        )
