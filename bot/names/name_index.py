"""Finds of many names those that may stand in a text: quick, never too strict. Not matching.

What may be a name at a word is remembered by the word. A change empties nothing: names have numbers
in the order in which they came, and those that came since are looked up when a word comes again.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.names.alignment import MAX_PIECES
from bot.names.character_runs import RunNames
from bot.names.context import NameText
from bot.names.edit_distance import start_cost
from bot.names.find import matches_exactly
from bot.names.forms import ARTICLES, FUNCTION_WORDS, PLACE_KINDS, base_forms
from bot.names.other_words import possible_roots
from bot.names.pattern import ExactSpelling, NamePattern
from bot.names.phoneme_content import ALL, OF_TEXT_ALONE, STEPS, of_text, steps
from bot.names.phonemes import join_phonemes
from bot.names.phonetic_key import word_keys
from bot.names.place_check import (
    PART_BITS,
    PIECE,
    SURE,
    WORD,
    Part,
    PlaceCheck,
    Sound,
    TextWord,
    begins_alike,
    costs_little,
    ends_close,
    is_written_like,
    limit_of,
    may_be_joined,
    text_word,
)
from bot.names.transliteration import (
    ARABIC,
    CYRILLIC,
    HEBREW,
    LATIN,
    OTHER,
    comparison_mode,
    is_unspaced_character,
    script,
    transcribe,
)

CACHE_LIMIT = 16 * 1024 * 1024  #: bytes of the cached candidates of words that may be names
CACHED_WORD = 200  #: bytes of a word in the cache, beside its letters and candidates
_CACHED_NAME = 90  # bytes of a name that a word may be of
_CACHED_PIECE = 8  # bytes of one of which it may be a piece
_MIN_REMOVED = 4000  # words of removed names from which on the others are filed anew
_JOINED = -1  # all of a name, written as one word
_NOT_SPLIT = -1  # instead of a difference of allowances

Owner = TypeVar("Owner", bound=Hashable)


@dataclass(slots=True, eq=False)
class _Name(Generic[Owner]):
    """A name, and whose it is. It is of no use any more when it is nobody's."""

    check: PlaceCheck
    owners: set[Owner] = field(default_factory=set)


#: A name that a word may be of, and what the word may be of it.
_Heard = tuple[_Name[Owner], int]
#: A name, and one of its spellings.
_Spelled = tuple[_Name[Owner], ExactSpelling]
#: A word of a name: its number; its first two symbols, empty for a short one; the costs up to which
#: a word, and several together, are close to it; what the latter takes from its allowance; the mode
#: of comparison; its allowance; the word.
_Row = tuple[int, str, float, float, int, int, int, Part]


@dataclass(slots=True)
class _Cached(Generic[Owner]):
    """What a word may be."""

    count: int  #: words of names among which it was looked for
    names: tuple[_Heard[Owner], ...]  #: names of which it may be a word
    spellings: tuple[_Spelled[Owner], ...]  #: spellings of which it may be the longest word
    pieces: tuple[_Row, ...]  #: words of names of which it may be the first piece


class _Listed:
    """The words of names with a key that are compared in a mode, by their numbers, in order.

    What is tried first of all of them is in lists of its own: a new word goes through these alone.
    """

    __slots__ = ("allowances", "bares", "numbers", "split", "splits")

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.allowances: list[int] = []
        self.bares: list[int] = []  #: allowances without final vowels, 0 for none
        self.split: list[int] = []  #: numbers of those that may be split into pieces
        self.splits: list[int] = []  #: their allowances for the first piece


