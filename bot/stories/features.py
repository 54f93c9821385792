"""The features by which an entry is compared: weighted terms, names, numbers, headline kind.

Computed from one report alone; comparison is up to `similarity` and `contradictions`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import log
from sys import intern

import regex
from anyascii import anyascii

from bot.model.stories import Report
from bot.stories.developments import developments, shared
from bot.stories.headline_kinds import Kind, kind_of
from bot.stories.stop_words import number_words, stop_words
from bot.text.stem import text_stems
from bot.text.tokens import is_unspaced, tokens
from bot.text.word_cache import word_cache

TITLE_WEIGHT = 3  #: a word of the headline counts as often as three words of the summary
MAX_SUMMARY_WORDS = 40  #: words of a summary that are used
SHORT_WORDS = 40  #: words of headline and summary together, up to which a text is short
_MAX_SUMMARY_CHARACTERS = 400  # characters of a summary that are tokenized
MAX_COUNT = 63  #: term counts above it weigh no more
_PHONETIC_KEY_LENGTH = 6
_TF_WEIGHTS = (0.0, *(1 + log(count) for count in range(1, MAX_COUNT + 1)))
_CAPITALIZED_RUN = regex.compile(
    r"(?<=[\p{Ll}\p{N},;”\"’'] ['‘“\"«„]?)\p{Lu}[\p{L}\p{M}]+"
    r"(?:(?:[ -]|['’]s )\p{Lu}[\p{L}\p{M}]+)*"
)
_CAPITALIZED_WORD = regex.compile(r"\p{Lu}[\p{L}\p{M}]+")
_LOWERCASE_WORD = regex.compile(r"\b\p{Ll}{5,}")
_VOWELS = regex.compile(r"(?<=.)[aeiouyh']+")
_REPEATED_LETTER = regex.compile(r"(.)\1+")
_CONSONANT_SPELLINGS = (
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
_CONSONANT_LETTERS = str.maketrans("cqwzxp", "kkvssb")
#: languages whose scripts have no capital letters
UNCASED = frozenset("ar fa he ur zh ja ko th hi".split())
# Days and months, folded: the headlines of a series differ in them.
_CALENDAR_WORDS = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december jan feb mar apr jun jul aug sept oct nov dec
    понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье января
    февраля марта апреля мая июня июля августа сентября октября ноября декабря понеділок вівторок
    середа середу четвер субота суботу неділя неділю січня лютого березня квітня травня червня липня
    серпня вересня жовтня листопада грудня montag dienstag mittwoch donnerstag freitag samstag
    sonntag januar februar marz mai juni juli oktober dezember lundi mardi mercredi jeudi vendredi
    samedi dimanche janvier fevrier mars avril juin juillet aout septembre octobre novembre decembre
    lunes martes miercoles jueves viernes sabado domingo enero febrero marzo abril mayo junio julio
    agosto septiembre octubre noviembre diciembre segunda terca quarta quinta sexta janeiro
    fevereiro marco maio junho julho setembro outubro dezembro lunedi martedi mercoledi giovedi
    venerdi domenica gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre الاثنين
    الثلاثاء الاربعاء الخميس الجمعه السبت الاحد
    """.split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The features of one entry."""

    id: int
    hours: float  #: time of the entry in hours since the Unix epoch
    publisher: str
    feed: int
    language: str
    link: bytes
    headline: str  #: folded words; equal for headlines that differ only in case and punctuation
    kind: Kind
    terms: tuple[str, ...]  #: distinct stems of headline and summary, those of the headline first
    counts: bytes  #: how often each term occurs, those of the headline three times; no more than 63
    title_length: int  #: number of terms in the headline
    headline_only: bool  #: the summary is missing or adds no term
    names: tuple[str, ...]  #: terms with a capital letter that their position does not require
    phonetic_keys: tuple[str, ...]  #: numbers, and keys of names that are equal across languages
    developments: frozenset[str]  #: what the headline says has happened, by kind
    told: frozenset[str]  #: the same, of headline and summary
    short: bool  #: headline and summary are hardly more than a sentence
    headline_template: str  #: headline without numbers and dates; equal within a recurring series

    @property
    def tf_weights(self) -> Iterable[float]:
        """Of each term: 1 + log(term frequency)."""
        return map(tf_weight, self.counts)

    @property
    def title_terms(self) -> tuple[str, ...]:
        """Terms of the headline."""
        return self.terms[: self.title_length]


#: the weight of a term by how often an entry contains it
tf_weight = _TF_WEIGHTS.__getitem__


def extract_features(report: Report) -> Features:
    """Return the features of one report."""
    title = tokens(report.title)
    summary = tokens(report.summary[:_MAX_SUMMARY_CHARACTERS])
    language = intern(report.language)
    counts: dict[str, int] = {}
    for term in _terms(title.lower, language, unspaced=title.unspaced):
        counts[term] = counts.get(term, 0) + TITLE_WEIGHT
    title_length = len(counts)
    numbers = [
        term for term in counts if len(term) > 1 and term[0].isdecimal() and term[-1].isdecimal()
    ]
    headline_only = True
    summary_words = summary.lower[: _max_summary_words(unspaced=summary.unspaced)]
    for term in _terms(summary_words, language, unspaced=summary.unspaced):
        headline_only = headline_only and term in counts
        counts[term] = counts.get(term, 0) + 1
    names = _names(report)
    headline = " ".join(title.words)
    happened = developments(headline, language)
    told = developments(" ".join(summary.words[:MAX_SUMMARY_WORDS]), language)
    template = " ".join(
        [word for word in title.words if not word[0].isdecimal() and word not in _CALENDAR_WORDS]
    )
    return Features(
        id=report.id,
        hours=report.at.timestamp() / 3600,
        publisher=intern(report.publisher),
        feed=report.feed,
        language=language,
        link=report.link,
        headline=headline,
        kind=kind_of(report.title),
        terms=tuple(counts),
        counts=_bounded(counts.values()),
        title_length=title_length,
        headline_only=headline_only,
        names=names,
        phonetic_keys=_phonetic_keys(names, numbers, language, counts),
        developments=happened,
        told=shared(happened | told),
        short=len(title.words) + len(summary.words) <= SHORT_WORDS,
        headline_template=headline if template == headline else template,
    )


def _bounded(counts: Collection[int]) -> bytes:
    if max(counts, default=0) > MAX_COUNT:
        counts = [min(count, MAX_COUNT) for count in counts]
    return bytes(counts)


def _max_summary_words(*, unspaced: bool) -> int:
    return MAX_SUMMARY_WORDS * 3 if unspaced else MAX_SUMMARY_WORDS


def _terms(words: list[str], language: str, *, unspaced: bool) -> Iterable[str]:
    """Stems of all words but stop words; character bigrams in scripts written without spaces."""
    if not unspaced:
        return [term for word in words if (term := term_of(word, language))]
    terms: list[str] = []
    stop = stop_words("zh")
    for word, following in pairwise([*words, ""]):
        if not is_unspaced(word):
            if term := term_of(word, language):
                terms.append(term)
        elif following and word not in stop and following not in stop and is_unspaced(following):
            terms.append(word + following)
    return terms


@word_cache(1 << 16)
def term_of(word: str, language: str) -> str:
    """Return the term of a lower-case word: its stem, 7 for seven, empty for a stop word."""
    if not word or word in stop_words(language):
        return ""
    return intern(number_words(language).get(word) or text_stems(word, language)[0])


def _names(report: Report) -> tuple[str, ...]:
    """Terms of words capitalized within a sentence or first in a headline.

    Headlines in title case, in which every word is capitalized, are left out.
    """
    names: dict[str, None] = {}
    texts = [report.summary[:_MAX_SUMMARY_CHARACTERS]]
    if _LOWERCASE_WORD.search(report.title):
        texts.append(f"a {report.title}")  # the first word of a headline is often a name
    for text in texts:
        for run in _CAPITALIZED_RUN.findall(text):
            for word in _CAPITALIZED_WORD.findall(run):
                if (term := term_of(word.lower(), report.language)) and not term[0].isdecimal():
                    names[term] = None
    return tuple(names)


def _phonetic_keys(
    names: tuple[str, ...], numbers: list[str], language: str, counts: dict[str, int]
) -> tuple[str, ...]:
    """Numbers and phonetic keys of names; without capitals in the script, of all terms."""
    candidates = counts if language in UNCASED else names
    keys = [key for name in candidates if (key := phonetic_key(name))]
    return tuple(dict.fromkeys([*numbers, *keys]))


@word_cache(1 << 16)
def phonetic_key(name: str) -> str:
    """Return the first consonants of a name in Latin letters, much the same in all languages.

    Empty where fewer than three letters are left.
    """
    word = str(anyascii(name)).lower()
    for spelling, consonant in _CONSONANT_SPELLINGS:
        word = word.replace(spelling, consonant)
    word = _REPEATED_LETTER.sub(r"\1", _VOWELS.sub("", word.translate(_CONSONANT_LETTERS)))
    return intern(word[:_PHONETIC_KEY_LENGTH]) if len(word) > 2 and word.isalpha() else ""
