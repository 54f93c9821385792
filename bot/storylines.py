"""What people do about a storyline in a chat: look at it, follow it, mute it, choose how much one alert is for. Part of the actions."""

import asyncio
from collections.abc import Callable
from datetime import datetime, tzinfo

from bot.errors import StoreError
from bot.keys import keys_meant
from bot.model.chats import Change, Chat, Incoming, Message, Press, SetGrouping, SetStance, Stance
from bot.model.stories import Grouping
from bot.ports import Clock, PeopleStore, StoryArchive
from bot.render import Composer, linkable, local_time
from bot.text.clean import cut, plain
from bot.timeline import ToldStory, later, summary, timeline, who_was_first

_TOLD = 3000  # characters of a storyline after which no further story is told
_LINES = 20  # articles of the story that was asked for
_LEVELS = (
    "One alert is for one story; this says how much that is.\n"
    "strict - only what surely tells of the same occurrence; you may be rung twice for one\n"
    "normal - what tells of the same occurrence\n"
    "loose - running coverage as a whole: announcement, reactions and follow-ups change one message"
)


class Storylines:
    """The commands about stories and storylines."""

    def __init__(
        self, store: PeopleStore, stories: StoryArchive, clock: Clock, zone: Callable[[], tzinfo], grouping: Callable[[int], Grouping]
    ) -> None:
        self._store, self._stories, self._clock, self._zone, self._grouping = store, stories, clock, zone, grouping

    async def command(self, name: str, rest: str, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        """Answer one of them. Raises StoreError."""
        match name:
            case "/story":
                return await self._story(rest, update, chat), ()
            case "/stories":
                return self._level(rest, update, chat)
            case _:
                return await self._stance(name, update, chat)

    async def _story(self, rest: str, update: Incoming, chat: Chat) -> Message:
        number = 0
        try:
            if rest:
                number = await asyncio.to_thread(self._stories.entry_at, *keys_meant(plain(rest)))
            elif update.reply_to is not None and (alert := await self._store.alert_of(chat.id, update.reply_to)):
                number = alert.entry_id
            told = timeline(await asyncio.to_thread(self._stories.storyline, number), number) if number else []
        except StoreError:
            return Message("The stored articles cannot be read now; try again in a minute.")
        if told:
            return _told(told, self._clock.now(), self._zone())
        if rest:
            return Message("No stored article has this address or headline.")
        return Message("Answer an alert with /story, or write the address of an article after it.")

    async def _stance(self, name: str, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        if not update.may_change:
            return Message("Only administrators of this chat can change what rings here."), ()
        alert = await self._store.alert_of(chat.id, update.reply_to) if update.reply_to is not None else None
        if alert is None:
            return Message(f"Answer an alert with {name}: it is about the story of that alert."), ()
        composer = Composer()
        match name:
            case "/follow":
                composer.add("Following. I ring here for all later stories of this storyline, until it has been quiet for 48 hours:\n")
                stance: Stance | None = Stance.FOLLOW
            case "/mute":
                composer.add("Muted. Nothing more of this storyline rings here, until it has been quiet for 48 hours:\n")
                stance = Stance.MUTE
            case _:
                composer.add("This storyline rings here by its words again, like any other:\n")
                stance = None
        composer.add_marked(cut(alert.title, 300), (), "bold", "bold")
        if stance is Stance.FOLLOW and self._grouping(chat.id) is Grouping.LOOSE:
            composer.add(
                "\n\nHere one alert is for the whole storyline (/stories loose): its message grows, and it rings only where it had not."
            )
        undo = {Stance.FOLLOW: "/unfollow", Stance.MUTE: "/unmute"}
        if stance:
            composer.add(f"\n\n{undo[stance]} as an answer to the same alert takes it back.")
        return composer.message(), (SetStance(alert.storyline_id, stance),)

    async def press(self, press: Press, update: Incoming, chat: Chat) -> tuple[str, tuple[Change, ...]]:
        """Mute or follow by a button, or take it back: what to say for a moment, and what changes. Raises StoreError."""
        if not update.may_change:
            return "Only administrators of this chat can change what rings here.", ()
        alert = await self._store.alert_of(chat.id, update.reply_to) if update.reply_to is not None else None
        if alert is None:
            return "This message is no alert that I remember.", ()
        wanted = Stance.MUTE if press is Press.MUTE else Stance.FOLLOW
        if alert.stance is wanted:
            return "Taken back: this storyline rings here by its words again.", (SetStance(alert.storyline_id, None),)
        said = {
            Stance.MUTE: "Muted: nothing more of this storyline rings here until it has been quiet for 48 hours. Press again to take it back.",
            Stance.FOLLOW: "Following: all later stories of this storyline ring here until it has been quiet for 48 hours. "
            "Press again to take it back.",
        }
        return said[wanted], (SetStance(alert.storyline_id, wanted),)

    def _level(self, rest: str, update: Incoming, chat: Chat) -> tuple[Message, tuple[Change, ...]]:
        word = rest.lower()
        if word not in set(Grouping):
            now = self._grouping(chat.id)
            return Message(f"{_LEVELS}\n\nIt is {now} here. /stories strict, /stories normal or /stories loose changes it."), ()
        if not update.may_change:
            return Message("Only administrators of this chat can change what rings here."), ()
        if chat.grouping:
            return Message(f"feeds.yaml says {chat.grouping} for this chat: change it there."), ()
        return Message(f"From now on one alert here is for one story, {word}. /stories explains."), (SetGrouping(Grouping(word)),)


def _told(told: list[ToldStory], now: datetime, zone: tzinfo) -> Message:
    """A storyline: the story that was asked for article by article, the others by their first."""
    composer = Composer().add("Storyline: ").add(summary(told), "bold")
    for story in sorted(told, key=lambda one: not one.asked):
        if composer.length > _TOLD or composer.entities > 80:
            composer.add("\n\n… and more; `newsbell story` shows all.")
            break
        composer.add("\n\n▶ " if story.asked else "\n\n○ ").add_marked(cut(story.title, 200), (), "bold", "bold")
        composer.add("\n").add_marked(who_was_first(story), (), "italic", "italic")
        for line in story.lines[: _LINES if story.asked else 0]:
            entry = line.entry
            link = ("text_link",) if linkable(entry.link) else ()
            composer.add(f"\n{local_time(entry.at, now, zone)} ({later(line.after)}) {f'via {entry.agency}: ' if entry.agency else ''}")
            composer.add_marked(cut(entry.name, 40), (), "bold", *link, url=entry.link)
            if entry.title != story.title:
                composer.add(" ").add_marked(cut(entry.title, 80), (), "bold")
        if story.asked and len(story.lines) > _LINES:
            composer.add(f"\n… and {len(story.lines) - _LINES} more.")
    return composer.message()
