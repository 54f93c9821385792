"""Finds a compiled name in the words of a text. Pure; index keys are in `bot.names.lookup_keys`."""

from collections.abc import Iterable, Sequence

from bot.names.alignment import Alignment
from bot.names.chinese import pinyin, reading
from bot.names.compare import may_be_first_piece, word_cost
from bot.names.context import NO_CONTEXT, NameContext, NameText
from bot.names.edit_distance import NO_MATCH, distance, max_distance
from bot.names.forms import (
    ARTICLES,
    CONNECTIVES,
    PLACE_KINDS,
    PREFIXING,
    base_forms,
    may_be_case_form,
    stem,
)
from bot.names.gazetteer import is_other_country
from bot.names.lexicon import frequency, language_of_word
from bot.names.pattern import ExactSpelling, NamePattern, NameToken
from bot.names.phonemes import SYLLABIC, collapse_repeats
from bot.names.phonetic_key import initial_keys, word_keys
from bot.names.transliteration import (
    CYRILLIC,
    HAN,
    HEBREW,
    KANA,
    LATIN,
    is_unspaced_character,
    script,
    transcribe,
)
from bot.text.chinese import simplify

_MAX_TRANSCRIPTION = 20  # characters that are read as one transcribed name
MIN_TRANSCRIPTION = 3  #: the same, at least
#: Characters that transcribe names, and are words before or behind a name as well.
_WORDS_BEFORE = frozenset("于於日都大新那东東西南北德美法英")
_WORDS_BEHIND = frozenset("来來华華都里得于於大多东東西南北内內因达達曾")
_OWN_WORD = 0.5  # Zipf steps by which a word is more frequent than the name it may be a form of
_MIN_ANYWHERE = 6  # letters of a Latin name that counts in a text of unknown language
_MIN_STEMMED = 5  # letters of a word beside the anchor that may have a case ending


def find_in(
    pattern: NamePattern, text: NameText, indices: Iterable[int] | None = None
) -> list[tuple[int, int]]:
    """Return half-open ranges of the words of a text where the name matches, as `find` does."""
    return [
        (text.ranges[start][0], text.ranges[end - 1][1])
        for start, end in find(pattern, text.words, indices, text.context)
    ]


def find(
    pattern: NamePattern,
    words: Sequence[str],
    indices: Iterable[int] | None = None,
    context: NameContext = NO_CONTEXT,
) -> list[tuple[int, int]]:
    """Return half-open ranges of word indices where the name matches, leftmost, without overlap.

    Args:
        pattern: the compiled name.
        words: the folded words of a text in order; no match extends across an empty one.
        indices: of the words that share a key with the name, in order; looked for if None.
        context: what the text says of its words.
    """
    keys = pattern.keys
    if indices is None:
        indices = [
            index
            for index, word in enumerate(words)
            if word and not keys.isdisjoint(word_keys(word))
        ]
    matches: list[tuple[int, int]] = []
    possible: dict[str, bool] = {}  # a word that occurs again is looked at once
    for index in indices:
        word = words[index]
        if index in context.small and not pattern.may_be_small:
            continue
        if word not in possible:
            possible[word] = may_match(pattern, word, context.language)
        span = _match_at(pattern, words, index, context) if possible[word] else None
        if span is not None:
            matches.append(span)
    if len(matches) > 1:
        matches.sort(key=lambda span: (span[0], -span[1]))
    spans: list[tuple[int, int]] = []
    for start, end in matches:
        if not spans or start >= spans[-1][1]:
            spans.append((start, end))
    return spans


def may_match(pattern: NamePattern, word: str, language: str = "") -> bool:
    """Whether a text with this word may contain the name; every match has at least one such word.

    For an index, which looks up each word once.
    """
    if pattern.keys.isdisjoint(word_keys(word)):
        return False
    if any(base in pattern.exact for base in base_forms(word)):
        return True
    if is_unspaced_character(word):
        return (
            not pattern.initial_keys.isdisjoint(initial_keys(word))
            or pinyin(word) in pattern.syllables
        )
    if pattern.anchor_keys.isdisjoint(word_keys(word)):
        return False
    if pattern.place_kind or script(word) == HEBREW:
        return True
    tokens = pattern.orders[0]
    alignment = Alignment(pattern, tokens, (word,), NameContext(language))
    required = [token for token in tokens if not token.optional and len(token.text) > 1]
    if any(
        word_cost(
            token,
            word,
            alone=alignment.alone,
            slack=alignment.slack,
            language=language,
            known=alignment.known,
        )
        < NO_MATCH
        or may_be_first_piece(token.phonemes, token.script, word)
        for token in required
    ):
        return True
    return len(tokens) > 1 and _is_joined_name(pattern, word, language)


