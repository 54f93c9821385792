"""Feeds that people add in a chat, one by one or from another reader, and what they export.

Fetches through `FeedService` only.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

from bot.chat.access import OPERATORS, ChatType
from bot.chat.callbacks import Callback, button
from bot.chat.command_quota import LookQuota
from bot.chat.context import PAGE, Context, StaticScreen, page_buttons, show, text_reply
from bot.chat.handlers.feed_text import chosen, label
from bot.chat.handlers.subscriber import Subscriber
from bot.chat.replies import list_changed, unknown_button
from bot.chat.services import ChatConfig, FeedService
from bot.delivery.composer import Composer
from bot.errors import AddressError, OpmlError
from bot.feeds import opml
from bot.i18n.catalog import Translator
from bot.model.chat_events import (
    AddFeeds,
    ExpectedInput,
    OwnFeed,
    RemoveFeed,
    Reply,
    Screen,
    ScreenTask,
    SetFeedText,
    UploadProblem,
    WrittenMessage,
)
from bot.model.feeds import Failure, FeedText, SiteFeed
from bot.model.message import File, Message
from bot.search.failures import describe_failure
from bot.text.channel_link import (
    EXAMPLE,
    canonical_channel,
    channel_name,
    is_misnamed_channel,
    is_private_channel,
    publisher_of,
)
from bot.text.clean import cut
from bot.text.fold import fold

SHOWN = 5  #: headlines of a feed that is offered
_YAML_WORDS = frozenset({"yaml", "feeds.yaml", "subscriptions"})


class FeedAction(StrEnum):
    """What the buttons about feeds do."""

    CHOOSE = "choose"  #: value: the number of a feed of the site
    WATCH = "watch"
    EVERYTHING = "everything"  #: watch it, and subscribe to all that it brings
    WORDS = "words"  #: watch it, and ask for the words that its articles must contain
    AGAIN = "again"
    CANCEL = "no"
    BEGIN = "begin"  #: back from a site that was asked for by /start
    PAGE = "page"
    REMOVE = "remove"  #: value: the feed's number
    TEXT = "text"  #: value: the feed's number and what of its articles is matched


class Feeds(StaticScreen):
    """The commands /addfeed, /removefeed, /import and /export."""

    actions = FeedAction

    def __init__(
        self, subscriber: Subscriber, feeds: FeedService, config: Callable[[], ChatConfig]
    ) -> None:
        self._subscriber, self._store = subscriber, subscriber.store
        self._feeds, self._config = feeds, config
        self._looks = LookQuota()

    def is_slow(self, _screen: Screen, callback: Callback | None) -> bool:
        """Return that a feed is tried on the past where all of it is subscribed to."""
        return callback is not None and callback.action is FeedAction.EVERYTHING

    async def add(self, context: Context, address: str) -> Reply:
        """/addfeed: look at an address; the screen says so until it is done."""
        return await self._look(context, Screen("feeds"), address)

    async def offer_link(self, context: Context, text: str) -> Reply:
        """Look at the site of a link that somebody sent without a command."""
        return await self._look(context, Screen("feeds"), text)

    def is_channel(self, text: str) -> bool:
        """Return whether a text is the name of a channel (`@name`), and not that of a list."""
        name = text.strip()
        return (
            name.startswith("@")
            and bool(channel_name(name))
            and name[1:] not in self._config().names
        )

    async def _look(self, context: Context, screen: Screen, text: str) -> Reply:
        translator, url = context.translator, address_in(text)
        if is_private_channel(text):
            return text_reply(
                translator.gettext(
                    "Only members can read this channel. I can follow channels that everyone can "
                    "open: {example}",
                    example=EXAMPLE,
                )
            )
        if is_misnamed_channel(text):
            return text_reply(
                translator.gettext(
                    "This is no name of a channel. It has 4 to 32 letters a to z, digits and _, "
                    "and begins with a letter: {example}",
                    example=EXAMPLE,
                )
            )
        if not url:
            return text_reply(
                translator.gettext(
                    "That is not a web address. Use this format: {example}",
                    example="https://example.org",
                )
            )
        if obstacle := await self._obstacle(context, [url]):
            return text_reply(obstacle)
        if not self._may_ask(context, urlsplit(url).hostname or ""):
            return text_reply(self._too_many_sites(translator))
        site = publisher_of(url, urlsplit(url).hostname or url)
        message = Message(translator.gettext("Looking at {site} …", site=site))
        looking = replace(
            screen, values={"url": url}, expects=ExpectedInput.NOTHING, task=ScreenTask.LOOK
        )
        return show(message, looking)

    async def _obstacle(self, context: Context, urls: Sequence[str]) -> str:
        """Return why these cannot be added; empty where they can."""
        if context.person.role in OPERATORS:
            return ""
        config, translator = self._config(), context.translator
        own = [feed for feed in await self._store.feeds_of(context.chat.id) if feed.added_here]
        if len(own) + len(urls) > config.feeds:
            return translator.ngettext(
                "A chat can add at most {number} feed. Remove one first: /removefeed",
                "A chat can add at most {number} feeds. Remove one first: /removefeed",
                config.feeds,
            )
        if len(urls) > 1:  # an import is limited by its size alone
            return ""
        hosts = {urlsplit(url).hostname for url in urls}
        since = context.now - timedelta(hours=1)
        recent = await self._store.new_hosts(context.update.user_id, since)
        if recent + len(hosts) > config.new_hosts_per_hour:
            return self._too_many_sites(translator)
        return ""

    def _too_many_sites(self, translator: Translator) -> str:
        return translator.ngettext(
            "You can add at most {number} new site an hour. Try again later.",
            "You can add at most {number} new sites an hour. Try again later.",
            self._config().new_hosts_per_hour,
        )

    def _may_ask(self, context: Context, host: str) -> bool:
        """Whether a host may be asked for feeds: it counts for the person, added or not."""
        if context.person.role in OPERATORS:
            return True
        limit = self._config().new_hosts_per_hour
        return self._looks.take(context.update, host, limit, context.now)

    async def run_task(self, context: Context, screen: Screen) -> Reply:
        """Find the feeds at an address. Raises StoreError."""
        translator, url = context.translator, str(screen.values["url"])
        try:
            feeds = (await self._feeds.feeds_at(url, partial(self._may_ask, context)))[:PAGE]
        except AddressError as error:
            # In a private chat an address needs no question: what comes next may be something else.
            private = context.chat_type is ChatType.PRIVATE
            expects = ExpectedInput.NOTHING if private else ExpectedInput.SITE
            waiting = replace(screen, values={"url": url}, expects=expects)
            again = button(translator.gettext("Try again"), FeedAction.AGAIN)
            failure = Failure(error.failure) if error.failure else None
            text = describe_failure(failure, str(error), translator)
            composer = Composer().add(text)
            if failure is Failure.NOT_A_FEED and context.person.role in OPERATORS:
                await self._propose(composer, url, translator)
            return show(composer.message(), waiting, [again])
        if len(feeds) == 1:
            return _offer(context, screen, feeds[0])
        composer = Composer().add(translator.gettext("This site has several feeds. Which one?"))
        for number, feed in enumerate(feeds, 1):
            composer.add(f"\n{number}. ")
            composer.add_marked(cut(feed.title or feed.url, 100), (), "bold")
        found = [[feed.url, feed.title, list(feed.newest[:SHOWN])] for feed in feeds]
        choosing = replace(screen, values={"found": found}, expects=ExpectedInput.NOTHING)
        row = [
            button(str(number), FeedAction.CHOOSE, number) for number in range(1, len(feeds) + 1)
        ]
        return show(composer.message(), choosing, row)

    async def _propose(self, composer: Composer, url: str, translator: Translator) -> None:
        """Show an operator how a page without a feed may be read."""
        proposed = await self._feeds.proposal(url)
        if proposed is None:
            return
        lines, proposal = proposed
        lead = translator.gettext("This page can be read without a feed. Put this into feeds.yaml:")
        composer.add(f"\n\n{lead}\n").add(cut(lines, 1500), "code").add("\n")
        for title, _ in proposal.newest[:SHOWN]:
            composer.add("\n• ").add_marked(cut(title, 200), (), "bold")

    async def press(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Choose a feed, add it, or remove one. Raises StoreError."""
        values = screen.values
        match callback.action:
            case FeedAction.CHOOSE if 0 < callback.number <= len(values.get("found", ())):
                url, title, newest = values["found"][callback.number - 1]
                feed = SiteFeed(url, title, tuple(newest))
                return _offer(context, screen, feed, edit=True)
            case FeedAction.WATCH if values.get("url"):
                return await self._add_feed(context, screen)
            case FeedAction.EVERYTHING if values.get("url"):
                return await self._add_everything(context, screen)
            case FeedAction.WORDS if values.get("url"):
                return await self._ask_words(context, screen)
            case FeedAction.AGAIN if values.get("url"):
                reply = await self._look(context, screen, str(values["url"]))
                return replace(reply, edit=True)
            case FeedAction.CANCEL | FeedAction.BEGIN:
                text = context.translator.gettext("Nothing changed.")
                return show(Message(text), _idle(screen), edit=True)
            case FeedAction.PAGE:
                return await self._list(context, screen, callback.number, edit=True)
            case FeedAction.TEXT:
                return await self._set_text(context, screen, callback)
            case FeedAction.REMOVE:
                removable = {feed.id: feed for feed in await self._removable(context)}
                own = removable.get(callback.number)
                return _removed(context, screen, own) if own else list_changed(context)
            case _:
                return unknown_button(context)

    async def _set_text(self, context: Context, screen: Screen, callback: Callback) -> Reply:
        """Choose what is matched of a feed that the chat added."""
        choice = chosen(callback.value)
        own = {feed.id: feed for feed in await self._removable(context)}
        if choice is None or choice[0] not in own:
            return list_changed(context)
        number, text = choice
        if text is FeedText.FULL and context.person.role not in OPERATORS:
            return unknown_button(context)
        said = context.translator.gettext(
            "{name}: {choice}, from now on.",
            name=cut(own[number].name, 100),
            choice=label(text, context.translator),
        )
        reply = show(Message(said), _idle(screen), edit=True)
        return replace(reply, changes=(SetFeedText(number, text),))

    async def _add_everything(self, context: Context, screen: Screen) -> Reply:
        """Add a feed, and subscribe to all that it brings."""
        url, name = str(screen.values["url"]), _name(screen)
        if obstacle := await self._obstacle(context, [url]):
            return Reply(toast=obstacle)
        reply = await self._subscriber.subscribe(context, "*", feeds=[url], name=name)
        if not reply.changes:
            return reply
        text = context.translator.gettext(
            "Done. You get one alert here per new story of {name}.", name=name
        )
        return Reply(
            Message(text), (_adding(screen), *reply.changes), screen=_idle(screen), edit=True
        )

    async def _ask_words(self, context: Context, screen: Screen) -> Reply:
        """Add a feed, and ask for words; `start` takes them."""
        url, name = str(screen.values["url"]), _name(screen)
        if obstacle := await self._obstacle(context, [url]):
            return Reply(toast=obstacle)
        text = context.translator.gettext(
            "Added {name}. Send the words that its articles must contain.", name=name
        )
        values = {"feeds": [url], "names": {url: name}}
        waiting = replace(screen, name="start", values=values, expects=ExpectedInput.TOPIC)
        return replace(show(Message(text), waiting, edit=True), changes=(_adding(screen),))

    async def _add_feed(self, context: Context, screen: Screen) -> Reply:
        url, name = str(screen.values["url"]), _name(screen)
        if obstacle := await self._obstacle(context, [url]):
            return Reply(toast=obstacle)
        text = context.translator.gettext(
            "Added {name}. You are alerted when its articles match your subscriptions.",
            name=name,
        )
        reply = show(Message(text), _idle(screen), edit=True)
        return replace(reply, changes=(_adding(screen),))

    async def read_input(self, context: Context, screen: Screen, text: str) -> Reply:
        """Look at an address. Raises StoreError."""
        return await self._look(context, replace(screen, id=0), text)

    async def _removable(self, context: Context) -> list[OwnFeed]:
        return [
            feed
            for feed in await self._store.feeds_of(context.chat.id)
            if feed.added_here and not feed.declared
        ]

    async def remove(self, context: Context, name: str) -> Reply:
        """/removefeed: remove a feed by its name or address; without one, choose."""
        translator = context.translator
        if not name:
            return await self._list(context, Screen("feeds"), 0)
        matching = [feed for feed in await self._removable(context) if _is_named(feed, name)]
        if len(matching) == 1:
            return _removed(context, Screen("feeds"), matching[0], edit=False)
        if matching:
            return await self._list(context, Screen("feeds"), 0)
        if any(_is_named(feed, name) for feed in await self._store.feeds_of(context.chat.id)):
            return text_reply(
                translator.gettext("That feed is set in feeds.yaml; remove it there.")
            )
        return text_reply(
            translator.gettext(
                "This chat has not added that feed. To see what it added: /removefeed"
            )
        )

    async def _list(
        self, context: Context, screen: Screen, page: int, *, edit: bool = False
    ) -> Reply:
        translator = context.translator
        feeds = await self._removable(context)
        if not feeds:
            text = translator.gettext("This chat has added no feeds. Add one: /addfeed ADDRESS")
            return show(Message(text), screen, edit=edit)
        first = page * PAGE
        rows = [
            [button(f"✕ {cut(feed.name, 40)}", FeedAction.REMOVE, feed.id)]
            for feed in feeds[first : first + PAGE]
        ]
        text = translator.gettext("Which feed do you want to remove?")
        pages = page_buttons(context, FeedAction.PAGE, page, len(feeds))
        return show(Message(text), _idle(screen), *rows, pages, edit=edit)

    async def import_opml(self, context: Context, _argument: str) -> Reply:
        """/import: add the feeds of an OPML file, sent with the command or after it."""
        translator, update = context.translator, context.update
        upload = update.upload if isinstance(update, WrittenMessage) else None
        if upload is None:
            text = translator.gettext("Send the OPML file from your other reader as a document.")
            return show(Message(text), Screen("feeds", {}, ExpectedInput.SITE))
        if upload.problem is not None:
            return text_reply(_upload_problem(upload.problem, translator))
        try:
            document = await asyncio.to_thread(opml.read, upload.content)  # may take seconds
        except OpmlError as error:
            return text_reply(
                translator.gettext(
                    "I cannot read this OPML file: {problem}",
                    problem=error.translated(translator.gettext),
                )
            )
        existing = {feed.url for feed in await self._store.feeds_of(context.chat.id)}
        new = [feed for feed in document.feeds if feed.url not in existing]
        if new and (obstacle := await self._obstacle(context, [feed.url for feed in new])):
            return text_reply(obstacle)
        changes = (AddFeeds(tuple((feed.url, feed.name, feed.tags) for feed in new)),)
        text = "\n".join(_import_lines(translator, document, len(new)))
        return Reply(Message(text), changes if new else ())

    async def export(self, context: Context, form: str) -> Reply:
        """/export: the chat's feeds as OPML, or its subscriptions as feeds.yaml has them."""
        translator = context.translator
        if form.lower() in _YAML_WORDS:
            text = await self._feeds.export([context.chat.id])
            if not text:
                return text_reply(translator.gettext("This chat has no subscriptions of its own."))
            caption = translator.gettext("Your subscriptions, in the format of feeds.yaml.")
            return Reply(Message(caption, file=File("feeds.yaml", text.encode())))
        feeds = [
            opml.ListedFeed(feed.url, feed.name, feed.tags)
            for feed in await self._store.feeds_of(context.chat.id)
        ]
        if not feeds:
            return text_reply(
                translator.gettext("No feeds yet. Add one for this chat: /addfeed ADDRESS")
            )
        document = opml.write(feeds, "newsbell", context.now)
        caption = translator.gettext(
            "Your feeds, for another reader. For your subscriptions: /export yaml"
        )
        return Reply(Message(caption, file=File("newsbell.opml", document)))


