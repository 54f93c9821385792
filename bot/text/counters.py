"""Take out of a text what counts by itself: comments, votes, views, how long ago something was.

A site writes these into its headlines and texts, and they differ at every poll without anything
being new. Numbers of the news itself stay: "blast kills 4" is not "blast kills 12". The languages
are those of the interface.
"""

import re
from collections.abc import Callable

_NUMBER = r"\d[\d.,'’\u00a0\u202f]*+(?:\s?(?:k|m|mil|tsd|тыс|тис|ألف)\b\.?)?+"
_NONE = r"no|one|an?|keine?|eine?|sin|un|una|ning[uú]n|нет|нема[єе]?|без|один|одна|بدون"
#: What readers leave at an article, and hardly ever the news itself.
_REACTIONS = r"""
    comments?|repl(?:y|ies)|views?|(?:dis)?likes?|(?:up|down)votes?|reactions?|retweets?|reposts?
    |clicks?|reads
    |kommentare?n?|antwort(?:en)?|aufrufe?n?|ansicht(?:en)?|klicks|reaktion(?:en)?
    |comentarios?|respuestas?|vistas?|visitas?|visualizaci[oó]n(?:es)?|lecturas?
    |reacci[oó]n(?:es)?|me\ gusta
    |комментари(?:й|я|и|ев)|ответ(?:а|ов|ы)?|просмотр(?:а|ов|ы)?|лайк(?:а|ов|и)?|реакци[яий]
    |репост(?:а|ов|ы)?
    |коментар(?:і|ів|я)?|відповід(?:ь|і|ей)|перегляд(?:и|ів)?|вподобан(?:ня|ь)|реакц(?:ія|ії|ій)
    |поширен(?:ня|ь)
    |تعليق(?:ات|ا|ًا|اً)?|رد(?:ود|ًا|اً)?|مشاهد(?:ة|ات)|إعجاب(?:ات|ًا|اً)?|قراء(?:ة|ات)
    |مشارك(?:ة|ات)
"""
#: What readers give, and elections and games as well.
_SCORES = r"""
    points?|votes?|shares?|answers?|punkte?n?|stimmen?|puntos?|votos?
    |балл(?:а|ов|ы)?|очк(?:о|а|ов)|голос(?:а|ов|и|ів)?|бал(?:и|ів|а)?
    |نقطة|نقاط|صوت(?:ًا|اً)?|أصوات
"""
_PAIRS = r"تعليق(?:ان|ين)|مشاهدت(?:ان|ين)|نقطت(?:ان|ين)|صوت(?:ان|ين)|رد(?:ان|ين)"


def _counter(nouns: str) -> str:
    """A number with what it counts, or the other way round; Arabic has a dual."""
    return (
        rf"(?:(?<![\w.,])(?:{_NUMBER}|\b(?:{_NONE}))\s*(?:{nouns})(?!\w)"
        rf"|\b(?:{nouns})\s*[:：]\s*{_NUMBER}|\b(?:{_PAIRS})\b)"
    )


