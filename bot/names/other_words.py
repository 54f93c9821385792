"""Whether a word of a text that sounds like a name is a word of its own in the text's language.

A language that knows a word frequently means that word by it, and not a name that sounds much like
it: Musik is not Musk, Schulz is not Scholz. Names are among the frequent words, so that what is
as close as the usual spelling of a name still counts. No edit distances: the cost is given.
"""

from bot.names.forms import stem
from bot.names.gazetteer import may_be_same_place
from bot.names.known_spellings import known_spellings
from bot.names.lexicon import frequency, language_of_word
from bot.names.phonemes import is_vowel
from bot.names.transliteration import ARABIC, CYRILLIC, HEBREW, LATIN, script, transcribe
from bot.text.word_cache import word_cache

_CLOSE = 0.05  # cost of a spelling that sounds the same
_ALMOST = 0.12  # cost of a spelling that sounds almost the same
_CLOSE_PART = 0.1  # the same of a part of a name
_CLOSE_ACROSS = 0.15  # the same of another script
_MIN_LETTERS = 6  # of a frequent word that only sounds the same as a name
_MIN_OF_PLACE = 7  # letters of another spelling of a place whose usual ones are known
_MIN_LONG = 10  # letters of one that sounds alike
_ALIKE = 0.35  # cost of a spelling that sounds alike
_RATIO = 0.7  # Zipf steps by which a language's own spelling is more frequent than the foreign one
_VERY_COMMON = 5.0  # Zipf frequency of words that are no part of a name of several words
_SHORT = 4  # letters of a name whose last vowel is no ending
_RARE = 3.5  # Zipf frequency of a case form of a name that is rarer than it
#: Case endings of Slavic and Baltic languages in Latin letters, folded.
_CASE_ENDINGS = frozenset(
    "a e i o u y ie em im om um am owi ovi ow ov ami ach s as is us ui".split()
)
#: Languages that decline names in Latin letters.
_DECLINING = frozenset("pl cs sk sl hr bs sr sh lt lv hu fi et tr az eu sq ro la".split())
_MAX_ENDING = max(map(len, _CASE_ENDINGS))
_GENITIVE = frozenset("de sv da no nb nl".split())  # those that add an s
_ADJECTIVES = ("ый", "ого", "ому", "ым", "ых", "ыми", "ая", "ую", "ые", "ое", "ой")
_ARABIC_VOWELS = frozenset("اويىئؤه")
_HEBREW_VOWELS = frozenset("אוי")
_AYIN = frozenset("עع")
#: Cost of an Arabic word for a name, by the number of its consonants.
_CLOSE_FEW = (0.0, 0.0, 0.03, 0.12)
_FEW = 3  # consonants of a name that any word may share


@word_cache(65536)
def is_other_word(
    name: str, word: str, cost: float, *, alone: bool, language: str, known: bool
) -> bool:
    """Whether a word of a text is none of the spellings of a word of a name.

    Args:
        name: the folded word of the name.
        word: the folded word of the text, which is another one.
        cost: of the word for the name.
        alone: whether the name has no other words to confirm a match.
        language: of the text.
        known: whether the usual names of the place in this language are known.
    """
    own = language_of_word(word, language)
    if alone and known and len(word) < _MIN_OF_PLACE and not is_inflected(name, word, own):
        return True
    common = frequency(word, own)
    if word in known_spellings(name):
        return False
    if not alone:
        if script(word) in (ARABIC, HEBREW):  # where there are capitals, they tell names from words
            return common >= _VERY_COMMON and cost > _CLOSE_PART
        is_known_name = bool(common) and bool(frequency(name, own)) and script(word) == script(name)
        return is_known_name and cost > _ALMOST and not is_inflected(name, word, own)
    if script(word) == script(name):
        return _is_other_in_script(name, word, cost, own, known=known)
    if not common:
        return False
    is_known = known or any(script(word) == script(other) for other in known_spellings(name))
    is_alike = cost <= _CLOSE_ACROSS or (cost <= _ALIKE and len(word) >= _MIN_LONG)
    return is_known or not (
        (is_alike and not _differs_in_writing(name, word, cost)) or may_be_same_place(name, word)
    )


