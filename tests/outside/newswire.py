"""Invented news from a seed: events as several outlets tell them, in two scripts.

An event is told by an agency's wire, by rewrites of it, by what follows and by commentary. How
is in newswire.txt; places and people are made of syllables. The same seed gives the same news.
No clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True, slots=True)
class Telling:
    """Headline and text of an article."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, and how it can be told."""

    topic: str
    language: str
    wire: Telling  #: the agency's, which several outlets carry word for word
    rewrites: tuple[Telling, ...]  #: of the same occurrence
    turns: tuple[Telling, ...]  #: what followed, and commentary
    correction: str  #: the headline of the wire, put right


KINDS = Path(__file__).with_name("newswire.txt")
_PLACES = ("Tar", "Vel", "Os", "Mir", "Kan", "Bro", "Sel", "Dur", "Lim", "Hav", "Gor", "Pel")
_ENDINGS = ("vos", "tine", "mark", "dova", "ria", "holm", "gate", "lund", "sk", "mere")
_FAMILIES = ("Odra", "Vey", "Marl", "Tsch", "Ibar", "Kost", "Lend", "Ruz", "Amel", "Dorn")
_FAMILY_ENDINGS = ("ek", "ini", "ova", "sen", "uk", "ard", "is", "yan")
_CYRILLIC = ("Тарв", "Велин", "Осмар", "Мирг", "Кандр", "Бровн", "Сельм", "Дурн", "Лимор", "Хавр")
_CYRILLIC_ENDINGS = ("ск", "град", "ово", "инск")
_CYRILLIC_FAMILIES = ("Одрев", "Вейнов", "Марлин", "Ибаров", "Костев", "Лендин", "Рузов", "Амелин")

_ARCHIVE = ("Chronicle", "Almanac", "Register", "Records", "Annals", "Letters", "Maps", "Songs")
_SUBJECTS = ("lighthouse", "market", "museum", "orchard", "quarry", "tannery", "windmill", "weir")


@dataclass(frozen=True, slots=True)
class _Kind:
    topic: str
    language: str
    lines: Mapping[str, Sequence[str]]  #: tellings as `headline|text`, by what they are


def _kinds(text: str) -> Iterator[_Kind]:
    for block in text.strip().split("\n\n"):
        head, *rest = block.splitlines()
        lines: dict[str, list[str]] = {}
        for line in rest:
            name, _, telling = line.partition(": ")
            lines.setdefault(name, []).append(telling)
        _, topic, language = head.split()
        yield _Kind(topic, language, lines)


class Newswire:
    """Gives one event after another, each of another place."""

    def __init__(self, seed: int) -> None:
        """Begin with this seed."""
        self._chance = Random(seed)
        self._kinds = tuple(_kinds(KINDS.read_text(encoding="utf-8")))
        self._used: set[str] = set()

    def event(self, topic: str = "") -> Event:
        """Return a new event, of this topic where one is given."""
        kind = self._chance.choice([kind for kind in self._kinds if topic in {"", kind.topic}])
        language = kind.language
        words = {
            "place": self.place(language),
            "person": self._person(language),
            "n": self._chance.randint(3, 9),
        }

        def told(text: str) -> Telling:
            title, _, body = text.format(**words).partition("|")
            return Telling(title, body)

        return Event(
            kind.topic,
            language,
            told(kind.lines["wire"][0]),
            tuple(map(told, kind.lines["rewrite"])),
            tuple(map(told, kind.lines["turn"])),
            kind.lines["correction"][0].format(**words),
        )

    def place(self, language: str = "en") -> str:
        """Return a place of which no event has told."""
        first, last = (_PLACES, _ENDINGS) if language == "en" else (_CYRILLIC, _CYRILLIC_ENDINGS)
        while True:
            name = self._chance.choice(first) + self._chance.choice(last)
            if name not in self._used:
                break
            if self._chance.random() < 0.2:  # more places than there are pairs of syllables
                name = self._chance.choice(first) + self._chance.choice(last).capitalize()
                name += "ton" if language == "en" else "он"
                if name not in self._used:
                    break
        self._used.add(name)
        return name

    def _person(self, language: str) -> str:
        if language == "ru":
            return self._chance.choice(_CYRILLIC_FAMILIES)
        return self._chance.choice(_FAMILIES) + self._chance.choice(_FAMILY_ENDINGS)

    def pieces(self, word: str) -> Iterator[Telling]:
        """Return, without end, articles about nothing in common but this word."""
        while True:
            place, person = self.place(), self._person("en")
            kind, subject = self._chance.choice(_ARCHIVE), self._chance.choice(_SUBJECTS)
            yield Telling(
                f"{kind} of the {place} {subject}, with a {word}",
                f"{person} on the {subject} of {place}, its {word} and its {kind.lower()}.",
            )
