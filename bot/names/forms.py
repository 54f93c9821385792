"""What surrounds the kernel of a name: articles, particles, titles, legal forms, and the endings and prefixes that a sentence adds."""

import re
from functools import lru_cache
from typing import NamedTuple

from bot.names.chinese import simple
from bot.names.phonemes import is_vowel
from bot.names.transliteration import ARABIC, CYRILLIC, HEBREW, script, sound
from bot.text.fold import fold

ARTICLES = frozenset(
    (
        "al el ul as es is ash esh ach ech ad ed id an en in ar er ir at et az ez uz adh edh "
        "ath il the аль эль ель ал эр эн эс эш эт эд эз ас аш ан ар ат аз ад ер ен ес ез ед ет "
        "еш אל ה"
    ).split()
)
PARTICLES = frozenset("bin ibn ben bint bint' ould vom бин ибн бен оглы בן بن ابن بنت".split())
TITLES = frozenset(
    (
        "mr mrs ms miss dr prof professor sir lord lady dame president prime minister general "
        "colonel major captain lieutenant sheikh shaikh sheik shaykh sayyid sayed hajji mullah "
        "ayatollah imam king queen prince princess emir sultan herr frau monsieur madame m mme "
        "senor señor senora prasident präsident presidente presidentin kanzler chancellor "
        "senator governor ambassador mv ss mt президент министр генерал господин г-н шейх принц "
        "король президента الرئيس الشيخ الدكتور الامير الملك السيد רויטל הנשיא"
    ).split()
)
#: Legal forms of companies, folded, as they stand in a name; longer phrases first.
LEGAL_PHRASES = tuple(
    tuple(phrase.split())
    for phrase in (
        "open joint stock company|public joint stock company|closed joint stock "
        "company|joint stock company|limited liability company|общество с ограниченнои "
        "ответственностью|общество с ограниченной ответственностью|публичное акционерное "
        "общество|открытое акционерное общество|закрытое акционерное общество|акционерное "
        "общество|товариство з обмеженою відповідальністю|societatea cu raspundere "
        "limitata|societe anonyme|sociedad anonima|sp z o o|s p a|s a r l|s r l|s a|o o o|o "
        "a o|z a o|pty ltd|co ltd|private limited"
    ).split("|")
)
LEGAL = frozenset(
    (
        "llc llp ltd limited inc incorporated corp corporation co company companies plc ag gmbh "
        "kg kgaa se sa sas sarl srl spa bv nv oy oyj ab as asa aps ooo oao zao pao ao jsc ojsc "
        "pjsc cjsc ojs tov pat prat pty aktiengesellschaft akg sro doo dd ad ead eood pte bhd "
        "sdn tbk kk lp lc ооо оао зао пао ао тов пат прат тоо гмбх"
    ).split()
)
#: Words that never are the piece of a name that a space or an apostrophe cuts.
FUNCTION_WORDS = frozenset(
    (
        "a an and are as at be but by for from has he her his i if in is it its no not of off "
        "on or our out s so the their to up us was we with"
    ).split()
)
#: Words that make another name of a name: an order of words that holds one is never turned round.
FIXED = frozenset(
    (
        "north south east west northern southern eastern western upper lower new old great "
        "greater central saint st united republic islands island kingdom states of and the de "
        "la bank group"
    ).split()
)
#: Words that say what kind of place a name is, by kind; a name asked for with one is found with any of its kind.
KINDS = {
    fold(word): kind
    for kind, listed in {
        "region": (
            "oblast oblasti oblasta oblastı область області области обл أوبلاست استان محافظة "
            "محافظه governorate gouvernorat gouvernement gobernacion muhafazat mohafazat "
            "muhafazah мухафаза province provincia provinz provincie provins провинция "
            "провінція il ili region région regione wilaya wilayah ولاية ولايه wilaja вилайет "
            "voivodeship krai край респуб. 省 州 מחוז voblast"
        ),
        "district": (
            "raion rayon raión rajon район районі района raioni district distrito distrikt "
            "bezirk kreis ilcesi county منطقة منطقه شهرستان ناحية ناحيه قضاء nahiyah nahiya "
            "nahiyat mintaqat mantiqat qada 区 區 县 縣 נפת"
        ),
        "city": "город місто города міста مدينة مدينه شهر sehri 市 עיר העיר",
    }.items()
    for word in listed.split()
}
#: Words that join a kind and a name.
JOINTS = frozenset("de d of du von der da del di".split())
#: What an apostrophe cuts off a Ukrainian adjective in Latin: Donets'ka, Luhans'kyi.
ADJECTIVE_ENDINGS = frozenset("k ka ke ki kyi kyy kiy koi koyi kaya koho".split())
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_TENS = dict(
    zip(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),
        range(20, 100, 10),
        strict=True,
    )
)
#: Words that are written in several ways that no sound tells: numbers, and the Arabic servant of.
_CANON = (
    {word: str(number) for number, word in enumerate(_UNITS)}
    | {word: str(number) for word, number in _TENS.items()}
    | {
        word: str(number)
        for number, word in enumerate(
            "first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1
        )
    }
    | {
        word: str(number)
        for number, word in enumerate("1st 2nd 3rd 4th 5th 6th 7th 8th 9th 10th".split(), 1)
    }
    | dict.fromkeys("abdul abdel abdal abdoul abdol abdu".split(), "abd")
)
_PATRONYMIC = re.compile(
    r"(ovich|evich|ovych|yovych|ievich|ovitch|evitch|ovna|evna|ivna|ovic|evic|ович|евич|ьич|йович|овна|евна|івна|ївна)$"
)
#: Case endings of Russian and Ukrainian, by length.
_ENDINGS = (
    frozenset("ого его ему ому ами ями ыми ими ові еві єві".split()),
    frozenset(
        "ом ем єм ым им ой ей ою ею єю ої ий ый ій ах ях ам ям ія ия ии ию ие ії ію иє".split()
    ),
    frozenset("аяуюеєиыіїоьй"),
)
#: Vowels that change places in the last syllable: Київ, Києва, Киев; Харків, Харкова.
_CHANGING = re.compile(r"[іїоеєё](?=[вгдзлнр]$)")
_ARABIC_PREFIX = re.compile(r"^(?:[وف]?(?:[بك]?ال|لل)|[وفبلك])(?=....?)")
_INNER_ARTICLE = re.compile(r"(?<=..)ال(?=...)")
_HEBREW_PREFIX = re.compile(r"^(?:ו?[בלמהשכ]|ו)(?=....)")


