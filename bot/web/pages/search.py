"""Searching stored articles, and trying a query as a subscription, with a chart of its days."""

import re
from dataclasses import dataclass

from bot.alerts import options
from bot.chat.replies import archive_unavailable, no_article, search_too_long
from bot.chat.services import SEARCH_DAYS
from bot.errors import QueryError, StoreError, StoreTimeout
from bot.i18n.catalog import Translator
from bot.model.chats import AlertOptions
from bot.query.tree import Node
from bot.query.tree import show as as_query
from bot.query.warnings import query_warnings
from bot.search.backtest import Forecast
from bot.search.explain import explain_unknown
from bot.search.forecast_text import counts_text, expectation_lines
from bot.search.matches import Hit
from bot.text.clean import cut, headline, plain
from bot.web.blocks import (
    Block,
    Field,
    Form,
    Item,
    Items,
    Page,
    Picture,
    Section,
    Table,
    Text,
    Tone,
    Verbatim,
    line,
    paragraph,
)
from bot.web.pages.feeds import chat_field, pages_of
from bot.web.services import WebServices
from bot.web.visit import Visit

HITS = 20  #: articles of a page
PAGES = 20  #: pages of articles
CHART_DAYS = 14  #: of the chart of a query
CHART_SIZE = (1280, 800)  #: pixels
_EXAMPLE = '"air defence" AND (Syria OR Iraq)'
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)
_QUERY = 300  # characters of a query in a sentence


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query that can be read and does not cost too much."""

    text: str
    terms: AlertOptions
    tree: Node


async def read_query(visit: Visit, services: WebServices) -> AskedQuery:
    """Return the query that the address has. Raises QueryError."""
    text = visit.word("q")
    terms, query = options.split(text)
    return AskedQuery(text, terms, await services.search.affordable(query))


async def search_page(visit: Visit, services: WebServices) -> Page:
    """Return the newest articles that match a query."""
    translator, number = visit.translator, visit.number("page", PAGES)
    submit = translator.gettext("Search")
    form = _form(visit, "/search", submit)
    title = Text(submit)
    if not visit.word("q"):
        return Page(title, (form,))
    if _ADDRESS.match(visit.word("q")):
        return Page(title, (form,), (await _by_address(visit, services),))
    try:
        query = await read_query(visit, services)
        hits = await services.search.search(query.tree, visit.chat_id, HITS + 1, number * HITS)
    except (QueryError, StoreError) as error:
        return Page(title, (form,), (_problem(error, translator),))
    more = len(hits) > HITS and number < PAGES
    blocks: list[Block] = [_hits(hits[:HITS], visit)] if hits else [
        paragraph(no_article(translator, SEARCH_DAYS))
    ]  # fmt: skip
    blocks += pages_of(visit, "/search", number, more=more, q=query.text)
    other = Text(translator.gettext("Try a query"), visit.link("/try", q=query.text))
    blocks.append(paragraph(other))
    return Page(title, (form,), (_shown(query, translator, blocks),))


async def _by_address(visit: Visit, services: WebServices) -> Section:
    """Return the articles that somebody's address means, or why there are none.

    Raises StoreError.
    """
    translator, text = visit.translator, visit.word("q")
    heading = Text(cut(plain(text), _QUERY), code=True)
    found = await services.search.found(text, visit.chat_id)
    if not found.entries:
        feeds = await services.search.feeds(visit.chat_id)
        why = explain_unknown(found.asked.target, feeds, visit.when, translator, in_chat=True)
        return Section(heading, (paragraph(why),))
    items = tuple(
        Item(
            Text(headline(entry.title), visit.link(f"/story/{entry.id}"), foreign=True),
            (line(Text(cut(plain(entry.names[0]), 80), foreign=True), "·",
                  visit.time(entry.first_seen_at)),),
        )
        for entry in found.entries[:HITS]
    )  # fmt: skip
    return Section(heading, (Items(items),))


async def try_page(visit: Visit, services: WebServices) -> Page:
    """Return what a subscription would have sent, and what it may send."""
    translator = visit.translator
    title = Text(translator.gettext("Try a query"))
    form = _form(visit, "/try", title.text)
    if not visit.word("q"):
        return Page(title, (form,))
    try:
        query = await read_query(visit, services)
        terms = visit.terms(services.config(), query.terms)
        zone = translator.zone
        forecast = await services.search.forecast(query.tree, visit.chat_id, terms, zone)
    except (QueryError, StoreError) as error:
        return Page(title, (form,), (_problem(error, translator),))
    blocks: list[Block] = [
        paragraph(warning.translated(translator.gettext), tone=Tone.WARN)
        for warning in query_warnings(query.tree)
    ]
    if forecast.nothing_stored:
        none = translator.gettext("No articles stored yet, so there is no preview.")
        return Page(title, (form,), (_shown(query, translator, [*blocks, paragraph(none)]),))
    blocks += _forecast(forecast, visit)
    blocks.append(_chart(visit, query))
    sections = [_shown(query, translator, blocks)]
    if forecast.hits:
        newest = Text(translator.gettext("Newest matches"))
        sections.append(Section(newest, (_hits(list(forecast.hits), visit),)))
    return Page(title, (form,), tuple(sections))


def _shown(query: AskedQuery, translator: Translator, blocks: list[Block]) -> Section:
    del translator
    heading = Text(cut(as_query(query.tree), _QUERY), code=True)
    return Section(heading, tuple(blocks))


def _form(visit: Visit, path: str, submit: str) -> Form:
    translator = visit.translator
    hint = line(translator.gettext("For example:"), Text(_EXAMPLE, code=True))
    query = Field("q", translator.gettext("Query"), visit.word("q"), hint)
    return Form(path, submit, (query, *chat_field(visit)), live=True, label=submit)


def _problem(error: QueryError | StoreError, translator: Translator) -> Section:
    """Return what is wrong with a query, with a caret below it; or why there is no answer."""
    heading = Text(translator.gettext("No answer"))
    if isinstance(error, StoreTimeout):
        return Section(heading, (paragraph(search_too_long(translator), tone=Tone.BAD),))
    if isinstance(error, StoreError):
        return Section(heading, (paragraph(archive_unavailable(translator), tone=Tone.BAD),))
    text = paragraph(error.translated(translator.gettext), tone=Tone.BAD)
    return Section(heading, (text, Verbatim(error.excerpt())))


def _hits(hits: list[Hit], visit: Visit) -> Items:
    return Items(
        tuple(
            Item(
                Text(
                    headline(hit.entry.article.title),
                    visit.link(f"/story/{hit.entry.id}"),
                    foreign=True,
                ),
                (
                    line(
                        Text(
                            cut(plain(hit.entry.article.source or hit.entry.article.feed_name), 80),
                            foreign=True,
                        ),
                        "·",
                        visit.time(hit.entry.at),
                    ),
                ),
            )
            for hit in hits
        )
    )


def _forecast(forecast: Forecast, visit: Visit) -> list[Block]:
    translator = visit.translator
    lines = [counts_text(forecast, translator), *expectation_lines(forecast, translator)]
    rows = tuple(
        (Text(translator.weekday(day)), Text(str(count))) for day, count in forecast.by_day
    )
    columns = (translator.gettext("Day"), translator.gettext("Alerts"))
    table = Table(translator.gettext("Alerts of each day"), columns, rows)
    return [*(paragraph(text) for text in lines), *([table] if rows else [])]


def _chart(visit: Visit, query: AskedQuery) -> Picture:
    translator, (width, height) = visit.translator, CHART_SIZE
    text = translator.gettext(
        "Stories and publishers of the last {days} days as a chart", days=CHART_DAYS
    )
    light = visit.link("/chart.svg", q=query.text)
    dark = visit.link("/chart.svg", q=query.text, dark=1)
    return Picture(light, dark, text, width, height)
