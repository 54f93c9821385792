"""Why an article rang a chat, or did not, as an answer in that chat. Part of the actions; the reasons themselves are `why`'s."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from bot.chat.context import Context, busy
from bot.delivery.render import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Translator
from bot.model.archive import EntryFacts
from bot.model.chat_events import Reply
from bot.model.chats import Chat, Subscription
from bot.model.message import Message
from bot.parse.entry_keys import keys_in_text
from bot.ports import ChatStore, StoryArchive
from bot.query.parser import Names, parse
from bot.search.explain import (
    AlertExplanation,
    ParsedSubscription,
    TimeFormat,
    describe_entry,
    explain_entry,
    explain_unknown,
)
from bot.search.timeline import summary, timeline, who_was_first
from bot.text.clean import cut, plain

_MOST = 3400  # characters after which no further subscription is spoken of


class Reasons:
    """Answers the button Why and the command /why."""

    def __init__(self, store: ChatStore, archive: StoryArchive, names: Callable[[], Names]) -> None:
        self._store, self._archive, self._names = store, archive, names

    async def press(self, context: Context, _word: str, _rest: str) -> Reply:
        """Why the alert whose button was pressed rang. Raises StoreError where the chat's own data cannot be read."""
        return Reply(await self._of_alert(context, context.update.reply_to or 0))

    async def command(self, context: Context, _name: str, rest: str) -> Reply:
        """Why the alert that is answered rang, or why an article did, or did not."""
        if not rest and context.update.reply_to is not None:
            return Reply(await self._of_alert(context, context.update.reply_to))
        return Reply(await self._of_text(context, rest))

    async def _of_alert(self, context: Context, message_id: int) -> Message:
        alert = await self._store.alert_of(context.here.id, message_id)
        if alert is None:
            return Message(context.translator.gettext("That is not an alert, or it is too old."))
        return await self._of_entry(context, alert.entry_id)

    async def _of_text(self, context: Context, text: str) -> Message:
        text, translator = plain(text), context.translator
        if not text:
            return Message(
                translator.gettext(
                    "Send /why with the address or headline of an article, or reply to "
                    "an alert with it."
                )
            )
        try:
            number = await asyncio.to_thread(self._archive.entry_at, *keys_in_text(text))
            if not number and "://" in text:
                feeds = await asyncio.to_thread(self._archive.feeds)
                return Message(cut(explain_unknown(text, feeds, _when(context), translator), _MOST))
        except StoreError:
            return Message(busy(translator))
        if not number:
            return Message(
                translator.gettext(
                    "No stored article has this headline. Send its address to see "
                    "which feeds could have carried it."
                )
            )
        return await self._of_entry(context, number)

    async def _of_entry(self, context: Context, number: int) -> Message:
        chat, translator, when = context.chat, context.translator, _when(context)
        held = [
            self._held(one.query, one, translator)
            for one, _ in await self._store.subscriptions_of(chat.id)
        ]
        try:
            facts = await asyncio.to_thread(self._archive.facts, number)
            answered = timeline(
                await asyncio.to_thread(self._archive.storyline, number), number, translator
            )
        except StoreError:
            return Message(busy(translator))
        if facts is None:
            return Message(translator.gettext("This article is no longer stored."))
        reasons = explain_entry(
            facts, held, {chat.id: (translator.gettext("This chat"), chat.paused)}, when, translator
        )
        composer = Composer().add_marked(cut(facts.entry.article.title, 300), (), "bold", "bold")
        composer.add("\n").add_marked(
            cut(describe_entry(facts, when, "link", translator), 500), (), "italic", "italic"
        )
        _add_reasons(composer, reasons, facts, chat, translator)
        for story in (one for one in answered if one.requested):
            composer.add("\n\n").add_marked(who_was_first(story, translator), (), "italic").add(
                f" {summary([story], translator)}."
            )
        return composer.message()

    def _held(
        self, query: str, subscription: Subscription, translator: Translator
    ) -> ParsedSubscription:
        try:
            return ParsedSubscription(subscription, parse(query, self._names()))
        except QueryError as error:
            return ParsedSubscription(subscription, None, error.translated(translator.gettext))


def _when(context: Context) -> TimeFormat:
    def when(moment: datetime) -> str:
        return context.translator.gettext(
            "at {time}", time=context.translator.time(moment, context.now)
        )

    return when


def _add_reasons(
    composer: Composer,
    reasons: Sequence[AlertExplanation],
    facts: EntryFacts,
    chat: Chat,
    translator: Translator,
) -> None:
    """Those that match; where none does, why each does not."""
    matching = [one for one in reasons if one.matches or one.alerted]
    if not matching and any(alert.chat_id == chat.id for alert in facts.alerts):
        composer.add(
            "\n\n"
            + translator.gettext(
                "No words matched: this chat follows the storyline, or was alerted "
                "to another article of the story."
            )
        )
    for one in matching or reasons:
        if composer.length > _MOST:
            composer.add("\n\n" + translator.gettext("… and more."))
            break
        composer.add("\n\n✓ " if one.matches else "\n\n✗ ").add_marked(
            cut(one.subscription, 100), (), "bold", "bold"
        )
        composer.add("\n").add_marked(cut(one.text, 700), (), "italic")
    if not reasons:
        composer.add(
            "\n\n" + translator.gettext("No subscriptions here yet. Add one: /subscribe QUERY")
        )
