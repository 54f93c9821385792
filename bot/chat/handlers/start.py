"""The first minute: greeting, a topic to follow, starter packs, links that let in or share. Feeds of people are `feeds`' matter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.chat.access import Access, Deed, admitted
from bot.chat.context import CARET, Still, Turn, in_rows, mistake, number_in, pages, say, show
from bot.chat.handlers.subscriptions import Subscribing, add_newest, forecast_text
from bot.delivery.render import Composer
from bot.errors import QueryError
from bot.i18n.catalog import LANGUAGES, Voice
from bot.model.chat_events import Change, LetIn, Role, Said, Screen, SetRole, SetSettings, UseToken
from bot.model.chats import ChatSettings, Urgency
from bot.model.message import Button, Message
from bot.query.tree import show as as_query
from bot.text.clean import cut

_NAMED = 12  # feeds of a pack that are named


class Start(Still):
    """The commands /start and /help, and links."""

    def __init__(self, subscribing: Subscribing) -> None:
        self._subscribing = subscribing
        self._store = subscribing.store

    def deed(self, screen: Screen, word: str) -> Deed:  # noqa: ARG002 (all of it is the same)
        """All of it leads to a change."""
        return Deed.CHANGE

    async def help(self, turn: Turn, _name: str, _rest: str) -> Said:
        """What there is."""
        return say(help_text(turn.voice))

    async def greet(self, turn: Turn, _name: str, _rest: str) -> Said:
        """The three ways to begin, in the person's language where the chat has none yet."""
        changes: tuple[Change, ...] = ()
        code = turn.update.language.partition("-")[0].lower()
        if (
            turn.here.settings.language is None
            and code in LANGUAGES
            and turn.update.address > 0
            and turn.here.id == turn.chat.id
        ):
            changes = (SetSettings(ChatSettings(language=code)),)
        return replace(self._greeting(turn, Screen("start")), changes=changes)

    def _greeting(self, turn: Turn, screen: Screen, *, edit: bool = False, lead: str = "") -> Said:
        voice = turn.voice
        text = voice.say(
            "I watch news feeds and ring you once for each story that matches what you ask for."
        )
        text = f"{lead or text}\n\n" + voice.say("How shall we begin? /help shows everything.")
        return show(
            Message(text),
            replace(screen, name="start", values={}, expects=""),
            [Button(voice.say("Follow a topic"), "topic")],
            [Button(voice.say("Add a feed"), "site")],
            [Button(voice.say("Starter packs"), "packs")],
            edit=edit,
        )

    async def pressed(self, turn: Turn, screen: Screen, word: str) -> Said:
        """One of the ways, or a step of it. Raises StoreError."""
        voice = turn.voice
        match word.partition(" ")[0]:
            case "begin":
                return self._greeting(turn, screen, edit=True)
            case "topic":
                text = voice.say(
                    "Write the words that matter to you, for example: {example}",
                    example='"air defence" AND (Syria OR Iraq)',
                )
                return show(
                    Message(text),
                    replace(screen, values={}, expects="topic"),
                    [self._back(voice)],
                    edit=True,
                )
            case "site":
                text = voice.say("Paste the address of a site or feed.")
                return show(
                    Message(text),
                    replace(screen, name="feeds", values={}, expects="site"),
                    [self._back(voice)],
                    edit=True,
                )
            case "packs":
                return await self._packs(turn, screen, number_in(word) if "page" in word else 0)
            case "page":
                return await self._packs(turn, screen, number_in(word))
            case "pack":
                return await self._pack(turn, screen, number_in(word))
            case "words" if screen.values.get("tag"):
                text = voice.say(
                    "Write the words that a story of #{tag} must have.", tag=screen.values["tag"]
                )
                return show(
                    Message(text), replace(screen, expects="topic"), [self._back(voice)], edit=True
                )
            case "ring" | "digest" if screen.values.get("query"):
                return await self._take(turn, screen, Urgency.DIGEST if word == "digest" else None)
            case _:
                return Said(toast=voice.say("I do not know this button any more."))

    def _back(self, voice: Voice) -> Button:
        return Button("‹ " + voice.say("Back"), "begin")

    async def _take(self, turn: Turn, screen: Screen, urgency: Urgency | None) -> Said:
        feeds = [str(one) for one in screen.values.get("feeds", ())]
        said = await self._subscribing.subscribed(
            turn, str(screen.values["query"]), feeds=feeds, urgency=urgency
        )
        return replace(said, screen=replace(screen, values={}, expects=""), edit=True)

    async def told(self, turn: Turn, screen: Screen, text: str) -> Said:
        """The words of a topic: what they would have rung, and whether to ring for them. Raises StoreError."""
        feeds = [str(one) for one in screen.values.get("feeds", ())]
        return await self.topic(turn, text, feeds, replace(screen, id=0))

    async def topic(
        self, turn: Turn, text: str, feeds: Sequence[str] = (), screen: Screen | None = None
    ) -> Said:
        """A live look at what a topic would have rung. Raises StoreError."""
        voice = turn.voice
        try:
            _, tree = self._subscribing.read(text)
        except QueryError as error:
            return Said(mistake(error, voice))
        forecast = await self._subscribing.foreseen(tree, feeds)
        composer = Composer().add(cut(as_query(tree), CARET), "code")
        if feeds:
            composer.add("\n" + voice.say("Feeds: {feeds}", feeds=cut(", ".join(feeds), 300)))
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, voice))
            add_newest(composer, forecast, 5)
        values = {"query": text, "feeds": list(feeds)}
        return show(
            composer.message(),
            replace(screen or Screen("start"), name="start", values=values, expects="topic"),
            [
                Button(voice.say("Ring me for this"), "ring"),
                Button(voice.say("As a digest"), "digest"),
            ],
            [self._back(voice)],
        )

    async def unasked(self, turn: Turn, _name: str, text: str) -> Said:
        """A forwarded post, or a link: its topic is offered. Other talk is passed by."""
        update = turn.update
        if not update.forwarded:
            return Said()
        words = _topic_words(text)
        if not words:
            return Said()
        voice = turn.voice
        lead = voice.say(
            "From {name}. Shall I watch its topic? Take these words, or write others:",
            name=cut(update.forwarded, 60),
        )
        composer = Composer().add(f"{lead}\n").add(words, "code")
        screen = Screen("start", {"query": words, "feeds": []}, "topic")
        row = [
            Button(voice.say("Ring me for this"), "ring"),
            Button(voice.say("As a digest"), "digest"),
        ]
        return show(composer.message(), screen, row, [self._back(voice)])

    async def _packs(self, turn: Turn, screen: Screen, page: int) -> Said:
        voice = turn.voice
        tags = await self._tags(turn)
        if not tags:
            text = voice.say("There are no starter packs: the feeds of feeds.yaml have no tags.")
            return show(
                Message(text),
                replace(screen, values={}, expects=""),
                [self._back(voice)],
                edit=True,
            )
        names = list(tags)
        first = page * 8
        buttons = [
            Button(f"#{cut(name, 30)} ({tags[name]})", f"pack {first + at}")
            for at, name in enumerate(names[first : first + 8], 1)
        ]
        text = voice.say("Feeds by subject. Which ones?")
        return show(
            Message(text),
            replace(screen, values={}, expects=""),
            *in_rows(buttons, 2),
            pages(turn, page, len(names)),
            [self._back(voice)],
            edit=True,
        )

    async def _tags(self, turn: Turn) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for feed in await self._store.feeds_of(turn.chat.id):
            for tag in feed.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    async def _pack(self, turn: Turn, screen: Screen, number: int) -> Said:
        voice, tags = turn.voice, list(await self._tags(turn))
        if not 0 < number <= len(tags):
            return Said(toast=voice.say("That list has changed. Open it again."))
        tag = tags[number - 1]
        named = [feed.name for feed in await self._store.feeds_of(turn.chat.id) if tag in feed.tags]
        _, tree = self._subscribing.read("*")
        forecast = await self._subscribing.foreseen(tree, [tag])
        more = f" +{len(named) - _NAMED}" if len(named) > _NAMED else ""
        composer = (
            Composer().add(f"#{tag}", "bold").add(f"\n{cut(', '.join(named[:_NAMED]), 600)}{more}")
        )
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, voice))
        values = {"query": "*", "feeds": [tag], "tag": tag}
        return show(
            composer.message(),
            replace(screen, values=values, expects=""),
            [Button(voice.say("All of it, as a digest"), "digest")],
            [Button(voice.say("Only what mentions …"), "words")],
            [Button("‹ " + voice.say("Back"), "packs")],
            edit=True,
        )

    # Links and coming in.

    async def let_in(self, turn: Turn) -> Said:
        """Somebody, or a group of theirs, begins to use the bot."""
        changes = _entering(turn)
        greeting = await self.greet(turn, "/start", "")
        return replace(greeting, changes=(*changes, *greeting.changes))

    async def opened(
        self,
        turn: Turn,
        token: str,
        purpose: str,
        values: Mapping[str, Any],
        *,
        known: bool,
        access: Access,
    ) -> Said:
        """A link that does something was opened. Raises StoreError."""
        voice = turn.voice
        if purpose == "share":
            return await self._shared(turn, values, known=known, access=access)
        if turn.update.address < 0:
            claim = voice.say("Open the claim link in a private chat with me.")
            return (
                say(claim)
                if purpose == "claim"
                else say(voice.say("Open the invitation in a private chat with me."))
            )
        name = turn.update.user_name or turn.update.title
        if purpose == "claim":
            text = voice.say(
                "Welcome. You are newsbell's operator now, and this chat gets its notices."
            )
            changes: tuple[Change, ...] = (
                UseToken(token),
                SetRole(turn.update.user_id, Role.OWNER, name),
                LetIn(operator=True),
            )
            return replace(
                self._greeting(turn, Screen("start"), lead=text),
                changes=(*changes, *_speaking(turn)),
            )
        if (
            not admitted(access, turn.person.role, invited=access is not Access.PRIVATE)
            and not known
        ):
            return say(
                voice.say("This newsbell takes no invitations at present. Ask whoever sent it.")
            )
        if known:
            return await self.greet(turn, "/start", "")
        changes = (UseToken(token), *_entering(turn))
        return replace(self._greeting(turn, Screen("start")), changes=(*changes, *_speaking(turn)))

    async def welcome(self, turn: Turn) -> Said:
        """A link that nobody knows, opened by who is let in."""
        return await self.greet(turn, "/start", "")

    async def _shared(
        self, turn: Turn, values: Mapping[str, Any], *, known: bool, access: Access
    ) -> Said:
        """A shared query subscribes in one tap."""
        changes: tuple[Change, ...] = ()
        if not known:
            if not admitted(access, turn.person.role) or (
                turn.update.address < 0 and not turn.may_change
            ):
                return say(
                    turn.voice.say("This newsbell serves only chats that its operator lets in.")
                )
            changes = (*_entering(turn), *_speaking(turn))
        elif turn.update.address < 0 and not turn.may_change:
            return say(
                turn.voice.say("Only administrators of this chat can change what rings here.")
            )
        said = await self._subscribing.subscribed(
            turn, str(values["query"]), feeds=[str(one) for one in values.get("feeds", ())]
        )
        return replace(said, changes=(*changes, *said.changes))


