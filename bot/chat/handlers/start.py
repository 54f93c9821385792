"""The first minute: greeting, a topic to follow, starter packs, help.

Links and admission are `admission`'s.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from bot.chat.callbacks import Callback, button
from bot.chat.context import (
    CARET,
    Context,
    StaticScreen,
    back_button,
    in_rows,
    language_of,
    page_buttons,
    query_mistake,
    show,
    text_reply,
)
from bot.chat.handlers.subscriber import Subscriber, add_newest, add_warnings
from bot.chat.replies import list_changed, unknown_button
from bot.delivery.composer import Composer
from bot.errors import QueryError
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    Change,
    ExpectedInput,
    Reply,
    Screen,
    ScreenTask,
    SetSettings,
    WrittenMessage,
)
from bot.model.chats import ChatSettings, Urgency
from bot.model.message import Button, Message
from bot.query.tree import show as as_query
from bot.search.forecast_text import forecast_text
from bot.text.channel_link import channel_url
from bot.text.clean import cut

_NAMED = 12  # feeds of a pack that are named
_PACKS = 8  # on a page
_TOPIC_WORDS = 3
_QUERY_WORDS = 12  # more are a sentence
_OPERATORS = frozenset({"AND", "NOT", "NEAR"})


class StartAction(StrEnum):
    """What the buttons of the first screens do."""

    BEGIN = "begin"
    TOPIC = "topic"
    SITE = "site"
    PACKS = "packs"
    PAGE = "page"  #: of packs
    PACK = "pack"  #: value: its number
    WORDS = "words"  #: of a pack
    ALERT = "ring"  #: the word that messages of earlier versions carry
    DIGEST = "digest"
    CHANNEL = "channel"  #: look at the channel that a post came from


_SLOW = frozenset({StartAction.PACK, StartAction.ALERT, StartAction.DIGEST})


class Start(StaticScreen):
    """The commands /start and /help."""

    actions = StartAction

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber, self._store = subscriber, subscriber.store

    def is_slow(self, _screen: Screen, callback: Callback | None) -> bool:
        """Return that words are tried, and that packs and offers are."""
        return callback is None or callback.action in _SLOW

    async def help(self, context: Context, _argument: str) -> Reply:
        """/help: list the commands."""
        return text_reply(help_text(context.translator))

    async def greet(self, context: Context, _argument: str) -> Reply:
        """/start: show three ways to begin, in the person's language where none is set."""
        changes: tuple[Change, ...] = ()
        language = language_of(context.update)
        unset = context.current_chat.settings.language is None
        if unset and language and context.update.private and not context.manages_other:
            changes = (SetSettings(ChatSettings(language=language)),)
        return replace(self.greeting(context), changes=changes)

    def greeting(
        self,
        context: Context,
        screen: Screen | None = None,
        *,
        edit: bool = False,
        lead: str = "",
    ) -> Reply:
        """Return the first screen, under a sentence of its own or `lead`."""
        translator = context.translator
        lead = lead or translator.gettext(
            "I watch news feeds and alert you once per story that matches your search."
        )
        question = translator.gettext("What would you like to do first? All commands: /help")
        return show(
            Message(f"{lead}\n\n{question}"),
            _idle(replace(screen or Screen("start"), name="start")),
            [button(translator.gettext("Follow a topic"), StartAction.TOPIC)],
            [button(translator.gettext("Add a feed"), StartAction.SITE)],
            [button(translator.gettext("Starter packs"), StartAction.PACKS)],
            edit=edit,
        )

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Go one of the ways, or a step of it. Raises StoreError."""
        values = screen.values
        match callback.action:
            case StartAction.BEGIN:
                return self.greeting(context, screen, edit=True)
            case StartAction.TOPIC:
                return _ask_topic(context, screen)
            case StartAction.SITE:
                return _ask_site(context, screen)
            case StartAction.PACKS:
                return await self._packs(context, screen, 0)
            case StartAction.PAGE:
                return await self._packs(context, screen, callback.number)
            case StartAction.PACK:
                return await self._pack(context, screen, callback.number)
            case StartAction.WORDS if values.get("tag"):
                return _ask_words(context, screen)
            case StartAction.ALERT | StartAction.DIGEST as action if values.get("query"):
                urgency = Urgency.DIGEST if action is StartAction.DIGEST else None
                return await self._subscribe(context, screen, urgency)
            case StartAction.CHANNEL if values.get("channel"):
                return _look_at_channel(context, screen)
            case _:
                return unknown_button(context)

    async def _subscribe(self, context: Context, screen: Screen, urgency: Urgency | None) -> Reply:
        reply = await self._subscriber.subscribe(
            context, str(screen.values["query"]), feeds=_feeds(screen), urgency=urgency
        )
        return replace(reply, screen=_idle(screen), edit=True)

    async def read_input(self, context: Context, screen: Screen, text: str) -> Reply:
        """Try the words of a topic, and ask whether to subscribe. Raises StoreError."""
        translator, feeds = context.translator, _feeds(screen)
        try:
            options, tree = await self._subscriber.read(text)
        except QueryError as error:
            return Reply(query_mistake(error, translator))
        forecast = await self._subscriber.forecast(tree, context, options, feeds)
        composer = Composer().add(cut(as_query(tree), CARET), "code")
        if feeds:
            names = ", ".join(await self._subscriber.feed_names(context, feeds))
            line = translator.gettext("Feeds: {feeds}", feeds=cut(names, 300))
            composer.add(f"\n{line}")
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, translator))
            add_newest(composer, forecast, 5)
        add_warnings(composer, tree, translator)
        return _offer_topic(context, replace(screen, id=0), composer, text, feeds)

    async def offer_topic(self, context: Context, text: str) -> Reply:
        """Offer to follow the topic of words, or of a forwarded post. Raises StoreError."""
        update, translator = context.update, context.translator
        author = update.forwarded_from if isinstance(update, WrittenMessage) else ""
        channel = update.forwarded_channel if isinstance(update, WrittenMessage) else ""
        if not author:
            return await self._offer_words(context, text)
        words = _topic_words(text)
        if channel and not words:
            return _offer_channel(context, author, channel)
        if not words:
            return Reply()
        lead = translator.gettext(
            "From {name}. Follow this topic? Use these words, or send others:",
            name=cut(author, 60),
        )
        composer = Composer().add(f"{lead}\n").add(words, "code")
        return _offer_topic(context, Screen("start"), composer, words, (), channel)

    async def _offer_words(self, context: Context, text: str) -> Reply:
        """Offer to follow plain words; of a whole sentence or paragraph, its names."""
        if "://" in text:
            return Reply()
        is_query = len(text.split()) <= _QUERY_WORDS and "\n" not in text.strip()
        if is_query:
            try:
                await self._subscriber.read(text)
            except QueryError as error:
                return Reply(query_mistake(error, context.translator))
        words = text if is_query else _topic_words(text)
        return await self.read_input(context, Screen("start"), words) if words else Reply()

    async def _packs(self, context: Context, screen: Screen, page: int) -> Reply:
        translator, tags = context.translator, await self._tags(context)
        back = [back_button(context, StartAction.BEGIN)]
        if not tags:
            none = translator.gettext(
                "There are no starter packs: the feeds in feeds.yaml have no tags."
            )
            return show(Message(none), _idle(screen), back, edit=True)
        names = list(tags)
        first = page * _PACKS
        buttons = [
            button(f"#{cut(name, 30)} ({tags[name]})", StartAction.PACK, first + number)
            for number, name in enumerate(names[first : first + _PACKS], 1)
        ]
        text = translator.gettext("Feeds by topic. Which ones?")
        pages = page_buttons(context, StartAction.PAGE, page, len(names), _PACKS)
        return show(Message(text), _idle(screen), *in_rows(buttons, 2), pages, back, edit=True)

    async def _tags(self, context: Context) -> Mapping[str, int]:
        """Return the tags of the chat's feeds with the number of feeds, most first."""
        counts: dict[str, int] = {}
        for feed in await self._store.feeds_of(context.chat.id):
            for tag in feed.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    async def _pack(self, context: Context, screen: Screen, number: int) -> Reply:
        translator, tags = context.translator, list(await self._tags(context))
        if not 0 < number <= len(tags):
            return list_changed(context)
        tag = tags[number - 1]
        feeds = await self._store.feeds_of(context.chat.id)
        names = [feed.name for feed in feeds if tag in feed.tags]
        options, tree = await self._subscriber.read("*")
        forecast = await self._subscriber.forecast(tree, context, options, [tag])
        more = f" +{len(names) - _NAMED}" if len(names) > _NAMED else ""
        listed = cut(", ".join(names[:_NAMED]), 600)
        composer = Composer().add(f"#{tag}", "bold").add(f"\n{listed}{more}")
        if forecast:
            composer.add("\n\n" + forecast_text(forecast, translator))
        values = {"query": "*", "feeds": [tag], "tag": tag}
        return show(
            composer.message(),
            replace(screen, values=values, expects=ExpectedInput.NOTHING),
            [button(translator.gettext("Everything, in the digest"), StartAction.DIGEST)],
            [button(translator.gettext("Only what mentions …"), StartAction.WORDS)],
            [back_button(context, StartAction.PACKS)],
            edit=True,
        )


