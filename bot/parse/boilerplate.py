"""Take out of a text what publishing software adds to every text. Not summaries, no detection.

WordPress ends each text of a feed with "The post HEADLINE appeared first on SITE." Google News
gives, in place of a text, a list of what other outlets call the same news, and aggregators write
the outlet behind each headline. These are words that no article has: they would match, and hide,
articles about something else.
"""

import re

from bot.text.clean import BODY_LENGTH, BODY_RAW, cut, to_text
from bot.text.fold import folded_key
from bot.text.markup import TextType

_TAIL = 1500  # characters of markup at the end of a text that are looked at
# A last paragraph of two links, the headline and the site, in any language.
_LINKED = re.compile(
    r"<p>(?P<before>[^<>]{0,60})<a\s[^<>]*>(?P<headline>(?:(?!</a>).){1,400})</a>"
    r"(?P<between>[^<>]{0,80})<a\s[^<>]*>(?:(?!</a>).){1,200}</a>[^<>]{0,40}</p>\s*$",
    re.IGNORECASE | re.DOTALL,
)
#: How the sentence goes on behind the headline, in the languages that WordPress is translated to.
_FIRST_SEEN = (
    "appeared first on",
    "first appeared on",
    "first appeared at",
    "was originally published on",
    "erschien zuerst auf",
    "erschien als erstes auf",
    "ist zuerst erschienen auf",
    "est apparu en premier sur",
    "est apparue en premier sur",
    "se publicó primero en",
    "aparece primero en",
    "apareció primero en",
    "ha aparegut primer a",
    "apareceu primeiro em",
    "aparece primeiro em",
    "apareceu primeiro en",
    "proviene da",
    "sembra essere il primo su",
    "è stato pubblicato per la prima volta su",
    "verscheen eerst op",
    "dök först upp på",
    "blev først udgivet på",
    "blev først vist på",
    "dukket først opp på",
    "dukka først opp på",
    "ilmestyi ensin",
    "julkaistiin ensimmäisen kerran",
    "birtist fyrst á",
    "pochodzi z serwisu",
    "pojawił się pierwszy raz w",
    "pojawił się poraz pierwszy w",
    "pochází z",
    "se nejdříve objevil na",
    "zobrazený najskôr",
    "sa zobrazil najskôr na",
    "jelent meg először",
    "először jelent meg",
    "apare prima dată în",
    "появилась сначала на",
    "появились сначала на",
    "впервые появилась",
    "сначала появилась на",
    "спершу з'явилась на",
    "спершу з’явилась на",
    "з'явився спочатку на",
    "з’явився спочатку на",
    "з'явилися спочатку на",
    "се појавља прво на",
    "се појави прво на",
    "се појави първо на",
    "се появи първо на",
    "pojavila se prvi puta na",
    "se pojavila prvo na",
    "je bil najprej objavljen na",
    "pirmą kartą pasirodė",
    "vispirms publicēts",
    "ilmus esmalt",
    "εμφανίστηκε πρώτα στο",
    "ilk önce",
    "pertama kali tampil pada",
    "muncul pertama kali di",
    "đã xuất hiện đầu tiên vào ngày",
    "ظهرت أولاً على",
    "ظهر أولاً على",
    "أولاً على",
    "اولین بار در",
    "הופיע לראשונה ב",
    "最先出现在",
    "最早發佈於",
    "最早发布于",
    "に最初に表示されました",
    "처음 등장했습니다",
)
#: How it begins, where the headline in it is written otherwise.
_BEGINNINGS = (
    "The post",
    "Der Beitrag",
    "Dieser Beitrag",
    "Der Artikel",
    "L’article",
    "L'article",
    "Cet article",
    "La entrada",
    "L'articolo",
    "L’articolo",
    "O post",
    "O artigo",
    "Het bericht",
    "Dit bericht",
    "Inlägget",
    "Indlægget",
    "Innlegget",
    "Artykuł",
    "Příspěvek",
    "Сообщение",
    "Запись",
    "Запис",
)
_BEGINNING = re.compile(rf"(?:{'|'.join(re.escape(words) for words in _BEGINNINGS)})\s")
_SENTENCE = re.compile("|".join(re.escape(words) for words in _FIRST_SEEN), re.IGNORECASE)
#: The same as the beginning of a text is compared with them: İ and ı of Turkish are i for `re`.
_FIRST_SEEN_LOWERED = tuple(words.lower() for words in _FIRST_SEEN)
_DOTS = str.maketrans({"İ": "i", "ı": "i"})
_PART = 20  # code points
_LEAD = 60  # code points of that sentence before the headline, or between it and these words
_SITE = 160  # code points from these words to the end
_HEADLINE = 400  # code points of the sentence before these words
_ENDS = ".!?…]。！？"

