"""Words of any script as strings of sound symbols (`bot.names.phones`). Rules of spelling per script; no comparison.

Latin is read without knowing its language: a letter that habits read in several ways becomes a symbol for all of them.
Scripts without a table of their own go through anyascii and are read as Latin.
"""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from bot.names.chinese import reading
from bot.names.phonemes import ABJAD, PLAIN, SYLLABIC, collapse

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
#: Longest first: the spellings of one consonant in English, German, French, Polish and the romanisations, then single letters.
_LATIN = (
    "schtsch S,shtch S,chtch S,shtsh S,szcz S,shch S,tsch C,dsch J,tch C,tsh C,dzh J,^dj "
    "J,(?<=[aeiou])dj(?=[aeiou]) J,sch R,sh S,sz R,cz C,ch H,zh F,kh U,gh I,th O,dh P,ph "
    "f,dz L,ts c,tz c,ck k,ou u,oo u,ee i,ij$ i,yj$ i,gu(?=[ei]) G,qu(?=[ei]) k,^x X,x "
    "kA,c(?=[eiy]) E,c K,j Y,s A,z B,w W,h D,g G,q Q,y M,þ O,ð d,ŋ n,ə a,ɣ I,ɛ e,ɔ o,ħ U,ĸ "
    "k,ß A"
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
_ABJAD_CLUSTERS = (("tS", "C"), ("dζ", "J"), ("dZ", "J"), ("ts", "c"), ("ψs", "ks"), ("tσ", "C"))
_RUN = frozenset((HAN, KANA))
#: Sound symbols beyond which a word is no name: bounds the work per comparison.
LONGEST = 40


@lru_cache(maxsize=4096)
def _script_of(character: str) -> str:
    if character.isascii():
        return LATIN
    name = unicodedata.name(character, "")
    for prefix, script in _PREFIXES:
        if name.startswith(prefix):
            return script
    return OTHER


_PREFIXES = (
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


@lru_cache(maxsize=65536)
def script(word: str) -> str:
    """Script of a folded word, by its first letter that is no modifier."""
    for character in word:
        if character in "ー・":
            return KANA
        if unicodedata.category(character) != "Lm" and character.isalpha():
            return _script_of(character)
    return LATIN


def in_run(word: str) -> bool:
    """Whether a word of a text is one character of a script that is written without spaces."""
    return len(word) <= 2 and script(word) in _RUN


def mode(one: str, other: str) -> int:
    """How two scripts are compared: which of them leaves vowels out, or writes syllables."""
    both = {one, other}
    abjad = ABJAD if both & {ARABIC, HEBREW} else PLAIN
    return abjad + (SYLLABIC if both & {HAN, KANA, HANGUL, OTHER} else PLAIN)


@lru_cache(maxsize=1)
def _latin_rules() -> tuple[re.Pattern[str], dict[str, str]]:
    rules = [rule.rsplit(" ", 1) for rule in _LATIN.split(",")]
    spoken = {re.sub(r"\(.*?\)|[\^$]", "", written): sound for written, sound in rules}
    spoken["x"] = "kA"
    return re.compile("|".join(written for written, _ in rules) + "|[a-z0-9]"), spoken


def _latin(word: str) -> str:
    pattern, spoken = _latin_rules()
    parts: list[str] = []
    for found in pattern.finditer(word):
        piece = found.group()
        parts.append("X" if piece == "x" and found.start() == 0 else spoken.get(piece, piece))
    sound = "".join(parts)
    # The h of -ah and -eh is the Arabic ta marbuta, or a lengthening: silent.
    return re.sub(r"(?<=..[ae])D$", "", sound)


def _abjad(word: str, table: dict[str, str]) -> str:
    sound = "".join(table.get(character, "") for character in word)
    for written, spoken in _ABJAD_CLUSTERS:
        sound = sound.replace(written, spoken)
    return re.sub(r"(?<=..)λ$", "a", sound)


def _cyrillic(word: str) -> str:
    sound = "".join(_CYRILLIC.get(character, "") for character in word)
    return sound.replace("dZ", "J").replace("dz", "L").replace("ts", "c")


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """Sound symbols of a folded word, at most LONGEST of them; empty for a word without any."""
    if len(word) > 2 * LONGEST:
        return ""
    match script(word):
        case "Cyrl":
            spoken = _cyrillic(word)
        case "Arab":
            spoken = _abjad(word, _ARABIC)
        case "Hebr":
            spoken = _abjad(word, _HEBREW)
        case "Hani":
            spoken = "".join(reading(character) for character in word)
        case "Kana":
            spoken = _latin(anyascii(word).lower()).replace("A", "s").replace("r", "Σ")
        case "Hang":
            spoken = (
                _latin(anyascii(word).lower().replace("eu", "u").replace("eo", "o"))
                .replace("r", "Σ")
                .replace("l", "Σ")
            )
        case "Zyyy":
            spoken = _latin(anyascii(word).lower())
        case _:
            spoken = _latin(anyascii(word).lower() if not word.isascii() else word)
    return _tidy(spoken)[:LONGEST]


def _tidy(spoken: str) -> str:
    """Doubled symbols and chains of i and y (-iy, -yi, -ий, -iya) become one."""
    spoken = re.sub(r"[iyMηι]{2,}", "i", spoken)
    return collapse(spoken)
