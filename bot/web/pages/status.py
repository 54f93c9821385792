"""The first page: which feeds fail, are silent or slow, what waits; for operators, all of it."""

from collections.abc import Iterable
from datetime import timedelta

from bot.chat.access import Permission
from bot.feeds.host_turns import SLOW
from bot.model.nodes import Sharing
from bot.model.status import FeedList, FeedStatus, Status
from bot.search.feed_state import counts_text, feed_state, silence_text
from bot.search.health_text import health_text
from bot.search.nodes_text import faults, queue_text, role_text
from bot.text.clean import cut, plain
from bot.web.blocks import Block, Facts, Page, Section, Table, Text, Tone, line, paragraph
from bot.web.pages.own import OwnState, own_state
from bot.web.services import WebServices
from bot.web.visit import Visit

_FEEDS = 100  # feeds of a list
_READ = 500  # feeds in trouble that are looked at


async def status_page(visit: Visit, services: WebServices) -> Page:
    """Return the page. Raises StoreError."""
    translator = visit.translator
    state = await own_state(visit, services, SLOW, _READ)
    sections = [*_feed_sections(visit, state.feeds)]
    if visit.viewer.may(Permission.OPERATE):
        sections += await _operators(visit, services)
    counts = paragraph(counts_text(state.feeds.total, state.subscriptions, translator))
    return Page(Text(translator.gettext("Status")), (counts, _work(visit, state)), tuple(sections))


def _work(visit: Visit, state: OwnState) -> Facts:
    """When the next feed is polled, and what waits."""
    translator, queued = visit.translator, state.queued
    pairs = [
        (
            translator.gettext("Messages"),
            line(
                translator.ngettext("{number} message queued", "{number} messages queued", queued)
                if queued
                else translator.gettext("No messages queued")
            ),
        )
    ]
    if next_poll_at := state.feeds.next_poll_at:
        wait = translator.duration(max(timedelta(0), next_poll_at - visit.now))
        text = translator.gettext("Next check in {span}", span=wait)
        pairs.insert(0, (translator.gettext("Feeds"), line(text)))
    if state.outage:
        span = translator.duration(visit.now - state.outage.since)
        why = translator.gettext(
            "Telegram has taken no messages for {span}: {why}", span=span, why=state.outage.reason
        )
        pairs.append((translator.gettext("Delivery"), line(Text(why, tone=Tone.BAD))))
    return Facts(tuple(pairs))


def _feed_sections(visit: Visit, troubled: FeedList) -> Iterable[Section]:
    translator = visit.translator
    failing = [feed for feed in troubled.feeds if feed.state.failures]
    others = [feed for feed in troubled.feeds if not feed.state.failures]
    silent = [feed for feed in others if feed.state.stopped]
    slow = [feed for feed in others if feed.state.seconds >= SLOW]
    if not failing and not silent and not slow:
        text = translator.gettext("All feeds OK")
        yield Section(Text(translator.gettext("Feeds")), (paragraph(text, tone=Tone.GOOD),))
    for heading, feeds, tone, what in (
        (translator.gettext("Failing feeds"), failing, Tone.BAD, feed_state),
        (translator.gettext("Silent feeds"), silent, Tone.WARN, silence_text),
    ):
        if feeds:
            rows = [(_feed_link(visit, feed), Text(what(feed, visit.now, translator), tone=tone))
                    for feed in feeds[:_FEEDS]]  # fmt: skip
            yield Section(
                Text(heading), (_table(visit, heading, tuple(rows)), *_rest(visit, feeds))
            )
    if slow:
        heading = translator.gettext("Slow feeds")
        rows = [
            (_feed_link(visit, feed), Text(_answer_time(visit, feed), tone=Tone.WARN))
            for feed in slow[:_FEEDS]
        ]
        yield Section(Text(heading), (_table(visit, heading, tuple(rows)), *_rest(visit, slow)))


def _table(visit: Visit, caption: str, rows: tuple[tuple[Text, ...], ...]) -> Table:
    translator = visit.translator
    columns = (translator.gettext("Feed"), translator.gettext("State"))
    return Table(caption, columns, rows, is_headed=True)