def _match_at(
    pattern: NamePattern, words: Sequence[str], index: int, context: NameContext
) -> tuple[int, int] | None:
    """The range of the name around a word that may be its anchor."""
    word = words[index]
    span = _match_exactly(pattern, words, index, context)
    if span is not None:
        return span
    if index in context.small and not pattern.place_kind:
        return None
    if is_unspaced_character(word):
        span = _match_characters(pattern, words, index, context)
    elif pattern.anchor_keys.isdisjoint(word_keys(word)):
        return None
    else:
        span = _match_phonetically(pattern, words, index, context)
        if span is None and index and _is_hebrew_letter(words[index - 1]):
            # צ'רנוביץ: split at the geresh
            span = _match_phonetically(pattern, words, index - 1, context)
    if span is None:
        return None
    start, end = span
    if end - start == 1 and is_other_country(words[start], pattern.place):
        return None
    if pattern.place_kind:
        return _with_place_kind(pattern.place_kind, words, start, end)
    return span


def _match_exactly(
    pattern: NamePattern, words: Sequence[str], index: int, context: NameContext
) -> tuple[int, int] | None:
    """The range of a known spelling around a word."""
    word = words[index]
    # Prefixes are of Arabic and Hebrew, not of Persian.
    for base in base_forms(word) if context.language in PREFIXING else (stem(simplify(word)),):
        for spelling in pattern.exact.get(base, ()):
            start = index - spelling.anchor
            if (
                (spelling.is_sure or _is_used(pattern, spelling, word, context.language))
                and not _is_word_of_its_own(pattern, spelling, word, context.language)
                and matches_exactly(spelling, words, start)
            ):
                return start, start + len(spelling.words)
    return None


def _is_used(pattern: NamePattern, spelling: ExactSpelling, word: str, language: str) -> bool:
    """Whether a text in this language may mean the place by one of its other names."""
    own = language_of_word(word, language)
    if spelling.languages & {language, own}:
        return True
    if script(word) == LATIN and spelling.languages:
        return not language and (len(word) >= _MIN_ANYWHERE or not frequency(word, own))
    return not frequency(word, own) or (
        script(word) != LATIN and own not in pattern.known_languages
    )


def _is_word_of_its_own(
    pattern: NamePattern, spelling: ExactSpelling, word: str, language: str
) -> bool:
    """Whether a case form of a person's name is a more frequent word: маска is not of Маск."""
    name = spelling.words[spelling.anchor]
    if pattern.place >= 0 or name == word or script(word) != CYRILLIC:
        return False
    own = language_of_word(word, language)
    return frequency(word, own) > frequency(name, own) + _OWN_WORD


def _is_hebrew_letter(word: str) -> bool:
    return len(word) == 1 and script(word) == HEBREW


def matches_exactly(spelling: ExactSpelling, words: Sequence[str], start: int) -> bool:
    """Return whether a spelling stands at an index, its words in any case form."""
    if start < 0 or start + len(spelling.words) > len(words):
        return False
    for offset, name_word in enumerate(spelling.words):
        word = simplify(words[start + offset])
        if name_word == word:
            continue
        if offset != spelling.anchor and (
            len(name_word) < _MIN_STEMMED or stem(name_word) != stem(word)
        ):
            return False
        if not may_be_case_form(name_word, word):
            return False
    return True


def _with_place_kind(
    kind: str, words: Sequence[str], start: int, end: int
) -> tuple[int, int] | None:
    """The range extended by the word for the kind of place beside it, None where there is none."""
    before = start - 1
    while before > 0 and (words[before] in CONNECTIVES or words[before] in ARTICLES):
        before -= 1
    if before >= 0 and PLACE_KINDS.get(words[before]) == kind:
        return before, end
    if end < len(words) and PLACE_KINDS.get(words[end]) == kind:
        return start, end + 1
    return None


