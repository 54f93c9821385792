"""Tell where a publisher takes an article back or corrects it: by its headline, or in its text.

News agencies write such a word before the headline and a sign behind it, journals put it in
brackets: "Corrected figures" is news, "CORRECTED: Figures" is none. Newspapers say it in a sentence
of the article. Not what was wrong with it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.text.clean import cut
from bot.text.fold import folded_key

STATEMENT = 300  #: code points of a statement that are kept
_KEYED = 120  # of these, by which one is known


class Withdrawal(StrEnum):
    """What a publisher says of an article of its own."""

    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an article that takes it back or corrects it, with what follows."""

    kind: Withdrawal
    text: str

    @property
    def key(self) -> str:
        """The same for the same words, whatever follows them."""
        return folded_key(self.text[:_KEYED])


_WITHDRAWN = """
    withdrawn withdrawal retracted retraction
    zurückgezogen widerruf widerrufen
    retirado retirada retractación retractado
    отозвано опровержение снято
    відкликано спростування знято
    مسحوب سحب تراجع
""".split()
_CORRECTED = """
    corrected correction corrects
    korrektur korrigiert berichtigung berichtigt richtigstellung
    corrección corregido corregida rectificación
    исправлено исправление поправка
    виправлено виправлення поправка
    تصحيح مصحح
""".split()
_OF_WHAT = r"(?:\s(?:article|notice|paper|report|story|version))?"


def _sign(words: list[str]) -> re.Pattern[str]:
    """The word before a headline with a sign behind it, or in brackets before or behind it."""
    either = f"(?:{'|'.join(dict.fromkeys(words))}){_OF_WHAT}"
    # A stranger wrote the headline: nothing is repeated without a bound.
    bracketed = rf"[\[(【*]{{1,3}}\s?{either}\s?[\])】*]{{1,3}}"
    return re.compile(
        rf"^\s?(?:{bracketed}|{either}(?:\s\d{{1,2}})?\s?[-–—:|/])\s?|\s?{bracketed}\s?$",
        re.IGNORECASE,
    )


_SIGNS = (
    (Withdrawal.WITHDRAWN, _sign(_WITHDRAWN)),
    (Withdrawal.CORRECTED, _sign(_CORRECTED)),
)
# Where a sentence begins; the text has no lines.
_BEGINS = r"(?:^|(?<=[.!?…。؟»”\"')\]])\s+)"
_OWN = r"(?:article|item|paper|post|story)"
_STATEMENTS = (
    (
        Withdrawal.WITHDRAWN,
        rf"""
        This\ {_OWN}\ (?:has\ been|was|is)\ (?:now\ )?(?:withdrawn|retracted)\b
        |[^.!?]{{0,60}}\bha(?:s|ve)\ (?:withdrawn|retracted)\ this\ {_OWN}\b
        |Diese[rs]?\ (?:Artikel|Beitrag|Bericht|Meldung|Text)\ (?:wurde|ist)\ zurückgezogen\b
        |Est[ea]\ (?:artículo|información|noticia|nota|texto)\ (?:ha\ sido|fue)\ retirad[oa]\b
        |Эт(?:а|от)\ (?:материал|новость|публикация|статья|текст)\ (?:был[аи]?\ )?отозван[аы]?\b
        |(?:Цю|Цей)\ (?:матеріал|новину|публікацію|статтю|текст)\ (?:було\ )?відкликано\b
        |(?:تم\ سحب|سُحب)\ هذ[اه]\ ?(?:المقال|الخبر|التقرير|المادة)
        """,
    ),
    (
        Withdrawal.CORRECTED,
        rf"""
        (?:Corrections?|Erratum|Berichtigung|Korrektur|Richtigstellung|Corrección|Rectificación
        |Fe\ de\ errores|Исправление|Поправка|Виправлення|تصحيح)\s*(?:\([^()]{{1,40}}\)\s*)?:\s
        |This\ {_OWN}\ (?:has\ been|was)\ (?:amended|corrected)\b
        |(?:An|In\ an)\ earlier\ version\ of\ this\ {_OWN}\b
        |In\ einer\ früheren\ (?:Fassung|Version)\b
        |(?:Una|En\ una)\ versión\ anterior\ de\ est[ea]\b
        |В\ (?:более\ ранней|предыдущей)\ версии\b
        |У\ (?:попередній|ранішій)\ версії\b
        |في\ نسخة\ سابقة\ من\ هذ[اه]
        """,
    ),
)
_SAYS = tuple(
    (kind, re.compile(f"{_BEGINS}(?:{words})", re.VERBOSE)) for kind, words in _STATEMENTS
)
_MOST = 20  # statements of one text


def withdrawal_of(title: str) -> Withdrawal | None:
    """Return what a headline says of its article; None for news."""
    return next((kind for kind, sign in _SIGNS if sign.search(title)), None)


def without_sign(title: str) -> str:
    """Return a headline without what it says of its article; all of it where nothing is left."""
    for _, sign in _SIGNS:
        bare = sign.sub("", title)
        if bare != title:
            return bare if any(map(str.isalnum, bare)) else title
    return title


def number_of_sign(title: str) -> str:
    """Return the number in what a headline says of its article: that of a second correction."""
    for _, sign in _SIGNS:
        if match := sign.search(title):
            return "".join(filter(str.isdecimal, match[0]))
    return ""


def statements(text: str) -> tuple[Statement, ...]:
    """Return the sentences by which a text says that its article is withdrawn or corrected."""
    found = [
        (match.end() - len(match[0].lstrip()), kind)
        for kind, sentence in _SAYS
        for match in sentence.finditer(text)
    ]
    return tuple(
        Statement(kind, cut(text[start : start + 2 * STATEMENT], STATEMENT))
        for start, kind in sorted(found)[:_MOST]
    )
