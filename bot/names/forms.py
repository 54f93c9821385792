"""Word forms: what surrounds the core of a name, and the affixes that a sentence adds to it.

Articles, particles, titles, legal forms; case endings, prefixed prepositions and articles.
"""

import re
from typing import NamedTuple

from bot.names.phonemes import is_vowel
from bot.names.transliteration import ARABIC, CYRILLIC, HEBREW, script, transcribe
from bot.text.chinese import simplify
from bot.text.fold import fold
from bot.text.word_cache import word_cache

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
#: Legal forms of companies, folded, longer phrases first.
LEGAL_PHRASES = tuple(
    tuple(phrase.split())
    for phrase in (
        "open joint stock company|public joint stock company|closed joint stock company|"
        "joint stock company|limited liability company|общество с ограниченнои ответственностью|"
        "общество с ограниченной ответственностью|публичное акционерное общество|"
        "открытое акционерное общество|закрытое акционерное общество|акционерное общество|"
        "товариство з обмеженою відповідальністю|societatea cu raspundere limitata|"
        "societe anonyme|sociedad anonima|sp z o o|s p a|s a r l|s r l|s a|o o o|o a o|z a o|"
        "pty ltd|co ltd|private limited"
    ).split("|")
)
LEGAL_FORMS = frozenset(
    (
        "llc llp ltd limited inc incorporated corp corporation co company companies plc ag gmbh "
        "kg kgaa se sa sas sarl srl spa bv nv oy oyj ab as asa aps ooo oao zao pao ao jsc ojsc "
        "pjsc cjsc ojs tov pat prat pty aktiengesellschaft akg sro doo dd ad ead eood pte bhd "
        "sdn tbk kk lp lc ооо оао зао пао ао тов пат прат тоо гмбх"
    ).split()
)
#: Words that are never a piece of a split name.
FUNCTION_WORDS = frozenset(
    (
        "a an and are as at be but by for from has he her his i if in is it its no not of off "
        "on or our out s so the their to up us was we with"
    ).split()
)
#: Words that change the meaning of a name with their position: its order of words is fixed.
FIXED_ORDER_WORDS = frozenset(
    (
        "north south east west northern southern eastern western upper lower new old great "
        "greater central saint st united republic islands island kingdom states of and the de "
        "la bank group"
    ).split()
)
#: Words for kinds of places. A name with one of them matches with any word of that kind.
PLACE_KINDS = {
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
#: Words between the kind of a place and its name.
CONNECTIVES = frozenset("de d of du von der da del di".split())
#: Endings of romanized Ukrainian adjectives, behind an apostrophe: Donets'ka, Luhans'kyi.
ADJECTIVE_ENDINGS = frozenset("k ka ke ki kyi kyy kiy koi koyi kaya koho".split())
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve".split()
_TENS = dict(
    zip(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),
        range(20, 100, 10),
        strict=True,
    )
)
#: Canonical forms of words whose spellings sound different: numbers, Arabic "servant of".
_CANONICAL = (
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
    r"(ovich|evich|ovych|yovych|ievich|ovitch|evitch|ovna|evna|ivna|ovic|evic"
    r"|ович|евич|ьич|йович|овна|евна|івна|ївна)$"
)
#: Case endings of Russian and Ukrainian, by length.
_CASE_ENDINGS = (
    frozenset("ого его ему ому ами ями ыми ими ові еві єві".split()),
    frozenset(
        "ом ем єм ым им ой ей ою ею єю ої ий ый ій ах ях ам ям ія ия ии ию ие ії ію иє".split()
    ),
    frozenset("аяуюеєиыіїоьй"),
)
#: Vowels of the last syllable that alternate: Київ, Києва, Киев; Харків, Харкова.
_ALTERNATING_VOWEL = re.compile(r"[іїоеєё](?=[вгдзлнр]$)")
_ARABIC_PREFIX = re.compile(r"^(?:[وف]?(?:[بك]?ال|لل)|[وفبلك])(?=....?)")
#: Languages that write prepositions as prefixes, and texts of unknown language.
PREFIXING = frozenset(("", "ar", "he", "yi"))
_INNER_ARTICLE = re.compile(r"(?<=..)ال(?=...)")
_HEBREW_PREFIX = re.compile(r"^(?:ו?[בלמהשכ]|ו)(?=....)")


class WordForm(NamedTuple):
    """One analysis of a word of a text."""

    text: str  #: the word, without prefixes
    phonemes: str
    stemmed: bool  #: a case ending is removed, so that the ending of the name may be any


def canonical(word: str) -> str:
    """Return the canonical form of a folded word: three, third and 3rd are 3."""
    return _CANONICAL.get(word, word)


