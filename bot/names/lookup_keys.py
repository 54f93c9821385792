"""Index keys of words and of names. Matching is done by `bot.names.find`."""

from bot.names.pattern import NamePattern
from bot.names.phonetic_key import word_keys

__all__ = ["pattern_keys", "word_keys"]


def pattern_keys(pattern: NamePattern) -> frozenset[str]:
    """Return index keys; every text that contains the name has a word with one of them."""
    return pattern.keys
