"""Feeds that people add in a chat, one by one or from another reader, and what a chat takes away with it. Fetches through `Sites` only."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from bot.chat.access import OPERATORS, Permission
from bot.chat.context import PAGE, Context, number_in, pages, say, show
from bot.delivery.render import Composer
from bot.errors import AddressError
from bot.feeds.opml import Features, written
from bot.feeds.opml import read as read_opml
from bot.model.chat_events import AddFeeds, OwnFeed, RemoveFeed, Reply, Screen
from bot.model.feeds import SiteFeed
from bot.model.message import Button, File, Message
from bot.ports import ChatStore, Sites
from bot.text.clean import cut
from bot.text.fold import fold

SHOWN = 5  #: headlines of a feed that is offered


@dataclass(frozen=True, slots=True)
class FeedQuota:
    """How much one may have watched."""

    feeds: int = 200  #: of one chat
    hosts_an_hour: int = 20  #: that nobody had before, of one person


class Feeds:
    """The commands /addfeed, /removefeed, /import and /export."""

    def __init__(
        self,
        store: ChatStore,
        sites: Sites,
        quota: Callable[[], FeedQuota],
        yaml_of: Callable[[Sequence[int]], Awaitable[str]],
    ) -> None:
        self._store, self._sites, self._quota, self._yaml_of = store, sites, quota, yaml_of

    def permission(self, screen: Screen, word: str) -> Permission:  # noqa: ARG002 (all of it is the same)
        """All of it changes what is watched."""
        return Permission.CHANGE

    async def add(self, context: Context, _name: str, rest: str) -> Reply:
        """Look at an address; the screen says so until it is done."""
        if not rest:
            text = context.translator.gettext(
                "Send the command with the address of a site or feed, for example: {example}",
                example="/addfeed example.org",
            )
            return show(Message(text), Screen("feeds", {}, "site"))
        return await self._look(context, Screen("feeds"), rest)

    async def _look(self, context: Context, screen: Screen, text: str) -> Reply:
        url = address(text)
        if not url:
            return say(
                context.translator.gettext(
                    "That is not a web address. Use this format: {example}",
                    example="https://example.org",
                )
            )
        if denial_reason := await self._too_many(context, [url]):
            return say(denial_reason)
        message = Message(
            context.translator.gettext("Looking at {site} …", site=urlsplit(url).hostname or url)
        )
        return show(message, replace(screen, values={"busy": "look", "url": url}, expects=""))

    async def shared(self, context: Context, text: str) -> Reply:
        """A link that somebody sent without a word: its site is looked at, and offered."""
        return await self._look(context, Screen("feeds"), text)

    async def _too_many(self, context: Context, urls: Sequence[str]) -> str:
        """Why these cannot be added; empty where they can."""
        if context.person.role in OPERATORS:
            return ""
        quota = self._quota()
        own = [feed for feed in await self._store.feeds_of(context.chat.id) if feed.added_here]
        if len(own) + len(urls) > quota.feeds:
            return context.translator.gettext(
                "A chat can add at most {most} feeds. Remove one first: /removefeed",
                most=quota.feeds,
            )
        hosts = {urlsplit(url).hostname for url in urls}
        if len(urls) > 1:  # an import is looked at by its size alone
            return ""
        since = context.now - timedelta(hours=1)
        if (
            await self._store.new_hosts(context.update.user_id, since) + len(hosts)
            > quota.hosts_an_hour
        ):
            return context.translator.gettext(
                "You can add at most {most} new sites an hour. Try again later.",
                most=quota.hosts_an_hour,
            )
        return ""

    async def work(self, context: Context, screen: Screen) -> Reply:
        """What there is at the address. Raises StoreError."""
        translator, url = context.translator, str(screen.values["url"])
        again = [Button(translator.gettext("Try again"), "again")]
        try:
            found = await self._sites.feeds_at(url)
        except AddressError as error:
            return show(
                Message(str(error)), replace(screen, values={"url": url}, expects="site"), again
            )
        if len(found) == 1:
            return self._offer(context, screen, found[0])
        composer = Composer().add(translator.gettext("This site has several feeds. Which one?"))
        for number, one in enumerate(found[:PAGE], 1):
            composer.add(f"\n{number}. ").add_marked(cut(one.title or one.url, 100), (), "bold")
        values = {"found": [[one.url, one.title, list(one.newest[:SHOWN])] for one in found[:PAGE]]}
        row = [
            Button(str(number), f"choose {number}") for number in range(1, len(found[:PAGE]) + 1)
        ]
        return show(composer.message(), replace(screen, values=values, expects=""), row)

    def _offer(
        self, context: Context, screen: Screen, one: SiteFeed, *, edit: bool = False
    ) -> Reply:
        translator = context.translator
        composer = (
            Composer()
            .add_marked(cut(one.title or one.url, 200), (), "bold", "bold")
            .add(f"\n{one.url}\n")
        )
        for title in one.newest[:SHOWN]:
            composer.add("\n• ").add_marked(cut(title, 200), (), "bold")
        if not one.newest:
            composer.add("\n" + translator.gettext("It has no articles right now."))
        values = {"url": one.url, "title": one.title}
        row = [
            Button(translator.gettext("Add"), "watch"),
            Button(translator.gettext("No"), "no"),
        ]
        return show(composer.message(), replace(screen, values=values, expects=""), row, edit=edit)

    async def pressed(self, context: Context, screen: Screen, word: str) -> Reply:
        """Choose a feed, watch it, remove one. Raises StoreError."""
        translator, values = context.translator, screen.values
        match word.partition(" ")[0]:
            case "choose" if 0 < number_in(word) <= len(values.get("found", ())):
                url, title, newest = values["found"][number_in(word) - 1]
                return self._offer(context, screen, SiteFeed(url, title, tuple(newest)), edit=True)
            case "watch" if values.get("url"):
                return await self._watch(context, screen)
            case "again" if values.get("url"):
                reply = await self._look(context, screen, str(values["url"]))
                return replace(reply, edit=True)
            case "no" | "begin":
                return show(
                    Message(translator.gettext("Nothing changed.")),
                    replace(screen, values={}, expects=""),
                    edit=True,
                )
            case "page":
                return await self._list(context, screen, number_in(word), edit=True)
            case "remove":
                own = {feed.id: feed for feed in await self._own(context)}
                feed = own.get(number_in(word))
                return (
                    self._removed(context, screen, feed)
                    if feed
                    else Reply(toast=translator.gettext("That list has changed. Open it again."))
                )
            case _:
                return Reply(toast=translator.gettext("This button no longer works."))

    async def _watch(self, context: Context, screen: Screen) -> Reply:
        url, title = str(screen.values["url"]), str(screen.values.get("title", ""))
        if denial_reason := await self._too_many(context, [url]):
            return Reply(toast=denial_reason)
        name = cut(title, 80) or urlsplit(url).hostname or url
        text = context.translator.gettext(
            "Added {name}. You are alerted when its articles match your subscriptions.",
            name=name,
        )
        done = show(Message(text), replace(screen, values={}, expects=""), edit=True)
        return replace(done, changes=(AddFeeds(((url, name, ()),)),))

    async def answered(self, context: Context, screen: Screen, text: str) -> Reply:
        """An address. Raises StoreError."""
        return await self._look(context, replace(screen, id=0), text)

    async def _own(self, context: Context) -> list[OwnFeed]:
        return [
            feed
            for feed in await self._store.feeds_of(context.chat.id)
            if feed.added_here and not feed.declared
        ]

    async def remove(self, context: Context, _name: str, rest: str) -> Reply:
        """Watch a feed no longer, by its name or address; without one, choose."""
        translator = context.translator
        if not rest:
            return await self._list(context, Screen("feeds"), 0)
        found = [
            feed
            for feed in await self._own(context)
            if fold(rest) in {fold(feed.name), fold(feed.url)}
        ]
        if len(found) == 1:
            return self._removed(context, Screen("feeds"), found[0], edit=False)
        if found:
            return await self._list(context, Screen("feeds"), 0)
        if any(
            fold(rest) in {fold(feed.name), fold(feed.url)}
            for feed in await self._store.feeds_of(context.chat.id)
        ):
            return say(translator.gettext("That feed is set in feeds.yaml; remove it there."))
        return say(
            translator.gettext(
                "This chat has not added that feed. To see what it added: /removefeed"
            )
        )

    def _removed(
        self, context: Context, screen: Screen, feed: OwnFeed, *, edit: bool = True
    ) -> Reply:
        text = context.translator.gettext("Removed {name}.", name=cut(feed.name, 100))
        return replace(
            show(Message(text), replace(screen, values={}, expects=""), edit=edit),
            changes=(RemoveFeed(feed.id),),
        )

    async def _list(
        self, context: Context, screen: Screen, page: int, *, edit: bool = False
    ) -> Reply:
        own = await self._own(context)
        if not own:
            return show(
                Message(
                    context.translator.gettext(
                        "This chat has added no feeds. Add one: /addfeed ADDRESS"
                    )
                ),
                screen,
                edit=edit,
            )
        first = page * PAGE
        buttons = [
            [Button(f"✕ {cut(feed.name, 40)}", f"remove {feed.id}")]
            for feed in own[first : first + PAGE]
        ]
        text = context.translator.gettext("Which feed do you want to remove?")
        return show(
            Message(text),
            replace(screen, values={}, expects=""),
            *buttons,
            pages(context, page, len(own)),
            edit=edit,
        )

    async def take_in(self, context: Context, _name: str, _rest: str) -> Reply:
        """Feeds from an OPML file, sent with the command or after it."""
        translator, update = context.translator, context.update
        if update.file_problem:
            return say(update.file_problem)
        if update.file is None:
            text = translator.gettext("Send the OPML file from your other reader as a document.")
            return show(Message(text), Screen("feeds", {}, "site"))
        try:
            read = await asyncio.to_thread(read_opml, update.file)  # a large one takes seconds
        except ValueError as error:
            return say(
                translator.gettext("I cannot read this OPML file: {problem}", problem=str(error))
            )
        have = {feed.url for feed in await self._store.feeds_of(context.chat.id)}
        new = [one for one in read.feeds if one.url not in have]
        if denial_reason := await self._too_many(context, [one.url for one in new]) if new else "":
            return say(denial_reason)
        lines = [
            translator.ngettext(
                "{number} feed added for this chat.",
                "{number} feeds added for this chat.",
                len(new),
            )
        ]
        known = len(read.feeds) - len(new)
        if known:
            lines.append(
                translator.ngettext(
                    "{number} feed was already there.",
                    "{number} feeds were already there.",
                    known,
                )
            )
        if read.skipped:
            lines.append(
                translator.ngettext(
                    "{number} feed has no web address.",
                    "{number} feeds have no web address.",
                    len(read.skipped),
                )
            )
        if read.repaired:
            lines.append(translator.gettext("The file was damaged; I imported what I could read."))
        changes = (AddFeeds(tuple((one.url, one.name, one.tags) for one in new)),) if new else ()
        return Reply(Message("\n".join(lines)), changes)

    async def give_out(self, context: Context, _name: str, rest: str) -> Reply:
        """The chat's feeds as OPML, or its subscriptions as they would stand in feeds.yaml."""
        translator = context.translator
        if rest.lower() in {"yaml", "feeds.yaml", "subscriptions"}:
            text = await self._yaml_of([context.chat.id])
            if not text:
                return say(translator.gettext("This chat has no subscriptions of its own."))
            return Reply(
                Message(
                    translator.gettext("Your subscriptions, in the format of feeds.yaml."),
                    file=File("feeds.yaml", text.encode()),
                )
            )
        feeds = [
            Features(feed.url, feed.name, feed.tags)
            for feed in await self._store.feeds_of(context.chat.id)
        ]
        if not feeds:
            return say(translator.gettext("No feeds yet. Add one for this chat: /addfeed ADDRESS"))
        document = written(feeds, "newsbell", context.now)
        lead = translator.gettext(
            "Your feeds, for another reader. For your subscriptions: /export yaml"
        )
        return Reply(Message(lead, file=File("newsbell.opml", document)))


def address(text: str) -> str:
    """What somebody wrote as the address of a site; empty where it cannot be one."""
    word = text.strip().split()[0] if text.strip() else ""
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