def _is_other_in_script(name: str, word: str, cost: float, language: str, *, known: bool) -> bool:
    """The same for a single word in the script of the name."""
    common, named = frequency(word, language), frequency(name, language)
    if is_inflected(name, word, language) or (not common and may_be_same_place(name, word)):
        return False
    same_sound = cost <= _CLOSE or (word.endswith("e") and name == word[:-1])
    if named:  # the language has a spelling of its own for the name: others are other names
        if common:
            return not (same_sound and common >= named + _RATIO)
        return not (same_sound or (cost <= _ALMOST and len(word) >= _MIN_LETTERS))
    if not common:
        return False
    return known or not (
        (same_sound and len(word) >= _MIN_LETTERS)
        or (cost <= _ALIKE and len(word) >= _MIN_LONG)
        or may_be_same_place(name, word)
    )


def is_inflected(name: str, word: str, language: str) -> bool:
    """Whether a word is a name with an ending, in a language that declines names."""
    if script(word) == CYRILLIC:
        return stem(word) == stem(name)
    if language in _GENITIVE:
        return word == name + "s"
    if language not in _DECLINING:
        return False
    root = root_of(name)
    return (
        word.startswith(root)
        and word[len(root) :] in _CASE_ENDINGS
        and frequency(word, language) <= max(frequency(name, language), _RARE)
    )


def possible_roots(word: str) -> tuple[str, ...]:
    """Return what a name in Latin letters begins with of which a word may be a case form."""
    return tuple(
        word[:-length] for length in range(1, _MAX_ENDING + 1) if word[-length:] in _CASE_ENDINGS
    )


def root_of(name: str) -> str:
    """Return what all case forms of a name in Latin letters begin with."""
    return name.rstrip("aeiou") if len(name) > _SHORT else name


def _differs_in_writing(name: str, word: str, cost: float) -> bool:
    """Whether a frequent word of another script is written as no rendering of the name would be."""
    word_script, name_script = script(word), script(name)
    if word_script == CYRILLIC:
        if name_script != LATIN:
            return False
        return (word.endswith(_ADJECTIVES) and name[-1] not in "aeiouy") or (
            word[-1] == "ы" and name[-1] != "y"
        )
    if not {word_script, name_script} & {ARABIC, HEBREW}:
        return False
    few = _consonants(name) <= _FEW
    if name_script not in (ARABIC, HEBREW):
        has_vowel = is_vowel(transcribe(name)[0])
        if not _AYIN.isdisjoint(word[1:]) or (word[0] in _AYIN and not has_vowel):
            return True
        limit = _CLOSE_FEW[_consonants(name)] if few and word[0] not in _AYIN else _CLOSE_ACROSS
        if cost > limit or (few and not _begins_alike(name, word)):
            return True
    written, spoken = sorted((_vowels(name), _vowels(word)))
    may_lack = not few or (_consonants(name) == _FEW and spoken >= _FEW - 1)
    return written < spoken - may_lack


def _begins_alike(name: str, word: str) -> bool:
    """Whether an Arabic or Hebrew word begins as a foreign name is written: with its vowel."""
    vowels = list(map(is_vowel, transcribe(name)[:2]))
    if vowels[0]:
        return word[0] in "اآعئאע"
    # A short a is not written in Arabic names: Hamas.
    written = word[1:2] in _ARABIC_VOWELS | _HEBREW_VOWELS or transcribe(name)[1:2] == "a"
    return word[0] not in "اآא" and (not vowels[-1] or written)


def _vowels(word: str) -> int:
    """Number of vowels of a word, those side by side counted once; the written ones of an abjad."""
    word_script = script(word)
    if word_script == ARABIC:
        return sum(letter in _ARABIC_VOWELS for letter in word) + (word[0] == "ع")
    if word_script == HEBREW:
        return sum(letter in _HEBREW_VOWELS for letter in word)
    groups, before = 0, False
    for symbol in transcribe(word):
        is_here = is_vowel(symbol)
        groups += is_here and not before
        before = is_here
    return groups


def _consonants(word: str) -> int:
    return sum(not is_vowel(symbol) for symbol in transcribe(word))
