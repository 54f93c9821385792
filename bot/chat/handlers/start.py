"""The first minute: greeting, a topic to follow, starter packs, links that let in or share. Feeds of people are `feeds`' matter."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.chat.access import Access, Permission, admitted
from bot.chat.context import (
    CARET,
    Context,
    StaticScreen,
    in_rows,
    mistake,
    number_in,
    pages,
    say,
    show,
)
from bot.chat.handlers.subscriptions import Subscribing, add_newest, forecast_text
from bot.delivery.render import Composer
from bot.errors import QueryError
from bot.i18n.catalog import LANGUAGES, Translator
from bot.model.chat_events import (
    AllowChat,
    Change,
    Reply,
    Role,
    Screen,
    SetRole,
    SetSettings,
    UseToken,
)
from bot.model.chats import ChatSettings, TokenPurpose, Urgency
from bot.model.message import Button, Message
from bot.query.tree import show as as_query
from bot.text.clean import cut

_NAMED = 12  # feeds of a pack that are named


class Start(StaticScreen):
    """The commands /start and /help, and links."""

    def __init__(self, subscribing: Subscribing) -> None:
        self._subscribing = subscribing
        self._store = subscribing.store

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (all of it is the same)
        """All of it leads to a change."""
        return Permission.CHANGE

    async def help(self, context: Context, _name: str, _rest: str) -> Reply:
        """What there is."""
        return say(help_text(context.translator))

    async def greet(self, context: Context, _name: str, _rest: str) -> Reply:
        """The three ways to begin, in the person's language where the chat has none yet."""
        changes: tuple[Change, ...] = ()
        code = context.update.language.partition("-")[0].lower()
        if (
            context.here.settings.language is None
            and code in LANGUAGES
            and context.update.address > 0
            and context.here.id == context.chat.id
        ):
            changes = (SetSettings(ChatSettings(language=code)),)
        return replace(self._greeting(context, Screen("start")), changes=changes)

    def _greeting(
        self, context: Context, screen: Screen, *, edit: bool = False, lead: str = ""
    ) -> Reply:
        translator = context.translator
        text = translator.gettext(
            "I watch news feeds and alert you once per story that matches your search."
        )
        text = f"{lead or text}\n\n" + translator.gettext(
            "What would you like to do first? All commands: /help"
        )
        return show(
            Message(text),
            replace(screen, name="start", values={}, expects=""),
            [Button(translator.gettext("Follow a topic"), "topic")],
            [Button(translator.gettext("Add a feed"), "site")],
            [Button(translator.gettext("Starter packs"), "packs")],
            edit=edit,
        )

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """One of the ways, or a step of it. Raises StoreError."""
        translator = context.translator
        match word.partition(" ")[0]:
            case "begin":
                return self._greeting(context, screen, edit=True)
            case "topic":
                text = translator.gettext(
                    "Send me the words to look for, for example: {example}",
                    example='"air defence" AND (Syria OR Iraq)',
                )
                return show(
                    Message(text),
                    replace(screen, values={}, expects="topic"),
                    [self._back(translator)],
                    edit=True,
                )
            case "site":
                text = translator.gettext("Send the address of a site or feed.")
                return show(
                    Message(text),
                    replace(screen, name="feeds", values={}, expects="site"),
                    [self._back(translator)],
                    edit=True,
                )
            case "packs":
                return await self._packs(context, screen, number_in(word) if "page" in word else 0)
            case "page":
                return await self._packs(context, screen, number_in(word))
            case "pack":
                return await self._pack(context, screen, number_in(word))
            case "words" if screen.values.get("tag"):
                text = translator.gettext(
                    "Send the words that stories from #{tag} must contain.",
                    tag=screen.values["tag"],
                )
                return show(
                    Message(text),
                    replace(screen, expects="topic"),
                    [self._back(translator)],
                    edit=True,
                )
            case "ring" | "digest" if screen.values.get("query"):
                return await self._take(
                    context, screen, Urgency.DIGEST if word == "digest" else None
                )
            case _:
                return Reply(toast=translator.gettext("This button no longer works."))

    def _back(self, translator: Translator) -> Button:
        return Button("‹ " + translator.gettext("Back"), "begin")

    async def _take(self, context: Context, screen: Screen, urgency: Urgency | None) -> Reply:
        feeds = [str(one) for one in screen.values.get("feeds", ())]
        reply = await self._subscribing.subscribed(
            context, str(screen.values["query"]), feeds=feeds, urgency=urgency
        )
        return replace(reply, screen=replace(screen, values={}, expects=""), edit=True)

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """The words of a topic: what they would have rung, and whether to ring for them. Raises StoreError."""
        feeds = [str(one) for one in screen.values.get("feeds", ())]
        return await self.topic(context, text, feeds, replace(screen, id=0))

    async def topic(
        self, context: Context, text: str, feeds: Sequence[str] = (), screen: Screen | None = None
    ) -> Reply:
        """A live look at what a topic would have rung. Raises StoreError."""
        translator = context.translator
        try:
            _, tree = self._subscribing.read(text)
        except QueryError as error:
            return Reply(mistake(error, translator))
        forecast = await self._subscribing.forecast_for(tree, feeds)
        composer = Composer().add(cut(as_query(tree), CARET), "code")
        if feeds:
            composer.add(
                "\n" + translator.gettext("Feeds: {feeds}", feeds=cut(", ".join(feeds), 300))
            )
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, translator))
            add_newest(composer, forecast, 5)
        values = {"query": text, "feeds": list(feeds)}
        return show(
            composer.message(),
            replace(screen or Screen("start"), name="start", values=values, expects="topic"),
            [
                Button(translator.gettext("Alert me"), "ring"),
                Button(translator.gettext("Add to digest"), "digest"),
            ],
            [self._back(translator)],
        )

    async def unasked(self, context: Context, _name: str, text: str) -> Reply:
        """A forwarded post, or a link: its topic is offered. Other talk is passed by."""
        update = context.update
        if not update.forwarded:
            return Reply()
        words = _topic_words(text)
        if not words:
            return Reply()
        translator = context.translator
        lead = translator.gettext(
            "From {name}. Follow this topic? Use these words, or send others:",
            name=cut(update.forwarded, 60),
        )
        composer = Composer().add(f"{lead}\n").add(words, "code")
        screen = Screen("start", {"query": words, "feeds": []}, "topic")
        row = [
            Button(translator.gettext("Alert me"), "ring"),
            Button(translator.gettext("Add to digest"), "digest"),
        ]
        return show(composer.message(), screen, row, [self._back(translator)])

    async def _packs(self, context: Context, screen: Screen, page: int) -> Reply:
        translator = context.translator
        tags = await self._tags(context)
        if not tags:
            text = translator.gettext(
                "There are no starter packs: the feeds in feeds.yaml have no tags."
            )
            return show(
                Message(text),
                replace(screen, values={}, expects=""),
                [self._back(translator)],
                edit=True,
            )
        names = list(tags)
        first = page * 8
        buttons = [
            Button(f"#{cut(name, 30)} ({tags[name]})", f"pack {first + at}")
            for at, name in enumerate(names[first : first + 8], 1)
        ]
        text = translator.gettext("Feeds by topic. Which ones?")
        return show(
            Message(text),
            replace(screen, values={}, expects=""),
            *in_rows(buttons, 2),
            pages(context, page, len(names)),
            [self._back(translator)],
            edit=True,
        )

    async def _tags(self, context: Context) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for feed in await self._store.feeds_of(context.chat.id):
            for tag in feed.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    async def _pack(self, context: Context, screen: Screen, number: int) -> Reply:
        translator, tags = context.translator, list(await self._tags(context))
        if not 0 < number <= len(tags):
            return Reply(toast=translator.gettext("That list has changed. Open it again."))
        tag = tags[number - 1]
        named = [
            feed.name for feed in await self._store.feeds_of(context.chat.id) if tag in feed.tags
        ]
        _, tree = self._subscribing.read("*")
        forecast = await self._subscribing.forecast_for(tree, [tag])
        more = f" +{len(named) - _NAMED}" if len(named) > _NAMED else ""
        composer = (
            Composer().add(f"#{tag}", "bold").add(f"\n{cut(', '.join(named[:_NAMED]), 600)}{more}")
        )
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, translator))
        values = {"query": "*", "feeds": [tag], "tag": tag}
        return show(
            composer.message(),
            replace(screen, values=values, expects=""),
            [Button(translator.gettext("Everything, in the digest"), "digest")],
            [Button(translator.gettext("Only what mentions …"), "words")],
            [Button("‹ " + translator.gettext("Back"), "packs")],
            edit=True,
        )

    # Links and coming in.

    async def let_in(self, context: Context) -> Reply:
        """Somebody, or a group of theirs, begins to use the bot."""
        changes = _entering(context)
        greeting = await self.greet(context, "/start", "")
        return replace(greeting, changes=(*changes, *greeting.changes))

    async def opened(
        self,
        context: Context,
        token: str,
        purpose: TokenPurpose,
        values: Mapping[str, Any],
        *,
        known: bool,
        access: Access,
    ) -> Reply:
        """A link that does something was opened. Raises StoreError."""
        translator = context.translator
        if purpose is TokenPurpose.SHARE:
            return await self._shared(context, values, known=known, access=access)
        if context.update.address < 0:
            claim = translator.gettext("Open this link in a private chat with me.")
            return (
                say(claim)
                if purpose is TokenPurpose.CLAIM
                else say(translator.gettext("Open the invitation in a private chat with me."))
            )
        name = context.update.user_name or context.update.title
        if purpose is TokenPurpose.CLAIM:
            text = translator.gettext(
                "Welcome. You are now the operator of this bot; its notices come to this chat."
            )
            changes: tuple[Change, ...] = (
                UseToken(token),
                SetRole(context.update.user_id, Role.OWNER, name),
                AllowChat(operator=True),
            )
            return replace(
                self._greeting(context, Screen("start"), lead=text),
                changes=(*changes, *_speaking(context)),
            )
        if (
            not admitted(access, context.person.role, invited=access is not Access.PRIVATE)
            and not known
        ):
            return say(
                translator.gettext(
                    "Invitations are switched off. Ask the person who sent you the link."
                )
            )
        if known:
            return await self.greet(context, "/start", "")
        changes = (UseToken(token), *_entering(context))
        return replace(
            self._greeting(context, Screen("start")), changes=(*changes, *_speaking(context))
        )

    async def welcome(self, context: Context) -> Reply:
        """A link that nobody knows, opened by who is let in."""
        return await self.greet(context, "/start", "")

    async def _shared(
        self, context: Context, values: Mapping[str, Any], *, known: bool, access: Access
    ) -> Reply:
        """A shared query subscribes in one tap."""
        changes: tuple[Change, ...] = ()
        if not known:
            if not admitted(access, context.person.role) or (
                context.update.address < 0 and not context.may_change
            ):
                return say(
                    context.translator.gettext("This bot is private. Ask its operator for access.")
                )
            changes = (*_entering(context), *_speaking(context))
        elif context.update.address < 0 and not context.may_change:
            return say(
                context.translator.gettext(
                    "Only administrators of this chat can change its alerts."
                )
            )
        reply = await self._subscribing.subscribed(
            context, str(values["query"]), feeds=[str(one) for one in values.get("feeds", ())]
        )
        return replace(reply, changes=(*changes, *reply.changes))