def _idle(screen: Screen) -> Screen:
    return replace(screen, values={}, expects=ExpectedInput.NOTHING)


def _feeds(screen: Screen) -> list[str]:
    return [str(selector) for selector in screen.values.get("feeds", ())]


def _ask_topic(context: Context, screen: Screen) -> Reply:
    text = context.translator.gettext(
        "Send me the words to look for, for example: {example}",
        example='"air defence" AND (Syria OR Iraq)',
    )
    waiting = replace(screen, values={}, expects=ExpectedInput.TOPIC)
    return show(Message(text), waiting, [back_button(context, StartAction.BEGIN)], edit=True)


def _ask_site(context: Context, screen: Screen) -> Reply:
    text = context.translator.gettext("Send the address of a site or feed.")
    waiting = replace(screen, name="feeds", values={}, expects=ExpectedInput.SITE)
    return show(Message(text), waiting, [back_button(context, StartAction.BEGIN)], edit=True)


def _ask_words(context: Context, screen: Screen) -> Reply:
    text = context.translator.gettext(
        "Send the words that stories from #{tag} must contain.", tag=screen.values["tag"]
    )
    waiting = replace(screen, expects=ExpectedInput.TOPIC)
    return show(Message(text), waiting, [back_button(context, StartAction.BEGIN)], edit=True)


