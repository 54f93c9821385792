"""What surrounds the kernel of a name: articles, particles, titles, legal forms, and the endings and prefixes that a sentence adds."""

import re
from functools import lru_cache
from typing import NamedTuple

from bot.names.phones import is_vowel
from bot.names.sounds import ARABIC, CYRILLIC, HEBREW, script, sound

ARTICLES = frozenset(
    "al el ul as es is ash esh ach ech ad ed id an en in ar er ir at et az ez uz adh edh ath il the "
    "аль эль ель ал эр эн эс эш эт эд эз ас аш ан ар ат аз ад ер ен ес ез ед ет еш אל ה".split()
)
PARTICLES = frozenset("bin ibn ben bint bint' ould vom бин ибн бен оглы בן بن ابن بنت".split())
TITLES = frozenset(
    "mr mrs ms miss dr prof professor sir lord lady dame president prime minister general colonel major captain lieutenant sheikh shaikh "
    "sheik shaykh sayyid sayed hajji mullah ayatollah imam king queen prince princess emir sultan herr frau monsieur madame m mme senor señor senora "
    "prasident präsident presidente presidentin kanzler chancellor senator governor ambassador mv ss mt "
    "президент министр генерал господин г-н шейх принц король президента الرئيس الشيخ الدكتور الامير الملك السيد רויטל הנשיא".split()
)
#: Legal forms of companies, folded, as they stand in a name; longer phrases first.
LEGAL_PHRASES = tuple(
    tuple(phrase.split())
    for phrase in (
        "open joint stock company|public joint stock company|closed joint stock company|joint stock company|limited liability company|"
        "общество с ограниченнои ответственностью|общество с ограниченной ответственностью|публичное акционерное общество|"
        "открытое акционерное общество|закрытое акционерное общество|акционерное общество|товариство з обмеженою відповідальністю|"
        "societatea cu raspundere limitata|societe anonyme|sociedad anonima|sp z o o|s p a|s a r l|s r l|s a|o o o|o a o|z a o|pty ltd|co ltd|private limited"
    ).split("|")
)
LEGAL = frozenset(
    "llc llp ltd limited inc incorporated corp corporation co company companies plc ag gmbh kg kgaa se sa sas sarl srl spa bv nv oy oyj ab as asa aps "
    "ooo oao zao pao ao jsc ojsc pjsc cjsc ojs tov pat prat pty aktiengesellschaft akg sro doo dd ad ead eood pte bhd sdn tbk kk lp lc "
    "ооо оао зао пао ао тов пат прат тоо гмбх".split()
)
#: Words that make another name of a name: an order of words that holds one is never turned round.
FIXED = frozenset(
    "north south east west northern southern eastern western upper lower new old great greater central saint st united republic islands island "
    "kingdom states of and the de la bank group".split()
)
#: Words that say what kind of place a name is, by kind; a name asked for with one is found with any of its kind.
KINDS = {
    word: kind
    for kind, listed in {
        "region": "oblast oblasti oblasta oblastı область області области обл أوبلاست استان محافظة محافظه governorate gouvernorat gouvernement gobernacion "
        "muhafazat mohafazat muhafazah мухафаза province provincia provinz provincie provins провинция провінція il ili region région regione wilaya wilayah "
        "ولاية ولايه wilaja вилайет voivodeship krai край респуб. 省 州 מחוז voblast",
        "district": "raion rayon raión rajon район районі района raioni district distrito distrikt bezirk kreis ilcesi county منطقة منطقه شهرستان ناحية ناحيه "
        "قضاء nahiyah nahiya nahiyat mintaqat mantiqat qada 区 區 县 縣 נפת",
        "city": "город місто города міста مدينة مدينه شهر sehri 市 עיר העיר",
    }.items()
    for word in listed.split()
}
#: Words that join a kind and a name.
JOINTS = frozenset("de d of du von der da del di".split())
_PATRONYMIC = re.compile(r"(ovich|evich|ovych|yovych|ievich|ovitch|evitch|ovna|evna|ivna|ovic|evic|ович|евич|ьич|йович|овна|евна|івна|ївна)$")
_ENDINGS = re.compile(r"(ого|ему|ому|ами|ями|ыми|ими|ові|еві|єві|ом|ем|єм|ым|им|ой|ей|ою|ею|єю|ой|ої|ий|ый|ій|ах|ях|ам|ям|ов|ів|ія|ия|[аяуюеєиыіїоьй])$")
_ARABIC_PREFIX = re.compile(r"^(?:[وف]?(?:[بك]?ال|لل)|[وفبلك])(?=....?)")
_HEBREW_PREFIX = re.compile(r"^(?:ו?[בלמהשכ]|ו)(?=....)")


class Form(NamedTuple):
    """One way to take a word of a text."""

    sound: str
    open: bool  #: an ending was taken off: any ending of the name fits


def is_patronymic(word: str) -> bool:
    """Whether a folded word looks like an East Slavic patronymic."""
    return len(word) > 6 and _PATRONYMIC.search(word) is not None


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A Cyrillic word of five letters and more without its case ending; any other word as it is."""
    if len(word) < 5 or script(word) != CYRILLIC:
        return word
    bare = _ENDINGS.sub("", word)
    return bare if len(bare) >= 4 else word


@lru_cache(maxsize=65536)
def trimmed(spoken: str) -> str:
    """A sound string without the vowels at its end."""
    while len(spoken) > 1 and is_vowel(spoken[-1]):
        spoken = spoken[:-1]
    return spoken


@lru_cache(maxsize=65536)
def forms(word: str) -> tuple[Form, ...]:
    """The ways to take a folded word of a text: as it stands, without a case ending, without prefixed prepositions and articles."""
    plain = sound(word)
    if not plain:
        return ()
    found = [Form(plain, open=False)]
    written = script(word)
    if written == CYRILLIC:
        bare = stem(word)
        if bare != word:
            found.append(Form(trimmed(sound(bare)), open=True))
    elif written in (ARABIC, HEBREW):
        pattern = _ARABIC_PREFIX if written == ARABIC else _HEBREW_PREFIX
        bare = pattern.sub("", word)
        if bare != word and sound(bare):
            found.append(Form(sound(bare), open=False))
    return tuple(found)
