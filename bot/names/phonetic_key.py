"""Coarse classes of the first consonants of a word, the same in every script: what the index looks up. No names are decided here."""

from functools import lru_cache
from itertools import product

from bot.names.chinese import pinyin, reading, simple
from bot.names.forms import bases, forms
from bot.names.phonemes import classes
from bot.names.transliteration import HAN, KANA, in_run, script, sound

#: Classes in a key, and keys of one sound string at most.
_DEPTH, _MOST = 4, 8


@lru_cache(maxsize=65536)
def skeletons(spoken: str) -> tuple[str, ...]:
    """First classes of a sound string: one skeleton, or several where a letter may be silent or of two classes."""
    partial: dict[str, None] = {"": None}
    for symbol in spoken:
        grown = dict.fromkeys(
            _join(done, option) for done, option in product(partial, classes(symbol))
        )
        partial = dict.fromkeys(list(grown)[:_MOST])
        if all(len(done) > _DEPTH for done in partial):
            break
    return tuple(dict.fromkeys(done[:_DEPTH] for done in partial))


def sound_keys(spoken: str) -> tuple[str, ...]:
    """Index keys of a sound string. A skeleton of one class says too little and is left out."""
    return tuple("~" + skeleton for skeleton in skeletons(spoken) if len(skeleton) > 1)


def _join(done: str, option: str) -> str:
    if not option or done.endswith(option):
        return done
    if option == "S" and done.endswith("T"):  # ts is one sound in some scripts
        return done[:-1] + option if not done.endswith("ST") else done[:-1]
    return done + option


@lru_cache(maxsize=16384)
def opening_keys(word: str) -> tuple[str, ...]:
    """Keys of a character of Chinese or Japanese as the first of a foreign name, by its reading; none for one that begins no name."""
    spoken = sound(word) if script(word) == KANA else reading(word) or reading(simple(word))
    if not spoken:
        return ()
    told = (
        skeletons(spoken)
        if any(option for symbol in spoken for option in classes(symbol)[:1])
        else ()
    )
    return tuple(f"~>{first}" for first in told if first) or ("~>",)


def openings(spoken: str) -> frozenset[str]:
    """The `opening_keys` of which a character has one that may begin a name with this sound."""
    prefixes = {
        f"~>{whole[:length]}" for whole in skeletons(spoken) for length in range(1, len(whole) + 1)
    }
    return frozenset(prefixes | {"~>"} if "" in classes(spoken[0]) else prefixes)


@lru_cache(maxsize=65536)
def word_keys(word: str) -> tuple[str, ...]:
    """Index keys of one folded word of a text, each beginning with a tilde; none for a wall.

    The word itself in small letters, and its skeletons in capitals. A key of one class says too little and is left out.
    """
    if not word:
        return ()
    found = dict.fromkeys("~" + base for base in bases(word))
    if in_run(word):
        syllable = ("~:" + pinyin(word),) if script(word) == HAN and pinyin(word).isascii() else ()
        return (*found, *opening_keys(word), *syllable)
    for form in forms(word):
        found.update(dict.fromkeys(sound_keys(form.sound)))
    return tuple(found)