def _idle(screen: Screen) -> Screen:
    return replace(screen, values={}, expects=ExpectedInput.NOTHING)


def _offer(context: Context, screen: Screen, feed: SiteFeed, *, edit: bool = False) -> Reply:
    translator = context.translator
    composer = Composer().add_marked(cut(feed.title or feed.url, 200), (), "bold", "bold")
    composer.add(f"\n{feed.url}\n")
    for title in feed.newest[:SHOWN]:
        composer.add("\n• ").add_marked(cut(title, 200), (), "bold")
    if not feed.newest:
        composer.add("\n" + translator.gettext("It has no articles right now."))
    values = {"url": feed.url, "title": feed.title}
    rows = [
        [button(translator.gettext("Alert me to everything in it"), FeedAction.EVERYTHING)],
        [button(translator.gettext("Only words …"), FeedAction.WORDS)],
        [
            button(translator.gettext("Add"), FeedAction.WATCH),
            button(translator.gettext("No"), FeedAction.CANCEL),
        ],
    ]
    offered = replace(screen, values=values, expects=ExpectedInput.NOTHING)
    return show(composer.message(), offered, *rows, edit=edit)


def _name(screen: Screen) -> str:
    """Return what the chat calls the feed of an offer."""
    url = str(screen.values["url"])
    title = cut(str(screen.values.get("title", "")), 80)
    return title or publisher_of(url, urlsplit(url).hostname or url)


