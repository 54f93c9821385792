"""Match one tree against one entry, with the places that matched. Not the choice of which trees to try."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.entries import Span
from bot.query.tree import AllOf, AnyOf, NamedList, Node, NoneOf, Term
from bot.text.fold import words


@dataclass(frozen=True, slots=True)
class EntryWords:
    """The words of an entry, folded, with the places of each."""

    folded: tuple[str, ...]  #: title, then an empty word that no phrase crosses, then summary
    spans: tuple[tuple[int, int], ...]  #: of each word in its own field
    summary_from: int  #: index of the first word of the summary
    places: dict[str, list[int]]  #: folded word to its indices

    @classmethod
    def of(cls, title: str, summary: str) -> "EntryWords":
        """Cut and fold the texts once for all queries."""
        folded: list[str] = []
        spans: list[tuple[int, int]] = []
        places: dict[str, list[int]] = {}
        summary_from = 0
        for part in (title, summary):
            for word in words(part):
                places.setdefault(word.folded, []).append(len(folded))
                folded.append(word.folded)
                spans.append((word.start, word.end))
            if part is title and not summary_from:
                folded.append("")
                spans.append((0, 0))
                summary_from = len(folded)
        return cls(tuple(folded), tuple(spans), summary_from, places)


def match(node: Node, entry: EntryWords) -> tuple[Span, ...] | None:
    """The spans that made the entry match, in order; None where it does not match."""
    found = _evaluate(node, entry)
    if found is None:
        return None
    return tuple(sorted(set(found), key=lambda span: (span.field != "title", span.start)))


def _evaluate(node: Node, entry: EntryWords) -> list[Span] | None:
    match node:
        case Term():
            return list(_occurrences(node, entry)) or None
        case NamedList(spellings=spellings):
            return [span for spelling in spellings for span in _occurrences(spelling, entry)] or None
        case NoneOf(part=part):
            return [] if _evaluate(part, entry) is None else None
        case AllOf(parts=parts):
            together: list[Span] = []
            for part in parts:
                found = _evaluate(part, entry)
                if found is None:
                    return None
                together += found
            return together
        case AnyOf(parts=parts):
            results = [found for part in parts if (found := _evaluate(part, entry)) is not None]
            return [span for found in results for span in found] if results else None


def _occurrences(term: Term, entry: EntryWords) -> Iterator[Span]:
    first, *rest = term.words
    for index in entry.places.get(first, ()):
        end = index + len(term.words)
        if not rest or entry.folded[index:end] == term.words:
            field = "title" if index < entry.summary_from else "summary"
            yield Span(field, entry.spans[index][0], entry.spans[end - 1][1])
