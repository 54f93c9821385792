"""A query as a search over the keys that stored entries are found by: whatever matches is among what the search finds. Not the match.

The expression is of SQLite's FTS5 (sqlite.org/fts5.html, "Full-text Query Syntax"), whose tokens are our keys.
"""

import re
from collections.abc import Iterable

from bot.names.lookup_keys import word_keys
from bot.query.index_keys import KeyRequirement, Keys, is_meta_key, required_keys
from bot.query.tree import AllOf, Meta, Node
from bot.query.words import ArticleWords
from bot.text.stem import query_stems

_WITHIN = 500  # keys of one word that an expression names; a word with more narrows nothing
_ODD = re.compile(r"[\x00-,;<>?@\[\\\]`{|}\x7f]")  # what the tokens of the search are cut at


def search_text(words: ArticleWords) -> str:
    """The keys of an article, as the search keeps them: words, stems and sounds of names."""
    found = dict.fromkeys(words.places)
    found.update(dict.fromkeys(one for word in words.words if word for one in word_keys(word)))
    return " ".join(one for one in found if not _ODD.search(one))


def fts_expression(node: Node, languages: Iterable[str]) -> str:
    """The search for a query whose words may be inflected in these languages; empty where every article has to be looked at."""
    all_languages = frozenset(languages) | {""}

    def forms(word: str) -> Keys:
        return frozenset(form for language in all_languages for form in query_stems(word, language))

    demand = required_keys(node, forms)
    return _written(demand) if demand else ""


def _written(demand: KeyRequirement) -> str:
    """Empty where nothing is demanded that the search keeps."""
    if not demand.parts:
        return _any(demand.keys)
    inner = [_written(part) for part in demand.parts]
    if demand.every:
        known = list(dict.fromkeys(one for one in inner if one))
        return f"({' AND '.join(known)})" if len(known) > 1 else "".join(known)
    if not all(inner):
        return ""
    return f"({' OR '.join(dict.fromkeys(inner))})" if len(inner) > 1 else inner[0]


def _any(found: Keys) -> str:
    # Sites, tags and feeds are not kept: they change with the configuration.
    if len(found) > _WITHIN or any(is_meta_key(one) or _ODD.search(one) for one in found):
        return ""
    written = [f'"={one[1:]}" *' if one[0] == "^" else f'"{one}"' for one in sorted(found)]
    return f"({' OR '.join(written)})" if len(written) > 1 else "".join(written)


def required_meta(node: Node) -> tuple[Meta, ...]:
    """Conditions beside the words that every match meets: cheap to look at first."""
    match node:
        case Meta():
            return (node,)
        case AllOf(parts=parts):
            return tuple(one for part in parts for one in required_meta(part))
        case _:
            return ()
