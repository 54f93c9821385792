"""Say why an article matches a query or not: which terms it contains, lacks, or must not contain.

Not the match itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.entries import Span
from bot.query.matcher import evaluate, match, unique_spans
from bot.query.tree import (
    AllOf,
    AnyOf,
    Everything,
    InField,
    Meta,
    Name,
    NamedList,
    Near,
    Node,
    NoneOf,
    Prefix,
    Regex,
    Term,
    show,
)
from bot.query.words import ArticleWords
from bot.text.fold import folded_key
from bot.text.stem import query_stems


class MatchKind(StrEnum):
    """How words of an article match a term."""

    STEM = auto()  #: they have the same stems
    JOINED = auto()  #: characters of a script without spaces
    PREFIX = auto()  #: they begin with these letters
    NAME = auto()  #: a spelling of the name
    LISTED = auto()  #: an item of the list of this name
    EXPRESSION = auto()  #: they match the regular expression
    ARTICLE = auto()  #: metadata of the article, not words
    WORD = auto()  #: the same word, written differently
    NEAR = auto()  #: the words are near enough to each other


@dataclass(frozen=True, slots=True)
class MatchMethod:
    """How words of an article match a term, independent of the language of messages."""

    kind: MatchKind
    detail: str = ""  #: the stems, the prefix, or the name of the list


@dataclass(frozen=True, slots=True)
class TermMatch:
    """A term that the article contains."""

    term: str  #: as written in the query
    spans: tuple[Span, ...]  #: empty for metadata (`site:`)
    texts: tuple[str, ...]  #: the texts of the spans, without duplicates
    method: MatchMethod | None = None  #: how they match, unless it is obvious


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an article matches, or why not."""

    matched: bool
    spans: tuple[Span, ...]  #: those of the match; empty if there is none
    terms: tuple[TermMatch, ...]  #: terms of the query that the article contains
    missing: tuple[str, ...]  #: parts of the query that had to match and do not
    excluded: tuple[TermMatch, ...]  #: terms after NOT that the article contains
    unneeded: tuple[str, ...]  #: branches of an OR that do not match while another does


@dataclass(slots=True)
class _Parts:
    terms: list[TermMatch] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    excluded: list[TermMatch] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)


def explain(node: Node, words: ArticleWords) -> Explanation:
    """Explain a query for an article; `matched` and `spans` agree with `match`."""
    spans = match(node, words)
    parts = _Parts()
    _collect(node, words, "", parts)
    return Explanation(
        spans is not None,
        spans or (),
        tuple(parts.terms),
        tuple(parts.missing),
        tuple(parts.excluded),
        tuple(dict.fromkeys(parts.unneeded)),
    )


def _collect(node: Node, words: ArticleWords, within: str, parts: _Parts) -> None:
    """Sort a part of the query, evaluated within a field or (if it is empty) anywhere."""
    matches = evaluate(node, words, within) is not None
    match node:
        case AllOf(parts=inner):
            for part in inner:
                _collect(part, words, within, parts)
        case AnyOf(parts=inner) if matches:
            for part in inner:
                if evaluate(part, words, within) is None:
                    parts.unneeded.append(_with_field(within, part))
                else:
                    _collect(part, words, within, parts)
        case NoneOf(part=part):
            if not matches:
                parts.excluded += _term_matches(part, words, within) or [
                    TermMatch(_with_field(within, part), (), ())
                ]
        case InField(field=field_name, part=part):
            _collect(part, words, field_name, parts)
        case _ if matches:
            parts.terms += _term_matches(node, words, within)
        case _:
            parts.missing.append(_with_field(within, node))


def _with_field(within: str, node: Node) -> str:
    return f"{within}:{show(node, inside=True)}" if within else show(node)


def _term_matches(node: Node, words: ArticleWords, within: str) -> list[TermMatch]:
    """The terms of a part that matches."""
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return [
                term
                for part in parts
                if evaluate(part, words, within) is not None
                for term in _term_matches(part, words, within)
            ]
        case NoneOf():
            return []
        case InField(field=field_name, part=part):
            return _term_matches(part, words, field_name)
        case Near():
            spans = evaluate(node, words, within) or []
            return [_term_match(show(node), words, spans, MatchMethod(MatchKind.NEAR))]
        case Everything():
            return []
        case _:
            spans = evaluate(node, words, within) or []
            return [_term_match(_with_field(within, node), words, spans, _method(node, words))]