_FLAGS = re.IGNORECASE | re.VERBOSE
_ANY = _counter(f"{_REACTIONS}|{_SCORES}")
_AGO = r"""
    (?:(?:about|almost|over|nearly|less\ than|more\ than)\s+)?
    (?:\b\d+|\ban?|\bone|\bhalf\ an|\b(?:a\ )?few|\bseveral)\s*
    (?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|mo|months?|y|yrs?
    |years?)
    \s+ago\b
    |\b(?:just\ now|(?:a\ )?moments?\ ago)\b
    |\bvor\s+(?:(?:etwa|ca\.|rund|über|fast|knapp)\s+)?
    (?:\d+|eine[rm]|wenigen|einigen)\s*
    (?:sek|sekunden?|min|minuten?|std|stunden?|tag(?:en?)?|wochen?|monat(?:en?)?|jahr(?:en?)?)
    \b\.?
    |\b(?:vor\ kurzem|gerade\ eben|soeben)\b
    |\bhace\s+(?:(?:casi|más\ de|menos\ de)\s+)?(?:\d+|un[ao]?s?)\s*
    (?:s|seg|segundos?|min|minutos?|h|horas?|d[ií]as?|semanas?|mes(?:es)?|años?)\b
    |\b(?:hace\ (?:poco|(?:un\ )?(?:momento|instante)s?)|ahora\ mismo|justo\ ahora)\b
    |(?:\b(?:\d+|одну?|один|несколько|пару)\s*)?\b
    (?:сек|секунд[ауы]?|мин|минут[ауы]?|час(?:а|ов)?|ч|день|дня|дней|недел[яюиь]|месяц(?:а|ев)?|мес
    |год(?:а)?|лет)\.?\s+назад\b
    |\b(?:только\ что|щойно)\b
    |(?:\b(?:\d+|одну?|один|кілька|декілька)\s*)?\b
    (?:сек|секунд[ауи]?|хв|хвилин[ауи]?|год|годин[ауи]?|день|дні|днів|тиждень|тижн(?:і|ів)
    |місяц(?:ь|і|ів)|рік|рок(?:и|ів))\.?\s+тому\b
    |\b(?:منذ|قبل)\s+(?:(?:نحو|حوالي|أقل\ من|أكثر\ من)\s+)?(?:\d+\s*)?
    (?:ثاني(?:ة|تين)|ثوان[يٍ]?|دقيق(?:ة|تين)|دقائق|ساع(?:ة|تين|ات)|يوم(?:ين|ًا|اً)?|أيام
    |أسبوع(?:ين|ًا|اً)?|أسابيع|شهر(?:ين|ًا|اً)?|أشهر|شهور|سن(?:ة|تين|وات)|عام(?:ين|ًا|اً)?|أعوام)\b
"""
_CHANGING = re.compile(f"{_ANY}|{_AGO}", _FLAGS)
#: A text without any of these changes by itself nowhere: looked for first, in a tenth of the time.
SIGNS = (
    "comment repl view like vote reaction retweet repost click reads kommentar antwort aufruf "
    "ansicht klick reaktion comentario respuesta vista visita visualizaci lectura reacci gusta "
    "комментари ответ просмотр лайк реакц репост коментар відповід перегляд вподобан поширен "
    "تعليق رد مشاهد إعجاب قراء مشارك "
    "point share answer punkt stimme punto voto балл очк голос бал نقط نقاط صوت أصوات "
    "ago now vor eben hace ahora назад только щойно тому منذ قبل"
).split()
# Where there is one, there is one that begins where a word does.
_MAY_CHANGE = re.compile(rf"(?<!\w)(?=\w)(?:{_ANY}|{_AGO})", _FLAGS)
_RELATIVE = re.compile(_AGO, _FLAGS)
_ONLY_COUNTERS = re.compile(rf"(?:{_ANY}|[\s,;&/+])+", _FLAGS)
_ONLY_REACTIONS = re.compile(rf"(?:{_counter(_REACTIONS)}|[\s,;&/+])+", _FLAGS)
_PIECES = re.compile(r"(\s*[|·•]\s*|\s+[-–—]\s+|[()\[\]（）【】])")
_DASH = re.compile(r"\s+[-–—]\s+")
_MOST_COUNTING = 24  # words that differ between two texts which differ by counters only
_AROUND = 60  # characters around a change that may belong to its counter
_NUMBERS = re.compile(_NUMBER, re.IGNORECASE)


def without_counters(text: str) -> str:
    """Return a text without counters and relative times, to be compared and not to be shown."""
    return " ".join(_CHANGING.sub(" ", text).split())


def steady_headline(title: str) -> str:
    """Return a headline without relative times and without counters that stand for themselves.

    These are in brackets or behind a separator: "Harbour closed (27 comments)". Elsewhere in a
    headline a number is news: "Bill passes with 189 votes". The whole headline where nothing else
    is in it.
    """
    lowered = title.lower()
    if not any(map(lowered.__contains__, SIGNS)) or not _MAY_CHANGE.search(title):
        return title
    pieces = _PIECES.split(_RELATIVE.sub(" ", title))
    kept = [pieces[0]]
    for separator, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        counters = _ONLY_REACTIONS if _DASH.fullmatch(separator) else _ONLY_COUNTERS
        kept += ["" if counters.fullmatch(piece) and piece.strip() else f"{separator}{piece}"]
    if pieces[0].strip() and _ONLY_COUNTERS.fullmatch(pieces[0]):
        kept[0] = ""
    steady = " ".join("".join(kept).split())
    return steady if any(map(str.isalpha, steady)) else title


def same_but_counting(text: str, other: str) -> bool:
    """Whether two texts are the same but for their numbers, counters and relative times."""
    return _NUMBERS.sub("0", text) == _NUMBERS.sub("0", other) or _are_equal(
        text, other, lambda part: _NUMBERS.sub("0", without_counters(part))
    )


def same_but_counters(text: str, other: str) -> bool:
    """Whether two texts are the same but for counters and relative times."""
    return _are_equal(text, other, without_counters)


def _are_equal(text: str, other: str, reduced: Callable[[str], str]) -> bool:
    """Whether two texts are equal when reduced, which is slow: so only where they differ."""
    if text == other:
        return True
    # A text that was written anew has many other words.
    if len(set(text.split()) ^ set(other.split())) > _MOST_COUNTING:
        return False
    begin = _shared_start(text, other)
    end = _shared_start(text[begin:][::-1], other[begin:][::-1])
    return reduced(_part(text, begin, end)) == reduced(_part(other, begin, end))


def _shared_start(text: str, other: str) -> int:
    """How many characters two texts have in common from their beginning."""
    length = min(len(text), len(other))
    return next((at for at in range(length) if text[at] != other[at]), length)


def _part(text: str, begin: int, end: int) -> str:
    """The words from `begin` up to `end` characters before the end, with some around them."""
    first = text.rfind(" ", 0, max(begin - _AROUND, 0)) + 1
    last = text.find(" ", len(text) - end + _AROUND)
    return text[first : last if last > 0 else len(text)]