def _adding(screen: Screen) -> AddFeeds:
    """Return the change that adds the feed of an offer."""
    url, titled = str(screen.values["url"]), bool(screen.values.get("title"))
    return AddFeeds(((url, _name(screen), ()),), titled=titled)


def _is_named(feed: OwnFeed, name: str) -> bool:
    return fold(canonical_channel(name)) in {fold(feed.name), fold(feed.url)}


def _removed(context: Context, screen: Screen, feed: OwnFeed, *, edit: bool = True) -> Reply:
    text = context.translator.gettext("Removed {name}.", name=cut(feed.name, 100))
    reply = show(Message(text), _idle(screen), edit=edit)
    return replace(reply, changes=(RemoveFeed(feed.id),))


def _upload_problem(problem: UploadProblem, translator: Translator) -> str:
    match problem:
        case UploadProblem.TOO_LARGE:
            return translator.gettext("This file is too large. At most 10 MB can be imported.")
        case UploadProblem.UNAVAILABLE:
            return translator.gettext("Telegram does not give me this file. Send it again.")


def _import_lines(translator: Translator, document: opml.FeedList, new: int) -> list[str]:
    """Return what an import came to."""
    lines = [
        translator.ngettext(
            "{number} feed added for this chat.", "{number} feeds added for this chat.", new
        )
    ]
    existing = len(document.feeds) - new
    if existing:
        lines.append(
            translator.ngettext(
                "{number} feed was already there.",
                "{number} feeds were already there.",
                existing,
            )
        )
    if document.skipped:
        lines.append(
            translator.ngettext(
                "{number} feed has no web address.",
                "{number} feeds have no web address.",
                len(document.skipped),
            )
        )
    if document.repaired:
        lines.append(translator.gettext("The file was damaged; I imported what I could read."))
    return lines


def site_question(translator: Translator) -> str:
    """Ask for an address."""
    return translator.gettext("Send the address of a site or feed.")


def address_in(text: str) -> str:
    """What somebody wrote as the address of a site; empty where it cannot be one."""
    word = canonical_channel(text.strip().split()[0]) if text.strip() else ""
    if "://" not in word:
        word = f"https://{word}"
    try:
        parts = urlsplit(word)
        good = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and ("." in (parts.hostname or "") or ":" in (parts.hostname or ""))
        )
    except ValueError:
        return ""
    return word if good and not parts.username and len(word) < 2000 else ""
