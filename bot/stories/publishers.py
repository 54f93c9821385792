"""Who stands behind an entry: the house that shows it, the agency it was taken from, and for whom it counts. Not grouping. No I/O.

A confirmation is worth something only where it is independent. The editions of one house are one voice, and so is what several houses took
from one agency; an aggregator has no voice of its own, its entries count for the outlet they name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from bot.text.fold import key

#: agencies by the name they are shown with, each with what else they are called; houses of these names are the agency itself
AGENCIES: dict[str, tuple[str, ...]] = {
    "AP": ("Associated Press", "The Associated Press", "AP News", "apnews.com", "ap.org"),
    "Reuters": ("reuters.com", "Reuters News", "Рейтер", "Ройтерс", "رويترز", "路透社", "路透"),
    "AFP": ("Agence France-Presse", "afp.com", "فرانس برس", "أ ف ب", "法新社"),
    "dpa": ("dpa.com", "Deutsche Presse-Agentur", "dpa-AFX", "dpa international"),
    "EFE": ("efe.com", "Agencia EFE", "EFE Noticias"),
    "ANSA": ("ansa.it",),
    "Europa Press": ("europapress.es",),
    "TASS": ("ТАСС", "tass.com", "tass.ru"),
    "Interfax": ("Интерфакс", "interfax.ru", "interfax.com"),
    "RIA Novosti": ("РИА Новости", "ria.ru"),
    "Interfax-Ukraine": ("Интерфакс-Украина", "Інтерфакс-Україна", "interfax.com.ua"),
    "Ukrinform": ("Укринформ", "Укрінформ", "ukrinform.net", "ukrinform.ua"),
    "UNIAN": ("УНИАН", "УНІАН", "unian.net", "unian.ua"),
    "Xinhua": ("新华社", "xinhuanet.com", "news.cn"),
    "China News Service": ("中新社", "中新网", "chinanews.com.cn"),
    "Kyodo": ("Kyodo News", "共同通信", "kyodonews.net"),
    "Yonhap": ("Yonhap News", "연합뉴스", "yna.co.kr"),
    "Anadolu": ("Anadolu Agency", "Anadolu Ajansı", "AA", "aa.com.tr", "الأناضول", "الاناضول"),
    "PA": ("PA Media", "Press Association", "PA News Agency"),
    "APA": ("Austria Presse Agentur", "apa.at"),
    "Keystone-SDA": ("SDA", "ATS", "Keystone-ATS"),
    "Belga": ("belga.be",),
    "ANP": ("anp.nl",),
    "Lusa": ("lusa.pt", "Agência Lusa"),
    "PAP": ("pap.pl", "Polska Agencja Prasowa"),
    "SANA": ("سانا", "sana.sy"),
    "WAFA": ("وفا", "wafa.ps"),
    "IRNA": ("ایرنا", "irna.ir"),
    "Canadian Press": ("The Canadian Press",),
    "AAP": ("Australian Associated Press", "aap.com.au"),
    "PTI": ("Press Trust of India",),
    "ANI": ("Asian News International",),
    "Bloomberg": ("bloomberg.com", "Bloomberg News"),
    "UPI": ("United Press International", "upi.com"),
    "KNA": ("Katholische Nachrichten-Agentur",),
    "epd": ("Evangelischer Pressedienst",),
}
#: houses known by several addresses, beside what feeds.yaml adds under `families:`
PUBLISHER_GROUPS: dict[str, tuple[str, ...]] = {
    "BBC": (
        "bbc.co.uk",
        "bbc.com",
        "bbci.co.uk",
        "BBC News",
        "BBC World",
        "BBC Sport",
        "BBC Русская служба",
        "BBC News Україна",
        "BBC Arabic",
    ),
    "Deutsche Welle": ("dw.com", "DW"),
    "Al Jazeera": ("aljazeera.com", "aljazeera.net", "Al Jazeera English", "الجزيرة"),
    "The Guardian": ("theguardian.com", "guardian.co.uk", "Guardian", "The Observer"),
    "The New York Times": ("nytimes.com", "New York Times", "NYT"),
    "RFE/RL": (
        "rferl.org",
        "svoboda.org",
        "radiosvoboda.org",
        "currenttime.tv",
        "Радио Свобода",
        "Радіо Свобода",
    ),
    "CNN": ("cnn.com", "edition.cnn.com", "CNN International"),
    "Euronews": ("euronews.com",),
    "France 24": ("france24.com",),
    "NPR": ("npr.org",),
    "CBS News": ("cbsnews.com",),
    "NBC News": ("nbcnews.com",),
    "ABC News": ("abcnews.go.com", "abcnews.com"),
}
_PARTS = frozenset("www feeds feed rss news m edition rssfeeds feedproxy rss2 newsrss".split())
_SECOND_LEVELS = frozenset("co com org net gov ac edu or ne go gob".split())
_HOST = re.compile(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+$", re.IGNORECASE)
_RATINGS = frozenset({"AA"})  # in a text it is a credit rating; as an author it is an agency
_SHORT = 4  # letters
_HEAD = 160  # code points of a summary in which a credit stands
_TAIL = 60


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who says an entry."""

    publisher_group: str  #: key of the publisher's family
    origin: str  #: key of whom it counts for: the agency where it is wire copy, else the house
    agency: str = ""  #: name of the agency it is credited to, where that is not the house itself


