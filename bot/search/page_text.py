"""What was read of an article beside headline and summary, as sentences. No I/O, no clock."""

from typing import TYPE_CHECKING

from bot.i18n.catalog import Translator
from bot.model.pages import PageFailure, PageState

if TYPE_CHECKING:
    from bot.model.archive import EntryFacts
    from bot.search.account_text import TimeFormat


def read_text(facts: "EntryFacts", when: "TimeFormat", translator: Translator) -> str:
    """Return what was read of an article; empty for headline and summary alone."""
    page = facts.page
    if page is None:
        if not facts.entry.article.body:
            return ""
        return translator.gettext("Read: headline, summary and the text that the feed carries.")
    match page.state:
        case PageState.WAITING:
            return translator.gettext("Its page is still to be read.")
        case PageState.READ if page.at:
            return translator.gettext(
                "Read: headline, summary and the page, {when}; of the page the words are kept.",
                when=when(page.at),
            )
        case _:
            return translator.gettext(
                "Its page was not read: {reason}.", reason=failure_text(page.failure, translator)
            )


def failure_text(failure: PageFailure | None, translator: Translator) -> str:
    """Return why a page was not read."""
    match failure:
        case PageFailure.PAYWALL:
            return translator.gettext("it is for those who pay")
        case PageFailure.REFUSED:
            return translator.gettext("the site refused")
        case PageFailure.ROBOTS:
            return translator.gettext("the site's robots.txt asks programs not to")
        case PageFailure.GONE:
            return translator.gettext("there is no such page")
        case PageFailure.NO_PAGE:
            return translator.gettext("the address leads to something else than a page")
        case PageFailure.NO_TEXT:
            return translator.gettext("no article was found in it")
        case PageFailure.HARMFUL:
            return translator.gettext("reading it would have taken too long")
        case PageFailure.TOO_MANY:
            return translator.gettext("too many pages were waiting")
        case _:
            return translator.gettext("the site did not answer")
