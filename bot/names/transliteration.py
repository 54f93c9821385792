"""Transcribes words of any script to phonemes, by the spelling rules of the script. No comparison.

Latin is transcribed without knowledge of its language: a letter that languages read in several ways
becomes a symbol with these readings (`bot.names.phonemes`). Scripts without a table in this
module are transliterated to Latin by anyascii first.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from bot.names.chinese import reading
from bot.names.phonemes import ABJAD, PLAIN, SYLLABIC, collapse_repeats
from bot.text.word_cache import word_cache

LATIN, CYRILLIC, ARABIC, HEBREW, HAN, KANA, HANGUL, OTHER = (
    "Latn",
    "Cyrl",
    "Arab",
    "Hebr",
    "Hani",
    "Kana",
    "Hang",
    "Zyyy",
)
#: Regular expressions of spellings with their symbols, longest first: spellings of a consonant in
#: English, German, French, Polish and romanizations, then single letters.
_LATIN = (
    "schtsch S,shtch S,chtch S,shtsh S,szcz S,shch S,tsch C,dsch J,tch C,tsh C,dzh J,^dj J,"
    "(?<=[aeiou])dj(?=[aeiou]) J,sch R,sh S,sz R,cz C,ch H,zh F,kh U,gh I,th O,dh P,ph f,dz L,"
    "ts c,tz c,ck k,ou u,oo u,ee i,ij$ i,yj$ i,gu(?=[ei]) G,qu(?=[ei]) k,^x X,x kA,"
    "c K,j Y,s A,z B,w W,h D,g G,q Q,y M,þ O,ð d,ŋ n,ə a,ɣ I,ɛ e,ɔ o,ħ U,ĸ k,ß A"
)
_CYRILLIC = dict(
    zip(
        "абвгґдежзийклмнопрстуфхцчшщыэєіїўқғңөұүһәјљњћђџѕѳѣ",
        "abτγGdεZzηyklmnoprstufχcCSSηeεiiWkInouuhayln" + "CJJzfε",
        strict=True,
    )
) | {"ю": "yu", "я": "ya", "ъ": "", "ь": "", "ѐ": "e", "ӏ": ""}
_ARABIC = dict(
    zip(
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگڤۆێەھہڵڕںےٹڈڑݣڭۋۇۈېئ",
        "αβtθζρUdδrzsSsdtδνIφκψlmnλωιpCZGvoeahλlrnetdrGnvuuei",
        strict=True,
    )
) | {"ء": "", "'": ""}
_HEBREW = dict(zip("אבגדהוזחטיךכלםמןנסעףפץצקרשת", "αμυdλωορtιΔΔlmmnnsνππξξkrσt", strict=True)) | {
    "׳": "",
    "״": "",
}
_ABJAD_CLUSTERS = (
    ("tS", "C"),
    ("tσ", "C"),
    ("SC", "S"),  # щ
    ("σξ", "S"),
    ("dζ", "J"),
    ("dZ", "J"),
    ("ts", "c"),
    ("ψs", "ks"),
)
_SCRIPT_OF_PREFIX = (
    ("LATIN", LATIN),
    ("CYRILLIC", CYRILLIC),
    ("ARABIC", ARABIC),
    ("HEBREW", HEBREW),
    ("CJK", HAN),
    ("IDEOGRAPHIC", HAN),
    ("KATAKANA", KANA),
    ("HIRAGANA", KANA),
    ("HANGUL", HANGUL),
)
_UNSPACED = frozenset((HAN, KANA))
_PRIVATE = 0xF0000
_LONG_ENDING = re.compile(r"(?<=...)o[yMY]?[eε]$")
_OTHER_LONG_ENDING = re.compile(r"(?<=...)a[yMY]a$")
_GLIDES = re.compile(r"[iyMηι]{2,}")
#: Phonemes of a word beyond which it is cut off: bounds the work of a comparison.
MAX_PHONEMES = 40


@word_cache(4096)
def _script_of(character: str) -> str:
    if character.isascii():
        return LATIN
    name = unicodedata.name(character, "")
    for prefix, character_script in _SCRIPT_OF_PREFIX:
        if name.startswith(prefix):
            return character_script
    return OTHER


def script(word: str) -> str:
    """Return the script of a folded word (ISO 15924), that of its first letter."""
    return LATIN if word.isascii() else _script(word)


@word_cache(65536)
def _script(word: str) -> str:
    for character in word:
        if character in "ー・":
            return KANA
        if unicodedata.category(character) != "Lm" and character.isalpha():
            return _script_of(character)
    return LATIN


def is_unspaced_character(word: str) -> bool:
    """Whether a token is a single character of Chinese or Japanese."""
    return len(word) <= 2 and script(word) in _UNSPACED


@lru_cache(maxsize=64)  # of eight scripts
def comparison_mode(name_script: str, other: str) -> int:
    """Return the mode in which words of two scripts are compared: PLAIN, ABJAD, SYLLABIC."""
    scripts = {name_script, other}
    abjad = ABJAD if scripts & {ARABIC, HEBREW} else PLAIN
    return abjad + (SYLLABIC if scripts & {HAN, KANA, HANGUL, OTHER} else PLAIN)


class _Letters(dict[int, str | None]):
    """A table of single letters that drops all others."""

    def __missing__(self, letter: int) -> None:
        return None


@lru_cache(maxsize=1)
def _latin_rules() -> tuple[re.Pattern[str], dict[str, str], _Letters]:
    """What is more than a letter without context, the letter that takes its place, all letters.

    A letter that takes a place is of a private plane, so that it is no letter of a word.
    """
    letters = _Letters({ord(letter): letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789"})
    places: dict[str, str] = {}
    patterns: list[str] = []
    for number, rule in enumerate(_LATIN.split(",")):
        spelling, symbol = rule.rsplit(" ", 1)
        if len(spelling) == 1:
            letters[ord(spelling)] = symbol
        else:
            patterns.append(spelling)
            place = chr(_PRIVATE + number)
            letters[ord(place)] = symbol
            places[re.sub(r"\(.*?\)|[\^$]", "", spelling)] = place
    return re.compile("|".join(patterns)), places, letters


def _transcribe_latin(word: str) -> str:
    pattern, places, letters = _latin_rules()
    phonemes = pattern.sub(lambda match: places[match.group()], word).translate(letters)
    # The final h of -ah and -eh, the Arabic ta marbuta or a mark of length, is silent.
    if phonemes[-1:] == "D" and phonemes[-2:-1] in {"a", "e"} and len(phonemes) > 3:
        return phonemes[:-1]
    return phonemes


def _transcribe_abjad(word: str, table: dict[str, str]) -> str:
    phonemes = "".join(table.get(character, "") for character in word)
    for cluster, symbol in _ABJAD_CLUSTERS:
        phonemes = phonemes.replace(cluster, symbol)
    return re.sub(r"(?<=..)λ$", "a", phonemes)


def _transcribe_cyrillic(word: str) -> str:
    phonemes = "".join(_CYRILLIC.get(character, "") for character in word)
    return phonemes.replace("SC", "S").replace("dZ", "J").replace("dz", "L").replace("ts", "c")


def _transcribe_kana(word: str) -> str:
    return _transcribe_latin(anyascii(word).lower()).replace("A", "s").replace("r", "Σ")


def _transcribe_hangul(word: str) -> str:
    romanized = anyascii(word).lower().replace("eu", "u").replace("eo", "o")
    return _transcribe_latin(romanized).replace("r", "Σ").replace("l", "Σ")


@word_cache(65536)
def transcribe(word: str) -> str:
    """Return the phonemes of a folded word, at most MAX_PHONEMES; empty for a word without any."""
    if len(word) > 2 * MAX_PHONEMES:
        return ""
    match script(word):
        case "Cyrl":
            phonemes = _transcribe_cyrillic(word)
        case "Arab":
            phonemes = _transcribe_abjad(word, _ARABIC)
        case "Hebr":
            phonemes = _transcribe_abjad(word, _HEBREW)
        case "Hani":
            phonemes = "".join(reading(character) for character in word)
        case "Kana":
            phonemes = _transcribe_kana(word)
        case "Hang":
            phonemes = _transcribe_hangul(word)
        case "Zyyy":
            phonemes = _transcribe_latin(anyascii(word).lower())
        case _:
            phonemes = _transcribe_latin(anyascii(word).lower() if not word.isascii() else word)
    return _normalize(phonemes)[:MAX_PHONEMES]


def _normalize(phonemes: str) -> str:
    """Reduce repeated symbols and sequences of i and y (-iy, -yi, -ий, -iya) to one symbol.

    The long endings of Russian adjectives become the short ones of Ukrainian.
    """
    if phonemes[-1:] in {"e", "ε"}:
        phonemes = _LONG_ENDING.sub("e", phonemes)
    elif phonemes[-1:] == "a":
        phonemes = _OTHER_LONG_ENDING.sub("a", phonemes)
    return collapse_repeats(_GLIDES.sub("i", phonemes))
