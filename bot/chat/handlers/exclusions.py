"""Not for me: which exclusions would have avoided an alert, and the change of the query.

Proposals are `search.exclusions`'.
"""

from dataclasses import replace
from enum import StrEnum

from bot.chat.callbacks import Callback, button
from bot.chat.context import CARET, Context, StaticScreen, query_mistake, show
from bot.chat.handlers.subscriber import NAME_LENGTH
from bot.chat.replies import (
    archive_unavailable,
    list_changed,
    not_an_alert,
    unknown_button,
)
from bot.chat.services import SearchService
from bot.delivery.composer import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Translator
from bot.model.archive import EntryFacts, StoredEntry
from bot.model.chat_events import EditSubscription, RateAlert, Reply, Screen
from bot.model.chats import Subscription
from bot.model.message import Message
from bot.ports import ChatStore
from bot.search.exclusions import Proposal, proposals
from bot.text.clean import cut, plain


class ExclusionAction(StrEnum):
    """What the buttons under proposals do."""

    TAKE = "take"  #: value: the number of the proposal
    KEEP = "no"


class Exclusions(StaticScreen):
    """The button "Not for me" under an alert, and its screen."""

    actions = ExclusionAction

    def __init__(self, store: ChatStore, search: SearchService) -> None:
        self._store, self._search = store, search

    async def propose(self, context: Context) -> Reply:
        """Propose what would have avoided an alert. Raises StoreError."""
        translator, message_id = context.translator, context.update.reply_to or 0
        alert = await self._store.alert_of(context.current_chat.id, message_id)
        if alert is None:
            return not_an_alert(context)
        complaint = (RateAlert(message_id, -1),)
        try:
            facts = await self._search.facts(alert.entry_id, context.chat.id)
        except StoreError:
            return Reply(toast=archive_unavailable(translator))
        if facts is None:
            text = translator.gettext("This article is no longer stored.")
            return Reply(toast=text, changes=complaint)
        subscription, declared = await self._matched(context, facts)
        if subscription is None:
            text = translator.gettext(
                "None of your queries matched this. Mute its storyline, or stop following it, to "
                "get no more of it."
            )
            return Reply(Message(text), complaint)
        try:
            entry = facts.entry
            proposed = await self._search.run(lambda: self._proposals(subscription, entry, context))
        except (QueryError, StoreError):
            return Reply(toast=archive_unavailable(translator), changes=complaint)
        reply = _proposal_reply(context, subscription, proposed, declared=declared)
        return replace(reply, changes=complaint)

    async def _matched(
        self, context: Context, facts: EntryFacts
    ) -> tuple[Subscription | None, bool]:
        """Return the subscription that alerted the chat, and whether feeds.yaml declares it."""
        chat_id = context.current_chat.id
        matched = {
            number for alert in facts.alerts if alert.chat_id == chat_id for number in alert.matches
        }
        subscriptions = await self._store.subscriptions_of(chat_id)
        return next((pair for pair in subscriptions if pair[0].id in matched), (None, False))

    def _proposals(
        self, subscription: Subscription, entry: StoredEntry, context: Context
    ) -> tuple[Proposal, ...]:
        return proposals(
            subscription.query,
            entry,
            self._search.archive(context.chat.id),
            self._search.names,
            context.now,
            feeds=subscription.feeds,
        )

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Take a proposal, or keep the query. Raises StoreError."""
        translator, queries = context.translator, list(screen.values.get("queries", ()))
        done = replace(screen, values={})
        if callback.action is ExclusionAction.KEEP:
            return show(Message(translator.gettext("Nothing changed.")), done, edit=True)
        if not 0 < callback.number <= len(queries):
            return unknown_button(context)
        subscriptions = await self._store.subscriptions_of(context.chat.id)
        current = {subscription.id: subscription.query for subscription, _ in subscriptions}
        names = {subscription.id: subscription.name for subscription, _ in subscriptions}
        number = int(screen.values["id"])
        if current.get(number) != screen.values.get("query", current.get(number)):
            return list_changed(context)
        if number not in current:
            return list_changed(context)
        query = str(queries[callback.number - 1])
        try:
            await self._search.parse(query)
        except QueryError as error:  # as where feeds.yaml dropped a list meanwhile
            return Reply(query_mistake(error, translator))
        text = translator.gettext("Changed. New query:")
        composer = Composer().add(f"{text}\n").add(cut(query, CARET), "code")
        reply = show(composer.message(), done, edit=True)
        # Who gave it no name of its own has it called by its query.
        is_named = names[number] != plain(cut(current[number], NAME_LENGTH))
        name = None if is_named else plain(cut(query, NAME_LENGTH))
        return replace(reply, changes=(EditSubscription(number, query=query, name=name),))


def _proposal_reply(
    context: Context,
    subscription: Subscription,
    proposed: tuple[Proposal, ...],
    *,
    declared: bool,
) -> Reply:
    translator = context.translator
    if not proposed:
        text = translator.gettext(
            "I found no exclusion that would stop only this alert. The Mute button silences its "
            "whole storyline."
        )
        return Reply(Message(text))
    lead = translator.gettext(
        "It matched “{name}”. Exclude one of these to avoid such alerts:",
        name=cut(subscription.name, 100),
    )
    composer = Composer().add(lead)
    for number, proposal in enumerate(proposed, 1):
        _add_proposal(composer, number, proposal, translator)
    if declared:
        fixed = translator.gettext("This subscription is set in feeds.yaml; edit its query there.")
        return Reply(composer.add(f"\n\n{fixed}").message())
    values = {
        "id": subscription.id,
        "query": subscription.query,
        "queries": [proposal.query for proposal in proposed],
    }
    numbers = [
        button(str(number), ExclusionAction.TAKE, number) for number in range(1, len(proposed) + 1)
    ]
    keep = button(translator.gettext("Keep"), ExclusionAction.KEEP)
    return show(composer.message(), Screen("unwanted", values), numbers, [keep])


def _add_proposal(
    composer: Composer, number: int, proposal: Proposal, translator: Translator
) -> None:
    composer.add(f"\n\n{number}. ").add(proposal.added, "code")
    composer.add(f"\n{_cost(proposal, translator)}")
    for title in proposal.examples:
        composer.add("\n   – ").add_marked(cut(title, 100), (), "bold")


def _cost(proposal: Proposal, translator: Translator) -> str:
    if not proposal.hidden:
        return translator.gettext("It would have hidden no other alert of the last week.")
    return translator.ngettext(
        "It would also have hidden {number} story of the last week:",
        "It would also have hidden {number} stories of the last week:",
        proposal.hidden,
    )
