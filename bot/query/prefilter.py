"""A query as a full-text search over the keys of stored entries: every match is among its results.

Not the match. The expression is of SQLite's FTS5 (sqlite.org/fts5.html, "Full-text Query Syntax"),
whose tokens are our keys.
"""

import re
from collections.abc import Iterable

from bot.names.lookup_keys import word_keys
from bot.query.index_keys import KeyRequirement, Keys, is_meta_key, required_keys
from bot.query.tree import AllOf, Meta, Node
from bot.query.words import ArticleWords
from bot.text.stem import query_stems

#: to be raised where other keys come of the same words: an index of others is built anew
KEYS_VERSION = 3
_MAX_ALTERNATIVES = 500  # keys joined by OR; a word with more of them narrows nothing
_SEPARATORS = re.compile(r"[\x00-,;<>?@\[\\\]`{|}\x7f]")  # characters that the tokenizer splits at


def search_text(words: ArticleWords) -> str:
    """Return the text that is indexed for an article: keys of words, stems and name sounds."""
    keys = dict.fromkeys(words.keys)
    keys.update(dict.fromkeys(key for word in words.name_words() for key in word_keys(word)))
    return " ".join(key for key in keys if not _SEPARATORS.search(key))


def fts_expression(node: Node, languages: Iterable[str]) -> str:
    """Return the FTS5 expression of a query, whose words may be inflected in these languages.

    Empty if every article has to be examined.
    """
    all_languages = frozenset(languages) | {""}

    def stems_in_all(word: str) -> Keys:
        return frozenset(stem for language in all_languages for stem in query_stems(word, language))

    requirement = required_keys(node, stems_in_all)
    return _expression(requirement) if requirement else ""


def _expression(requirement: KeyRequirement) -> str:
    """Return the expression of a requirement; empty if it needs no key that is indexed."""
    if not requirement.parts:
        return _any_key(requirement.keys)
    inner = [_expression(part) for part in requirement.parts]
    if requirement.every:
        known = list(dict.fromkeys(part for part in inner if part))
        return f"({' AND '.join(known)})" if len(known) > 1 else "".join(known)
    if not all(inner):
        return ""
    return f"({' OR '.join(dict.fromkeys(inner))})" if len(inner) > 1 else inner[0]


def _any_key(keys: Keys) -> str:
    # Sites, tags and feeds are not indexed: they change with the configuration.
    if len(keys) > _MAX_ALTERNATIVES or any(
        is_meta_key(key) or _SEPARATORS.search(key) for key in keys
    ):
        return ""
    quoted = [f'"={key[1:]}" *' if key[0] == "^" else f'"{key}"' for key in sorted(keys)]
    return f"({' OR '.join(quoted)})" if len(quoted) > 1 else "".join(quoted)


def required_meta(node: Node) -> tuple[Meta, ...]:
    """Return the conditions on metadata that every match meets: cheap to check first."""
    match node:
        case Meta():
            return (node,)
        case AllOf(parts=parts):
            return tuple(meta for part in parts for meta in required_meta(part))
        case _:
            return ()