def _match_characters(
    pattern: NamePattern, words: Sequence[str], index: int, context: NameContext
) -> tuple[int, int] | None:
    """Match Chinese or Japanese characters: a Chinese name by its syllables, or a transcription."""
    if pattern.syllables:
        start = _match_syllables(pattern.syllables, words, index)
        if start is not None:
            return start, start + len(pattern.syllables)
    if pattern.initial_keys.isdisjoint(initial_keys(words[index])):
        return None
    name = pattern.joined_phonemes
    best, end = max_distance(name, SYLLABIC), index
    # What comes before and behind says whether it begins and ends there.
    first = max(0, index - 2)
    sounds = [""] * first + sounds_of(words[first : index + _MAX_TRANSCRIPTION + 2])
    for count, phonemes in transcriptions(words, sounds, index, context):
        cost = distance(name, phonemes, SYLLABIC, best)
        if cost < best:
            best, end = cost, index + count
    return (index, end) if end - index >= MIN_TRANSCRIPTION else None


def transcriptions(
    words: Sequence[str], sounds: Sequence[str], index: int, context: NameContext
) -> list[tuple[int, str]]:
    """Return what may be a transcribed name at an index: numbers of characters, their phonemes.

    None for most characters of ordinary text.

    Args:
        words: the words of a text.
        sounds: of each of them, as `sounds_of` returns them.
        index: where it begins.
        context: what the text says of its words.
    """
    if not sounds[index] or _begins_within(words, sounds, index, context):
        return []
    end = index
    for end in range(index, min(index + _MAX_TRANSCRIPTION, len(words))):
        if not sounds[end] and words[end] != "ー":
            break
    else:
        end += 1
    if end - index < MIN_TRANSCRIPTION:
        return []
    found: list[tuple[int, str]] = []
    phonemes = ""
    for after in range(index + 1, end + 1):
        phonemes = collapse_repeats(phonemes + sounds[after - 1])
        if not _goes_on(words, sounds, after, context):
            found.append((after - index, phonemes))
    return found


def sounds_of(words: Sequence[str]) -> list[str]:
    """Return the phonemes of Chinese and Japanese characters that can transcribe a name.

    Empty for all other words.
    """
    sounds = {word: "" if word.isascii() else _read_character(word) for word in set(words)}
    return [sounds[word] for word in words]


def _begins_within(
    words: Sequence[str], sounds: Sequence[str], index: int, context: NameContext
) -> bool:
    """Whether a transcription that would begin at an index has begun before."""
    if index not in context.adjacent or not sounds[index - 1]:
        return False
    return words[index - 1] not in _WORDS_BEFORE or (
        index - 1 in context.adjacent and bool(sounds[index - 2])
    )


def _goes_on(words: Sequence[str], sounds: Sequence[str], index: int, context: NameContext) -> bool:
    """Whether a transcription that would end before an index goes on there."""
    for position in (index, index + 1):
        if position not in context.adjacent or not sounds[position]:
            return False
        if words[position] not in _WORDS_BEHIND:
            return True
    return False


def _match_syllables(syllables: tuple[str, ...], words: Sequence[str], index: int) -> int | None:
    """The start of a Chinese name whose longest syllable is at an index."""
    count = len(syllables)
    start = index - max(range(count), key=lambda position: len(syllables[position]))
    if (
        start >= 0
        and start + count <= len(words)
        and all(
            pinyin(words[start + offset]) == syllable for offset, syllable in enumerate(syllables)
        )
    ):
        return start
    return None


def _read_character(word: str) -> str:
    """Phonemes of a Chinese or Japanese character, empty for other words."""
    word_script = script(word)
    if word_script == HAN:
        return reading(word)
    return transcribe(word) if word_script == KANA else ""


def _match_phonetically(
    pattern: NamePattern, words: Sequence[str], index: int, context: NameContext
) -> tuple[int, int] | None:
    """Match the words of the name in any of their orders, or all of them written as one word."""
    for tokens in pattern.orders:
        span = Alignment(pattern, tokens, words, context).align_at(index)
        if span is not None:
            return span
    tokens = pattern.orders[0]
    if (
        len(tokens) > 1
        and all(len(token.text) > 1 for token in tokens)
        and _is_joined_name(pattern, words[index], context.language)
    ):
        return index, index + 1
    return None


def _is_joined_name(pattern: NamePattern, word: str, language: str) -> bool:
    """Whether a word is the whole name written as one word."""
    tokens = pattern.orders[0]
    text = "".join(token.text for token in tokens)
    joined = NameToken(text, pattern.joined_phonemes, tokens[0].script)
    return word_cost(joined, word, alone=True, slack=0.0, language=language) < NO_MATCH
