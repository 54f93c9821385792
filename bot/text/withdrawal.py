"""Tell a headline that takes an article back or corrects it. Not what was wrong with it.

News agencies write such a word before the headline and a sign behind it: "Corrected figures" is
news, "CORRECTED: Figures" is none.
"""

import re
from enum import StrEnum


class Withdrawal(StrEnum):
    """What a publisher says of an article of its own."""

    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"


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


def _before_headline(words: list[str]) -> re.Pattern[str]:
    either = "|".join(dict.fromkeys(words))
    return re.compile(
        rf"\s*(?:[\[(【*]+\s*(?:{either})\s*[\])】*]+|(?:{either})(?:\s+\d{{1,2}})?\s*[-–—:|/])",
        re.IGNORECASE,
    )


_SIGNS = (
    (Withdrawal.WITHDRAWN, _before_headline(_WITHDRAWN)),
    (Withdrawal.CORRECTED, _before_headline(_CORRECTED)),
)


def withdrawal_of(title: str) -> Withdrawal | None:
    """Return what a headline says of its article; None for news."""
    return next((kind for kind, sign in _SIGNS if sign.match(title)), None)