class _Sounds:
    """The words of names by key and sound, for words of texts that are compared in like modes."""

    def __init__(self, word_script: str, parts: Iterable[tuple[Part, Iterable[str]]]) -> None:
        self._script = word_script
        self._listed: dict[str, dict[int, _Listed]] = {}
        self.rows: list[_Row] = []  #: by number
        for part, keys in parts:
            self.add(part, keys)

    def add(self, part: Part, keys: Iterable[str]) -> None:
        """Add a word of a name after all others."""
        number = len(self.rows)
        mode = comparison_mode(part.script, self._script)
        whole, limit = part.whole, limit_of(part, mode)
        near = 0.5 * whole.limit(mode) if part.may_split else -1.0
        less = steps(limit) - steps(near) if part.may_split else _NOT_SPLIT
        bare = part.bare.allowance(mode, limit) if part.bare else 0
        allowance = whole.allowance(mode, limit)
        split = of_text(allowance - STEPS[less]) if part.may_split else 0
        self.rows.append((number, whole.start, limit, near, less, mode, allowance, part))
        for key in keys:
            modes = self._listed.get(key)
            if modes is None:
                modes = self._listed[key] = {}
            listed = modes.get(mode)
            if listed is None:
                listed = modes[mode] = _Listed()
            listed.numbers.append(number)
            listed.allowances.append(allowance)
            listed.bares.append(bare)
            if part.may_split:
                listed.split.append(number)
                listed.splits.append(split)

    def have(self, keys: Iterable[str], first: int) -> bool:
        """Return whether any word, from a number on, has one of these keys."""
        for key in keys:
            for listed in self._listed.get(key, {}).values():
                if listed.numbers[-1] >= first:
                    return True
        return False

    def numbers(self, keys: Iterable[str]) -> set[int]:
        """Return the words with one of these keys."""
        return {
            number
            for key in keys
            for listed in self._listed.get(key, {}).values()
            for number in listed.numbers
        }

    def allowing(self, form: Sound, keys: Iterable[str], first: int) -> set[int]:
        """Return the words, from a number on, that allow what a form of a word of a text holds.

        Those with one of these keys.
        """
        found: set[int] = set()
        for key in keys:
            for mode, listed in self._listed.get(key, {}).items():
                numbers = listed.numbers
                if numbers[-1] < first:
                    continue
                held = form.content(mode)
                allowances = listed.bares if form.is_bare else listed.allowances
                begin = bisect_left(numbers, first) if first else 0
                if begin:
                    allowances = allowances[begin:]
                found.update(
                    [
                        numbers[place]
                        for place, allowance in enumerate(allowances, begin)
                        if (allowance + held) & ALL == ALL
                    ]
                )
        return found

    def beginning(self, word: TextWord, first: int) -> set[int]:
        """Return the words, from a number on, of which a word of a text may be the first piece.

        Those with one of its keys, by what it holds.
        """
        found: set[int] = set()
        whole = word.forms[0]
        for key in word_keys(word.text):
            for mode, listed in self._listed.get(key, {}).items():
                split = listed.split
                if not split or split[-1] < first:
                    continue
                begin = bisect_left(split, first) if first else 0
                held = of_text(whole.content(mode))
                splits = listed.splits[begin:] if begin else listed.splits
                found.update(
                    [
                        split[place]
                        for place, allowance in enumerate(splits, begin)
                        if (allowance + held) & OF_TEXT_ALONE == OF_TEXT_ALONE
                    ]
                )
        return found


