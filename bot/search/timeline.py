"""A storyline in chronological order: its stories, their leads, and why each entry belongs.

Not the layout on a screen. No I/O, no clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.archive import StoryEntry
from bot.model.stories import Pair, PairReason

_NAMES = 5  # of feeds that are one publisher's


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An entry of a story, with its delay after the first entry and why it belongs there."""

    entry: StoryEntry
    delay: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class TimelineStory:
    """A story of the storyline."""

    number: int
    entries: tuple[TimelineEntry, ...]
    publishers: int  #: independent ones
    requested: bool  #: it contains the entry that the timeline was requested for

    @property
    def title(self) -> str:
        """The headline of its first entry."""
        return self.entries[0].entry.title


def timeline(
    entries: Iterable[StoryEntry], requested: int, translator: Translator = ENGLISH
) -> list[TimelineStory]:
    """Return the stories of a storyline in the order they began; `requested` is an entry's id."""
    ordered = sorted(entries, key=lambda entry: (entry.at, entry.id))
    names = {entry.id: entry.name for entry in ordered}
    stories: dict[int, list[StoryEntry]] = {}
    for entry in ordered:
        stories.setdefault(entry.story_ids.story, []).append(entry)
    first_id = min((entry.id for entry in ordered), default=0)
    return [
        TimelineStory(
            number,
            tuple(
                TimelineEntry(
                    entry, entry.at - members[0].at, _reason(entry, names, first_id, translator)
                )
                for entry in members
            ),
            len({entry.origin for entry in members}),
            requested in {entry.id for entry in members},
        )
        for number, members in stories.items()
    ]


def _reason(
    entry: StoryEntry, names: Mapping[int, str], first_id: int, translator: Translator
) -> str:
    """Why an entry belongs to its story; `first_id` is the first entry of the storyline."""
    if not entry.pairs:
        return (
            translator.gettext("first of the storyline")
            if entry.id == first_id
            else translator.gettext("alone at first; later articles joined it")
        )
    reasons = "; ".join(
        _pair_reason(pair, names.get(pair.other, ""), translator) for pair in entry.pairs
    )
    return (
        translator.gettext("started a story of this storyline: {reasons}", reasons=reasons)
        if entry.id == entry.story_ids.story
        else reasons
    )


def _pair_reason(pair: Pair, name: str, translator: Translator) -> str:
    """Why two entries belong to the same story; `name` is empty if the other was deleted."""
    score = f"{pair.score:.2f}"
    match pair.reason, bool(name):
        case PairReason.LINK, True:
            return translator.gettext("the same link as {name}", name=name)
        case PairReason.LINK, False:
            return translator.gettext("the same link as an article no longer stored")
        case PairReason.HEADLINE, True:
            return translator.gettext("the same headline as {name}", name=name)
        case PairReason.HEADLINE, False:
            return translator.gettext("the same headline as an article no longer stored")
        case PairReason.WORDS, True:
            return translator.gettext("words like {name} ({score})", name=name, score=score)
        case PairReason.WORDS, False:
            return translator.gettext(
                "words like an article no longer stored ({score})", score=score
            )
        case PairReason.NAMES, True:
            return translator.gettext(
                "names and numbers like {name} ({score})", name=name, score=score
            )
        case PairReason.NAMES, False:
            return translator.gettext(
                "names and numbers like an article no longer stored ({score})", score=score
            )
        case reason, _:
            return f"{reason} {name}".rstrip()


def summary(stories: Sequence[TimelineStory], translator: Translator = ENGLISH) -> str:
    """Return the numbers of stories, articles and publishers as one line."""
    entries = sum(len(story.entries) for story in stories)
    publishers = len({item.entry.origin for story in stories for item in story.entries})
    return ", ".join(
        (
            translator.ngettext("{number} story", "{number} stories", len(stories)),
            translator.ngettext("{number} article", "{number} articles", entries),
            translator.ngettext("{number} publisher", "{number} publishers", publishers),
        )
    )


def format_delay(delay: timedelta, translator: Translator = ENGLISH) -> str:
    """Return a delay as text: `first`, `+40 s`, `+7 min`, `+3 h 5 min`."""
    if round(delay.total_seconds()) <= 0:
        return translator.gettext("first")
    return f"+{translator.duration(delay)}"


def who_was_first(story: TimelineStory, translator: Translator = ENGLISH) -> str:
    """Return a sentence on the lead of a story's first publisher over the next independent one."""
    first = story.entries[0]
    second = next((item for item in story.entries if item.entry.origin != first.entry.origin), None)
    if second is None:
        names = list(dict.fromkeys(item.entry.name for item in story.entries))
        if len(names) == 1:
            return translator.gettext("Only {name} so far.", name=first.entry.name)
        return translator.gettext(
            "Only {names} so far; they count as one publisher.",
            names=", ".join((*names[:_NAMES], *("…" for _ in names[_NAMES : _NAMES + 1]))),
        )
    lead = _lead(first, second, translator)
    by_sight = [item.entry.name for item in (first, second) if item.entry.by_sight]
    if not by_sight:
        return lead
    rest = translator.gettext(
        "Counted from when newsbell saw it: {names} (no usable date in the feed).",
        names=", ".join(dict.fromkeys(by_sight)),
    )
    return f"{lead} {rest}"


def _lead(first: TimelineEntry, second: TimelineEntry, translator: Translator) -> str:
    if second.delay <= timedelta(0):
        return translator.gettext(
            "{name} and {other} had it at the same time.",
            name=first.entry.name,
            other=second.entry.name,
        )
    span = format_delay(second.delay, translator).lstrip("+")
    return translator.gettext(
        "{name} had it first, {span} before {other}.",
        name=first.entry.name,
        span=span,
        other=second.entry.name,
    )


def source_name(entry: StoryEntry, translator: Translator = ENGLISH) -> str:
    """Return who published an entry, and the agency where the text is an agency's."""
    return f"{via(entry, translator)} {entry.name}".lstrip()


def via(entry: StoryEntry, translator: Translator = ENGLISH) -> str:
    """Return the agency whose text an entry is, such as `via AP:`; empty for none."""
    return translator.gettext("via {agency}:", agency=entry.agency) if entry.agency else ""