def _offer_topic(
    context: Context,
    screen: Screen,
    composer: Composer,
    query: str,
    feeds: Sequence[str],
    channel: str = "",
) -> Reply:
    """Ask whether to subscribe to a topic; other words may be sent instead.

    `channel` is the one that a post came from: it can be followed instead.
    """
    values: dict[str, Any] = {"query": query, "feeds": list(feeds)}
    if channel:
        values["channel"] = channel
    offered = replace(screen, name="start", values=values, expects=ExpectedInput.TOPIC)
    back = [back_button(context, StartAction.BEGIN)]
    follow = [_channel_button(context, channel)] if channel else []
    return show(composer.message(), offered, _subscribe_buttons(context.translator), follow, back)


def _offer_channel(context: Context, author: str, channel: str) -> Reply:
    """Ask whether to follow the channel of a post that has no words."""
    text = context.translator.gettext("From {name}. Follow this channel?", name=cut(author, 60))
    offered = Screen("start", {"channel": channel})
    back = [back_button(context, StartAction.BEGIN)]
    return show(Message(text), offered, [_channel_button(context, channel)], back)


def _channel_button(context: Context, channel: str) -> Button:
    text = context.translator.gettext("Follow channel {name}", name=f"@{channel}")
    return button(text, StartAction.CHANNEL)


def _look_at_channel(context: Context, screen: Screen) -> Reply:
    """Have the channel of a post looked at, as /addfeed does."""
    name = str(screen.values["channel"])
    message = Message(context.translator.gettext("Looking at {site} …", site=f"@{name}"))
    looking = replace(
        screen,
        name="feeds",
        values={"url": channel_url(name)},
        expects=ExpectedInput.NOTHING,
        task=ScreenTask.LOOK,
    )
    return show(message, looking, edit=True)


def _subscribe_buttons(translator: Translator) -> list[Button]:
    return [
        button(translator.gettext("Alert me"), StartAction.ALERT),
        button(translator.gettext("Add to digest"), StartAction.DIGEST),
    ]


def _topic_words(text: str) -> str:
    """Return the names of a post as a query: capitalised and long words; empty for none."""
    line = text.strip().partition("\n")[0]
    tokens = [token.strip(".,:;!?«»“”\"'()[]…–—") for token in line.split()]
    words = [token for token in tokens if len(token) > 3 and token.isalpha()]
    ranked = sorted(dict.fromkeys(words), key=lambda word: (not word[:1].isupper(), -len(word)))
    chosen = ranked[:_TOPIC_WORDS]
    return " ".join(
        f'"{word}"' if word.upper() in _OPERATORS else word for word in words if word in chosen
    )


def _general_help(translator: Translator) -> Iterator[tuple[str, str]]:
    """Commands that are about no feed or story."""
    yield "/channels", translator.gettext("link a channel and manage it from here")
    yield "/status", translator.gettext("feed status")
    yield "/web", translator.gettext("open the web page")
    yield "/forgetme", translator.gettext("delete what is stored about you")
    yield "/cancel", translator.gettext("cancel")
    yield "/help", translator.gettext("this text")


def help_text(translator: Translator) -> str:
    """All commands, each with what it does."""
    query, address = translator.gettext("QUERY"), translator.gettext("ADDRESS")
    lines = (
        (
            f"/subscribe {query}",
            translator.gettext(
                'alerts for stories with these words: words, "exact phrases", AND, OR, NOT, (…), '
                "~names, word*"
            ),
        ),
        (
            f"/subscribe publishers:2 or_after:30m {query}",
            translator.gettext("once two independent publishers report it, or after half an hour"),
        ),
        (f"/test {query}", translator.gettext("try a query on the past week")),
        (f"/search {query}", translator.gettext("search stored articles")),
        (f"/trend {query}", translator.gettext("coverage chart")),
        (
            "/subscriptions",
            translator.gettext("subscriptions in this chat: pause, change, share, delete"),
        ),
        (
            "/unsubscribe " + translator.gettext("NUMBER"),
            translator.gettext("remove a subscription"),
        ),
        ("/feeds", translator.gettext("feeds and their status")),
        (f"/addfeed {address}", translator.gettext("add a site for this chat")),
        ("/removefeed " + translator.gettext("NAME"), translator.gettext("remove a feed")),
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
        *_general_help(translator),
    )
    lead = translator.gettext(
        "I watch news feeds and alert you once per story that matches your search."
    )
    return f"{lead}\n\n" + "\n".join(f"{command} - {text}" for command, text in lines)
