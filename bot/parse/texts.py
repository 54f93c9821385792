"""Tell apart what a feed carries of an article: summary, body, categories. Not cleaning markup."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

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


@lru_cache(maxsize=4096)
def _category(name: str) -> tuple[str, str]:
    """A category, and what it has in common with its like: the same are named again and again."""
    category = label(name, CATEGORY_LENGTH)
    return folded_key(category) or category, category


def categories_of(names: Iterable[object]) -> tuple[str, ...]:
    """Return the categories of an article in the order of the feed, each once."""
    categories: dict[str, str] = {}
    for name in names:
        key, category = (
            _category(name[: 4 * CATEGORY_LENGTH]) if isinstance(name, str) else ("", "")
        )
        if category:
            categories.setdefault(key, category)
        if len(categories) == CATEGORIES:
            break
    return tuple(categories.values())