# Blanks are single here.
_NEWS_ITEM = (
    r"(?:<li> ?)?(?:<strong> ?)?(?:"
    r"<a [^<>]*href=[\"']https?://news\.google\.com/[^<>]*>[^<>]{0,600}</a> ?"
    r"(?:<font[^<>]*>[^<>]{0,200}</font> ?)?"
    r"|<a [^<>]*>[^<>]{0,600}</a> ?<font[^<>]*>[^<>]{0,200}</font> ?"
    r")(?:</strong> ?)?(?:</li> ?)?"
)
_NEWS_LIST = re.compile(rf"(?:<[ou]l> ?)?(?:{_NEWS_ITEM}){{1,60}}(?:</[ou]l>)?", re.IGNORECASE)
_NO_BREAK = re.compile("&nbsp;|&#160;")


_BEFORE_SOURCE = re.compile(r"\s+[-–—|·]\s*$")


def headline_without_source(title: str, source: str) -> str:
    """Return a headline without the outlet behind it, where the entry itself names that outlet."""
    if not source or not title.casefold().endswith(source.casefold()):
        return title
    found = _BEFORE_SOURCE.search(title, 0, len(title) - len(source))
    return title[: found.start()] if found and found.start() else title


def article_text(value: str, kind: TextType, title: str) -> str:
    """Return the plain text of an article, at most BODY_LENGTH code points.

    `value` is as its format has it, `title` the headline as it is kept; both are needed to tell
    what the publisher's software added.
    """
    if kind is not TextType.TEXT:
        value = _without_links(value, title)
    return cut(_without_sentence(to_text(value, kind, BODY_RAW), title), BODY_LENGTH)


def _without_links(value: str, title: str) -> str:
    """The markup without a last paragraph that links headline and site; nothing for a news list."""
    if ("news.google.com/" in value or "<font" in value) and _NEWS_LIST.fullmatch(
        " ".join(_NO_BREAK.sub(" ", value).split())
    ):
        return ""
    tail = value[-_TAIL:]
    if "</p>" not in tail or not (found := _LINKED.search(tail)):
        return value
    start = tail.rfind("<p>", 0, found.end())
    found = _LINKED.match(tail, start)
    if not found or not folded_key(found["before"] + found["between"]):
        return value
    if _is_same(found["headline"], title):
        return value[: len(value) - len(tail) + start]
    return value


def _is_same(markup: str, title: str) -> bool:
    """Whether the text of a link is the headline, or a good part of its beginning."""
    words, headline = folded_key(to_text(markup)), folded_key(title)
    return bool(words) and (
        words == headline or (len(words) > _PART and headline.startswith(words))
    )


def _without_sentence(text: str, title: str) -> str:
    """The plain text without "The post HEADLINE appeared first on SITE." at its end."""
    lowered = text[-_SITE:].translate(_DOTS).lower()
    if not any(map(lowered.__contains__, _FIRST_SEEN_LOWERED)):
        return text
    found = _SENTENCE.search(text, max(0, len(text) - _SITE))
    if not found:
        return text
    head = title.rstrip("…")
    at = text.rfind(head, 0, found.start()) if head else -1
    if at < 0 or found.start() - at - len(head) > _LEAD:
        beginnings = list(_BEGINNING.finditer(text, max(0, found.start() - _HEADLINE)))
        return text[: beginnings[-1].start()].rstrip() if beginnings else text
    start = max(text.rfind(sign, 0, at) for sign in _ENDS) + 1
    return text if at - start > _LEAD else text[:start].rstrip()
