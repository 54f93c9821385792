"""What an entry is compared by: telling words and their weights, names, numbers, kind. Made of one report alone; no other is known here."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import log

import regex
from anyascii import anyascii

from bot.model.stories import Report
from bot.stories.headline_kinds import Kind, kind_of
from bot.stories.stop_words import number_words, stop_words
from bot.text.stem import stems
from bot.text.tokens import is_unspaced, tokens

TITLE_TIMES = 3  #: a word of the headline counts as three of the summary
SUMMARY_WORDS = 40  #: words of a summary that are looked at
_SUMMARY_HEAD = 400  # characters in which they are looked for
_LOGS = tuple(1 + log(count) for count in range(1, 64))
_CAPITALS = regex.compile(
    r"(?<=[\p{Ll}\p{N},;”\"’'] ['‘“\"«„]?)\p{Lu}[\p{L}\p{M}]+(?:(?:[ -]|['’]s )\p{Lu}[\p{L}\p{M}]+)*"
)
_CAPITAL = regex.compile(r"\p{Lu}[\p{L}\p{M}]+")
_SMALL = regex.compile(r"\b\p{Ll}{5,}")
_VOWELS = regex.compile(r"(?<=.)[aeiouyh']+")
_DOUBLE = regex.compile(r"(.)\1+")
_SOUNDS = (
    ("sch", "s"),
    ("sh", "s"),
    ("ch", "k"),
    ("ck", "k"),
    ("ph", "f"),
    ("zh", "j"),
    ("kh", "h"),
    ("ts", "s"),
    ("dj", "j"),
    ("dzh", "j"),
)
#: languages that have no capitals
UNCASED = frozenset("ar fa he ur zh ja ko th hi".split())
_LETTERS = str.maketrans("cqwzxp", "kkvssb")
# Days and months, folded, which the headlines of a series differ in.
_CALENDAR = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november
    december jan feb mar apr jun jul aug sept oct nov dec понедельник вторник среда среду четверг пятница пятницу суббота субботу
    воскресенье января февраля марта апреля мая июня июля августа сентября октября ноября декабря понеділок вівторок середа середу четвер
    субота суботу неділя неділю січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня montag dienstag
    mittwoch donnerstag freitag samstag sonntag januar februar marz mai juni juli oktober dezember lundi mardi mercredi jeudi vendredi samedi
    dimanche janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre lunes martes miercoles jueves viernes sabado
    domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre segunda terca quarta quinta sexta janeiro
    fevereiro marco maio junho julho setembro outubro dezembro lunedi martedi mercoledi giovedi venerdi domenica gennaio febbraio aprile
    maggio giugno luglio settembre ottobre dicembre الاثنين الثلاثاء الاربعاء الخميس الجمعه السبت الاحد
    """.split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One entry, cut up for comparing."""

    id: int
    hours: float  #: when, in hours of Unix time
    publisher: str
    feed: int
    language: str
    link: bytes
    headline: str  #: its folded words: equal for headlines that differ in case and punctuation only
    kind: Kind
    terms: tuple[str, ...]  #: stems of headline and summary, each once; those of the headline first
    weights: tuple[float, ...]  #: of each term: one and the logarithm of how often it stands
    of_title: int  #: how many terms stand in the headline
    bare: bool  #: a headline only: the summary is missing or says the same
    names: tuple[str, ...]  #: stems of words in capitals where their place does not ask for them
    sounds: tuple[
        str, ...
    ]  #: names by their sound and numbers: what reports in two languages have in common
    form: str  #: the headline without numbers and days: equal for a series of headlines made to one pattern

    @property
    def title(self) -> tuple[str, ...]:
        """Terms of the headline."""
        return self.terms[: self.of_title]


def features(report: Report) -> Features:
    """Cut one report up."""
    title = tokens(report.title)
    summary = tokens(report.summary[:_SUMMARY_HEAD])
    language = report.language
    counts: dict[str, int] = {}
    for term in _terms(title.lower, language, unspaced=title.unspaced):
        counts[term] = counts.get(term, 0) + TITLE_TIMES
    of_title = len(counts)
    numbers = [
        term for term in counts if len(term) > 1 and term[0].isdecimal() and term[-1].isdecimal()
    ]
    said = False
    for term in _terms(
        summary.lower[: _reach(unspaced=summary.unspaced)], language, unspaced=summary.unspaced
    ):
        said = said or term not in counts
        counts[term] = counts.get(term, 0) + 1
    names = _names(report)
    return Features(
        id=report.id,
        hours=report.at.timestamp() / 3600,
        publisher=report.publisher,
        feed=report.feed,
        language=language,
        link=report.link,
        headline=" ".join(title.words),
        kind=kind_of(report.title),
        terms=tuple(counts),
        weights=tuple([_LOGS[min(count, 63) - 1] for count in counts.values()]),
        of_title=of_title,
        bare=not said,
        names=names,
        sounds=_sounds(names, numbers, language, counts),
        form=" ".join(
            [word for word in title.words if not word[0].isdecimal() and word not in _CALENDAR]
        ),
    )


def _reach(*, unspaced: bool) -> int:
    return SUMMARY_WORDS * 3 if unspaced else SUMMARY_WORDS


def _terms(words: list[str], language: str, *, unspaced: bool) -> Iterable[str]:
    """Telling words as stems; of scripts without spaces two characters each, for words cannot be told there."""
    if not unspaced:
        return [term for word in words if (term := term_of(word, language))]
    found: list[str] = []
    stop = stop_words("zh")
    for word, following in pairwise([*words, ""]):
        if not is_unspaced(word):
            if term := term_of(word, language):
                found.append(term)
        elif following and word not in stop and following not in stop and is_unspaced(following):
            found.append(word + following)
    return found


@lru_cache(maxsize=1 << 16)
def term_of(word: str, language: str) -> str:
    """What a word in small letters is compared as; empty for one that tells nothing. Seven is 7."""
    if not word or word in stop_words(language):
        return ""
    return number_words(language).get(word) or stems(word, language)[0]


def _names(report: Report) -> tuple[str, ...]:
    """Words with a capital in the midst of a sentence, or first in a headline; of a headline only where not every word has one."""
    found: dict[str, None] = {}
    texts = [report.summary[:_SUMMARY_HEAD]]
    if _SMALL.search(report.title):
        texts.append(f"a {report.title}")  # news begin with who it is about
    for text in texts:
        for run in _CAPITALS.findall(text):
            for word in _CAPITAL.findall(run):
                if (term := term_of(word.lower(), report.language)) and not term[0].isdecimal():
                    found[term] = None
    return tuple(found)


def _sounds(
    names: tuple[str, ...], numbers: list[str], language: str, counts: dict[str, int]
) -> tuple[str, ...]:
    """Names by their sound; where there are no capitals all longer words may be names."""
    said = counts if language in UNCASED else names
    return tuple(dict.fromkeys([*numbers, *(heard for name in said if (heard := sound(name)))]))


@lru_cache(maxsize=1 << 16)
def sound(name: str) -> str:
    """A name in Latin letters, by its consonants: much the same in whatever language it is written; empty where that is too little."""
    word = str(anyascii(name)).lower()
    for written, heard in _SOUNDS:
        word = word.replace(written, heard)
    word = _DOUBLE.sub(r"\1", _VOWELS.sub("", word.translate(_LETTERS)))
    return word[:6] if len(word) > 2 and word.isalpha() else ""