def _term_match(
    term: str, words: ArticleWords, spans: list[Span], method: MatchMethod
) -> TermMatch:
    unique = unique_spans(spans)
    texts = dict.fromkeys(
        words.article.text_of(span.field)[span.start : span.end] for span in unique
    )
    obvious = all(folded_key(text) == folded_key(term) for text in texts)
    return TermMatch(term, unique, tuple(texts), None if obvious else method)


def _method(leaf: Node, words: ArticleWords) -> MatchMethod:
    match leaf:
        case Term(units=units, mode="inflected"):
            stems = [
                query_stems(unit, words.language)[0] for unit in units if isinstance(unit, str)
            ]
            if not stems:
                return MatchMethod(MatchKind.JOINED)
            return MatchMethod(MatchKind.STEM, " ".join(stems))
        case Prefix(text=text):
            return MatchMethod(MatchKind.PREFIX, text)
        case Name():
            return MatchMethod(MatchKind.NAME)
        case NamedList(name=name):
            return MatchMethod(MatchKind.LISTED, f"@{name}")
        case Regex():
            return MatchMethod(MatchKind.EXPRESSION)
        case Meta():
            return MatchMethod(MatchKind.ARTICLE)
        case _:
            return MatchMethod(MatchKind.WORD)


def sentence(explanation: Explanation, translator: Translator = ENGLISH) -> str:
    """Return the explanation for a person, in one or more sentences."""
    if explanation.matched:
        terms = _terms_with_texts(explanation.terms, translator)
        sentences = [
            translator.gettext("Matched: {terms}.", terms=terms)
            if terms
            else translator.gettext("Contains nothing that the query excludes.")
        ]
        if explanation.unneeded:
            sentences.append(
                translator.gettext(
                    "Not needed: {terms}.", terms=", ".join(explanation.unneeded[:8])
                )
            )
        return " ".join(sentences)
    sentences = []
    if explanation.missing:
        missing = _enumeration(explanation.missing, translator)
        sentences.append(translator.gettext("Missing: {terms}.", terms=missing))
    if explanation.excluded:
        excluded = _terms_with_texts(explanation.excluded, translator)
        sentences.append(translator.gettext("Excluded by NOT {terms}.", terms=excluded))
    if explanation.terms:
        terms = _enumeration([term.term for term in explanation.terms], translator)
        sentences.append(translator.gettext("Found: {terms}.", terms=terms))
    return " ".join(sentences) or translator.gettext("No match.")


def _terms_with_texts(terms: Sequence[TermMatch], translator: Translator) -> str:
    """Enumerate terms with the texts that match them; empty for no terms."""
    return _enumeration(
        [
            f"{term.term} ({texts})" if (texts := _texts(term, translator)) else term.term
            for term in terms
        ],
        translator,
    )


def _texts(term: TermMatch, translator: Translator) -> str:
    texts = ", ".join(translator.gettext("“{text}”", text=text) for text in term.texts[:3])
    return f"{texts}, {_method_text(term.method, translator)}" if term.method and texts else texts


def _method_text(method: MatchMethod, translator: Translator) -> str:
    match method.kind:
        case MatchKind.STEM:
            return translator.gettext("same stem: {stems}", stems=method.detail)
        case MatchKind.JOINED:
            return translator.gettext("the same word, written together")
        case MatchKind.PREFIX:
            return translator.gettext("begins with {letters}", letters=method.detail)
        case MatchKind.NAME:
            return translator.gettext("a spelling of the name")
        case MatchKind.LISTED:
            return translator.gettext("in the list {name}", name=method.detail)
        case MatchKind.EXPRESSION:
            return translator.gettext("matches the expression")
        case MatchKind.ARTICLE:
            return translator.gettext("from the article's data")
        case MatchKind.NEAR:
            return translator.gettext("this close together")
        case MatchKind.WORD:
            return translator.gettext("the same word")


def _enumeration(parts: Sequence[str], translator: Translator) -> str:
    """Join parts to a list within a sentence; empty for no parts."""
    if len(parts) < 2:
        return "".join(parts)
    return translator.gettext("{first} and {last}", first=", ".join(parts[:-1]), last=parts[-1])
