"""Decide again about an entry whose page was read, as about one with other words.

Its chats are alerted where the page's words match for the first time. The page's text is not kept:
its terms are, and for each match the part around it.
"""

from dataclasses import replace

from bot.alerts.decide import AlertRules, decide_alerts
from bot.alerts.state import AlertState
from bot.model.alerts import StoryState
from bot.model.entries import Article, Match, Revision, Span
from bot.model.pages import PageCommit, PageDue, PageFailed, PageState, PageText
from bot.query.prefilter import search_text
from bot.query.words import ArticleWords
from bot.stories.assign import Merges
from bot.text.around import around

SNIPPET = 300  #: code points of a page that are kept of a match


def decide_page(
    due: PageDue, page: PageText | PageFailed, stored: StoryState, rules: AlertRules
) -> PageCommit:
    """Return what a page means for the chats; `stored` is of the stories of its entry.

    What a page says of its article (that it was corrected, say) is no change: nobody read it
    before. That it is gone for good withdraws the article.
    """
    known = due.known
    state = AlertState.of(stored, Merges.of(()))
    if isinstance(page, PageFailed):
        gone = () if known.withdrawn else (known,)  # its feed may have said so before
        decisions, _ = decide_alerts((), (), due.feed, state, rules, gone)
        return PageCommit(
            known.id,
            PageState.FAILED,
            page.failure,
            withdrawn=page.withdrawn,
            updates=decisions.updates,
        )
    is_longer = len(page.text) > len(known.body)
    revision = Revision(
        known,
        known.title,
        known.summary,
        due.link,
        known.keys,
        known.updated,
        retitled=False,
        author=due.author,
        source=due.source,
        language=due.language,
        body=page.text if is_longer else known.body,
        categories=due.categories,
    )
    decisions, _ = decide_alerts((), (revision,), due.feed, state, rules)
    alerts, revisions = decisions.alerts, decisions.revisions
    if is_longer:
        alerts = tuple(
            replace(item, matches=_with_snippets(item.matches, page.text)) for item in alerts
        )
        revisions = tuple(
            replace(item, matches=_with_snippets(item.matches, page.text)) for item in revisions
        )
    words = ArticleWords(Article("", language=due.language, body=page.text))
    return PageCommit(
        known.id,
        PageState.READ,
        terms=" ".join(sorted(set(search_text(words).split(" ")))),
        alerts=alerts,
        alert_revisions=revisions,
        growths=decisions.growths,
        records=decisions.records,
    )


def _with_snippets(matches: tuple[Match, ...], text: str) -> tuple[Match, ...]:
    return tuple(_with_snippet(match, text) for match in matches)


def _with_snippet(match: Match, text: str) -> Match:
    """A match with the part of the page around its first word there, and the spans in it."""
    inside = [span for span in match.spans if span.field == "body"]
    others = tuple(span for span in match.spans if span.field != "body")
    if not inside:
        return match
    snippet, shift = around(text, inside[0].start, SNIPPET)
    moved = tuple(
        Span("page", span.start - shift, span.end - shift, span.term)
        for span in inside
        if span.start >= shift and span.end - shift <= len(snippet)
    )
    return Match(match.subscription_id, (*others, *moved), snippet)
