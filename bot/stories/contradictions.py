"""Contradictions between similar headlines: other ordinals, numbers, weekdays, nights or names.

They show that similar headlines are about different events: the 12th package and the 13th.
Similarity is not computed in this module.
"""

from collections.abc import Iterable
from functools import cache

import regex

from bot.stories.features import UNCASED, Features
from bot.text.stem import stems
from bot.text.word_cache import word_cache

_MIN_SHARED = 0.5  # least share of the shorter headline's terms that both contain
_MAX_OTHER_TERMS = 2  # other terms from which headlines differ in more than their names
_ROUNDING = 0.1  # relative difference of a rounded number: "nearly 200" is "more than 190"
_MIN_ROUNDED = 20  # smaller numbers are not rounded
_MAGNITUDE_ERROR = 0.11  # difference of a magnitude and its first, preliminary value
_NIGHT_HOURS = 14.0  # least time between events of two nights
_PREFIX = 5  # leading letters in which forms of a name agree
_MAX_UNCASED_DIFFERENCE = 6  # terms in which headlines differ by their names only, without capitals
_LARGEST = 1e15  # number that a headline counts
_FIRST_YEAR, _LAST_YEAR = 1900, 2100  # numbers that are years
# Of ordinals, after a hyphen.
_ORDINAL_ENDINGS = frozenset(
    (ending,) for ending in "й го я е м ю х и ий та те ї ого ма a o os as er ere eme".split()
)
_DIGIT = regex.compile(r"\d")
_ORDINAL = regex.compile(r"(\d+)(?:st|nd|rd|th|e|er|ere|re|eme|o|a|go|mu)?")
# Those of Ukrainian are as they are stemmed already: its dictionary takes 28 MB and 0.2 seconds.
_STEMMED = "uk"
_CASUALTY_WORDS = {
    "en": (
        "dead die died death deaths toll kill killed kills killing injured injures wounded hurt "
        "missing hospitalized hospitalised arrested arrests detained rescued evacuated "
        "displaced trapped casualties victims bodies fatalities sick infected cases"
    ),
    "ru": (
        "погибли погибших погиб погибло погибшие жертвы жертв умерли ранены раненых пострадали "
        "пострадавших пропали задержаны эвакуированы"
    ),
    "uk": ("загинути загиблий жертва поранений постраждати зникнути затримати евакуювати"),
    "de": "tote toten tot getötet verletzte verletzt vermisst opfer todesopfer festgenommen",
    "fr": "mort morts tué tués blessé blessés disparus victimes bilan interpellés arrêtés",
    "es": "muerto muertos muertes heridos fallecidos desaparecidos víctimas detenidos",
    "pt": "morto mortos mortes feridos desaparecidos vítimas detidos presos",
    "it": "morto morti vittime feriti dispersi arrestati",
    "ar": (
        "قتيل قتلى قتيلا مقتل جريح جرحى مصاب مصابين إصابة ضحايا وفاة وفيات شهيد شهداء مفقود مفقودين"
    ),
    "zh": "死亡 遇难 受伤 伤亡 失踪 死 伤",
}
_WEEKDAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "ru": "понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье",
    "uk": "понеділок вівторок середа четвер п'ятниця субота неділя",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
}
_REPETITION_WORDS = {
    "en": "again another second third fresh",
    "ru": "вновь снова опять очередной второй",
    "uk": "знову вдруге черговий",
    "de": "erneut wieder",
    "fr": "nouveau nouvelle encore",
    "es": "nuevo nueva nuevamente",
    "pt": "novo nova novamente",
    "it": "nuovo nuova ancora",
    "ar": "مجددا ثانية جديد جديدة",
    "zh": "再次 再度 再发 再现 又一",
}
_NIGHT_WORDS = {
    "en": "overnight night",
    "ru": "ночь ночью",
    "uk": "ніч вночі",
    "de": "nacht nachts",
    "fr": "nuit",
    "es": "noche",
    "it": "notte",
}
_ORDINAL_WORDS = {
    "en": (
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
        "thirteenth fourteenth fifteenth"
    ),
    "ru": (
        "первый второй третий четвертый пятый шестой седьмой восьмой девятый десятый "
        "одиннадцатый двенадцатый тринадцатый"
    ),
    "uk": "перший другий третій четвертий п'ятий шостий сьомий восьмий дев'ятий десятий",
    "de": (
        "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte "
        "dreizehnte"
    ),
    "fr": (
        "premier/première deuxième/second troisième quatrième cinquième sixième septième "
        "huitième neuvième dixième"
    ),
    "es": (
        "primer/primera segundo/segunda tercer/tercera cuarto/cuarta quinto/quinta sexto/sexta "
        "séptimo/séptima"
    ),
    "pt": (
        "primeiro/primeira segundo/segunda terceiro/terceira quarto/quarta quinto/quinta "
        "sexto/sexta"
    ),
    "it": "primo/prima secondo/seconda terzo/terza quarto/quarta quinto/quinta sesto/sesta",
    "ar": "الأول/الأولى الثاني/الثانية الثالث/الثالثة الرابع/الرابعة الخامس/الخامسة السادس/السادسة",
}


