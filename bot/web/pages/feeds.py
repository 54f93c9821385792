"""The list of a chat's feeds, and the page of one: its state, and what it shows now."""

from datetime import timedelta

from bot.chat.access import Permission
from bot.model.status import FeedQuestion, FeedStatus
from bot.search.feed_state import feed_state, silence_text
from bot.text.clean import cut, headline, plain
from bot.web.blocks import (
    Block,
    Facts,
    Field,
    Form,
    Item,
    Items,
    Page,
    Pages,
    Section,
    Table,
    Text,
    Tone,
    line,
    paragraph,
)
from bot.web.pages.own import own_feed
from bot.web.services import WebServices
from bot.web.visit import Visit

_SHOWN = 100  # feeds of a page
_ENTRIES = 20  # of the last document that are shown
_PAGES = 1000


async def feeds_page(visit: Visit, services: WebServices) -> Page:
    """Return the chat's feeds whose name or address has a word, failing first.

    Raises StoreError.
    """
    translator, word, number = visit.translator, visit.word("q"), visit.number("page", _PAGES)
    question = FeedQuestion(word=word, skip=number * _SHOWN, limit=_SHOWN)
    found = await services.search.feed_list(visit.chat_id, question)
    form = Form(
        "/feeds",
        translator.gettext("Search"),
        (Field("q", translator.gettext("Name or address"), word), *chat_field(visit)),
        live=True,
        label=translator.gettext("Feeds"),
    )
    heading = translator.ngettext("{number} feed", "{number} feeds", found.matching)
    rows = tuple(
        (
            Text(cut(plain(feed.name), 80), visit.link(f"/feed/{feed.id}"), foreign=True),
            _state(feed, visit),
            visit.time(feed.state.next_poll_at),
        )
        for feed in found.feeds
    )
    columns = (
        translator.gettext("Feed"),
        translator.gettext("State"),
        translator.gettext("Next check"),
    )
    blocks: list[Block] = [Table(heading, columns, rows, is_headed=True)] if rows else []
    more = found.matching > (number + 1) * _SHOWN
    blocks += pages_of(visit, "/feeds", number, more=more, q=word)
    return Page(
        Text(translator.gettext("Feeds")), (form,), (Section(Text(heading), tuple(blocks)),)
    )


def chat_field(visit: Visit) -> tuple[Field, ...]:
    """Return the hidden field by which a form stays with the chat."""
    chat = visit.query.get("chat", "")
    return (Field("chat", "", chat, hidden=True),) if chat else ()


def pages_of(
    visit: Visit, path: str, number: int, *, more: bool, **values: object
) -> tuple[Pages, ...]:
    """Return the ways to the page before and behind; none where there is one page."""
    translator = visit.translator
    back = behind = None
    if number:
        back = Text(translator.gettext("Back"), visit.link(path, page=number - 1, **values))
    if more:
        behind = Text(translator.gettext("More"), visit.link(path, page=number + 1, **values))
    return (Pages(translator.gettext("Pages"), back, behind),) if back or behind else ()


def _state(feed: FeedStatus, visit: Visit) -> Text:
    text = feed_state(feed, visit.now, visit.translator)
    if feed.state.failures:
        return Text(text, tone=Tone.BAD)
    if feed.state.stopped:
        return Text(silence_text(feed, visit.now, visit.translator), tone=Tone.WARN)
    return Text(text)


async def feed_page(visit: Visit, services: WebServices, number: int) -> Page | None:
    """Return the page of a feed; None where the chat does not have it. Raises StoreError."""
    translator = visit.translator
    feed = await own_feed(visit, services, number)
    if feed is None:
        return None
    entries = await services.search.document(number, visit.chat_id, _ENTRIES)
    items = tuple(
        Item(
            Text(headline(entry.article.title), visit.link(f"/story/{entry.id}"), foreign=True),
            (line(visit.time(entry.at)),),
        )
        for entry in entries
    )
    shown: Block = (
        Items(items) if items else paragraph(translator.gettext("It has no articles right now."))
    )
    heading = translator.gettext("In the feed now")
    return Page(
        Text(cut(plain(feed.name), 120), foreign=True),
        (_facts(feed, visit),),
        (Section(Text(heading), (shown,)),),
    )


def _facts(feed: FeedStatus, visit: Visit) -> Facts:
    translator, state = visit.translator, feed.state
    # An address may hold a secret, as in chats.
    operates = visit.viewer.may(Permission.OPERATE)
    address = feed.url if operates else feed.host
    pairs = [
        (translator.gettext("Address"), line(Text(address, code=True))),
        (translator.gettext("State"), (_state(feed, visit),)),
        (translator.gettext("Stored"), line(
            translator.ngettext("{number} article", "{number} articles", feed.entries))),
    ]  # fmt: skip
    for name, moment in (
        (translator.gettext("Last check"), state.last_poll_at),
        (translator.gettext("Next check"), state.next_poll_at),
        (translator.gettext("Failing since"), state.failing_since),
        (translator.gettext("Last news"), state.news_at),
    ):
        if moment:
            pairs.append((name, line(visit.time(moment))))
    for name, seconds in (
        (translator.gettext("Between two checks"), state.interval.total_seconds()),
        (translator.gettext("Answer took"), state.seconds),
        (translator.gettext("From publication to sight"), state.delay),
    ):
        if seconds:
            pairs.append((name, line(translator.duration(timedelta(seconds=seconds)))))
    if state.gaps:
        missed = translator.ngettext(
            "{number} time articles may have been missed between two checks",
            "{number} times articles may have been missed between two checks",
            state.gaps,
        )
        pairs.append((translator.gettext("Gaps"), line(Text(missed, tone=Tone.WARN))))
    if state.unread:
        pairs.append((translator.gettext("Not readable"), line(str(state.unread))))
    if state.adopted_url and operates:
        pairs.append((translator.gettext("Moved to"), line(Text(state.adopted_url, code=True))))
    return Facts(tuple(pairs))
