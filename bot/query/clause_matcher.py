"""Match a few single conditions against many articles, each condition by itself.

Not whole queries, which are in the index.
"""

from collections.abc import Sequence

from bot.query.index_keys import KeyRequirement, Keys, required_keys
from bot.query.matcher import meta_matches, token_ranges
from bot.query.tree import Meta, Term
from bot.query.words import ArticleWords
from bot.text.stem import query_stems


class ClauseMatcher:
    """Evaluates only the conditions that share a key with the article, as the index does."""

    def __init__(self, clauses: Sequence[Term | Meta]) -> None:
        self._clauses = clauses
        # Language to key to numbers of conditions; those under "" have no key and always count.
        self._by_language: dict[str, dict[str, list[int]]] = {}

    def match_bits(self, words: ArticleWords) -> int:
        """Return the conditions that an article meets; bit n is condition n."""
        by_key = self._by_language.get(words.language)
        if by_key is None:
            by_key = self._by_language[words.language] = self._by_key(words.language)
        candidates = {
            number
            for key, numbers in by_key.items()
            if not key or key in words.keys
            for number in numbers
        }
        return sum(
            1 << number for number in candidates if clause_matches(self._clauses[number], words)
        )

    def _by_key(self, language: str) -> dict[str, list[int]]:
        by_key: dict[str, list[int]] = {}
        for number, clause in enumerate(self._clauses):
            requirement = (
                required_keys(clause, lambda word: frozenset(query_stems(word, language)))
                if isinstance(clause, Term)
                else None
            )
            for key in _any_of(requirement) if requirement else ("",):
                by_key.setdefault(key, []).append(number)
        return by_key


def _any_of(requirement: KeyRequirement) -> Keys:
    """Keys of which an article must have at least one."""
    parts = requirement.parts[:1] if requirement.every else requirement.parts
    return requirement.keys.union(*map(_any_of, parts))


def clause_matches(clause: Term | Meta, words: ArticleWords) -> bool:
    """Whether an article meets a condition."""
    if isinstance(clause, Meta):
        return meta_matches(clause, words.article)
    return bool(token_ranges(clause, words))