def canonical_words(folded: list[str]) -> list[str]:
    """Return the canonical forms of the words of a name, forty and four as one number."""
    result: list[str] = []
    for word in map(canonical, folded):
        if (
            result
            and word.isdigit()
            and len(word) == 1
            and result[-1] in map(str, _TENS.values())
            and word != "0"
        ):
            result[-1] = str(int(result[-1]) + int(word))
        else:
            result.append(word)
    return result


def is_patronymic(word: str) -> bool:
    """Whether a folded word looks like an East Slavic patronymic."""
    return len(word) > 6 and _PATRONYMIC.search(word) is not None


@word_cache(65536)
def _without_case_ending(word: str) -> str:
    """A Cyrillic word without its longest case ending.

    At least four letters are left, of a word of four letters three.
    """
    for endings in _CASE_ENDINGS:
        size = len(next(iter(endings)))
        if len(word) - size >= 4 and word[-size:] in endings:
            return word[:-size]
    return word[:-1] if len(word) == 4 and word[-1] in _CASE_ENDINGS[-1] else word


def stem(word: str) -> str:
    """Return the stem of a Cyrillic word of five letters or more; other words unchanged."""
    if len(word) < 4 or word.isascii() or script(word) != CYRILLIC:
        return word
    return _stem(word)


@word_cache(65536)
def _stem(word: str) -> str:
    bare = _without_case_ending(word) if len(word) > 4 else word
    return _ALTERNATING_VOWEL.sub("о", bare.replace("ь", ""))


def base_forms(word: str) -> tuple[str, ...]:
    """Return possible base forms of a folded word: without case ending, or without prefixes."""
    return (word,) if word.isascii() else _base_forms(word)


@word_cache(65536)
def _base_forms(word: str) -> tuple[str, ...]:
    whole = stem(simplify(word))
    word_script = script(word)
    if word_script not in (ARABIC, HEBREW):
        return (whole,)
    bare = (_ARABIC_PREFIX if word_script == ARABIC else _HEBREW_PREFIX).sub("", word)
    return tuple(dict.fromkeys((whole, bare, without_article(word))))


def may_be_case_form(name: str, word: str) -> bool:
    """Whether a word may be a case form of a name with the same stem.

    Иванова may be a form of Иванов, but Иванов is no form of Иванова.
    """
    return (
        name == word
        or script(word) != CYRILLIC
        or name[-1] not in "аяоеиыіїєую"
        or word[-1] in "аяоеиыіїєуюймх"
    )


def split_article(word: str) -> list[str]:
    """Split an Arabic word at the article within it: ديرالزور."""
    return [part for part in _INNER_ARTICLE.split(word) if part]


def without_article(word: str) -> str:
    """Return an Arabic word without the articles at its beginning and within it."""
    bare = word.removeprefix("ال") if len(word) > 4 else word
    return _INNER_ARTICLE.sub("", bare)


@word_cache(65536)
def without_final_vowels(phonemes: str) -> str:
    """Return a phoneme string without the vowels at its end."""
    while len(phonemes) > 1 and is_vowel(phonemes[-1]):
        phonemes = phonemes[:-1]
    return phonemes


def adjective_roots(phonemes: str) -> list[str]:
    """Return the possible roots of a Slavic adjective in -sk: Khersonska, Kherson."""
    bare = without_final_vowels(phonemes)
    roots = [bare]
    if bare[-1:] in ("k", "ψ") and len(bare) > 4:
        roots.append(without_final_vowels(bare[:-1]))
        if bare[-2] in "sAσ":
            roots.append(without_final_vowels(bare[:-2]))
    return roots


@word_cache(65536)
def word_forms(word: str) -> tuple[WordForm, ...]:
    """Return the analyses of a folded word: as it is, without case ending, without prefixes."""
    phonemes = transcribe(word)
    if not phonemes:
        return ()
    forms = [WordForm(word, phonemes, stemmed=False)]
    word_script = script(word)
    if word_script == CYRILLIC:
        bare = _without_case_ending(word)
        if bare != word:
            forms.append(WordForm(word, without_final_vowels(transcribe(bare)), stemmed=True))
    elif word_script in (ARABIC, HEBREW):
        pattern = _ARABIC_PREFIX if word_script == ARABIC else _HEBREW_PREFIX
        bare = pattern.sub("", word)
        forms += [
            WordForm(variant, transcribe(variant), stemmed=False)
            for variant in dict.fromkeys((bare, _INNER_ARTICLE.sub("", bare)))
            if variant != word and transcribe(variant)
        ]
    return tuple(forms)