class NameIndex(Generic[Owner]):
    """Names, each with its owners, looked up by the words of a text."""

    def __init__(self) -> None:
        self._names: dict[str, _Name[Owner]] = {}  # by what was written
        self._of_owner: dict[Owner, list[str]] = {}
        self._cache: dict[str, _Cached[Owner]] = {}
        self._cached_bytes = 0  # about
        self._small = 0  # names that may stand in small letters
        # By kind of script. Others are made when a text has them, or is expected to.
        self._sounds = {LATIN: _Sounds(LATIN, ())}
        self._file_anew()

    def _file_anew(self) -> None:
        self._forget()
        self._parts: list[tuple[_Name[Owner], int, Part]] = []
        self._first_parts: list[int] = []  # of each name, in the order in which they came
        self._exact: dict[str, list[tuple[int, _Name[Owner], ExactSpelling]]] = {}
        self._kinds: dict[str, list[_Name[Owner]]] = {}  # those that need a kind of place, by key
        self._written: dict[str, list[int]] = {}
        self._sounds = {kind: _Sounds(kind, ()) for kind in self._sounds}
        self._runs: RunNames[_Name[Owner]] = RunNames()
        self._removed = 0  # words of names that are no more
        for name in self._names.values():
            self._file(name)

    def _forget(self) -> None:
        self._cache.clear()
        self._cached_bytes = 0

    def __len__(self) -> int:
        return len(self._names)

    def expect(self, word: str) -> None:
        """Be ready for texts in the script of a word: names that are added are filed for it."""
        if word:
            self._sounds_of(script(word))

    def add(self, pattern: NamePattern, owner: Owner) -> None:
        """Add a name of an owner."""
        known = self._names.get(pattern.text)
        if known is None:
            known = self._names[pattern.text] = _Name(PlaceCheck(pattern))
            self._small += pattern.may_be_small
            self._file(known)
        known.owners.add(owner)
        self._of_owner.setdefault(owner, []).append(pattern.text)

    def remove(self, owner: Owner) -> None:
        """Remove the names of an owner, if there are any."""
        for text in self._of_owner.pop(owner, ()):
            name = self._names[text]
            name.owners.discard(owner)
            if not name.owners:
                del self._names[text]
                self._small -= name.check.pattern.may_be_small
                self._removed += 1 + len(name.check.parts)
        if not self._names or self._removed > _MIN_REMOVED + len(self._parts) // 2:
            self._file_anew()

    def _file(self, name: _Name[Owner]) -> None:
        pattern, check = name.check.pattern, name.check
        for base, spellings in pattern.exact.items():
            for spelling in spellings:
                listed = len(self._first_parts), name, spelling
                self._exact.setdefault(base, []).append(listed)
        self._first_parts.append(len(self._parts))
        self._runs.add(pattern, name)
        if pattern.place_kind:
            for key in pattern.anchor_keys:
                self._kinds.setdefault(key, []).append(name)
            return
        for place, part in enumerate(check.parts):
            if len(part.text) > 1:  # an initial alone leads to no name
                self._file_part(name, place, part)
        if check.joined is not None:
            self._file_part(name, _JOINED, check.joined)

    def _file_part(self, name: _Name[Owner], place: int, part: Part) -> None:
        number = len(self._parts)
        self._parts.append((name, place, part))
        for sounds in self._sounds.values():
            sounds.add(part, name.check.pattern.anchor_keys)
        for written in {part.text, part.root, part.stem, *part.spellings}:
            self._written.setdefault(written, []).append(number)

    def find(self, text: NameText) -> set[Owner]:
        """Return the owners of names that may stand in a text."""
        found: dict[_Name[Owner], None] = {}
        small = text.context.small
        for index, word in enumerate(text.words):
            if not word:
                continue
            if index not in small:
                self._find_at(text, index, found)
            elif self._small:
                self._find_small(text, index, found)
        self._runs.find(text, found)
        if self._kinds:
            self._find_places(text, found)
        return {owner for name in found for owner in name.owners}

    def _find_at(self, text: NameText, index: int, found: dict[_Name[Owner], None]) -> None:
        """Find names at a word."""
        word = text.words[index]
        cached = self._cache.get(word)
        if cached is None or cached.count != len(self._first_parts):
            cached = self._look_up(word, cached)
        for name, heard in cached.names:
            if name not in found and name.check.may_stand(text, index, heard):
                found[name] = None
        for name, spelling in cached.spellings:
            if name not in found and matches_exactly(spelling, text.words, index - spelling.anchor):
                found[name] = None
        if cached.pieces:
            self._find_pieces(text, index, cached.pieces, found)
        if index and _is_hebrew_letter(text.words[index - 1]):
            # צ'רנוביץ: split at the geresh
            for number in self._sounds_of(script(word)).numbers(word_keys(word)):
                found[self._parts[number][0]] = None

    def _find_small(self, text: NameText, index: int, found: dict[_Name[Owner], None]) -> None:
        """Find names at a word in small letters: as they are spelled."""
        for base in base_forms(text.words[index]):
            for _, name, spelling in self._exact.get(base, ()):
                if name.check.pattern.may_be_small and matches_exactly(
                    spelling, text.words, index - spelling.anchor
                ):
                    found[name] = None

    def _find_places(self, text: NameText, found: dict[_Name[Owner], None]) -> None:
        """Find names of regions and districts: a word for that has to stand beside them."""
        kinds = {PLACE_KINDS[word] for word in text.words if word in PLACE_KINDS}
        if not kinds:
            return
        for word in dict.fromkeys(text.words):
            for key in word_keys(word):
                for name in self._kinds.get(key, ()):
                    if name.check.pattern.place_kind in kinds:
                        found[name] = None

    def _find_pieces(
        self,
        text: NameText,
        index: int,
        pieces: tuple[_Row, ...],
        found: dict[_Name[Owner], None],
    ) -> None:
        """Find names of which a word and the words behind it may be one word."""
        words, word = text.words, text.words[index]
        phonemes = transcribe(word)
        for beyond in range(index + 1, min(index + MAX_PIECES, len(words))):
            other = words[beyond]
            if not other or is_unspaced_character(other):
                return
            if other not in ARTICLES:
                phonemes = join_phonemes(phonemes, transcribe(other))
            if other in FUNCTION_WORDS:
                continue
            joined = Sound(phonemes)
            for number, _, _, _, less, mode, allowance, part in pieces:
                if (allowance - STEPS[less] + joined.content(mode)) & ALL == ALL and may_be_joined(
                    part, word, joined
                ):
                    name, place, _ = self._parts[number]
                    if name not in found and name.check.may_stand(
                        text, index, PIECE << (PART_BITS * place)
                    ):
                        found[name] = None

    def _look_up(self, word: str, cached: _Cached[Owner] | None) -> _Cached[Owner]:
        """What a word may be. What was looked up before is kept."""
        if cached is None:
            cached = _Cached(0, (), (), ())
        else:
            cached.names = tuple([pair for pair in cached.names if pair[0].owners])
            cached.spellings = tuple([pair for pair in cached.spellings if pair[0].owners])
        heard: dict[_Name[Owner], int] = {}
        if not is_unspaced_character(word) and cached.count < len(self._first_parts):
            cached.pieces += self._hear(text_word(word), self._first_parts[cached.count], heard)
        cached.names += tuple(heard.items())
        cached.spellings += tuple(
            (name, spelling)
            for base in base_forms(word)
            for number, name, spelling in self._exact.get(base, ())
            if number >= cached.count
        )
        cached.count = len(self._first_parts)
        self._cache[word] = cached
        names = len(cached.names) + len(cached.spellings)
        self._cached_bytes += CACHED_WORD + 2 * len(word) + _CACHED_NAME * names
        self._cached_bytes += _CACHED_PIECE * len(cached.pieces)
        if self._cached_bytes > CACHE_LIMIT:
            self._forget()
        return cached

    def _hear(self, word: TextWord, first: int, heard: dict[_Name[Owner], int]) -> tuple[_Row, ...]:
        """Add the names of which a word may be a word; return those words it may be a piece of.

        Words of names before `first` are passed over.
        """
        keys, sounds = word_keys(word.text), self._sounds_of(word.script)
        if not sounds.have(keys, first):
            return ()
        for number in self._written_like(word):
            name, place, part = self._parts[number]
            if (
                number >= first
                and not name.check.pattern.anchor_keys.isdisjoint(keys)
                and is_written_like(part, word)
            ):
                self._add_heard(name, place, heard)
        if not word.forms:
            return ()
        rows = sounds.rows
        for form in word.forms:
            for number in sounds.allowing(form, keys, first):
                _, _, _, _, _, mode, _, part = rows[number]
                if ends_close(part, form, mode) and costs_little(part, word):
                    name, place, _ = self._parts[number]
                    self._add_heard(name, place, heard)
        return self._begun(word, sounds, first) if word.may_be_piece else ()

    def _begun(self, word: TextWord, sounds: _Sounds, first: int) -> tuple[_Row, ...]:
        """The words of names, from a number on, of which a word may be the first piece."""
        start = word.forms[0].start
        pieces: list[_Row] = []
        for number in sorted(sounds.beginning(word, first)):
            row = sounds.rows[number]
            _, other, _, near, _, mode, _, part = row
            least = start_cost(other, start, mode) if other and start else 0.0
            if least <= near and begins_alike(part, word):
                pieces.append(row)
        return tuple(pieces)

    def _add_heard(self, name: _Name[Owner], place: int, heard: dict[_Name[Owner], int]) -> None:
        if place == _JOINED:
            heard[name] = SURE
        elif heard.get(name) != SURE:
            heard[name] = heard.get(name, 0) | WORD << (PART_BITS * place)

    def _written_like(self, word: TextWord) -> Iterator[int]:
        """The words of names of which a word may be a known spelling or a form."""
        text = word.text
        for form in {
            text,
            word.canonical,
            text.removesuffix("s"),
            word.stem,
            *possible_roots(text),
        }:
            yield from self._written.get(form, ())

    def _sounds_of(self, word_script: str) -> _Sounds:
        """The words of names as they are compared with words of a script."""
        kind = (
            LATIN if word_script == CYRILLIC else ARABIC if word_script == HEBREW else word_script
        )
        kind = kind if kind in (LATIN, ARABIC) else OTHER
        sounds = self._sounds.get(kind)
        if sounds is None:
            parts = ((part, name.check.pattern.anchor_keys) for name, _, part in self._parts)
            sounds = self._sounds[kind] = _Sounds(kind, parts)
        return sounds


def _is_hebrew_letter(word: str) -> bool:
    return len(word) == 1 and script(word) == HEBREW
