"""Index keys of words and of names. Whether a name stands in a text is `bot.names.find`."""

from bot.names.pattern import NamePattern
from bot.names.phonetic_key import word_keys

__all__ = ["pattern_keys", "word_keys"]


def pattern_keys(pattern: NamePattern) -> frozenset[str]:
    """Keys of which at least one is among the keys of the words of every text that holds the name."""
    return pattern.keys
