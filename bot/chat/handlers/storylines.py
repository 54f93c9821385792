"""What people do about a storyline in a chat: look at it, follow it, mute it, choose how much one alert is for. Part of the actions."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from bot.chat.context import Turn, busy, say
from bot.chat.handlers.settings import stories
from bot.delivery.render import Composer, linkable
from bot.errors import StoreError
from bot.i18n.catalog import Voice
from bot.model.alerts import Stance
from bot.model.chat_events import Press, Said, SetStance, TakeStory
from bot.model.message import Message
from bot.model.stories import Grouping
from bot.parse.entry_keys import keys_meant
from bot.ports import PeopleStore, StoryArchive
from bot.search.timeline import ToldStory, later, summary, timeline, who_was_first
from bot.text.clean import cut, plain

_TOLD = 3000  # characters of a storyline after which no further story is told
_LINES = 20  # articles of the story that was asked for


class Storylines:
    """The commands about stories and storylines."""

    def __init__(
        self, store: PeopleStore, archive: StoryArchive, grouping: Callable[[int], Grouping]
    ) -> None:
        self._store, self._stories, self._grouping = store, archive, grouping

    async def levels(self, turn: Turn, _name: str, rest: str) -> Said:
        """How much belongs to one alert."""
        return stories(turn, rest, self._grouping(turn.chat.id))

    async def story(self, turn: Turn, _name: str, rest: str) -> Said:
        """All who carry a story. Raises StoreError."""
        return Said(await self._story(turn, rest))

    async def _story(self, turn: Turn, rest: str) -> Message:
        update, chat, voice = turn.update, turn.here, turn.voice
        number = 0
        try:
            if rest:
                number = await asyncio.to_thread(self._stories.entry_at, *keys_meant(plain(rest)))
            elif update.reply_to is not None and (
                alert := await self._store.alert_of(chat.id, update.reply_to)
            ):
                number = alert.entry_id
            told = (
                timeline(await asyncio.to_thread(self._stories.storyline, number), number, voice)
                if number
                else []
            )
        except StoreError:
            return Message(busy(voice))
        if told:
            return _told(told, turn.now, voice)
        if rest:
            return Message(voice.say("No stored article has this address or headline."))
        return Message(
            voice.say("Answer an alert with /story, or write the address of an article after it.")
        )

    async def stance(self, turn: Turn, name: str, _rest: str) -> Said:
        """Follow, mute, or neither any more. Raises StoreError."""
        update, chat, voice = turn.update, turn.here, turn.voice
        alert = (
            await self._store.alert_of(chat.id, update.reply_to)
            if update.reply_to is not None
            else None
        )
        if alert is None:
            return say(
                voice.say(
                    "Answer an alert with {command}: it is about the story of that alert.",
                    command=name,
                )
            )
        composer = Composer()
        match name:
            case "/follow":
                composer.add(
                    voice.say(
                        "Following. I ring here for all later stories of this storyline, until it has been quiet for 48 hours:"
                    )
                )
                stance: Stance | None = Stance.FOLLOW
            case "/mute":
                composer.add(
                    voice.say(
                        "Muted. Nothing more of this storyline rings here, until it has been quiet for 48 hours:"
                    )
                )
                stance = Stance.MUTE
            case _:
                composer.add(
                    voice.say("This storyline rings here by its words again, like any other:")
                )
                stance = None
        composer.add("\n").add_marked(cut(alert.title, 300), (), "bold", "bold")
        if stance is Stance.FOLLOW and self._grouping(chat.id) is Grouping.LOOSE:
            loose = voice.say(
                "Here one alert is for the whole storyline (/stories loose): its message grows, and it rings only where it had not."
            )
            composer.add(f"\n\n{loose}")
        undo = {Stance.FOLLOW: "/unfollow", Stance.MUTE: "/unmute"}
        if stance:
            composer.add(
                "\n\n"
                + voice.say(
                    "{command} as an answer to the same alert takes it back.", command=undo[stance]
                )
            )
        return Said(composer.message(), (SetStance(alert.storyline_id, stance),))

    async def press(self, turn: Turn, word: str, _rest: str) -> Said:
        """Mute or follow by a button, or take it back. Raises StoreError."""
        update, chat, voice = turn.update, turn.here, turn.voice
        alert = (
            await self._store.alert_of(chat.id, update.reply_to)
            if update.reply_to is not None
            else None
        )
        if alert is None:
            return Said(toast=voice.say("This message is no alert that I remember."))
        wanted = Stance.MUTE if word == Press.MUTE else Stance.FOLLOW
        if alert.stance is wanted:
            text = voice.say("Taken back: this storyline rings here by its words again.")
            return Said(toast=text, changes=(SetStance(alert.storyline_id, None),))
        text = (
            voice.say(
                "Muted: nothing more of this storyline rings here until it has been quiet for 48 hours. Press again to take it back."
            )
            if wanted is Stance.MUTE
            else voice.say(
                "Following: all later stories of this storyline ring here until it has been quiet for 48 hours. Press again to take it back."
            )
        )
        return Said(toast=text, changes=(SetStance(alert.storyline_id, wanted),))

    async def take(self, turn: Turn, _word: str, _rest: str) -> Said:
        """Somebody of a group has the story of an alert, or gives it back; the alert shows who. Raises StoreError."""
        update, voice = turn.update, turn.voice
        alert = (
            await self._store.alert_of(turn.here.id, update.reply_to)
            if update.reply_to is not None
            else None
        )
        if alert is None or update.reply_to is None:
            return Said(toast=voice.say("This message is no alert that I remember."))
        mine = plain(update.user_name) or str(update.user_id)
        if not alert.taken_by:
            return Said(
                toast=voice.say("You have it."), changes=(TakeStory(update.reply_to, mine),)
            )
        if alert.taken_user != update.user_id and not turn.may_change:
            return Said(toast=voice.say("{name} has it.", name=cut(alert.taken_by, 60)))
        return Said(toast=voice.say("It is free again."), changes=(TakeStory(update.reply_to, ""),))


def _told(told: list[ToldStory], now: datetime, voice: Voice) -> Message:
    """A storyline: the story that was asked for article by article, the others by their first."""
    composer = Composer().add(voice.say("Storyline:") + " ").add(summary(told, voice), "bold")
    for story in sorted(told, key=lambda one: not one.asked):
        if composer.length > _TOLD or composer.entities > 80:
            composer.add("\n\n" + voice.say("… and more; `newsbell story` shows all."))
            break
        composer.add("\n\n▶ " if story.asked else "\n\n○ ").add_marked(
            cut(story.title, 200), (), "bold", "bold"
        )
        composer.add("\n").add_marked(who_was_first(story, voice), (), "italic", "italic")
        for line in story.lines[: _LINES if story.asked else 0]:
            entry = line.entry
            link = ("text_link",) if linkable(entry.link) else ()
            lead = voice.say("via {agency}:", agency=entry.agency) + " " if entry.agency else ""
            composer.add(f"\n{voice.time(entry.at, now)} ({later(line.after, voice)}) {lead}")
            composer.add_marked(cut(entry.name, 40), (), "bold", *link, url=entry.link)
            if entry.title != story.title:
                composer.add(" ").add_marked(cut(entry.title, 80), (), "bold")
        if story.asked and len(story.lines) > _LINES:
            composer.add(
                "\n"
                + voice.count(
                    "… and {number} more.", "… and {number} more.", len(story.lines) - _LINES
                )
            )
    return composer.message()
