"""Tell apart what a feed carries of an article: summary, body, categories. Not cleaning markup."""

from collections.abc import Iterable, Sequence

from bot.text.clean import SUMMARY_LENGTH, cut, label
from bot.text.fold import folded_key

CATEGORIES = 30  #: categories kept of an article
CATEGORY_LENGTH = 100  #: code points of each


def summary_and_body(texts: Sequence[str]) -> tuple[str, str]:
    """Return the summary of an article, and its body where that says more; else nothing of them.

    `texts` are those that the feed carries, without markup; the first one is the summary, the
    longest one the body.
    """
    if not texts:
        return "", ""
    summary = cut(texts[0], SUMMARY_LENGTH)
    body = max(texts, key=len)
    return summary, body if len(body) > len(summary) else ""


def categories_of(names: Iterable[object]) -> tuple[str, ...]:
    """Return the categories of an article in the order of the feed, each once."""
    categories: dict[str, str] = {}
    for name in names:
        category = label(name, CATEGORY_LENGTH) if isinstance(name, str) else ""
        if category:
            categories.setdefault(folded_key(category) or category, category)
        if len(categories) == CATEGORIES:
            break
    return tuple(categories.values())
