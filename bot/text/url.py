"""Links: which are safe to show, and their canonical form. Not fetching, not redirects."""

import re
from datetime import date
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

import idna

from bot.text.clean import encodable

_TRACKING_PREFIXES = (
    "utm_",
    "at_",
    "mc_",
    "pk_",
    "hsa_",
    "ns_",
    "wt_",
    "sc_",
    "itm_",
    "trk_",
    "vero_",
    "__twitter",
    "cmpid",
    "icid",
)
_TRACKING = frozenset(
    "ref ref_src referrer fbclid gclid dclid gbraid wbraid msclkid yclid igshid xtor cmp ftag smid "
    "ocid ito ncid sr_share taid traffic_source maca s_cid guccounter rssfeed fb_ref soc_src "
    "soc_trk mkt_tok int_source int_medium int_campaign _hsenc _hsmi spm".split()
)
_ARTICLE = re.compile(r"(?<![0-9])([0-9]{6,14})(?![0-9])")
# A link of which a glance shows that it leads to a page: most do.
_PAGE = re.compile(r"https?://[A-Za-z0-9.-]+/+[A-Za-z0-9_-]")
_SIX_DIGITS = re.compile("[0-9]{6}")
_WWW = re.compile(r"^(?:www\.)+")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.~-]*")
# Spaces, what does not belong into a URL, and what is invisible or reorders the text beside it.
_CONTROL = re.compile(
    '[\x00-\x20\x7f-\xa0\xad<>"\\\\^`{|}\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f'
    "\u3000\ufeff\ufff0-\uffff]"
)
_LONGEST = 2048  # characters of a link
# A link as most are. The path has no empty parts, and what is in it means only itself.
_PLAIN_LINK = re.compile(
    r"https?://(?P<host>(?:[a-z0-9-]+\.)+[a-z]{2,})(?P<path>(?:/[A-Za-z0-9._~-]+)*/?)"
    r"(?P<query>\?[A-Za-z0-9._~&=%+:/-]+)?"
)
# Host and port of an address as most are: no user, no final dot, no port that goes without saying.
_PLAIN_HOST = re.compile(
    r"https?://((?:[a-z0-9_-]+\.)*[a-z0-9_-]+(?::(?!(?:80|443)(?![0-9]))[0-9]+)?)(?:[/?#]|\Z)"
)


@lru_cache(maxsize=256)
def _plain(link: str) -> tuple[str, str, str] | None:
    """Host, path and query with its sign of a link in which nothing has to be looked at twice."""
    parts = _PLAIN_LINK.fullmatch(link) if len(link) <= _LONGEST else None
    return (parts["host"], parts["path"], parts["query"] or "") if parts else None


def is_plain_link(link: str) -> bool:
    """Whether a link is whole, safe, and the same in any relation."""
    return _plain(link) is not None


@lru_cache(maxsize=256)
def _split(link: str) -> SplitResult | None:
    if len(link) > 4 * _LONGEST:
        return None
    try:
        parts = urlsplit(link.strip())
        _ = parts.port  # raises where the port is no number
    except ValueError:
        return None
    return (
        parts
        if parts.scheme in {"http", "https"}
        and parts.hostname
        and not _CONTROL.search(parts.hostname)
        and parts.hostname.isprintable()
        else None
    )


def safe_link(link: str) -> str:
    """Return an absolute http(s) link, with spaces and control characters escaped, else empty."""
    if is_plain_link(link):
        return link
    link = encodable(link)
    parts = _split(link)
    if parts is None or "\\" in parts.netloc or "@" in parts.netloc:
        return ""
    clean = _CONTROL.sub(lambda match: quote(match.group()), link.strip())
    return clean if len(clean) <= _LONGEST else ""


def canonical(link: str) -> str:
    """Return the canonical form of a link, for keys only: it is never shown or fetched.

    It has no scheme, `www.`, tracking parameters, fragment or trailing slash. Idempotent; empty if
    the link is not http(s).
    """
    if (plain := _plain(link)) and not plain[2]:
        return f"//{_WWW.sub('', plain[0])}{plain[1].rstrip('/')}"
    if link.startswith("//"):
        link = "https:" + link
    parts = _split(encodable(link))
    if parts is None:
        return ""
    host = _WWW.sub("", parts.hostname or "").rstrip(".")
    if not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    path = parts.path
    if not _PLAIN_PATH.fullmatch(path):
        path = quote(
            unquote(path, errors="surrogateescape"),
            safe="/:@!$&'()*+,;=~-._",
            errors="surrogateescape",
        )
    path = re.sub(r"/{2,}", "/", path).rstrip("/") if path.endswith("/") or "//" in path else path
    query = urlencode(sorted(_significant_parameters(parts.query))) if parts.query else ""
    # A fragment that is a path ("#!/story/1") names the page; any other is a position on it.
    fragment = parts.fragment if parts.fragment.startswith(("!", "/")) else ""
    return urlunsplit(("", host + port, path, query, fragment.rstrip("/")))


def _significant_parameters(query: str) -> list[tuple[str, str]]:
    """The parameters that are not for tracking."""
    return [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name.lower() not in _TRACKING and not name.lower().startswith(_TRACKING_PREFIXES)
    ]


def names_page(link: str) -> bool:
    """Whether a link leads to a page other than the front page of its site."""
    if _PAGE.match(link) and len(link) <= _LONGEST:
        return True
    parts = _split(link)
    return parts is not None and bool(parts.path.strip("/") or parts.query)


def display_link(link: str) -> str:
    """Return the link without tracking parameters, to be shown and opened."""
    parts = _split(link) if "?" in link else None
    if parts is None or not parts.query:
        return link
    parameters = [
        pair
        for pair in parts.query.split("&")
        if not pair.partition("=")[0].lower().startswith(("utm_", "at_", "fbclid", "gclid", "xtor"))
    ]
    fragment = "" if parts.fragment.lower().startswith("xtor") else parts.fragment
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(parameters), fragment))


def host(link: str) -> str:
    """Return the host of a link without `www.`, in ASCII (IDNA); empty if there is none."""
    parts = _split(link)
    if parts is None:
        return ""
    name = (parts.hostname or "").removeprefix("www.")
    try:
        return name.encode("idna").decode("ascii") if not name.isascii() else name
    except UnicodeError:
        return ""


def ascii_host(name: str) -> str:
    """Return a host name as ASCII (IDNA, as browsers read it); unchanged where it is no such name.

    For comparisons: addresses are written in both forms.
    """
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return name


def article_number(link: str) -> str:
    """Return host and last number of six or more digits in the path; empty if there is none.

    Many sites keep that number while the slug changes. Dates are no article numbers.
    """
    if plain := _plain(link):
        name, path = plain[0].removeprefix("www."), plain[1]
    elif parts := _split(link):
        name, path = host(link), parts.path
    else:
        return ""
    if not _SIX_DIGITS.search(path):
        return ""
    for digits in reversed(_ARTICLE.findall(path)):
        if not _is_date(digits):
            return f"{name}#{digits}"
    return ""


def _is_date(digits: str) -> bool:
    if len(digits) not in {6, 8}:
        return False
    year, month, day = (int(digits[:4]), int(digits[4:6]), int(digits[6:] or 1))
    try:
        return 1990 <= date(year, month, day).year <= 2100
    except ValueError:
        return False


def host_and_port(url: str) -> str:
    """Return host and port: requests to it are made in turn, and wait for its Retry-After."""
    if plain := _PLAIN_HOST.match(url):
        return plain[1]
    parts = urlsplit(url)
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(usual)
    return host.removesuffix(".").replace(".:", ":")  # a name with its final dot is the same
