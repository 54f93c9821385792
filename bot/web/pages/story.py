"""The page of a story: who was first, its articles, their headlines over time, and why alerts.

A signed link shows one story and nothing else: neither the rest of its storyline nor other pages.
"""

from collections.abc import Sequence

from bot.i18n.catalog import Translator
from bot.model.archive import EntryFacts
from bot.search.explain import AlertExplanation, describe_entry
from bot.search.timeline import (
    TimelineEntry,
    TimelineStory,
    format_delay,
    source_name,
    summary,
    timeline,
    who_was_first,
)
from bot.text.clean import cut, headline, plain
from bot.web.blocks import (
    Block,
    Item,
    Items,
    Page,
    Paragraph,
    Section,
    Table,
    Text,
    Tone,
    line,
    outside,
    paragraph,
)
from bot.web.services import WebServices
from bot.web.visit import Visit

_ARTICLES = 60  # of a story
_STORIES = 30  # of a storyline
_REVISED = 15  # articles whose earlier headlines are looked up
_REASONS = 50  # subscriptions that are explained


async def story_page(
    visit: Visit, services: WebServices, entry_id: int, *, alone: bool = False
) -> Page | None:
    """Return the page of an article's story; None where the chat cannot read it.

    With `alone`, that story only. Raises StoreError.
    """
    search, translator, chat_id = services.search, visit.translator, visit.chat_id
    facts = await search.facts(entry_id, chat_id)
    if facts is None:
        return None
    stories = timeline(await search.storyline(entry_id, chat_id), entry_id, translator)
    story = next((story for story in stories if story.requested), None)
    first = await search.first_seen(entry_id, chat_id)
    when = visit.when
    article = facts.entry.article
    lead: list[Block] = [
        Paragraph(line(Text(describe_entry(facts, when, "link", translator, first))), Tone.QUIET)
    ]
    if link := outside(article.link):
        read = Text(translator.gettext("Read the article"), link)
        lead.insert(
            0, Paragraph(line(read, "·", Text(article.source or article.feed_name, foreign=True)))
        )
    sections: list[Section] = []
    if story:
        sections += _story_sections(story, visit)
        sections += await _headlines(visit, services, story, facts)
    chats = await _chat_names(visit, services)
    reasons = await search.reasons(facts, chats, chat_id, when, translator)
    if not alone:
        sections += [_why(reasons, translator), *_storyline(stories, visit)]
    elif visit.chat and not visit.chat.settings.hide_names:
        sections.append(_why([reason for reason in reasons if reason.alerted], translator))
    return Page(Text(headline(article.title), foreign=True), tuple(lead), tuple(sections))


async def _chat_names(visit: Visit, services: WebServices) -> dict[int, str]:
    if visit.chat:
        return {visit.chat.id: plain(visit.chat.name)}
    return {chat.id: plain(chat.name) for chat in await services.all_chats()}


def _story_sections(story: TimelineStory, visit: Visit) -> list[Section]:
    translator = visit.translator
    rows = tuple(_row(item, visit) for item in story.entries[:_ARTICLES])
    columns = (
        translator.gettext("Publisher"),
        translator.gettext("Time"),
        translator.gettext("Behind the first"),
        translator.gettext("Headline"),
        translator.gettext("Why it belongs"),
    )
    caption = summary([story], translator)
    return [
        Section(
            Text(translator.gettext("Who was first")),
            (paragraph(who_was_first(story, translator)), Table(caption, columns, rows)),
        )
    ]


def _row(item: TimelineEntry, visit: Visit) -> tuple[Text, ...]:
    entry, translator = item.entry, visit.translator
    return (
        Text(cut(plain(source_name(entry, translator)), 80), foreign=True),
        visit.time(entry.at),
        Text(format_delay(item.delay, translator)),
        Text(headline(entry.title), outside(entry.link), foreign=True),
        Text(plain(item.reason), tone=Tone.QUIET),
    )


async def _headlines(
    visit: Visit, services: WebServices, story: TimelineStory, requested: EntryFacts
) -> list[Section]:
    """Return the earlier headlines of the story's articles, in order of time. Raises StoreError."""
    translator, changes = visit.translator, []
    for item in story.entries[:_REVISED]:
        entry = item.entry
        facts = (
            requested
            if entry.id == requested.entry.id
            else await services.search.facts(entry.id, visit.chat_id)
        )
        revisions = facts.revisions if facts else ()
        titles = [title for _, title in revisions] + [entry.title]
        starts = [entry.at, *(at for at, _ in revisions)]
        if revisions:
            changes += [(at, entry.name, title) for at, title in zip(starts, titles, strict=True)]
    if not changes:
        return []
    rows = tuple(
        (
            Text(cut(plain(name), 80), foreign=True),
            visit.time(at),
            Text(headline(title), foreign=True),
        )
        for at, name, title in sorted(changes)
    )
    heading = translator.gettext("Headlines over time")
    columns = (
        translator.gettext("Publisher"),
        translator.gettext("Since"),
        translator.gettext("Headline"),
    )
    return [Section(Text(heading), (Table(heading, columns, rows, is_headed=True),))]


def _why(reasons: Sequence[AlertExplanation], translator: Translator) -> Section:
    """Return the reasons of subscriptions that match; of all, where none does."""
    matching = [reason for reason in reasons if reason.matches or reason.alerted]
    items = tuple(
        Item(
            Text(
                f"{'✓' if reason.matches else '✗'} {cut(plain(reason.subscription), 100)}",
                foreign=True,
                tone=Tone.GOOD if reason.matches else Tone.PLAIN,
            ),
            (line(Text(reason.text)),),
        )
        for reason in (matching or reasons)[:_REASONS]
    )
    none = translator.gettext("No subscriptions here yet. Add one: /subscribe QUERY")
    block: Block = Items(items) if items else paragraph(none)
    return Section(Text(translator.gettext("Why")), (block,))


def _storyline(stories: Sequence[TimelineStory], visit: Visit) -> list[Section]:
    """Return the other stories of the storyline."""
    translator = visit.translator
    others = [story for story in stories if not story.requested][:_STORIES]
    if not others:
        return []
    items = tuple(
        Item(
            Text(
                headline(story.title),
                visit.link(f"/story/{story.entries[0].entry.id}"),
                foreign=True,
            ),
            (line(visit.time(story.entries[0].entry.at), "·", summary([story], translator)),),
        )
        for story in others
    )
    heading = translator.gettext("Other stories of this storyline")
    return [Section(Text(heading), (Items(items, ordered=True),))]
