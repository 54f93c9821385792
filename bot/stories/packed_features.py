"""Features of an entry as they are stored, so that a window is restored without its words.

Reading them takes a tenth of the time of computing them. Lines of text and not a format of its own:
terms have neither blanks nor line breaks. What features of another version look like is not known
here; such entries are looked at again.
"""

from functools import lru_cache
from sys import intern
from typing import NamedTuple

from bot.model.stories import StoredFeatures
from bot.stories.developments import shared
from bot.stories.features import MAX_COUNT, Features
from bot.stories.headline_kinds import Kind

#: to be raised where features of the same words come out otherwise; a test notices
VERSION = 1
_LINES = 14
_FIRST = 48  # code point of a count of 0
_COUNTED = bytes(range(MAX_COUNT + 1))
_SIGNS = bytes.maketrans(_COUNTED, bytes(count + _FIRST for count in _COUNTED))
_COUNTS = bytes.maketrans(bytes(count + _FIRST for count in _COUNTED), _COUNTED)
_KINDS = {str(kind.value): kind for kind in Kind}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class Outline(NamedTuple):
    """What an index has to know of an entry; the names are those of `Features`."""

    id: int
    hours: float
    publisher: str
    language: str
    link: bytes
    headline: str
    kind: Kind
    terms: list[str]
    phonetic_keys: list[str]
    headline_template: str


class Sketch(NamedTuple):
    """What a bound of the similarity has to know of an entry; the names are those of `Features`."""

    hours: float
    publisher: str
    language: str
    headline: str
    terms: list[str]
    largest_count: int
    title_length: int
    headline_only: bool


def pack(features: Features) -> str:
    """Return all features but id, publisher and feed, which are stored with the entry.

    Empty where a term cannot be told from two.
    """
    lines = (
        repr(features.hours),
        features.language,
        features.link.hex(),
        features.headline,
        _NAMES[features.kind],
        " ".join(features.terms),
        features.counts.translate(_SIGNS).decode("ascii"),
        str(features.title_length),
        f"{features.headline_only:d}{features.short:d}",
        " ".join(features.names),
        " ".join(features.phonetic_keys),
        ",".join(sorted(features.developments)),
        ",".join(sorted(features.told)),
        features.headline_template,
    )
    listed = (features.terms, features.names, features.phonetic_keys)
    packed = "\n".join(lines)
    if packed.count("\n") != _LINES - 1 or any(
        len(" ".join(words).split()) != len(words) for words in listed
    ):
        return ""
    return packed


def hours_of(stored: StoredFeatures) -> float:
    """Return the time of a stored entry in hours since the Unix epoch."""
    return float(stored.packed[: stored.packed.index("\n")])


def outline(stored: StoredFeatures, hours: float) -> Outline:
    """Return what an index has to know of a stored entry: a third of the work of `unpack`."""
    lines = stored.packed.split("\n")
    headline, template = lines[3], lines[13]
    return Outline(
        stored.id,
        hours,
        intern(stored.publisher),
        intern(lines[1]),
        bytes.fromhex(lines[2]),
        headline,
        _KINDS[lines[4]],
        lines[5].split(),
        lines[10].split(),
        headline if template == headline else template,
    )


def sketch(stored: StoredFeatures) -> Sketch:
    """Return what a bound of the similarity has to know of a stored entry."""
    hours, language, _, headline, _, terms, counts, title_length, flags, *_ = stored.packed.split(
        "\n"
    )
    return Sketch(
        float(hours),
        stored.publisher,
        language,
        headline,
        terms.split(),
        ord(max(counts, default=chr(_FIRST))) - _FIRST,
        int(title_length),
        flags[0] == "1",
    )


def unpack(stored: StoredFeatures) -> Features:
    """Return the features of a stored entry."""
    (
        hours,
        language,
        link,
        headline,
        kind,
        terms,
        counts,
        title_length,
        flags,
        names,
        phonetic_keys,
        happened,
        told,
        template,
    ) = stored.packed.split("\n")
    return Features(
        stored.id,
        float(hours),
        intern(stored.publisher),
        stored.feed,
        intern(language),
        bytes.fromhex(link),
        headline,
        _KINDS[kind],
        tuple(map(intern, terms.split())),
        counts.encode("ascii").translate(_COUNTS),
        int(title_length),
        flags[0] == "1",
        tuple(map(intern, names.split())),
        tuple(map(intern, phonetic_keys.split())),
        _listed(happened),
        _listed(told),
        flags[1] == "1",
        headline if template == headline else template,
    )


@lru_cache(1 << 10)
def _listed(text: str) -> frozenset[str]:
    return shared(frozenset(text.split(",")) if text else frozenset())