def prepare() -> None:
    """Stem the words that are looked for: with the first headlines it would hold others up."""
    for words in (_ordinal_words, _casualty_words, _weekdays, _repetition_words, _night_words):
        words()


def contradicts(entry: Features, other: Features) -> bool:
    """Whether the difference of two headlines shows that they are about different events."""
    first, second = entry.title_terms, other.title_terms
    if _ordinals_differ(first, second):
        return True
    common = set(first) & set(second)
    if len(common) < _MIN_SHARED * min(len(first), len(second)) or not common:
        return False
    first_only = [term for term in first if term not in common]
    second_only = [term for term in second if term not in common]
    if abs(entry.hours - other.hours) >= _NIGHT_HOURS and _is_repetition(
        first_only, second_only, common
    ):
        return True
    if not first_only or not second_only:
        return False
    weekdays = _weekdays()
    if not weekdays.isdisjoint(first_only) and not weekdays.isdisjoint(second_only):
        return True
    return _numbers_differ(first_only, second_only, first + second) or _names_differ(
        entry, other, first_only, second_only
    )


def agree(entry: Features, other: Features) -> bool:
    """Whether two entries share more than names and places, where both are short.

    Two sentences about one town share its name, whatever happened there.
    """
    if not entry.short or not other.short or entry.language in UNCASED:
        return True
    names = {*entry.names, *other.names}
    return any(
        term in other.terms and term not in names and numeric_value(term) is None
        for term in entry.terms
    )


def _is_repetition(first_only: list[str], second_only: list[str], common: set[str]) -> bool:
    """Whether one headline says that it happened again, or both report on a night."""
    repetition = _repetition_words()
    return repetition.isdisjoint(first_only) != repetition.isdisjoint(second_only) or (
        not _night_words().isdisjoint(common)
    )


def _names_differ(
    entry: Features, other: Features, first_only: list[str], second_only: list[str]
) -> bool:
    """Whether headlines of one wording have different names, which the other entry lacks."""
    if entry.language in UNCASED:
        return (
            len(first_only) + len(second_only) <= _MAX_UNCASED_DIFFERENCE
            and not _mentions_any(other, first_only)
            and not _mentions_any(entry, second_only)
        )
    first_names = [term for term in first_only if term in entry.names]
    second_names = [term for term in second_only if term in other.names]
    if not first_names or not second_names:
        return False
    if (
        _count_other_terms(first_only, first_names) >= _MAX_OTHER_TERMS
        or _count_other_terms(second_only, second_names) >= _MAX_OTHER_TERMS
    ):
        return False
    return not _mentions_any(other, first_names) and not _mentions_any(entry, second_names)


def _count_other_terms(terms: list[str], names: list[str]) -> int:
    """Return the number of terms that are neither names nor numbers."""
    return sum(term not in names and not numeric_value(term) for term in terms)


def _mentions_any(entry: Features, names: list[str]) -> bool:
    """Whether an entry contains one of the names, or a form of it: Hawaii and Hawaiian."""
    terms = entry.terms
    return any(
        name in terms
        or (len(name) >= _PREFIX and any(term[:_PREFIX] == name[:_PREFIX] for term in terms))
        for name in names
    )


