"""Headlines that are alike and yet tell of two things: another package, another match, another quake, another day. No likeness here."""

from collections.abc import Iterable
from functools import cache, lru_cache

import regex

from bot.stories.features import UNCASED, Features
from bot.text.stem import stems

_SAME, _REST = (
    0.5,
    2,
)  # share of the shorter headline that both have; other words that either has besides
_ROUNDED = 0.1  # of a number: "nearly 200" is "more than 190"
_NIGHT = 14.0  # hours between what happened in two nights
_BEGINNING = 5  # letters that tell a name
_FILLING = 6  # words that set headlines of one form apart, in scripts without capitals
_MEASURED = 0.11  # of a magnitude: the first reading is put right
_ENDINGS = frozenset(
    (ending,) for ending in "й го я е м ю х и ий та те ї ого ма a o os as er ere eme".split()
)  # of ordinals, after a hyphen
_DIGIT = regex.compile(r"\d")
_ORDINAL = regex.compile(r"(\d+)(?:st|nd|rd|th|e|er|ere|re|eme|o|a|go|mu)?")
_TOLL = {
    "en": "dead die died death deaths toll kill killed kills killing injured injures wounded hurt missing hospitalized hospitalised arrested "
    "arrests detained rescued evacuated displaced trapped casualties victims bodies fatalities sick infected cases",
    "ru": "погибли погибших погиб погибло погибшие жертвы жертв умерли ранены раненых пострадали пострадавших пропали задержаны эвакуированы",
    "uk": "загинули загинув загиблих жертви жертв поранені поранених постраждали зникли затримано евакуйовано",
    "de": "tote toten tot getötet verletzte verletzt vermisst opfer todesopfer festgenommen",
    "fr": "mort morts tué tués blessé blessés disparus victimes bilan interpellés arrêtés",
    "es": "muerto muertos muertes heridos fallecidos desaparecidos víctimas detenidos",
    "pt": "morto mortos mortes feridos desaparecidos vítimas detidos presos",
    "it": "morto morti vittime feriti dispersi arrestati",
    "ar": "قتيل قتلى قتيلا مقتل جريح جرحى مصاب مصابين إصابة ضحايا وفاة وفيات شهيد شهداء مفقود مفقودين",
    "zh": "死亡 遇难 受伤 伤亡 失踪 死 伤",
}
_DAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "ru": "понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье",
    "uk": "понеділок вівторок середа середу четвер п'ятниця п'ятницю субота суботу неділя неділю",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
}
_AGAIN = {
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
_NIGHTS = {
    "en": "overnight night",
    "ru": "ночь ночью",
    "uk": "ніч вночі",
    "de": "nacht nachts",
    "fr": "nuit",
    "es": "noche",
    "it": "notte",
}
_ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth",
    "ru": "первый второй третий четвертый пятый шестой седьмой восьмой девятый десятый одиннадцатый двенадцатый тринадцатый",
    "uk": "перший другий третій четвертий п'ятий шостий сьомий восьмий дев'ятий десятий",
    "de": "erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte dreizehnte",
    "fr": "premier/première deuxième/second troisième quatrième cinquième sixième septième huitième neuvième dixième",
    "es": "primer/primera segundo/segunda tercer/tercera cuarto/cuarta quinto/quinta sexto/sexta séptimo/séptima",
    "pt": "primeiro/primeira segundo/segunda terceiro/terceira quarto/quarta quinto/quinta sexto/sexta",
    "it": "primo/prima secondo/seconda terzo/terza quarto/quarta quinto/quinta sesto/sesta",
    "ar": "الأول/الأولى الثاني/الثانية الثالث/الثالثة الرابع/الرابعة الخامس/الخامسة السادس/السادسة",
}  # fmt: skip


def differ(one: Features, other: Features) -> bool:
    """Whether what sets two headlines apart says that they tell of two things, however alike they are."""
    first, second = one.title, other.title
    if _counted_apart(first, second):
        return True
    common = set(first) & set(second)
    if len(common) < _SAME * min(len(first), len(second)) or not common:
        return False
    mine = [term for term in first if term not in common]
    theirs = [term for term in second if term not in common]
    if abs(one.hours - other.hours) >= _NIGHT and _again(mine, theirs, common):
        return True
    if not mine or not theirs:
        return False
    days = _stems_of(_DAYS_KEY)
    my_days, their_days = (
        [term for term in mine if term in days],
        [term for term in theirs if term in days],
    )
    if my_days and their_days:
        return True
    return _numbers_apart(mine, theirs, first + second) or _filled_apart(one, other, mine, theirs)


def _again(mine: list[str], theirs: list[str], common: set[str]) -> bool:
    """Whether it happened again, or in another night."""
    again, nights = _stems_of(_AGAIN_KEY), _stems_of(_NIGHTS_KEY)
    return any(term in again for term in mine) != any(term in again for term in theirs) or any(
        term in nights for term in common
    )


