"""Headlines of invented words that have nothing in common, so that each is a story of its own."""

from random import Random

_ONSETS = "b d f g k l m n p r s t v z br dr fl gr kl pr st tr".split()
_VOWELS = "a e i o u ai ou".split()


def invented(chance: Random) -> str:
    """A word that no language has."""
    syllables = (chance.choice(_ONSETS) + chance.choice(_VOWELS) for _ in range(3))
    return "".join(syllables) + chance.choice("nrslt")


def headline(chance: Random, words: int = 6) -> str:
    """So many invented words."""
    return " ".join(invented(chance) for _ in range(words))
