"""The words of a name as a person writes it, reduced to the core. No phonetics, no matching."""

import re

from bot.names.common_words import common_words
from bot.names.forms import (
    ARTICLES,
    CONNECTIVES,
    LEGAL_FORMS,
    LEGAL_PHRASES,
    PLACE_KINDS,
    TITLES,
    split_article,
)
from bot.names.transliteration import ARABIC, is_unspaced_character, script
from bot.text.fold import words

#: Signs within a word of a name; after the d of d'Ivoire they separate words.
_APOSTROPHES = "'’‘ʼʻʿʾ`´׳‛′"
_PARENTHESES = re.compile(r"\([^()]*\)")
_CAMEL_CASE = re.compile(r"(?<=[a-z]{2})(?=[A-Z][a-z])")  # RamiMakhlouf
_SURNAME_FIRST = re.compile(r"^\s*([^,;]+),\s*([^,;]+)$")


def name_words(text: str) -> list[str]:
    """Return the folded words of a name, the surname last, unspaced characters joined."""
    bare = _PARENTHESES.sub(" ", text)
    text = _CAMEL_CASE.sub(" ", bare if any(character.isalpha() for character in bare) else text)
    comma = _SURNAME_FIRST.match(text)
    if comma and not _is_legal_form(comma.group(2)):
        text = f"{comma.group(2)} {comma.group(1)}"
    joined: list[str] = []
    end = -1
    for word in words(text):
        between = text[end : word.start] if joined else " "
        initials = between == "." and len(word.folded) == 1 and len(joined[-1]) <= 3  # A.B.C.
        unspaced = (
            not between
            and is_unspaced_character(word.folded)
            and is_unspaced_character(joined[-1][-1])
        )
        if (
            initials
            or unspaced
            or (between and between in _APOSTROPHES and joined[-1] not in CONNECTIVES)
        ):
            joined[-1] += word.folded
        else:
            joined.append(word.folded)
        end = word.end
    return [
        part
        for word in joined
        for part in (split_article(word) if script(word) == ARABIC else [word])
    ]


def _is_legal_form(text: str) -> bool:
    return all(word.folded in LEGAL_FORMS or len(word.folded) == 1 for word in words(text))


def core_words(folded: list[str]) -> list[str]:
    """Return the words without titles, legal forms and articles, unless none would be left."""
    rest = list(folded)
    for phrase in LEGAL_PHRASES:
        length = len(phrase)
        for start in range(len(rest) - length, -1, -1):
            if tuple(rest[start : start + length]) == phrase and len(rest) > length:
                del rest[start : start + length]
    for removable in (LEGAL_FORMS, TITLES, ARTICLES):
        core = [
            word
            for index, word in enumerate(rest)
            if word not in removable or (removable is ARTICLES and index + 1 == len(rest))
        ]
        if any(len(word) > 1 for word in core) and not (
            len(core) == 1 and core[0] in common_words()
        ):
            rest = core
    return rest


def split_place_kind(folded: list[str]) -> tuple[list[str], str]:
    """Return the words of a name without the word for its kind of place, and the kind.

    The kind is empty for none, and for cities, which are rarely named as such.
    """
    kinds = [PLACE_KINDS[word] for word in folded if word in PLACE_KINDS]
    rest = [word for word in folded if word not in PLACE_KINDS]
    if (
        not kinds
        and folded
        and is_unspaced_character(folded[-1][-1])
        and len(folded[-1]) > 2
        and folded[-1][-1] in PLACE_KINDS
    ):
        kinds, rest = [PLACE_KINDS[folded[-1][-1]]], [*folded[:-1], folded[-1][:-1]]
    while kinds and rest and rest[0] in CONNECTIVES:
        rest = rest[1:]
    if not kinds or not any(len(word) > 1 for word in rest):
        return folded, ""
    return rest, "" if kinds[0] == "city" else kinds[0]