def _numbers_differ(
    first_only: Iterable[str], second_only: Iterable[str], terms: tuple[str, ...]
) -> bool:
    """Whether both headlines have numbers of which none agree. Counts of casualties may differ."""
    first_numbers = [value for term in first_only if (value := numeric_value(term)) is not None]
    second_numbers = [value for term in second_only if (value := numeric_value(term)) is not None]
    if not first_numbers or not second_numbers:
        return False
    if mentions_casualties(terms) and all(
        value == int(value) and not _is_year(value) for value in first_numbers + second_numbers
    ):
        return False
    return not any(
        _agree(value, other_value) for value in first_numbers for other_value in second_numbers
    )


def _ordinals_differ(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether both headlines have one noun with different ordinals: the 12th and 13th package."""
    ordinals, other_ordinals = _ordinals_by_noun(first), _ordinals_by_noun(second)
    return any(
        noun in other_ordinals and not other_ordinals[noun] & numbers
        for noun, numbers in ordinals.items()
    )


@word_cache(1 << 12)
def _ordinals_by_noun(title: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The two terms that follow each ordinal in a headline, with the numbers of the ordinals."""
    numbers: dict[str, frozenset[str]] = {}
    ordinal_words = _ordinal_words()
    for index, term in enumerate(title):
        digits = _ORDINAL.fullmatch(term)
        ending = title[index + 1 : index + 2]
        if term in ordinal_words or (
            digits and (not term.isdecimal() or ending in _ORDINAL_ENDINGS)
        ):
            number = digits.group(1) if digits else ordinal_words[term]
            start = index + 1 + (ending in _ORDINAL_ENDINGS)
            for noun in title[start : start + 2]:
                numbers[noun] = numbers.get(noun, frozenset()) | {number}
    return numbers


@word_cache(1 << 14)
def numeric_value(term: str) -> float | None:
    """Return the value of a number or ordinal in digits; None for other terms and absurd ones."""
    if not _DIGIT.match(term):
        return None
    try:
        value = float(term)
    except ValueError:
        digits = _ORDINAL.fullmatch(term)
        value = float(digits.group(1)) if digits else -1.0
    return value if 0 <= value <= _LARGEST else None  # 1e999 is infinite


def _agree(value: float, other: float) -> bool:
    """Whether two numbers may be the same one, rounded or measured again."""
    if _is_year(value) or _is_year(other):
        return value == other
    if value != int(value) or other != int(other):
        return abs(value - other) <= _MAGNITUDE_ERROR
    rounded = min(value, other) >= _MIN_ROUNDED and (value % 10 == 0 or other % 10 == 0)
    return value == other or (rounded and abs(value - other) <= _ROUNDING * max(value, other))


def _is_year(value: float) -> bool:
    return _FIRST_YEAR <= value <= _LAST_YEAR


def mentions_casualties(terms: Iterable[str]) -> bool:
    """Whether a headline counts casualties, whose number changes while the event is the same."""
    return not _casualty_words().isdisjoint(terms)


@cache
def _ordinal_words() -> dict[str, str]:
    """Stems of ordinal words, with their numbers."""
    numbers: dict[str, str] = {}
    for language, text in _ORDINAL_WORDS.items():
        for number, forms in enumerate(text.split(), 1):
            for form in forms.split("/"):
                numbers[_stem_of(form, language)] = str(number)
    return numbers


@cache
def _casualty_words() -> frozenset[str]:
    return _stems_of(_CASUALTY_WORDS)


@cache
def _weekdays() -> frozenset[str]:
    return _stems_of(_WEEKDAYS)


@cache
def _repetition_words() -> frozenset[str]:
    return _stems_of(_REPETITION_WORDS)


@cache
def _night_words() -> frozenset[str]:
    return _stems_of(_NIGHT_WORDS)


def _stems_of(words: dict[str, str]) -> frozenset[str]:
    return frozenset(
        _stem_of(word, language) for language, text in words.items() for word in text.split()
    )


def _stem_of(word: str, language: str) -> str:
    return word if language == _STEMMED else stems(word, language)[0]
