"""Not for me: what would have avoided an alert, what else that would have hidden, and the change. The proposals are `exclusion`'s."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from bot.chat.access import Deed
from bot.chat.context import CARET, Still, Turn, busy, number_in, show
from bot.delivery.render import Composer
from bot.errors import QueryError, StoreError
from bot.i18n.catalog import Voice
from bot.model.archive import StoredEntry
from bot.model.chat_events import EditSubscription, Judge, Said, Screen
from bot.model.chats import Subscription
from bot.model.message import Button, Message
from bot.ports import Archive, PeopleStore, StoryArchive
from bot.query.parser import Names
from bot.search.exclusions import Proposal, proposals
from bot.text.clean import cut


class Unwanted(Still):
    """The button under an alert, and its screen."""

    def __init__(
        self,
        store: PeopleStore,
        archive: Archive,
        stories: StoryArchive,
        names: Callable[[], Names],
    ) -> None:
        self._store, self._archive, self._stories, self._names = store, archive, stories, names

    def deed(self, screen: Screen, word: str) -> Deed:  # noqa: ARG002 (all of it is the same)
        """All of it changes what rings."""
        return Deed.CHANGE

    async def press(self, turn: Turn, _word: str, _rest: str) -> Said:
        """Propose what would have avoided it. Raises StoreError."""
        voice, message = turn.voice, turn.update.reply_to or 0
        alert = await self._store.alert_of(turn.here.id, message)
        if alert is None:
            return Said(toast=voice.say("This message is no alert that I remember."))
        judged = (Judge(message, -1),)
        try:
            facts = await asyncio.to_thread(self._stories.facts, alert.entry_id)
        except StoreError:
            return Said(toast=busy(voice))
        if facts is None:
            return Said(toast=voice.say("This article is forgotten by now."), changes=judged)
        rang = {
            number
            for one in facts.alerts
            if one.chat_id == turn.here.id
            for number in one.subscriptions
        }
        have = await self._store.subscriptions_of(turn.here.id)
        mine = next(((one, declared) for one, declared in have if one.id in rang), None)
        if mine is None:
            text = voice.say(
                "No words rang this: mute the storyline, or stop following it, to hear no more of it."
            )
            return Said(Message(text), judged)
        one, declared = mine
        try:
            found = await asyncio.to_thread(self._propose, one, facts.entry, turn)
        except (QueryError, StoreError):
            return Said(toast=busy(voice), changes=judged)
        return replace(self._proposed(turn, one, found, declared=declared), changes=judged)

    def _propose(self, one: Subscription, entry: StoredEntry, turn: Turn) -> tuple[Proposal, ...]:
        return proposals(one.query, entry, self._archive, self._names(), turn.now, feeds=one.feeds)

    def _proposed(
        self, turn: Turn, one: Subscription, found: tuple[Proposal, ...], *, declared: bool
    ) -> Said:
        voice = turn.voice
        if not found:
            text = voice.say(
                "I find nothing that would have kept it away and left the rest. The button Mute silences its storyline."
            )
            return Said(Message(text))
        composer = Composer().add(
            voice.say("It rang for {name}. What would have avoided it:", name=cut(one.name, 100))
        )
        for number, proposal in enumerate(found, 1):
            composer.add(f"\n\n{number}. ").add(proposal.added, "code").add(
                f"\n{_cost(proposal, voice)}"
            )
            for title in proposal.examples:
                composer.add("\n   – ").add_marked(cut(title, 100), (), "bold")
        if declared:
            composer.add(
                "\n\n"
                + voice.say("This subscription stands in feeds.yaml: change its query there.")
            )
            return Said(composer.message())
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
            [Button(voice.say("Leave as it is"), "no")],
        )

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """Take one of them. Raises StoreError."""
        voice, queries = turn.voice, list(screen.values.get("queries", ()))
        done = replace(screen, values={})
        if word == "no":
            return show(Message(voice.say("Nothing changed.")), done, edit=True)
        number = number_in(word)
        if not 0 < number <= len(queries):
            return Said(toast=voice.say("I do not know this button any more."))
        have = {one.id: one.query for one, _ in await self._store.subscriptions_of(turn.chat.id)}
        number_of = int(screen.values["id"])
        if number_of not in have or have[number_of] != screen.values.get("query", have[number_of]):
            return Said(toast=voice.say("That list has changed. Open it again."))
        query = str(queries[number - 1])
        composer = (
            Composer()
            .add(voice.say("Changed. The query is now:") + "\n")
            .add(cut(query, CARET), "code")
        )
        said = show(composer.message(), done, edit=True)
        return replace(said, changes=(EditSubscription(number_of, query=query),))


def _cost(proposal: Proposal, voice: Voice) -> str:
    if not proposal.hidden:
        return voice.say("It would have hidden nothing else in the last week.")
    return voice.count(
        "In the last week it would also have hidden {number} story:",
        "In the last week it would also have hidden {number} stories:",
        proposal.hidden,
    )
