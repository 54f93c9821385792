"""The words of a page whose text is not kept: whether a part of a query is among them.

Only that a page has words is known, and not where: a phrase counts as its words, and near words
count as both. What needs more than words, such as an expression, is not found in them.
"""

from bot.query.index_keys import KeyRequirement, required_keys
from bot.query.tree import AnyOf, Name, NamedList, Near, Node, Prefix, Term
from bot.text.fold import folded_key
from bot.text.stem import query_stems


def has_terms(node: Node, terms: frozenset[str], language: str) -> bool:
    """Whether a page with these terms has the words of a condition."""
    match node:
        case Near(left=left, right=right):
            return has_terms(left, terms, language) and has_terms(right, terms, language)
        case AnyOf(parts=parts) | NamedList(items=parts):
            return any(has_terms(part, terms, language) for part in parts)
        case Name(text=text):
            # By the spelling of the query alone: other names sound like it.
            return all(f"={word}" in terms for word in folded_key(text).split())
        case Term() | Prefix():
            requirement = required_keys(node, lambda word: frozenset(query_stems(word, language)))
            return requirement is not None and _are_met(requirement, terms)
        case _:
            return False


def _are_met(requirement: KeyRequirement, terms: frozenset[str]) -> bool:
    if not requirement.parts:
        return any(_is_met(key, terms) for key in requirement.keys)
    met = (_are_met(part, terms) for part in requirement.parts)
    return all(met) if requirement.every else any(met)


def _is_met(key: str, terms: frozenset[str]) -> bool:
    if key[0] == "^":
        return any(term.startswith(f"={key[1:]}") for term in terms)
    return key in terms
