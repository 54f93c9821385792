"""Coarse classes of the first consonants of a word, the same in every script: what the index looks up. No names are decided here."""

from functools import lru_cache
from itertools import product

from bot.names.forms import forms
from bot.names.han import pinyin, simple
from bot.names.phones import classes
from bot.names.sounds import HAN, in_run, script

#: Classes in a key, and keys of one sound string at most.
_DEPTH, _MOST = 4, 8


@lru_cache(maxsize=65536)
def sound_keys(spoken: str) -> tuple[str, ...]:
    """Keys of a sound string: one, or several where a letter may be silent or of two classes."""
    partial: dict[str, None] = {"": None}
    for symbol in spoken:
        grown: dict[str, None] = {}
        for done, option in product(partial, classes(symbol)):
            grown[_join(done, option)] = None
        partial = dict.fromkeys(list(grown)[:_MOST])
        if all(len(done) > _DEPTH for done in partial):
            break
    return tuple(dict.fromkeys("~" + done[:_DEPTH] for done in partial))


def _join(done: str, option: str) -> str:
    if not option or done.endswith(option):
        return done
    if option == "S" and done.endswith("T"):  # ts is one sound in some scripts
        return done[:-1] + option if not done.endswith("ST") else done[:-1]
    return done + option


@lru_cache(maxsize=65536)
def word_keys(word: str) -> tuple[str, ...]:
    """Index keys of one folded word of a text, each beginning with a tilde; none for a wall."""
    if not word:
        return ()
    if in_run(word):
        keys = ["~" + simple(word)]
        if script(word) == HAN and pinyin(word).isascii():
            keys.append("~:" + pinyin(word))
        return tuple(keys)
    found: dict[str, None] = {}
    for form in forms(word):
        found.update(dict.fromkeys(sound_keys(form.sound)))
    return tuple(found) or ("~" + word[:8],)