def _entering(turn: Turn) -> tuple[Change, ...]:
    """The chat is let in, and with it who nobody knew; who operates this newsbell goes on to."""
    if turn.person.role is not Role.STRANGER or not turn.person.user_id:
        return (LetIn(),)
    return LetIn(), SetRole(
        turn.person.user_id, Role.USER, turn.update.user_name or turn.update.title
    )


def _speaking(turn: Turn) -> tuple[Change, ...]:
    code = turn.update.language.partition("-")[0].lower()
    return (SetSettings(ChatSettings(language=code)),) if code in LANGUAGES else ()


def _topic_words(text: str) -> str:
    """The names of a post as a query: its capitalised and long words, at most four; empty for none."""
    first = text.strip().partition("\n")[0]
    words = [word.strip(".,:;!?«»“”\"'()[]…–—") for word in first.split()]
    told = [word for word in words if len(word) > 3 and word.isalpha()]
    chosen = sorted(dict.fromkeys(told), key=lambda word: (not word[:1].isupper(), -len(word)))[:3]
    return " ".join(
        f'"{word}"' if word.upper() in {"AND", "NOT", "NEAR"} else word
        for word in told
        if word in chosen
    )


def help_text(voice: Voice) -> str:
    """All commands, each with what it does."""
    lines = (
        (
            "/subscribe QUERY",
            voice.say(
                'ring here for stories with these words: words, "exact phrases", AND, OR, NOT, (…), ~names, word*'
            ),
        ),
        (
            "/subscribe publishers:2 or_after:30m QUERY",
            voice.say("when two independent publishers carry it, or after half an hour"),
        ),
        ("/test QUERY", voice.say("what it would have rung this week")),
        ("/search QUERY", voice.say("stored articles that match")),
        ("/trend QUERY", voice.say("a picture of how much was told of it")),
        ("/subscriptions", voice.say("what rings here: pause, change, share, delete")),
        ("/unsubscribe NUMBER", voice.say("stop one")),
        ("/feeds", voice.say("what is watched, and whether it is well")),
        ("/addfeed ADDRESS", voice.say("watch a site for this chat")),
        ("/removefeed NAME", voice.say("watch it no longer")),
        ("/import", voice.say("feeds from another reader: send its OPML file")),
        ("/export", voice.say("the feeds as OPML, the subscriptions as feeds.yaml")),
        ("/settings", voice.say("language, time zone, quiet hours, digests")),
        ("/language", voice.say("the language I speak here")),
        (
            "/story",
            voice.say("as an answer to an alert: all who carry the story, in order of time"),
        ),
        (
            "/follow, /mute",
            voice.say(
                "as an answer to an alert: ring for all that comes of it, or for nothing more of it"
            ),
        ),
        (
            "/why",
            voice.say(
                "as an answer to an alert, or with an address: why an article rang here, or why it did not"
            ),
        ),
        ("/stories", voice.say("how much belongs to one alert")),
        ("/channels", voice.say("link a channel and act for it from here")),
        ("/status", voice.say("whether the feeds are well")),
        ("/cancel", voice.say("leave what we were at")),
        ("/help", voice.say("this text")),
    )
    lead = voice.say(
        "I watch news feeds and ring you once for each story that matches what you ask for."
    )
    return f"{lead}\n\n" + "\n".join(f"{command} - {text}" for command, text in lines)
