"""A few single conditions against many articles, each condition by itself. Not whole queries, which the index holds."""

from collections.abc import Sequence

from bot.query.index_keys import KeyRequirement, Keys, required_keys
from bot.query.matcher import meta_matches, token_ranges
from bot.query.tree import Meta, Term
from bot.query.words import ArticleWords
from bot.text.stem import query_stems


class ClauseMatcher:
    """Tries only those of which an article has a key, as the index does."""

    def __init__(self, clauses: Sequence[Term | Meta]) -> None:
        self._clauses = clauses
        self._keyed: dict[
            str, dict[str, list[int]]
        ] = {}  # language to key to conditions; those without a key are tried always

    def held(self, words: ArticleWords) -> int:
        """The conditions that an article meets, as bits."""
        keyed = self._keyed.get(words.language)
        if keyed is None:
            keyed = self._keyed[words.language] = self._by_key(words.language)
        tried = {
            number
            for one, numbers in keyed.items()
            if not one or one in words.places
            for number in numbers
        }
        return sum(1 << number for number in tried if clause_matches(self._clauses[number], words))

    def _by_key(self, language: str) -> dict[str, list[int]]:
        made: dict[str, list[int]] = {}
        for number, clause in enumerate(self._clauses):
            demand = (
                required_keys(clause, lambda word: frozenset(query_stems(word, language)))
                if isinstance(clause, Term)
                else None
            )
            for one in _any_of(demand) if demand else ("",):
                made.setdefault(one, []).append(number)
        return made


def _any_of(demand: KeyRequirement) -> Keys:
    """Keys of which an article must hold one."""
    parts = demand.parts[:1] if demand.every else demand.parts
    return demand.keys.union(*map(_any_of, parts))


def clause_matches(clause: Term | Meta, words: ArticleWords) -> bool:
    """Whether an article meets a condition."""
    return (
        meta_matches(clause, words.article)
        if isinstance(clause, Meta)
        else bool(token_ranges(clause, words))
    )
