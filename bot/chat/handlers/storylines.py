"""What people do about a storyline in a chat: look at it, follow it, mute it, choose how much one alert is for. Part of the actions."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from bot.chat.context import Context, busy, say
from bot.chat.handlers.settings import stories
from bot.delivery.render import Composer, linkable
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.alerts import Stance
from bot.model.chat_events import AssignStory, Press, Reply, SetStance
from bot.model.message import Message
from bot.model.stories import Grouping
from bot.parse.entry_keys import keys_in_text
from bot.ports import ChatStore, StoryArchive
from bot.search.timeline import TimelineStory, format_delay, summary, timeline, who_was_first
from bot.text.clean import cut, plain

_TOLD = 3000  # characters of a storyline after which no further story is told
_LINES = 20  # articles of the story that was asked for


class Storylines:
    """The commands about stories and storylines."""

    def __init__(
        self, store: ChatStore, archive: StoryArchive, grouping: Callable[[int], Grouping]
    ) -> None:
        self._store, self._stories, self._grouping = store, archive, grouping

    async def levels(self, context: Context, _name: str, rest: str) -> Reply:
        """How much belongs to one alert."""
        return stories(context, rest, self._grouping(context.chat.id))

    async def story(self, context: Context, _name: str, rest: str) -> Reply:
        """All who carry a story. Raises StoreError."""
        return Reply(await self._story(context, rest))

    async def _story(self, context: Context, rest: str) -> Message:
        update, chat, translator = context.update, context.here, context.translator
        number = 0
        try:
            if rest:
                number = await asyncio.to_thread(self._stories.entry_at, *keys_in_text(plain(rest)))
            elif update.reply_to is not None and (
                alert := await self._store.alert_of(chat.id, update.reply_to)
            ):
                number = alert.entry_id
            answered = (
                timeline(
                    await asyncio.to_thread(self._stories.storyline, number), number, translator
                )
                if number
                else []
            )
        except StoreError:
            return Message(busy(translator))
        if answered:
            return _told(answered, context.now, translator)
        if rest:
            return Message(translator.gettext("No stored article has this address or headline."))
        return Message(
            translator.gettext("Reply to an alert with /story, or send /story and a link.")
        )

    async def stance(self, context: Context, name: str, _rest: str) -> Reply:
        """Follow, mute, or neither any more. Raises StoreError."""
        update, chat, translator = context.update, context.here, context.translator
        alert = (
            await self._store.alert_of(chat.id, update.reply_to)
            if update.reply_to is not None
            else None
        )
        if alert is None:
            return say(
                translator.gettext(
                    "Reply to an alert with {command}; it applies to the story of that alert.",
                    command=name,
                )
            )
        composer = Composer()
        match name:
            case "/follow":
                composer.add(
                    translator.gettext(
                        "Following. You are alerted to all later stories of this "
                        "storyline, until it has been quiet for 48 hours:"
                    )
                )
                stance: Stance | None = Stance.FOLLOW
            case "/mute":
                composer.add(
                    translator.gettext(
                        "Muted. No more alerts for this storyline here, until it has been "
                        "quiet for 48 hours:"
                    )
                )
                stance = Stance.MUTE
            case _:
                composer.add(
                    translator.gettext(
                        "Back to normal. You are alerted to this storyline only where it "
                        "matches a subscription:"
                    )
                )
                stance = None
        composer.add("\n").add_marked(cut(alert.title, 300), (), "bold", "bold")
        if stance is Stance.FOLLOW and self._grouping(chat.id) is Grouping.LOOSE:
            loose = translator.gettext(
                "Here one message covers the whole storyline (/stories loose). It "
                "is updated as the story goes on; a new alert comes only if there "
                "was none before."
            )
            composer.add(f"\n\n{loose}")
        undo = {Stance.FOLLOW: "/unfollow", Stance.MUTE: "/unmute"}
        if stance:
            composer.add(
                "\n\n"
                + translator.gettext(
                    "To undo, reply to the same alert with {command}.", command=undo[stance]
                )
            )
        return Reply(composer.message(), (SetStance(alert.storyline_id, stance),))

    async def press(self, context: Context, word: str, _rest: str) -> Reply:
        """Mute or follow by a button, or take it back. Raises StoreError."""
        update, chat, translator = context.update, context.here, context.translator
        alert = (
            await self._store.alert_of(chat.id, update.reply_to)
            if update.reply_to is not None
            else None
        )
        if alert is None:
            return Reply(toast=translator.gettext("That is not an alert, or it is too old."))
        wanted = Stance.MUTE if word == Press.MUTE else Stance.FOLLOW
        if alert.stance is wanted:
            text = translator.gettext("Taken back: this storyline rings here by its words again.")
            return Reply(toast=text, changes=(SetStance(alert.storyline_id, None),))
        text = (
            translator.gettext(
                "Muted until this storyline has been quiet for 48 hours. Tap again to undo."
            )
            if wanted is Stance.MUTE
            else translator.gettext(
                "Following this storyline until it has been quiet for 48 hours. Tap again to undo."
            )
        )
        return Reply(toast=text, changes=(SetStance(alert.storyline_id, wanted),))

    async def take(self, context: Context, _word: str, _rest: str) -> Reply:
        """Somebody of a group has the story of an alert, or gives it back; the alert shows who. Raises StoreError."""
        update, translator = context.update, context.translator
        alert = (
            await self._store.alert_of(context.here.id, update.reply_to)
            if update.reply_to is not None
            else None
        )
        if alert is None or update.reply_to is None:
            return Reply(toast=translator.gettext("That is not an alert, or it is too old."))
        mine = plain(update.user_name) or str(update.user_id)
        if not alert.taken_by:
            return Reply(
                toast=translator.gettext("It's yours."),
                changes=(AssignStory(update.reply_to, mine),),
            )
        if alert.taken_user != update.user_id and not context.may_change:
            return Reply(toast=translator.gettext("{name} is on it.", name=cut(alert.taken_by, 60)))
        return Reply(
            toast=translator.gettext("Released."),
            changes=(AssignStory(update.reply_to, ""),),
        )


def _told(answered: list[TimelineStory], now: datetime, translator: Translator) -> Message:
    """A storyline: the story that was asked for article by article, the others by their first."""
    composer = (
        Composer()
        .add(translator.gettext("Storyline:") + " ")
        .add(summary(answered, translator), "bold")
    )
    for story in sorted(answered, key=lambda one: not one.requested):
        if composer.length > _TOLD or composer.entities > 80:
            composer.add("\n\n" + translator.gettext("… and more; `newsbell story` lists all."))
            break
        composer.add("\n\n▶ " if story.requested else "\n\n○ ").add_marked(
            cut(story.title, 200), (), "bold", "bold"
        )
        composer.add("\n").add_marked(who_was_first(story, translator), (), "italic", "italic")
        for line in story.entries[: _LINES if story.requested else 0]:
            entry = line.entry
            link = ("text_link",) if linkable(entry.link) else ()
            lead = (
                translator.gettext("via {agency}:", agency=entry.agency) + " "
                if entry.agency
                else ""
            )
            composer.add(
                f"\n{translator.time(entry.at, now)} ({format_delay(line.delay, translator)}) {lead}"
            )
            composer.add_marked(cut(entry.name, 40), (), "bold", *link, url=entry.link)
            if entry.title != story.title:
                composer.add(" ").add_marked(cut(entry.title, 80), (), "bold")
        if story.requested and len(story.entries) > _LINES:
            composer.add(
                "\n"
                + translator.ngettext(
                    "… and {number} more", "… and {number} more", len(story.entries) - _LINES
                )
            )
    return composer.message()
