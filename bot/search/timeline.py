"""A storyline in the order of time: its stories, who was first, by how much, and why each entry belongs. No I/O, no clock, no style."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import StoryEntry
from bot.model.stories import Pair, PairReason


@dataclass(frozen=True, slots=True)
class Line:
    """An entry, how long after the first of its story, and why it is there."""

    entry: StoryEntry
    after: timedelta
    why: str


@dataclass(frozen=True, slots=True)
class ToldStory:
    """A story of the storyline."""

    number: int
    lines: tuple[Line, ...]
    publishers: int  #: independent ones
    asked: bool  #: it holds the entry that was asked for

    @property
    def title(self) -> str:
        """The headline it began with."""
        return self.lines[0].entry.title


def timeline(
    entries: Iterable[StoryEntry], asked: int, translator: Translator = ENGLISH
) -> list[ToldStory]:
    """The stories of one storyline, each in order of time, in the order in which they began. `asked` is an entry's id."""
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.id))
    names = {entry.id: entry.name for entry in ordered}
    stories: dict[int, list[StoryEntry]] = {}
    for entry in ordered:
        stories.setdefault(entry.story_ids.story, []).append(entry)
    opened = min((entry.id for entry in ordered), default=0)
    return [
        ToldStory(
            number,
            tuple(
                Line(entry, entry.at - members[0].at, _why(entry, names, opened, translator))
                for entry in members
            ),
            len({entry.origin for entry in members}),
            asked in {entry.id for entry in members},
        )
        for number, members in stories.items()
    ]


def _why(entry: StoryEntry, names: Mapping[int, str], opened: int, translator: Translator) -> str:
    if not entry.pairs:
        first = entry.id == opened
        return (
            translator.gettext("first of the storyline")
            if first
            else translator.gettext("on its own at first; what came later joined it")
        )
    told = "; ".join(_pair(pair, names.get(pair.other, ""), translator) for pair in entry.pairs)
    return (
        translator.gettext("opened a story of this storyline: {reasons}", reasons=told)
        if entry.id == entry.story_ids.story
        else told
    )


def _pair(pair: Pair, name: str, translator: Translator) -> str:
    """Why two entries are of one story; `name` is empty where the other is forgotten."""
    score = f"{pair.score:.2f}"
    match pair.reason, bool(name):
        case PairReason.LINK, True:
            return translator.gettext("the same link as {name}", name=name)
        case PairReason.LINK, False:
            return translator.gettext("the same link as an entry that is forgotten by now")
        case PairReason.HEADLINE, True:
            return translator.gettext("the same headline as {name}", name=name)
        case PairReason.HEADLINE, False:
            return translator.gettext("the same headline as an entry that is forgotten by now")
        case PairReason.WORDS, True:
            return translator.gettext("words like {name} ({score})", name=name, score=score)
        case PairReason.WORDS, False:
            return translator.gettext(
                "words like an entry that is forgotten by now ({score})", score=score
            )
        case PairReason.NAMES, True:
            return translator.gettext(
                "names and numbers like {name} ({score})", name=name, score=score
            )
        case PairReason.NAMES, False:
            return translator.gettext(
                "names and numbers like an entry that is forgotten by now ({score})", score=score
            )
        case reason, _:
            return f"{reason} {name}".rstrip()


def summary(stories: Sequence[ToldStory], translator: Translator = ENGLISH) -> str:
    """The counts in a line."""
    entries = sum(len(story.lines) for story in stories)
    publishers = len({line.entry.origin for story in stories for line in story.lines})
    return ", ".join(
        (
            translator.ngettext("{number} story", "{number} stories", len(stories)),
            translator.ngettext("{number} article", "{number} articles", entries),
            translator.ngettext("{number} publisher", "{number} publishers", publishers),
        )
    )


def later(after: timedelta, translator: Translator = ENGLISH) -> str:
    """`first`, `+40 s`, `+7 min`, `+3 h 5 min`."""
    seconds = round(after.total_seconds())
    minutes = round(seconds / 60)
    if seconds <= 0:
        return translator.gettext("first")
    if seconds < 60:
        return "+" + translator.gettext("{seconds} s", seconds=seconds)
    if minutes < 60:
        return "+" + translator.gettext("{minutes} min", minutes=minutes)
    hours = "+" + translator.gettext("{hours} h", hours=minutes // 60)
    return (
        hours + " " + translator.gettext("{minutes} min", minutes=minutes % 60)
        if minutes % 60
        else hours
    )


def who_was_first(story: ToldStory, translator: Translator = ENGLISH) -> str:
    """A sentence on the lead of a story's first publisher over the next independent one."""
    first = story.lines[0]
    second = next((line for line in story.lines if line.entry.origin != first.entry.origin), None)
    if second is None:
        return translator.gettext("{name} alone has it so far.", name=first.entry.name)
    if second.after <= timedelta(0):
        return translator.gettext(
            "{name} and {other} had it at the same time.",
            name=first.entry.name,
            other=second.entry.name,
        )
    span = later(second.after, translator).lstrip("+")
    return translator.gettext(
        "{name} had it first, {span} before {other}.",
        name=first.entry.name,
        span=span,
        other=second.entry.name,
    )
