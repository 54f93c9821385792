"""Why an article rang a chat, or did not, as an answer in that chat. Part of the actions; the reasons themselves are `why`'s."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.chat.context import Turn, busy
from bot.delivery.render import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Voice
from bot.model.archive import EntryFacts
from bot.model.chat_events import Said
from bot.model.chats import Chat, Subscription
from bot.model.message import Message
from bot.parse.entry_keys import keys_meant
from bot.ports import PeopleStore, StoryArchive
from bot.query.parser import Names, parse
from bot.search.explain import (
    Held,
    Reason,
    When,
    describe_entry,
    explain_entry,
    explain_unknown,
)
from bot.search.timeline import summary, timeline, who_was_first
from bot.text.clean import cut, plain

_MOST = 3400  # characters after which no further subscription is spoken of


class Reasons:
    """Answers the button Why and the command /why."""

    def __init__(
        self, store: PeopleStore, archive: StoryArchive, names: Callable[[], Names]
    ) -> None:
        self._store, self._archive, self._names = store, archive, names

    async def press(self, turn: Turn, _word: str, _rest: str) -> Said:
        """Why the alert whose button was pressed rang. Raises StoreError where the chat's own data cannot be read."""
        return Said(await self._of_alert(turn, turn.update.reply_to or 0))

    async def command(self, turn: Turn, _name: str, rest: str) -> Said:
        """Why the alert that is answered rang, or why an article did, or did not."""
        if not rest and turn.update.reply_to is not None:
            return Said(await self._of_alert(turn, turn.update.reply_to))
        return Said(await self._of_text(turn, rest))

    async def _of_alert(self, turn: Turn, message_id: int) -> Message:
        alert = await self._store.alert_of(turn.here.id, message_id)
        if alert is None:
            return Message(turn.voice.say("This message is no alert that I remember."))
        return await self._of_entry(turn, alert.entry_id)

    async def _of_text(self, turn: Turn, text: str) -> Message:
        text, voice = plain(text), turn.voice
        if not text:
            return Message(
                voice.say(
                    "Write the address or the headline of an article after /why, or answer an alert with it."
                )
            )
        try:
            number = await asyncio.to_thread(self._archive.entry_at, *keys_meant(text))
            if not number and "://" in text:
                feeds = await asyncio.to_thread(self._archive.feeds)
                return Message(cut(explain_unknown(text, feeds, _when(turn), voice), _MOST))
        except StoreError:
            return Message(busy(voice))
        if not number:
            return Message(
                voice.say(
                    "No stored article has this headline. With its address I can say which feeds could have shown it."
                )
            )
        return await self._of_entry(turn, number)

    async def _of_entry(self, turn: Turn, number: int) -> Message:
        chat, voice, when = turn.chat, turn.voice, _when(turn)
        held = [
            self._held(one.query, one, voice)
            for one, _ in await self._store.subscriptions_of(chat.id)
        ]
        try:
            facts = await asyncio.to_thread(self._archive.facts, number)
            told = timeline(await asyncio.to_thread(self._archive.storyline, number), number, voice)
        except StoreError:
            return Message(busy(voice))
        if facts is None:
            return Message(voice.say("This article is forgotten by now."))
        reasons = explain_entry(
            facts, held, {chat.id: (voice.say("this chat"), chat.paused)}, when, voice
        )
        composer = Composer().add_marked(cut(facts.entry.article.title, 300), (), "bold", "bold")
        composer.add("\n").add_marked(
            cut(describe_entry(facts, when, "link", voice), 500), (), "italic", "italic"
        )
        _add_reasons(composer, reasons, facts, chat, voice)
        for story in (one for one in told if one.asked):
            composer.add("\n\n").add_marked(who_was_first(story, voice), (), "italic").add(
                f" {summary([story], voice)}."
            )
        return composer.message()

    def _held(self, query: str, subscription: Subscription, voice: Voice) -> Held:
        try:
            return Held(subscription, parse(query, self._names()))
        except QueryError as error:
            return Held(subscription, None, error.said(voice.say))


def _when(turn: Turn) -> When:
    def when(moment: datetime) -> str:
        return turn.voice.say("at {time}", time=turn.voice.time(moment, turn.now))

    return when


def _add_reasons(
    composer: Composer, reasons: Sequence[Reason], facts: EntryFacts, chat: Chat, voice: Voice
) -> None:
    """Those that match; where none does, why each does not."""
    matching = [one for one in reasons if one.matches or one.rang]
    if not matching and any(alert.chat_id == chat.id for alert in facts.alerts):
        composer.add(
            "\n\n"
            + voice.say(
                "No words matched: this chat follows the storyline, or another article of the story rang it."
            )
        )
    for one in matching or reasons:
        if composer.length > _MOST:
            composer.add("\n\n" + voice.say("… and more."))
            break
        composer.add("\n\n✓ " if one.matches else "\n\n✗ ").add_marked(
            cut(one.subscription, 100), (), "bold", "bold"
        )
        composer.add("\n").add_marked(cut(one.text, 700), (), "italic")
    if not reasons:
        composer.add("\n\n" + voice.say("Nothing rings here yet. /subscribe QUERY changes that."))
