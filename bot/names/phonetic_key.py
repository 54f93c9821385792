"""Index keys of words: their consonant skeletons, the same in every script. No names, no matching.

A skeleton is the sequence of phonetic classes of the first consonants of a word.
"""

from functools import lru_cache

from bot.names.chinese import pinyin, reading
from bot.names.forms import base_forms, word_forms
from bot.names.phonemes import phonetic_classes
from bot.names.transliteration import HAN, KANA, is_unspaced_character, script, transcribe
from bot.text.chinese import simplify
from bot.text.word_cache import word_cache

_MAX_CLASSES = 4  # of a skeleton
_MAX_SKELETONS = 8  # of a phoneme string
_SILENT = ("",)  # classes of what is always a vowel


@word_cache(65536)
def skeletons(phonemes: str) -> tuple[str, ...]:
    """Return the skeletons of a phoneme string; several where a symbol has several classes."""
    partial: tuple[str, ...] = ("",)
    for symbol in phonemes:
        classes = phonetic_classes(symbol)
        if classes == _SILENT:
            continue
        if len(classes) == len(partial) == 1:  # as usual
            partial = (_append_class(partial[0], classes[0]),)
        else:
            partial = _extended(partial, classes)
        if len(partial[0]) > _MAX_CLASSES and len(min(partial, key=len)) > _MAX_CLASSES:
            break
    if len(partial) == 1:
        return (partial[0][:_MAX_CLASSES],)
    return tuple(dict.fromkeys([skeleton[:_MAX_CLASSES] for skeleton in partial]))


@lru_cache(maxsize=1 << 13)
def _extended(partial: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Beginnings of skeletons, with a symbol of one of these classes more."""
    extended = dict.fromkeys(
        [_append_class(skeleton, following) for skeleton in partial for following in classes]
    )
    return tuple(extended)[:_MAX_SKELETONS]


def skeleton_keys(phonemes: str) -> tuple[str, ...]:
    """Return the index keys of a phoneme string, without skeletons of a single class."""
    return tuple("~" + skeleton for skeleton in skeletons(phonemes) if len(skeleton) > 1)


def _append_class(skeleton: str, phonetic_class: str) -> str:
    if not phonetic_class or skeleton.endswith(phonetic_class):
        return skeleton
    if phonetic_class == "S" and skeleton.endswith("T"):  # ts is one consonant in some scripts
        return skeleton[:-1] + phonetic_class if not skeleton.endswith("ST") else skeleton[:-1]
    return skeleton + phonetic_class


@word_cache(16384)
def initial_keys(word: str) -> tuple[str, ...]:
    """Return keys of a Chinese or Japanese character as the first of a transcribed name.

    Empty for a character that begins no such name.
    """
    phonemes = (
        transcribe(word) if script(word) == KANA else reading(word) or reading(simplify(word))
    )
    if not phonemes:
        return ()
    has_consonant = any(classes for symbol in phonemes for classes in phonetic_classes(symbol)[:1])
    initials = skeletons(phonemes) if has_consonant else ()
    return tuple(f"~>{initial}" for initial in initials if initial) or ("~>",)


def possible_initial_keys(phonemes: str) -> frozenset[str]:
    """Return the keys of which every first character of a transcription of a name has one."""
    keys = {
        f"~>{skeleton[:length]}"
        for skeleton in skeletons(phonemes)
        for length in range(1, len(skeleton) + 1)
    }
    return frozenset(keys | {"~>"} if "" in phonetic_classes(phonemes[0]) else keys)


@word_cache(65536)
def word_keys(word: str) -> tuple[str, ...]:
    """Return the index keys of a folded word, none for an empty word.

    A tilde with the word itself in lower case, or with a skeleton in capitals.
    """
    if not word:
        return ()
    keys = dict.fromkeys("~" + base for base in base_forms(word))
    if is_unspaced_character(word):
        syllable = ("~:" + pinyin(word),) if script(word) == HAN and pinyin(word).isascii() else ()
        return (*keys, *initial_keys(word), *syllable)
    for form in word_forms(word):
        keys.update(dict.fromkeys(skeleton_keys(form.phonemes)))
    return tuple(keys)
