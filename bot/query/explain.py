"""Say why an article matches a query, or why not: which terms stand where, which are missing, which exclude it. Not the match itself."""

from dataclasses import dataclass, field

from bot.model.entries import Span
from bot.query.matcher import evaluate, match, tidy
from bot.query.tree import AllOf, AnyOf, Everything, InField, Meta, Name, NamedList, Near, Node, NoneOf, Prefix, Regex, Term, show
from bot.query.words import ArticleWords
from bot.text.fold import key
from bot.text.stem import wanted


@dataclass(frozen=True, slots=True)
class Found:
    """A term that stands in the article."""

    term: str  #: as written in the query
    spans: tuple[Span, ...]  #: empty where it is not of the words (`site:`)
    texts: tuple[str, ...]  #: what stands there, each once
    how: str = ""  #: how that comes to be the term, where it does not show


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an article matches, or why not."""

    matched: bool
    spans: tuple[Span, ...]  #: those of the match; empty where there is none
    found: tuple[Found, ...]  #: terms that stand in the article and were asked for
    missing: tuple[str, ...]  #: parts of the query that had to match and do not
    excluded: tuple[Found, ...]  #: terms after NOT that stand in the article
    unneeded: tuple[str, ...]  #: branches of an OR that do not match where another does


@dataclass(slots=True)
class _Notes:
    found: list[Found] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    excluded: list[Found] = field(default_factory=list)
    unneeded: list[str] = field(default_factory=list)


def explain(node: Node, words: ArticleWords) -> Explanation:
    """The explanation for one query and one article; `matched` and `spans` are those of `match`."""
    spans = match(node, words)
    notes = _Notes()
    _look(node, words, "", notes)
    return Explanation(
        spans is not None, spans or (), tuple(notes.found), tuple(notes.missing), tuple(notes.excluded), tuple(dict.fromkeys(notes.unneeded))
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
                notes.excluded += _standing(part, words, where) or [Found(_in(where, part), (), ())]
        case InField(field=inner, part=part):
            _look(part, words, inner, notes)
        case _ if matches:
            notes.found += _standing(node, words, where)
        case _:
            notes.missing.append(_in(where, node))


def _in(where: str, node: Node) -> str:
    return f"{where}:{show(node, inside=True)}" if where else show(node)


def _standing(node: Node, words: ArticleWords, where: str) -> list[Found]:
    """The terms of a matching part."""
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return [found for part in parts if evaluate(part, words, where) is not None for found in _standing(part, words, where)]
        case NoneOf():
            return []
        case InField(field=inner, part=part):
            return _standing(part, words, inner)
        case Near():
            return [_found(show(node), words, evaluate(node, words, where) or [], "so near to each other")]
        case Everything():
            return []
        case _:
            return [_found(_in(where, node), words, evaluate(node, words, where) or [], _how(node, words))]


def _found(term: str, words: ArticleWords, evidence: list[Span], how: str) -> Found:
    spans = tidy(evidence)
    texts = dict.fromkeys(words.texts[span.field != "title"][span.start : span.end] for span in spans)
    shown = "" if all(key(text) == key(term) for text in texts) else how
    return Found(term, spans, tuple(texts), shown)


def _how(leaf: Node, words: ArticleWords) -> str:
    match leaf:
        case Term(units=units, mode="inflected"):
            forms = [wanted(unit, words.language)[0] for unit in units if isinstance(unit, str)]
            return f"same stem: {' '.join(forms)}" if forms else "the same word, joined"
        case Prefix(text=text):
            return f"begins with {text}"
        case Name():
            return "a spelling of the name"
        case NamedList(name=name):
            return f"in the list @{name}"
        case Regex():
            return "matches the expression"
        case Meta():
            return "of the article"
        case _:
            return "the same word"


def sentence(explanation: Explanation) -> str:
    """The explanation in words, for a person; one or more sentences."""
    if explanation.matched:
        parts = [f"{one.term} ({_texts(one)})" if _texts(one) else one.term for one in explanation.found]
        text = f"It has {_and(parts)}." if parts else "It has nothing that the query excludes."
        if explanation.unneeded:
            text += f" Not needed: {', '.join(explanation.unneeded[:8])}."
        return text
    said = []
    if explanation.missing:
        said.append(f"It lacks {_and(list(explanation.missing))}.")
    if explanation.excluded:
        parts = [f"{one.term} ({_texts(one)})" if _texts(one) else one.term for one in explanation.excluded]
        said.append(f"It is excluded by NOT {_and(parts)}.")
    if explanation.found:
        said.append(f"It has {_and([one.term for one in explanation.found])}.")
    return " ".join(said) or "It does not match."


def _texts(found: Found) -> str:
    texts = ", ".join(f"“{text}”" for text in found.texts[:3])
    return f"{texts}, {found.how}" if found.how and texts else texts


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""
