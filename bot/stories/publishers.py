"""Attribution: the publisher of an entry, the news agency it is credited to. Not grouping. No I/O.

Only independent publishers confirm a story. Editions of one publisher count once, as do articles
of one agency at several publishers; entries of an aggregator count for the outlet they name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from bot.text.fold import folded_key

#: news agencies by display name, with their aliases; a publisher of such a name is the agency
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
#: publishers with several names or sites, beside those under `publisher_groups:` in feeds.yaml
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
_SITE_LABELS = frozenset(
    "www feeds feed rss news m edition rssfeeds feedproxy rss2 newsrss".split()
)
_SECOND_LEVELS = frozenset("co com org net gov ac edu or ne go gob".split())
_HOST = re.compile(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+$", re.IGNORECASE)
_RATINGS = frozenset({"AA"})  # a credit rating in a text, an agency as an author
_SHORT_ALIAS = 4  # letters
_HEAD_LENGTH = 160  # leading code points of a summary that are searched for a credit
_TAIL_LENGTH = 60  # trailing code points of a summary or headline


@dataclass(frozen=True, slots=True)
class Attribution:
    """The publisher and the origin of an entry."""

    publisher_group: str  #: key of the publisher's group
    origin: str  #: key of the agency for wire copy, else of the publisher group
    agency: str = ""  #: name of the agency it is credited to, where that is not the publisher


class PublisherGroups:
    """Groups of names of one publisher: built-in ones, overridden by the configuration."""

    def __init__(self, declared: Mapping[str, Iterable[str]] | None = None) -> None:
        _patterns()  # now, and not with the first article: it takes longer than the loop may wait
        self._keys: dict[str, str] = {}
        for groups in (PUBLISHER_GROUPS, AGENCIES, declared or {}):
            for name, aliases in groups.items():
                key = folded_key(name)
                for alias in (name, *aliases):
                    self._keys[_normalize(alias)] = key

    def publisher_group(self, publisher: str) -> str:
        """Return the key of the group of a publisher, given by name or host. Never empty."""
        name = _normalize(publisher)
        return self._keys.get(name, name) or "?"

    def attribution(
        self, publisher: str, source: str, author: str, title: str, summary: str
    ) -> Attribution:
        """Return the attribution of an entry.

        Args:
            publisher: the publisher of its feed.
            source: the outlet that an aggregating feed names, else empty.
            author: the author.
            title: the headline.
            summary: the summary.
        """
        publisher_group = self.publisher_group(source or publisher)
        agency = credited_agency(author, title, summary)
        origin = self.publisher_group(agency) if agency else publisher_group
        return Attribution(publisher_group, origin, "" if origin == publisher_group else agency)


@lru_cache(maxsize=1 << 12)
def _normalize(name: str) -> str:
    """Fold a name; reduce a host to its registered domain."""
    name = name.strip()
    if not _HOST.match(name):
        return folded_key(name) or name.casefold()
    labels = name.casefold().split(".")
    while len(labels) > 2 and labels[0] in _SITE_LABELS:
        labels = labels[1:]
    keep = 3 if len(labels) > 2 and labels[-2] in _SECOND_LEVELS and len(labels[-1]) == 2 else 2
    return ".".join(labels[-keep:])


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], dict[str, str]]:
    names = {
        alias: name
        for name, aliases in AGENCIES.items()
        for alias in (name, *aliases)
        if not _HOST.match(alias)
    }
    ordered = sorted(names, key=len, reverse=True)
    in_text = "|".join(re.escape(alias) for alias in ordered if alias not in _RATINGS)
    # Short aliases are case-sensitive: Ani, Sana and pa are no agencies.
    as_author = "|".join(
        f"(?i:{re.escape(alias)})" if len(alias) > _SHORT_ALIAS else re.escape(alias)
        for alias in ordered
    )
    head = re.compile(
        rf"^.{{0,60}}?(?:\((?:[^()]{{1,20}}[/, ] ?)?({in_text})(?:[/, ][^()]{{1,20}})?\)"
        rf"|/({in_text})/|[—–-] ?({in_text})[.:]"
        rf"|^({in_text})(?: ?[—–:]|\s-\s))|^({in_text})[^\s,.]{{2,6}}\d{{1,2}}月\d{{1,2}}日电"
    )
    tail = re.compile(rf"(?:[—–|(/]\s*|\s-\s)({in_text})\s*[)/.]?\s*$")
    author = re.compile(
        rf"(?:^|[,;/|(&–-]\s*|\b(?i:by|von|par|por|from|with|and)\s+)({as_author})"
        r"(?=$|\s*[,;/|)&]|\s+(?i:and|with|in)\b)"
    )
    return head, tail, author, {folded_key(alias): name for alias, name in names.items()}


def credited_agency(author: str, title: str, summary: str) -> str:
    """Return the agency that an entry is credited to, empty for none.

    A credit is in the author, at either end of the summary, or at the end of the headline.
    """
    head, tail, by_author, names = _patterns()
    for credit in (
        by_author.search(author) if author else None,
        head.search(summary[:_HEAD_LENGTH]),
        tail.search(summary[-_TAIL_LENGTH:]),
        tail.search(title[-_TAIL_LENGTH:]),
    ):
        if credit:
            return names[folded_key(next(group for group in credit.groups() if group))]
    return ""
