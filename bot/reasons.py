"""Why an article rang a chat, or did not, as an answer in that chat. Part of the actions; the reasons themselves are `why`'s."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from bot import why
from bot.errors import QueryError, StoreError
from bot.keys import keys_meant
from bot.model.archive import EntryFacts
from bot.model.chats import Chat, Message, Subscription
from bot.ports import Clock, PeopleStore, StoryArchive
from bot.query.parser import Names, parse
from bot.render import Composer, local_time
from bot.text.clean import cut, plain
from bot.timeline import summary, timeline, who_was_first

_MOST = 3400  # characters after which no further subscription is spoken of
_HERE = "this chat"
_BUSY = "The stored articles cannot be read now; try again in a minute."


class Reasons:
    """Answers the button Why and the command /why."""

    def __init__(self, store: PeopleStore, archive: StoryArchive, names: Callable[[], Names], clock: Clock, zone: Callable[[], tzinfo]) -> None:
        self._store, self._archive, self._names, self._clock, self._zone = store, archive, names, clock, zone

    async def of_alert(self, chat: Chat, message_id: int) -> Message:
        """Why the alert in this message rang. Raises StoreError where the chat's own data cannot be read."""
        alert = await self._store.alert_of(chat.id, message_id)
        if alert is None:
            return Message("This message is no alert that I remember.")
        return await self._of_entry(chat, alert.entry_id)

    async def of_text(self, chat: Chat, text: str) -> Message:
        """Why the article with this address or headline rang here, or why it did not come."""
        text = plain(text)
        if not text:
            return Message("Write the address or the headline of an article after /why, or answer an alert with it.")
        try:
            number = await asyncio.to_thread(self._archive.entry_at, *keys_meant(text))
            if not number and "://" in text:
                feeds = await asyncio.to_thread(self._archive.feeds)
                return Message(cut(why.unknown(text, feeds, self._when), _MOST))
        except StoreError:
            return Message(_BUSY)
        if not number:
            return Message("No stored article has this headline. With its address I can say which feeds could have shown it.")
        return await self._of_entry(chat, number)

    async def _of_entry(self, chat: Chat, number: int) -> Message:
        held = [self._held(one.query, one) for one, _ in await self._store.subscriptions_of(chat.id)]
        try:
            facts = await asyncio.to_thread(self._archive.facts, number)
            told = timeline(await asyncio.to_thread(self._archive.storyline, number), number)
        except StoreError:
            return Message(_BUSY)
        if facts is None:
            return Message("This article is forgotten by now.")
        reasons = why.of_entry(facts, held, {chat.id: (_HERE, chat.paused)}, self._when)
        composer = Composer().add_marked(cut(facts.entry.article.title, 300), (), "bold", "bold")
        composer.add("\n").add_marked(cut(why.known(facts, self._when, "link"), 500), (), "italic", "italic")
        _add_reasons(composer, reasons, facts, chat)
        for story in (one for one in told if one.asked):
            composer.add("\n\n").add_marked(who_was_first(story), (), "italic").add(f" {summary([story])}.")
        return composer.message()

    def _held(self, query: str, subscription: Subscription) -> why.Held:
        try:
            return why.Held(subscription, parse(query, self._names()))
        except QueryError as error:
            return why.Held(subscription, None, error.message)

    def _when(self, moment: datetime) -> str:
        return f"at {local_time(moment, self._clock.now(), self._zone())}"


def _add_reasons(composer: Composer, reasons: Sequence[why.Reason], facts: EntryFacts, chat: Chat) -> None:
    """Those that match; where none does, why each does not."""
    matching = [one for one in reasons if one.matches or one.rang]
    if not matching and any(alert.chat_id == chat.id for alert in facts.alerts):
        composer.add("\n\nNo words matched: this chat follows the storyline, or another article of the story rang it.")
    for one in matching or reasons:
        if composer.length > _MOST:
            composer.add("\n\n… and more.")
            break
        composer.add("\n\n✓ " if one.matches else "\n\n✗ ").add_marked(cut(one.subscription, 100), (), "bold", "bold")
        composer.add("\n").add_marked(cut(one.text, 700), (), "italic")
    if not reasons:
        composer.add("\n\nNothing rings here yet. /subscribe QUERY changes that.")