def _entering(context: Context) -> tuple[Change, ...]:
    """The chat is let in, and with it who nobody knew; who operates this newsbell goes on to."""
    if context.person.role is not Role.STRANGER or not context.person.user_id:
        return (AllowChat(),)
    return AllowChat(), SetRole(
        context.person.user_id, Role.USER, context.update.user_name or context.update.title
    )


def _speaking(context: Context) -> tuple[Change, ...]:
    code = context.update.language.partition("-")[0].lower()
    return (SetSettings(ChatSettings(language=code)),) if code in LANGUAGES else ()


def _topic_words(text: str) -> str:
    """The names of a post as a query: its capitalised and long words, at most four; empty for none."""
    first = text.strip().partition("\n")[0]
    words = [word.strip(".,:;!?«»“”\"'()[]…–—") for word in first.split()]
    answered = [word for word in words if len(word) > 3 and word.isalpha()]
    chosen = sorted(dict.fromkeys(answered), key=lambda word: (not word[:1].isupper(), -len(word)))[
        :3
    ]
    return " ".join(
        f'"{word}"' if word.upper() in {"AND", "NOT", "NEAR"} else word
        for word in answered
        if word in chosen
    )


def help_text(translator: Translator) -> str:
    """All commands, each with what it does."""
    lines = (
        (
            "/subscribe QUERY",
            translator.gettext(
                'alerts for stories with these words: words, "exact phrases", AND, '
                "OR, NOT, (…), ~names, word*"
            ),
        ),
        (
            "/subscribe publishers:2 or_after:30m QUERY",
            translator.gettext("once two independent publishers report it, or after half an hour"),
        ),
        ("/test QUERY", translator.gettext("try a query on the past week")),
        ("/search QUERY", translator.gettext("search stored articles")),
        ("/trend QUERY", translator.gettext("coverage chart")),
        (
            "/subscriptions",
            translator.gettext("subscriptions in this chat: pause, change, share, delete"),
        ),
        ("/unsubscribe NUMBER", translator.gettext("remove a subscription")),
        ("/feeds", translator.gettext("feeds and their status")),
        ("/addfeed ADDRESS", translator.gettext("add a site for this chat")),
        ("/removefeed NAME", translator.gettext("remove a feed")),
        ("/import", translator.gettext("import feeds from another reader: send its OPML file")),
        ("/export", translator.gettext("export feeds as OPML, subscriptions as feeds.yaml")),
        ("/settings", translator.gettext("language, time zone, quiet hours, digest")),
        ("/language", translator.gettext("language of the bot in this chat")),
        (
            "/story",
            translator.gettext("reply to an alert: who reports the story, in order of time"),
        ),
        (
            "/follow, /mute",
            translator.gettext("reply to an alert: follow or mute its storyline"),
        ),
        (
            "/why",
            translator.gettext(
                "reply to an alert, or with an address: why you were alerted to an article, or not"
            ),
        ),
        ("/stories", translator.gettext("how articles are grouped into alerts")),
        ("/channels", translator.gettext("link a channel and manage it from here")),
        ("/status", translator.gettext("feed status")),
        ("/cancel", translator.gettext("cancel")),
        ("/help", translator.gettext("this text")),
    )
    lead = translator.gettext(
        "I watch news feeds and alert you once per story that matches your search."
    )
    return f"{lead}\n\n" + "\n".join(f"{command} - {text}" for command, text in lines)
