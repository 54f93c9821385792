"""Not for me: what would have avoided an alert, what else that would have hidden, and the change. The proposals are `exclusion`'s."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.chat.access import Permission
from bot.chat.context import CARET, Context, StaticScreen, busy, number_in, show
from bot.delivery.render import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Translator
from bot.model.archive import StoredEntry
from bot.model.chat_events import EditSubscription, RateAlert, Reply, Screen
from bot.model.chats import Subscription
from bot.model.message import Button, Message
from bot.ports import Archive, ChatStore, StoryArchive
from bot.query.parser import Names
from bot.search.exclusions import Proposal, proposals
from bot.text.clean import cut


class Unwanted(StaticScreen):
    """The button under an alert, and its screen."""

    def __init__(
        self,
        store: ChatStore,
        archive: Archive,
        stories: StoryArchive,
        names: Callable[[], Names],
    ) -> None:
        self._store, self._archive, self._stories, self._names = store, archive, stories, names

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (all of it is the same)
        """All of it changes what rings."""
        return Permission.CHANGE

    async def press(self, context: Context, _word: str, _rest: str) -> Reply:
        """Propose what would have avoided it. Raises StoreError."""
        translator, message = context.translator, context.update.reply_to or 0
        alert = await self._store.alert_of(context.here.id, message)
        if alert is None:
            return Reply(toast=translator.gettext("That is not an alert, or it is too old."))
        judged = (RateAlert(message, -1),)
        try:
            facts = await asyncio.to_thread(self._stories.facts, alert.entry_id)
        except StoreError:
            return Reply(toast=busy(translator))
        if facts is None:
            return Reply(
                toast=translator.gettext("This article is no longer stored."), changes=judged
            )
        rang = {
            number
            for one in facts.alerts
            if one.chat_id == context.here.id
            for number in one.subscriptions
        }
        have = await self._store.subscriptions_of(context.here.id)
        mine = next(((one, declared) for one, declared in have if one.id in rang), None)
        if mine is None:
            text = translator.gettext(
                "None of your queries matched this. Mute its storyline, or stop "
                "following it, to get no more of it."
            )
            return Reply(Message(text), judged)
        one, declared = mine
        try:
            found = await asyncio.to_thread(self._propose, one, facts.entry, context)
        except (QueryError, StoreError):
            return Reply(toast=busy(translator), changes=judged)
        return replace(self._proposed(context, one, found, declared=declared), changes=judged)

    def _propose(
        self, one: Subscription, entry: StoredEntry, context: Context
    ) -> tuple[Proposal, ...]:
        return proposals(
            one.query, entry, self._archive, self._names(), context.now, feeds=one.feeds
        )

    def _proposed(
        self, context: Context, one: Subscription, found: tuple[Proposal, ...], *, declared: bool
    ) -> Reply:
        translator = context.translator
        if not found:
            text = translator.gettext(
                "I found no exclusion that would stop only this alert. The Mute "
                "button silences its whole storyline."
            )
            return Reply(Message(text))
        composer = Composer().add(
            translator.gettext(
                "It matched “{name}”. Exclude one of these to avoid such alerts:",
                name=cut(one.name, 100),
            )
        )
        for number, proposal in enumerate(found, 1):
            composer.add(f"\n\n{number}. ").add(proposal.added, "code").add(
                f"\n{_cost(proposal, translator)}"
            )
            for title in proposal.examples:
                composer.add("\n   – ").add_marked(cut(title, 100), (), "bold")
        if declared:
            composer.add(
                "\n\n"
                + translator.gettext(
                    "This subscription is set in feeds.yaml; edit its query there."
                )
            )
            return Reply(composer.message())
        values = {
            "id": one.id,
            "query": one.query,
            "queries": [proposal.query for proposal in found],
        }
        row = [Button(str(number), f"take {number}") for number in range(1, len(found) + 1)]
        return show(
            composer.message(),
            Screen("unwanted", values),
            row,
            [Button(translator.gettext("Keep"), "no")],
        )

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """Take one of them. Raises StoreError."""
        translator, queries = context.translator, list(screen.values.get("queries", ()))
        done = replace(screen, values={})
        if word == "no":
            return show(Message(translator.gettext("Nothing changed.")), done, edit=True)
        number = number_in(word)
        if not 0 < number <= len(queries):
            return Reply(toast=translator.gettext("This button no longer works."))
        have = {one.id: one.query for one, _ in await self._store.subscriptions_of(context.chat.id)}
        number_of = int(screen.values["id"])
        if number_of not in have or have[number_of] != screen.values.get("query", have[number_of]):
            return Reply(toast=translator.gettext("That list has changed. Open it again."))
        query = str(queries[number - 1])
        composer = (
            Composer()
            .add(translator.gettext("Changed. New query:") + "\n")
            .add(cut(query, CARET), "code")
        )
        reply = show(composer.message(), done, edit=True)
        return replace(reply, changes=(EditSubscription(number_of, query=query),))


def _cost(proposal: Proposal, translator: Translator) -> str:
    if not proposal.hidden:
        return translator.gettext("It would have hidden no other alert of the last week.")
    return translator.ngettext(
        "It would also have hidden {number} story of the last week:",
        "It would also have hidden {number} stories of the last week:",
        proposal.hidden,
    )
