"""Warnings about queries that are accepted, and may mean something else than their writer thinks.

Operators in small letters or without a space, commas, exclusions that leave nothing, words of
languages that are not inflected. Not errors: those are the parser's.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import regex

from bot.query.implication import conjunctions, contradiction
from bot.query.tree import AllOf, AnyOf, InField, Meta, Near, Node, NoneOf, Term, show
from bot.text.stem import INFLECTED

_MOST = 3  # warnings about one query
_OPERATOR_WORDS = {
    **dict.fromkeys("and und et y и і та ve oraz".split(), "AND"),
    **dict.fromkeys("or oder ou o или або чи veya lub أو".split(), "OR"),
    **dict.fromkeys("not nicht не nie".split(), "NOT"),
}
_GLUED = regex.compile(r"(AND|OR|NOT|NEAR)(?=\p{Ll}|AND$|OR$|NOT$)")
_COMMA = re.compile(r"[,;،、，|](?=\D|$)")
# Letters of one language that words are not inflected in.
_LETTERS = tuple(
    (language, regex.compile(f"[{letters}]", regex.IGNORECASE))
    for language, letters in {
        "am": r"\p{Ethiopic}",
        "az": "ə",
        "be": "ў",
        "bn": r"\p{Bengali}",
        "ka": r"\p{Georgian}",
        "kk": "әғқңұһ",
        "lv": "ķļņģŗ",
        "mk": "ѓќѕ",
        "mt": "ħġ",
        "sk": "ĺŕľ",
        "ur": "ٹڈڑںے",
        "vi": "ơưạảấầẩẫậắằẳẵặẹẻẽềểễếệịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    }.items()
)
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "km", "my"})


@dataclass(frozen=True, slots=True)
class QueryWarning:
    """What may be a mistake in a query."""

    text: str
    values: dict[str, str] = field(default_factory=dict)

    def translated(self, gettext: Callable[..., str]) -> str:
        """Return the sentence in another language; `gettext` takes the text and its values."""
        return gettext(self.text, **self.values)

    def __str__(self) -> str:
        return self.text.format(**self.values) if self.values else self.text


_OF_LANGUAGE = QueryWarning(
    "Words of this language ({code}) are not inflected: {word} finds only this form. Put a star "
    "after what all forms begin with."
)
NOT_INFLECTED = _OF_LANGUAGE.text  #: the text of warnings about languages


def query_warnings(tree: Node) -> list[QueryWarning]:
    """Return the warnings about a query, at most three, each once."""
    found = {
        str(warning): warning
        for warning in (*_of_words(tree), *_of_exclusions(tree), *_of_languages(tree))
    }
    return list(found.values())[:_MOST]


def _of_words(tree: Node) -> Iterator[QueryWarning]:
    terms = list(_bare_terms(tree))
    several = len(terms) > 1 or not isinstance(tree, Term)
    for term in terms:
        if several and (operator := _OPERATOR_WORDS.get(term.text.lower())):
            yield QueryWarning(
                "“{word}” is a word here, which articles must contain. Write {operator} if you "
                "mean that, or put the word in quotes.",
                {"word": term.text, "operator": operator},
            )
        elif glued := _GLUED.match(term.text):
            rest = term.text[glued.end() :]
            yield QueryWarning(
                "“{word}” is one word here. Write {instead} if you mean that, or put the word in "
                "quotes.",
                {"word": term.text, "instead": f"{glued.group(1)} {rest}"},
            )
        elif _COMMA.search(term.text) and (several or _COMMA.search(term.text[:-1])):
            yield QueryWarning(
                "The sign in “{word}” joins nothing: articles must contain all of these words. "
                "Write OR between words of which one is enough.",
                {"word": term.text},
            )


def _of_exclusions(tree: Node) -> Iterator[QueryWarning]:
    for parts in conjunctions(tree):
        pair = contradiction(parts, certain=False)
        if pair:
            yield QueryWarning(
                "NOT {excluded} also excludes {required}: next to nothing can match.",
                {"excluded": show(pair[1], inside=True), "required": show(pair[0], inside=True)},
            )


def _of_languages(tree: Node) -> Iterator[QueryWarning]:
    terms = list(_bare_terms(tree))
    codes = {meta.value for meta in _required_languages(tree)}
    if terms and codes and codes.isdisjoint(INFLECTED | _UNSPACED):
        yield _not_inflected(terms[0].text, min(codes))
        return
    for term in terms:
        code = next((code for code, letters in _LETTERS if letters.search(term.text)), None)
        if code:
            yield _not_inflected(term.text, code)


def _not_inflected(word: str, code: str) -> QueryWarning:
    return replace(_OF_LANGUAGE, values={"word": word, "code": code})


def _required_languages(node: Node) -> Iterator[Meta]:
    match node:
        case Meta(field="lang"):
            yield node
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _required_languages(part)
        case _:
            return


def _bare_terms(node: Node) -> Iterator[Term]:
    """The words of a query that are not in quotes, without those of lists."""
    match node:
        case Term(quoted=False, mode="inflected"):
            yield node
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _bare_terms(part)
        case NoneOf(part=part) | InField(part=part):
            yield from _bare_terms(part)
        case Near(left=left, right=right):
            yield from _bare_terms(left)
            yield from _bare_terms(right)
        case _:
            return
