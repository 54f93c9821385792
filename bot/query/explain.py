"""Say why an article matches a query, or why not: which terms stand where, which are missing, which exclude it. Not the match itself."""

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
    """How words of an article come to be a term."""

    STEM = auto()  #: of the same stems
    JOINED = auto()  #: characters of a script without spaces
    PREFIX = auto()  #: begins with these letters
    NAME = auto()  #: a spelling of the name
    LISTED = auto()  #: stands in the list of this name
    EXPRESSION = auto()  #: a regular one
    ARTICLE = auto()  #: of the article, not its words
    WORD = auto()  #: the same word, in another form of writing
    NEAR = auto()  #: so near to each other


@dataclass(frozen=True, slots=True)
class MatchMethod:
    """How words of an article come to be a term, in no language."""

    kind: MatchKind
    what: str = ""  #: the stems, the letters it begins with, or the list


@dataclass(frozen=True, slots=True)
class TermMatch:
    """A term that stands in the article."""

    term: str  #: as written in the query
    spans: tuple[Span, ...]  #: empty where it is not of the words (`site:`)
    texts: tuple[str, ...]  #: what stands there, each once
    how: MatchMethod | None = None  #: how that comes to be the term, where it does not show


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an article matches, or why not."""

    matched: bool
    spans: tuple[Span, ...]  #: those of the match; empty where there is none
    found: tuple[TermMatch, ...]  #: terms that stand in the article and were asked for
    missing: tuple[str, ...]  #: parts of the query that had to match and do not
    excluded: tuple[TermMatch, ...]  #: terms after NOT that stand in the article
    unneeded: tuple[str, ...]  #: branches of an OR that do not match where another does


@dataclass(slots=True)
class _Notes:
    found: list[TermMatch] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    excluded: list[TermMatch] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)


def explain(node: Node, words: ArticleWords) -> Explanation:
    """The explanation for one query and one article; `matched` and `spans` are those of `match`."""
    spans = match(node, words)
    notes = _Notes()
    _look(node, words, "", notes)
    return Explanation(
        spans is not None,
        spans or (),
        tuple(notes.found),
        tuple(notes.missing),
        tuple(notes.excluded),
        tuple(dict.fromkeys(notes.unneeded)),
    )


def _look(node: Node, words: ArticleWords, where: str, notes: _Notes) -> None:
    matches = evaluate(node, words, where) is not None
    match node:
        case AllOf(parts=parts):
            for part in parts:
                _look(part, words, where, notes)
        case AnyOf(parts=parts) if matches:
            for part in parts:
                if evaluate(part, words, where) is None:
                    notes.unneeded.append(_in(where, part))
                else:
                    _look(part, words, where, notes)
        case NoneOf(part=part):
            if not matches:
                notes.excluded += _standing(part, words, where) or [
                    TermMatch(_in(where, part), (), ())
                ]
        case InField(field=inner, part=part):
            _look(part, words, inner, notes)
        case _ if matches:
            notes.found += _standing(node, words, where)
        case _:
            notes.missing.append(_in(where, node))


def _in(where: str, node: Node) -> str:
    return f"{where}:{show(node, inside=True)}" if where else show(node)


def _standing(node: Node, words: ArticleWords, where: str) -> list[TermMatch]:
    """The terms of a matching part."""
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return [
                found
                for part in parts
                if evaluate(part, words, where) is not None
                for found in _standing(part, words, where)
            ]
        case NoneOf():
            return []
        case InField(field=inner, part=part):
            return _standing(part, words, inner)
        case Near():
            return [
                _found(
                    show(node),
                    words,
                    evaluate(node, words, where) or [],
                    MatchMethod(MatchKind.NEAR),
                )
            ]
        case Everything():
            return []
        case _:
            return [
                _found(
                    _in(where, node), words, evaluate(node, words, where) or [], _how(node, words)
                )
            ]


def _found(term: str, words: ArticleWords, evidence: list[Span], how: MatchMethod) -> TermMatch:
    spans = unique_spans(evidence)
    texts = dict.fromkeys(
        words.texts[span.field != "title"][span.start : span.end] for span in spans
    )
    shown = None if all(folded_key(text) == folded_key(term) for text in texts) else how
    return TermMatch(term, spans, tuple(texts), shown)


def _how(leaf: Node, words: ArticleWords) -> MatchMethod:
    match leaf:
        case Term(units=units, mode="inflected"):
            forms = [
                query_stems(unit, words.language)[0] for unit in units if isinstance(unit, str)
            ]
            return (
                MatchMethod(MatchKind.STEM, " ".join(forms))
                if forms
                else MatchMethod(MatchKind.JOINED)
            )
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
    """The explanation in words, for a person; one or more sentences."""
    if explanation.matched:
        terms = _terms(explanation.found, translator)
        said = [
            translator.gettext("Matched: {terms}.", terms=terms)
            if terms
            else translator.gettext("Contains nothing that the query excludes.")
        ]
        if explanation.unneeded:
            said.append(
                translator.gettext(
                    "Not needed: {terms}.", terms=", ".join(explanation.unneeded[:8])
                )
            )
        return " ".join(said)
    said = []
    if explanation.missing:
        said.append(
            translator.gettext("Missing: {terms}.", terms=_and(explanation.missing, translator))
        )
    if explanation.excluded:
        said.append(
            translator.gettext(
                "Excluded by NOT {terms}.", terms=_terms(explanation.excluded, translator)
            )
        )
    if explanation.found:
        said.append(
            translator.gettext(
                "Found: {terms}.", terms=_and([one.term for one in explanation.found], translator)
            )
        )
    return " ".join(said) or translator.gettext("No match.")


def _terms(found: Sequence[TermMatch], translator: Translator) -> str:
    """Terms with what stands in the article; empty for none."""
    return _and(
        [
            f"{one.term} ({texts})" if (texts := _texts(one, translator)) else one.term
            for one in found
        ],
        translator,
    )


def _texts(found: TermMatch, translator: Translator) -> str:
    texts = ", ".join(translator.gettext("“{text}”", text=text) for text in found.texts[:3])
    return f"{texts}, {_how_said(found.how, translator)}" if found.how and texts else texts


def _how_said(how: MatchMethod, translator: Translator) -> str:
    match how.kind:
        case MatchKind.STEM:
            return translator.gettext("same stem: {stems}", stems=how.what)
        case MatchKind.JOINED:
            return translator.gettext("the same word, written together")
        case MatchKind.PREFIX:
            return translator.gettext("begins with {letters}", letters=how.what)
        case MatchKind.NAME:
            return translator.gettext("a spelling of the name")
        case MatchKind.LISTED:
            return translator.gettext("in the list {name}", name=how.what)
        case MatchKind.EXPRESSION:
            return translator.gettext("matches the expression")
        case MatchKind.ARTICLE:
            return translator.gettext("from the article's data")
        case MatchKind.NEAR:
            return translator.gettext("this close together")
        case MatchKind.WORD:
            return translator.gettext("the same word")


def _and(parts: Sequence[str], translator: Translator) -> str:
    """The parts as a list within a sentence; empty for none."""
    if len(parts) < 2:
        return "".join(parts)
    return translator.gettext("{first} and {last}", first=", ".join(parts[:-1]), last=parts[-1])
