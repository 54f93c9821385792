"""Publishers and agencies as they were when migration m003 was written. Frozen: never change it.

The migration writes whom stored entries count for. What it writes must not depend on the tables of
`bot.stories.publishers`, which change from version to version. Names are folded by today's code:
it compares what it folds with what the migration wrote.
"""

import re

from bot.text.fold import folded_key

_AGENCIES: dict[str, tuple[str, ...]] = {
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
_PUBLISHER_GROUPS: dict[str, tuple[str, ...]] = {
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
_SUBDOMAINS = frozenset("www feeds feed rss news m edition rssfeeds feedproxy rss2 newsrss".split())
_SECOND_LEVELS = frozenset("co com org net gov ac edu or ne go gob".split())
_HOST = re.compile(r"^[a-z0-9-]+(?:\.[a-z0-9-]+)+$", re.IGNORECASE)


def publisher_group(publisher: str) -> str:
    """Return the key of a publisher, or of the host of its site; never empty."""
    name = _folded(publisher)
    return _KEYS.get(name, name) or "?"


def _folded(name: str) -> str:
    """A name folded, as today's code folds it; a host without the labels of a site's parts."""
    name = name.strip()
    if not _HOST.match(name):
        return folded_key(name) or name.casefold()
    labels = name.casefold().split(".")
    while len(labels) > 2 and labels[0] in _SUBDOMAINS:
        labels = labels[1:]
    three = len(labels) > 2 and labels[-2] in _SECOND_LEVELS and len(labels[-1]) == 2
    return ".".join(labels[-3 if three else -2 :])


_KEYS = {
    _folded(alias): folded_key(name)
    for table in (_PUBLISHER_GROUPS, _AGENCIES)
    for name, aliases in table.items()
    for alias in (name, *aliases)
}
