"""Why an article alerted a chat, or did not. The reasons themselves are `search.explain`'s."""

from collections.abc import Sequence

from bot.chat.context import Context, text_reply, time_format
from bot.chat.replies import archive_unavailable
from bot.chat.services import SearchService
from bot.delivery.composer import Composer
from bot.errors import StoreError
from bot.i18n.catalog import Translator
from bot.model.chat_events import Reply
from bot.model.message import Message
from bot.ports import ChatStore
from bot.search.explain import (
    AlertExplanation,
    describe_entry,
    explain_unknown,
)
from bot.search.found import more_found
from bot.search.timeline import summary, timeline, who_was_first
from bot.text.clean import cut, plain

_LENGTH = 3400  # characters after which no further subscription is explained


class Explanations:
    """The button Why under an alert, and the command /why."""

    def __init__(self, store: ChatStore, search: SearchService) -> None:
        self._store, self._search = store, search

    async def press(self, context: Context) -> Reply:
        """Explain the alert whose button was pressed. Raises StoreError."""
        return Reply(await self._explain_alert(context, context.update.reply_to or 0))

    async def why(self, context: Context, text: str) -> Reply:
        """/why: explain the alert that is replied to, or an article. Raises StoreError."""
        message_id = context.update.reply_to
        if not text and message_id is not None:
            return Reply(await self._explain_alert(context, message_id))
        return await self._explain_text(context, text)

    async def _explain_alert(self, context: Context, message_id: int) -> Message:
        alert = await self._store.alert_of(context.current_chat.id, message_id)
        if alert is None:
            text = context.translator.gettext("That is not an alert, or it is too old.")
            return Message(text)
        return await self._explain_entry(context, alert.entry_id)

    async def _explain_text(self, context: Context, text: str) -> Reply:
        translator = context.translator
        if not plain(text):
            return text_reply(
                translator.gettext(
                    "Send /why with the address or headline of an article, or reply to an alert "
                    "with it."
                )
            )
        try:
            found = await self._search.found(text, context.chat.id)
            if not found.entry_id and found.asked.is_link:
                feeds = await self._search.feeds(context.chat.id)
                when = time_format(context)
                unknown = explain_unknown(found.asked.target, feeds, when, translator, in_chat=True)
                return text_reply(cut(unknown, _LENGTH))
        except StoreError:
            return text_reply(archive_unavailable(translator))
        if not found.entry_id:
            return text_reply(
                translator.gettext(
                    "No stored article was found with this headline. Send its address to see which "
                    "feeds could have it."
                )
            )
        more = more_found(found, translator)
        return Reply(await self._explain_entry(context, found.entry_id, more))

    async def _explain_entry(self, context: Context, entry_id: int, more: str = "") -> Message:
        chat, translator, when = context.chat, context.translator, time_format(context)
        try:
            facts = await self._search.facts(entry_id, chat.id)
            storyline = await self._search.storyline(entry_id, chat.id)
            first = await self._search.first_seen(entry_id, chat.id)
            if facts is None:
                return Message(translator.gettext("This article is no longer stored."))
            chats = {chat.id: translator.gettext("This chat")}
            reasons = await self._search.reasons(facts, chats, chat.id, when, translator)
        except StoreError:
            return Message(archive_unavailable(translator))
        known_by = describe_entry(facts, when, "link", translator, first)
        composer = Composer().add_marked(cut(facts.entry.article.title, 300), (), "bold", "bold")
        composer.add("\n").add_marked(cut(known_by, 500), (), "italic", "italic")
        _add_reasons(composer, reasons, translator)
        for story in timeline(storyline, entry_id, translator):
            if story.requested:
                composer.add("\n\n").add_marked(who_was_first(story, translator), (), "italic")
                composer.add(f" {summary([story], translator)}.")
        if more:
            composer.add(f"\n\n{more}")
        return composer.message()


def _add_reasons(
    composer: Composer, reasons: Sequence[AlertExplanation], translator: Translator
) -> None:
    """Add the reasons of subscriptions that match; of all, where none does."""
    matching = [reason for reason in reasons if reason.matches or reason.alerted]
    for reason in matching or reasons:
        if composer.length > _LENGTH:
            composer.add("\n\n" + translator.gettext("… and more."))
            break
        composer.add("\n\n✓ " if reason.matches else "\n\n✗ ")
        composer.add_marked(cut(reason.subscription, 100), (), "bold", "bold")
        composer.add("\n").add_marked(cut(reason.text, 700), (), "italic")
    if not reasons:
        none = translator.gettext("No subscriptions here yet. Add one: /subscribe QUERY")
        composer.add(f"\n\n{none}")