def roots(spoken: str) -> list[str]:
    """A sound string without its last vowels, and without the -sk of a Slavic adjective: Khersonska, Kherson."""
    bare = trimmed(spoken)
    found = [bare]
    if bare[-1:] in ("k", "ψ") and len(bare) > 4:
        found.append(trimmed(bare[:-1]))
        if bare[-2] in "sAσ":
            found.append(trimmed(bare[:-2]))
    return found


class BundleKind(NamedTuple):
    """One way to take a word of a text."""

    sound: str
    open: bool  #: an ending was taken off: any ending of the name fits


def canon(word: str) -> str:
    """A folded word in the one way in which it is compared: three, third and 3rd are 3."""
    return _CANON.get(word, word)


def numbers(folded: list[str]) -> list[str]:
    """The words of a name in canonical form, forty and four put together."""
    found: list[str] = []
    for word in map(canon, folded):
        if (
            found
            and word.isdigit()
            and len(word) == 1
            and found[-1] in map(str, _TENS.values())
            and word != "0"
        ):
            found[-1] = str(int(found[-1]) + int(word))
        else:
            found.append(word)
    return found


def is_patronymic(word: str) -> bool:
    """Whether a folded word looks like an East Slavic patronymic."""
    return len(word) > 6 and _PATRONYMIC.search(word) is not None


@lru_cache(maxsize=65536)
def _bare(word: str) -> str:
    """A Cyrillic word without the longest case ending that leaves four letters, or three of a word of four."""
    for ending in _ENDINGS:
        size = len(next(iter(ending)))
        if len(word) - size >= 4 and word[-size:] in ending:
            return word[:-size]
    return word[:-1] if len(word) == 4 and word[-1] in _ENDINGS[-1] else word


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A Cyrillic word of five letters and more without its case ending; any other word as it is."""
    if len(word) < 4 or script(word) != CYRILLIC:
        return word
    return _CHANGING.sub("о", (_bare(word) if len(word) > 4 else word).replace("ь", ""))


@lru_cache(maxsize=65536)
def bases(word: str) -> tuple[str, ...]:
    """What a folded word may be listed as: without a Cyrillic case ending, and in Arabic and Hebrew also without what is prefixed."""
    whole = stem(simple(word))
    written = script(word)
    if written not in (ARABIC, HEBREW):
        return (whole,)
    bare = (_ARABIC_PREFIX if written == ARABIC else _HEBREW_PREFIX).sub("", word)
    return tuple(dict.fromkeys((whole, bare, without_article(word))))


def same_case_forms(wanted: str, word: str) -> bool:
    """Whether two words of one stem may be case forms of one name: Иванова may be Иванов, but Иванов is no form of Иванова."""
    return (
        wanted == word
        or script(word) != CYRILLIC
        or wanted[-1] not in "аяоеиыіїєую"
        or word[-1] in "аяоеиыіїєуюймх"
    )


def split_article(word: str) -> list[str]:
    """An Arabic word that holds an article as the two words it joins: ديرالزور."""
    return [part for part in _INNER_ARTICLE.split(word) if part]


def without_article(word: str) -> str:
    """An Arabic word without the articles at its beginning and within."""
    bare = word.removeprefix("ال") if len(word) > 4 else word
    return _INNER_ARTICLE.sub("", bare)


@lru_cache(maxsize=65536)
def trimmed(spoken: str) -> str:
    """A sound string without the vowels at its end."""
    while len(spoken) > 1 and is_vowel(spoken[-1]):
        spoken = spoken[:-1]
    return spoken


@lru_cache(maxsize=65536)
def forms(word: str) -> tuple[BundleKind, ...]:
    """The ways to take a folded word of a text: as it stands, without a case ending, without prefixed prepositions and articles."""
    plain = sound(word)
    if not plain:
        return ()
    found = [BundleKind(plain, open=False)]
    written = script(word)
    if written == CYRILLIC:
        bare = _bare(word)
        if bare != word:
            found.append(BundleKind(trimmed(sound(bare)), open=True))
    elif written in (ARABIC, HEBREW):
        pattern = _ARABIC_PREFIX if written == ARABIC else _HEBREW_PREFIX
        bare = pattern.sub("", word)
        found += [
            BundleKind(sound(other), open=False)
            for other in dict.fromkeys((bare, _INNER_ARTICLE.sub("", bare)))
            if other != word and sound(other)
        ]
    return tuple(found)