def _filled_apart(one: Features, other: Features, mine: list[str], theirs: list[str]) -> bool:
    """Whether one form of words was filled with other names, none of which the other entry has anywhere."""
    if one.language in UNCASED:
        return (
            len(mine) + len(theirs) <= _FILLING
            and not _elsewhere(mine, other)
            and not _elsewhere(theirs, one)
        )
    my_names = [term for term in mine if term in one.names]
    their_names = [term for term in theirs if term in other.names]
    if not my_names or not their_names:
        return False
    rest = [term for term in mine if term not in my_names and not number(term)]
    others = [term for term in theirs if term not in their_names and not number(term)]
    if len(rest) >= _REST or len(others) >= _REST:
        return False
    return not _elsewhere(my_names, other) and not _elsewhere(their_names, one)


def _elsewhere(names: list[str], entry: Features) -> bool:
    """Whether an entry has one of these names anywhere, or one that begins as it does: Hawaii and Hawaiian."""
    terms = entry.terms
    return any(
        name in terms
        or (
            len(name) >= _BEGINNING
            and any(term[:_BEGINNING] == name[:_BEGINNING] for term in terms)
        )
        for name in names
    )


def _numbers_apart(mine: Iterable[str], theirs: Iterable[str], words: tuple[str, ...]) -> bool:
    """Whether the one headline has numbers that are none of the other's: not a toll that rises, not a number rounded."""
    my_numbers = [value for term in mine if (value := number(term)) is not None]
    their_numbers = [value for term in theirs if (value := number(term)) is not None]
    if not my_numbers or not their_numbers:
        return False
    toll = _stems_of(_TOLL_KEY)
    if any(term in toll for term in words) and all(
        value == int(value) and not _year(value) for value in my_numbers + their_numbers
    ):
        return False
    return not any(_near(one, other) for one in my_numbers for other in their_numbers)


def _counted_apart(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether both count the same thing, and to another number: the twelfth package and the thirteenth."""
    mine, theirs = _counted(first), _counted(second)
    return any(thing in theirs and not theirs[thing] & counts for thing, counts in mine.items())


@lru_cache(maxsize=1 << 12)
def _counted(title: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The words that follow an ordinal number in a headline, and which numbers they follow."""
    found: dict[str, frozenset[str]] = {}
    ordinals = _ordinals()
    for place, term in enumerate(title):
        written = _ORDINAL.fullmatch(term)
        ending = title[place + 1 : place + 2]
        if term in ordinals or (written and (not term.isdecimal() or ending in _ENDINGS)):
            count = written.group(1) if written else ordinals[term]
            after = place + 1 + (ending in _ENDINGS)
            for thing in title[after : after + 2]:
                found[thing] = found.get(thing, frozenset()) | {count}
    return found


@lru_cache(maxsize=1 << 14)
def number(term: str) -> float | None:
    """The value of a term that is a number, with or without an ending."""
    if not _DIGIT.match(term):
        return None
    try:
        return float(term)
    except ValueError:
        written = _ORDINAL.fullmatch(term)
        return float(written.group(1)) if written else None


def _near(one: float, other: float) -> bool:
    if _year(one) or _year(other):
        return one == other
    if one != int(one) or other != int(other):
        return abs(one - other) <= _MEASURED
    rounded = min(one, other) >= _SMALL and (one % 10 == 0 or other % 10 == 0)
    return one == other or (rounded and abs(one - other) <= _ROUNDED * max(one, other))


_SMALL = 20  # below it no number is rounded


def _year(value: float) -> bool:
    return 1900 <= value <= 2100


def tolls(terms: Iterable[str]) -> bool:
    """Whether a headline counts people who came to harm, whose number changes while the news stays the same."""
    toll = _stems_of(_TOLL_KEY)
    return any(term in toll for term in terms)


_TOLL_KEY, _DAYS_KEY, _AGAIN_KEY, _NIGHTS_KEY = "toll", "days", "again", "nights"


@cache
def _ordinals() -> dict[str, str]:
    """Stems of the words for ordinal numbers to the numbers."""
    found: dict[str, str] = {}
    for language, text in _ORDINALS.items():
        for place, forms in enumerate(text.split(), 1):
            found |= {
                stem: str(place) for form in forms.split("/") for stem in stems(form, language)[:1]
            }
    return found


@cache
def _stems_of(which: str) -> frozenset[str]:
    words = {_TOLL_KEY: _TOLL, _DAYS_KEY: _DAYS, _AGAIN_KEY: _AGAIN, _NIGHTS_KEY: _NIGHTS}[which]
    return frozenset(
        stem
        for language, text in words.items()
        for word in text.split()
        for stem in stems(word, language)[:1]
    )
