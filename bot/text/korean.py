"""Korean nouns without their particles: 미사일 of 미사일을, 서울 of 서울에서. No verbs.

The particles are those of the Standard Korean Language Dictionary (stdict.korean.go.kr, 조사), with
the forms of the copula that follow nouns in news, and the plural 들. Some stand only after a
consonant, some only after a vowel; that keeps them apart from the ends of words.
"""

from bot.text.word_cache import word_cache

_FIRST, _LAST, _FINALS = 0xAC00, 0xD7A3, 28
_RIEUL = 8  # the final consonant after which 로 stands as after a vowel
_MOST = 3  # particles after each other: 들에게는
_STORY_LETTERS = 2
_AFTER_CONSONANT = frozenset(
    "이 은 을 과 으로 으로서 으로써 으로부터 으론 이나 이나마 이라 이라고 이라는 이라며 이라도 "
    "이란 이랑 이며 이든 이든지 이야말로 이다 이었다 이라면 이지만".split()
)
_AFTER_VOWEL = frozenset(
    "가 는 를 와 로 로서 로써 로부터 론 나 나마 라고 라는 라며 라도 란 랑 며 든 든지 야말로 "
    "다 였다 라면 지만 선 엔".split()
)
_ANYWHERE = frozenset(
    "의 에 에서 에게 에게서 에선 에는 에겐 께 께서 께선 한테 한테서 더러 까지 부터 마저 조차 "
    "밖에 만 도 뿐 마다 처럼 같이 만큼 보다 대로 치고 커녕 하고 씩 입니다 들".split()
)
_LONGEST = max(map(len, _AFTER_CONSONANT | _AFTER_VOWEL | _ANYWHERE))


def ends_in_hangul(word: str) -> bool:
    """Whether the last character of a word is a Korean syllable."""
    return bool(word) and _FIRST <= ord(word[-1]) <= _LAST


@word_cache(1 << 15)
def without_particles(word: str) -> tuple[str, ...]:
    """Return a folded word and what it may be without its particles; first the likeliest.

    Of a word of another script with particles, as NATO가, the other script's part as well.
    """
    forms = {word: 0}
    newest = [word]
    for count in range(1, _MOST + 1):
        newest = [base for form in newest for base in _bases(form) if base not in forms]
        forms.update(dict.fromkeys(newest, count))
    other = word.rstrip("".join(sign for sign in word if ends_in_hangul(sign)))
    if other and other not in forms:
        forms[other] = _MOST
    long = [form for form in forms if len(form) >= _STORY_LETTERS]
    likeliest = min(long, key=len) if long else word
    return tuple(dict.fromkeys((likeliest, *forms)))


def _bases(word: str) -> list[str]:
    """A word without its last particle, in each way that the letters allow."""
    bases = []
    for length in range(1, min(_LONGEST, len(word) - 1) + 1):
        base, particle = word[:-length], word[-length:]
        if particle in _ANYWHERE or _may_follow(particle, base[-1]):
            bases.append(base)
    return bases


def _may_follow(particle: str, letter: str) -> bool:
    if not ends_in_hangul(letter):
        return particle in _AFTER_CONSONANT or particle in _AFTER_VOWEL
    final = (ord(letter) - _FIRST) % _FINALS
    if particle in _AFTER_CONSONANT:
        return final not in {0, _RIEUL} if particle.startswith("으로") else final != 0
    return particle in _AFTER_VOWEL and (
        final == 0 or (final == _RIEUL and particle.startswith("로"))
    )