class PublisherGroups:
    """Which names mean one house: ours, and what the configuration adds (it goes first)."""

    def __init__(self, declared: Mapping[str, Iterable[str]] | None = None) -> None:
        self._of: dict[str, str] = {}
        for publisher_groups in (PUBLISHER_GROUPS, AGENCIES, declared or {}):
            for name, others in publisher_groups.items():
                for one in (name, *others):
                    self._of[_plain(one)] = key(name)

    def publisher_group(self, publisher: str) -> str:
        """The key of the family that a publisher, or the host of its site, belongs to; never empty."""
        plain = _plain(publisher)
        return self._of.get(plain, plain) or "?"

    def attribution(
        self, publisher: str, source: str, author: str, title: str, summary: str
    ) -> Attribution:
        """Who says it. `source` is the outlet that an aggregating feed names."""
        publisher_group = self.publisher_group(source or publisher)
        agency = credit(author, title, summary)
        origin = self.publisher_group(agency) if agency else publisher_group
        return Attribution(publisher_group, origin, "" if origin == publisher_group else agency)


@lru_cache(maxsize=1 << 12)
def _plain(name: str) -> str:
    """A name folded; a host without the labels that sites give their parts."""
    name = name.strip()
    if not _HOST.match(name):
        return key(name) or name.casefold()
    labels = name.casefold().split(".")
    while len(labels) > 2 and labels[0] in _PARTS:
        labels = labels[1:]
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVELS and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], dict[str, str]]:
    shown = {
        alias: name
        for name, others in AGENCIES.items()
        for alias in (name, *others)
        if not _HOST.match(alias)
    }
    ordered = sorted(shown, key=len, reverse=True)
    in_text = "|".join(re.escape(alias) for alias in ordered if alias not in _RATINGS)
    # A short one in small letters is a first name or a word: Ani, Sana, pa.
    as_author = "|".join(
        f"(?i:{re.escape(alias)})" if len(alias) > _SHORT else re.escape(alias) for alias in ordered
    )
    head = re.compile(
        rf"^.{{0,60}}?(?:\((?:[^()]{{1,20}}[/, ] ?)?({in_text})(?:[/, ][^()]{{1,20}})?\)|/({in_text})/|[—–-] ?({in_text})[.:]"
        rf"|^({in_text})(?: ?[—–:]|\s-\s))|^({in_text})[^\s,.]{{2,6}}\d{{1,2}}月\d{{1,2}}日电"
    )
    tail = re.compile(rf"(?:[—–|(/]\s*|\s-\s)({in_text})\s*[)/.]?\s*$")
    author = re.compile(
        rf"(?:^|[,;/|(&–-]\s*|\b(?i:by|von|par|por|from|with|and)\s+)({as_author})(?=$|\s*[,;/|)&]|\s+(?i:and|with|in)\b)"
    )
    return head, tail, author, {key(alias): name for alias, name in shown.items()}


def credit(author: str, title: str, summary: str) -> str:
    """The agency that an entry says it was taken from: in its author, at the beginning or end of its text, at the end of its headline."""
    head, tail, by, names = _patterns()
    for found in (
        by.search(author) if author else None,
        head.search(summary[:_HEAD]),
        tail.search(summary[-_TAIL:]),
        tail.search(title[-_TAIL:]),
    ):
        if found:
            return names[key(next(group for group in found.groups() if group))]
    return ""
