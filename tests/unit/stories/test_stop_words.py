"""Words that every text has: which they are, and that they take no dictionary to be known."""

from bot.stories.stop_words import _COMMON_WORDS, PRIOR_FREQUENCY, prior_frequencies
from bot.text.stem import stems


def test_the_first_stem_of_every_common_word_has_a_prior_frequency_and_nothing_else() -> None:
    """Those of Ukrainian are written down, since its dictionary is large."""
    expected = {
        stems(word, language)[0]
        for language, words in _COMMON_WORDS.items()
        for word in words.split()
    }

    assert prior_frequencies() == dict.fromkeys(expected, PRIOR_FREQUENCY)