def _rest(visit: Visit, feeds: list[FeedStatus]) -> tuple[Block, ...]:
    rest = len(feeds) - _FEEDS
    more = visit.translator.ngettext("… and {number} more", "… and {number} more", max(rest, 0))
    return (paragraph(more),) if rest > 0 else ()


def _answer_time(visit: Visit, feed: FeedStatus) -> str:
    span = visit.translator.duration(timedelta(seconds=feed.state.seconds))
    return visit.translator.gettext("The site took {span} to answer.", span=span)


def _feed_link(visit: Visit, feed: FeedStatus) -> Text:
    return Text(cut(plain(feed.name), 80), visit.link(f"/feed/{feed.id}"), foreign=True)


async def _operators(visit: Visit, services: WebServices) -> list[Section]:
    """What operators see of the whole. Raises StoreError."""
    translator, revision = visit.translator, services.revision()
    whole = await services.search.whole_status()
    lines = health_text(services.admin.health(), visit.now, translator).split("\n")
    file = [Text(f"{revision.file} {revision.digest}", code=True)]
    if revision.rejected:
        wrong = translator.gettext("It has mistakes; an earlier one is in force.")
        file.append(Text(wrong, tone=Tone.BAD))
    counts = ", ".join(f"{count} {state}" for state, count in sorted(whole.deliveries.items()))
    facts = Facts(
        (
            (translator.gettext("Configuration"), tuple(file)),
            (translator.gettext("Deliveries"), line(Text(counts or "–", code=True))),
        )
    )
    blocks: list[Block] = [
        paragraph(text, tone=Tone.BAD if text.startswith("✗") else Tone.PLAIN) for text in lines
    ]
    return [
        Section(Text("newsbell"), (*blocks, facts)),
        Section(Text(translator.gettext("Chats")), (_chats(visit, whole),)),
        *_machines(visit, whole.sharing),
        *_hosts(visit, whole),
    ]


def _machines(visit: Visit, sharing: Sharing) -> list[Section]:
    """Who shares the database; nothing where nobody does."""
    if not sharing.states:
        return []
    translator, leader = visit.translator, sharing.leader
    rows = []
    for state in sharing.states[:_FEEDS]:
        wrong = " ".join(faults(state, leader, translator))
        tone = Tone.WARN if wrong or state.is_gone else Tone.PLAIN
        text = f"{role_text(state, leader, translator)}. {wrong}".strip()
        rows.append((Text(state.node.name, code=True), Text(text, tone=tone)))
    heading = translator.gettext("Machines")
    columns = (translator.gettext("Machine"), translator.gettext("State"))
    table = Table(heading, columns, tuple(rows), is_headed=True)
    return [Section(Text(heading), (paragraph(queue_text(sharing, translator)), table))]


def _chats(visit: Visit, status: Status) -> Table:
    translator = visit.translator
    rows = []
    for chat, queued, until in status.chats[:_FEEDS]:
        state = ""
        if chat.paused:
            state = f"{translator.gettext('paused')}: {chat.paused}"
        elif not chat.allowed:
            state = translator.gettext("no access")
        elif until and until > visit.now:
            at = translator.time(until, visit.now)
            state = translator.gettext("not before {time}", time=at)
        tone = Tone.WARN if state else Tone.PLAIN
        rows.append(
            (
                Text(cut(plain(chat.name), 80), foreign=True),
                Text(str(queued)),
                Text(state or translator.gettext("takes messages"), tone=tone),
            )
        )
    columns = (
        translator.gettext("Chat"),
        translator.gettext("Queued"),
        translator.gettext("State"),
    )
    return Table(translator.gettext("Chats"), columns, tuple(rows), is_headed=True)


def _hosts(visit: Visit, status: Status) -> list[Section]:
    translator = visit.translator
    rows = tuple(
        (
            Text(host.host, code=True),
            visit.time(host.not_before),
            Text(translator.duration(host.interval)),
        )
        for host in status.hosts[:_FEEDS]
    )
    if not rows:
        return []
    heading = translator.gettext("Sites that asked for fewer requests")
    columns = (
        translator.gettext("Site"),
        translator.gettext("Not before"),
        translator.gettext("Between two requests"),
    )
    return [Section(Text(heading), (Table(heading, columns, rows, is_headed=True),))]
