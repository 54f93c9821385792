"""What a person means who asks for an article: addresses and headlines in a text. Pure.

For questions only: which entry an entry is, is decided by its keys alone (`parse.entry_keys`).
Nothing is fetched; an address is unwrapped where the text holds it. Looking them up is `found`'s.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from bot.text.channel_link import post_link
from bot.text.clean import plain
from bot.text.fold import words
from bot.text.url import article_number, ascii_host, canonical

LENGTH = 4096  #: characters of a text that are looked at
LINKS = 8  #: addresses of a text that are looked for
HEADLINES = 12  #: headlines that a text may hold
WORDS = 3  #: words that a part of a headline has at least
_LETTERS = 8  # and its letters and digits
_SHORT_NUMBER = 6  # digits
_DEPTH = 4  # addresses within addresses
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_ESCAPED_SCHEME = re.compile(r"https?(?:%3a|:)(?:%2f|/){1,2}", re.IGNORECASE)
_BREAKS = re.compile(r"[\s<>\"“”„«»|]+")
_LABEL = re.compile(r"[^\W_](?:[\w-]*\w)?")
_TRAILING = ".,;:!?'’‘*_~`…›"
_BRACKETS = {")": "(", "]": "[", "}": "{"}

# Hosts that show the same pages, for telephones. `www` is no part of a canonical address.
_MOBILE = frozenset(("m", "mobile", "amp", "touch", "wap"))
_SHARED = frozenset(
    "share shared share_id shareid sharetoken sharetype source src from via rss partner si feature "
    "smtyp mod reflink st sfnsn mibextid extid rdid fs wprov emc campaign origin cid trackingid "
    "unlocked_article_code giftcopy gift embed usqp amp amp_js_v amp_gsa aoh csi outputtype "
    "output outputamp mobile print smid s sh _ga _gl".split()
)
_TARGETS = frozenset(
    "url u q target to dest destination redirect redirect_url redirect_uri goto out link href "
    "adurl murl text body".split()
)
# Parameters that name where somebody came from or goes next, not what the address leads to.
_REFERRERS = frozenset(
    "ref referrer referer source src from via origin next return returnurl return_url "
    "return_to utm_source".split()
)
_EXTENSIONS = re.compile(r"(?:[.-]amp)?\.(?:html?|php|aspx?|jsp)$|\.amp$")
_INDEX = frozenset(("index.html", "index.htm", "index.php", "amp.html"))
# What outlets are called besides their name.
_GENERIC = frozenset("the a news online com org net www daily official site".split())
_LONG_NUMBER = re.compile(r"\d{5}")
_PIECES = re.compile(r"\s+[-–—|·•/:»›]\s+|\s*[|•]\s*|\s+via\s+", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)[\"“„«‘']([^\"“”„«»‘]{8,300})[\"”“»’'](?!\w)")
_CUT = re.compile(r"(?:…|\.\.\.)[\s\"”»]*$")
_SPACES = re.compile(r"[^\S\n]+")
_NO_QUERY = re.compile(r"[^\w\s.,'’-]+")


@dataclass(frozen=True, slots=True)
class Headline:
    """What may be a headline, or the beginning of one."""

    text: str
    rest: str = ""  #: what stood beside it, and has to name the site: "Headline | Site"
    is_cut: bool = False  #: it ends within a word, perhaps
    is_quoted: bool = False  #: it stood in quotes within a text, as other words may

    @property
    def words(self) -> tuple[str, ...]:
        """The folded words, without the last one where that may be half a word."""
        folded = tuple(word.folded for word in words(self.text))
        return folded[:-1] if self.is_cut else folded

    @property
    def sought(self) -> str:
        """What the folded words of its headline have, with a space before each and at the end."""
        folded = " ".join(word.folded for word in words(self.text))
        before = _CUT.sub("", self.text) if self.is_cut else ""
        return f" {folded}" if before and not before[-1:].isspace() else f" {folded} "

    @property
    def is_part(self) -> bool:
        """Whether it is long enough to be looked for within headlines."""
        return (
            not self.is_quoted
            and len(self.words) >= WORDS
            and sum(map(len, self.words)) >= _LETTERS
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text asks for: the likeliest first."""

    text: str  #: all of it, as one line
    links: tuple[str, ...]  #: with scheme; what an address wraps follows it
    headlines: tuple[Headline, ...]
    is_link: bool  #: an address was meant, whatever stands around it
    target: str = ""  #: where the first of them leads, as far as it says


def read(text: str) -> Asked:
    """Return what a text asks for."""
    lines_of_text = [plain(line) for line in text[:LENGTH].splitlines()]
    text = " ".join(filter(None, lines_of_text))
    found: list[str] = []
    rest: list[str] = []
    is_link = False
    for line in lines_of_text:
        others = []
        for token in _BREAKS.split(line):
            link, before = _link_in(token)
            if link and len(found) < LINKS:
                found.append(post_link(link) or link)
                is_link = is_link or bool(_ESCAPED_SCHEME.search(token)) or token == text
                others.append(before)
        rest.append(_without_links(line, others) if others else line)
    unwrapped = [(link, *islice(_unwrapped(link, _DEPTH), LINKS)) for link in found]
    links = dict.fromkeys(link for inner in unwrapped for link in inner)
    lines = [line for line in rest if line]
    return Asked(
        text,
        tuple(links)[:LINKS],
        tuple(dict.fromkeys(_headlines(lines, least=2 if found else 1)))[:HEADLINES],
        is_link or "://" in text,
        unwrapped[0][-1] if unwrapped else text,
    )


# Addresses


def _link_in(token: str) -> tuple[str, str]:
    """The address within a token of a text, and what comes before it; empty for none."""
    scheme = _SCHEME.search(token)
    if scheme is None and (escaped := _ESCAPED_SCHEME.match(token)) and "%" in escaped.group():
        token = unquote(token)
        scheme = _SCHEME.match(token)
    if scheme is not None:
        return _trimmed(token[scheme.start() :]), token[: scheme.start()]
    token = _trimmed(token.lstrip("('‘*_~`[{/"))
    host, slash, path = token.partition("/")
    labels = host.partition(":")[0].split(".")
    if (
        slash
        and path
        and len(labels) > 1
        and len(labels[-1]) > 1
        and not labels[-1].isdecimal()
        and all(_LABEL.fullmatch(label) for label in labels)
    ):
        return f"https://{token}", ""
    return "", ""


def _trimmed(token: str) -> str:
    """An address without the punctuation of the text around it."""
    while token:
        last = token[-1]
        if last not in _TRAILING and not (
            last in _BRACKETS and token.count(last) > token.count(_BRACKETS[last])
        ):
            break
        token = token[:-1]
    return html.unescape(token) if "&amp;" in token else token


def _without_links(line: str, before: Sequence[str]) -> str:
    """A line without the tokens that hold an address; what stood before an address in one stays."""
    kept = []
    position = 0
    remaining = list(before)
    for match in (*_BREAKS.finditer(line), None):
        end = match.start() if match else len(line)
        token = line[position:end]
        kept.append((remaining.pop(0) if remaining else "") if _link_in(token)[0] else token)
        if match:
            kept.append(match.group())
            position = match.end()
    return _SPACES.sub(" ", "".join(kept)).strip(" -–—:|([*_")


def _unwrapped(link: str, depth: int) -> Iterator[str]:
    """The addresses that an address holds: those of redirectors, share links and AMP caches."""
    if depth == 0:
        return
    for inner in _inner(link):
        yield inner
        yield from _unwrapped(inner, depth - 1)


def _inner(link: str) -> Iterator[str]:
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").lower()
    except ValueError:
        return
    path = parts.path
    yield from _behind_cache(host, path)
    if (embedded := _ESCAPED_SCHEME.search(path)) is not None:
        target = unquote(path[embedded.start() :])
        query = f"?{parts.query}" if parts.query else ""
        if path[: embedded.start()].endswith("__"):  # urldefense: …/__TARGET__;marks
            target, query = target.partition("__;")[0], ""
        yield from _address(re.sub(r"^(https?:)/+", r"\1//", target, flags=re.IGNORECASE) + query)
        return
    is_page = is_article(path)  # then only what is called a target is one
    if not is_page:
        yield from _address(parts.query)
    for name, value in _parameters(parts.query):
        if name.lower() in _TARGETS or not (is_page or name.lower() in _REFERRERS):
            yield from _target(host, value)


def _target(host: str, value: str) -> Iterator[str]:
    """The address in a parameter, in any of the usual disguises."""
    if host.endswith("urldefense.proofpoint.com"):
        value = value.replace("_", "/").replace("-", "%")
    elif host.endswith("bing.com") and value.startswith("a1"):
        value = _from_base64(value[2:])
    for _ in range(2):
        if _SCHEME.search(value):
            break
        value = unquote(value)
    if (scheme := _SCHEME.search(value)) is not None:
        yield from _address(_BREAKS.split(value[scheme.start() :])[0])


def _behind_cache(host: str, path: str) -> Iterator[str]:
    """What a cache of AMP pages, a turbo page or a translator of pages shows."""
    segments = path.split("/")[1:]
    if host.endswith(".translate.goog"):
        name = host.removesuffix(".translate.goog")
        name = name.replace("--", "\0").replace("-", ".").replace("\0", "-")
        yield f"https://{name}{path}"
    elif host.endswith((".turbopages.org", "cdn.ampproject.org", ".bing-amp.com")) or (
        segments[:1] in (["amp"], ["turbo"]) and {"google", "yandex"} & set(host.split("."))
    ):
        while segments and "." not in segments[0]:
            segments = segments[1:]
        if segments[1:2] == ["s"] and "turbopages" in host:
            segments = [segments[0], *segments[2:]]
        if len(segments) > 1:
            yield f"https://{'/'.join(segments)}"


def _address(text: str) -> Iterator[str]:
    """The text, where it is an address itself."""
    if _SCHEME.match(text) and "." in text:
        yield _trimmed(text)


def _from_base64(value: str) -> str:
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("utf-8")
    except (binascii.Error, ValueError):
        return ""


def _parameters(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return []


def is_article(path: str) -> bool:
    """Whether a path says by itself which article it leads to: by words, or by a number."""
    segments = [segment for segment in path.split("/") if segment]
    return any(
        len(re.split(r"[-_+]|%20", _EXTENSIONS.sub("", segment))) > 3
        or _LONG_NUMBER.search(segment)
        or (len(segment) >= 8 and segment.isalnum() and not segment.isalpha())
        for segment in segments[-3:]
    )


@dataclass(frozen=True, slots=True)
class Page:
    """What an address says of its page, without the ways to show it."""

    site: str  #: the host in ASCII, without `www`, `m` and the like
    segments: tuple[str, ...]  #: of the path, without extension and what asks for AMP
    parameters: frozenset[tuple[str, str]]  #: without tracking and sharing


def page_of(link: str) -> Page | None:
    """Return the page of an address; None where it is none."""
    address = canonical(link)
    if not address:
        return None
    parts = urlsplit(address)
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    if segments and segments[-1].lower() in _INDEX:
        segments = segments[:-1]
    if len(segments) > 1:
        segments = [segment for segment in segments if segment.lower() != "amp"]
    if segments:
        segments[-1] = _EXTENSIONS.sub("", segments[-1])
    parameters = frozenset(
        (name.lower(), value)
        for name, value in _parameters(parts.query)
        if name.lower() not in _SHARED
    )
    port = f":{parts.port}" if parts.port else ""
    return Page(f"{_site(parts.hostname or '')}{port}", tuple(segments), parameters)


def _site(host: str) -> str:
    labels = ascii_host(host).split(".")
    kept = [label for label in labels[:-2] if label not in _MOBILE and label != "www"]
    return ".".join((*kept, *labels[-2:]))


def is_same_page(link: str, other: str) -> bool:
    """Whether two addresses lead to one page, as far as they say."""
    page, stored = page_of(link), page_of(other)
    if page is None or stored is None or page.site != stored.site:
        return False
    if _lower(page.segments) != _lower(stored.segments):
        return bool(page.segments) and _has_same_number(page, stored)
    values, known = dict(page.parameters), dict(stored.parameters)
    if any(values[name] != known[name] for name in values.keys() & known.keys()):
        return False
    if is_article("/".join(page.segments)):
        return True
    # Elsewhere a number in a parameter may be what tells one article from another.
    differing = page.parameters ^ stored.parameters
    return bool(page.segments or page.parameters & stored.parameters) and not any(
        any(map(str.isdecimal, value)) for _, value in differing
    )


def _lower(segments: Sequence[str]) -> list[str]:
    """Segments in lower case where they are words; a short code may differ in case alone."""
    return [segment.lower() if len(segment.split("-")) > 2 else segment for segment in segments]


def _has_same_number(page: Page, other: Page) -> bool:
    """Whether two paths of a site have one article number, and like words or one place.

    A short or a round number may be one that the article speaks of.
    """
    number = _number(page)
    if not number or number != _number(other):
        return False
    last, known = page.segments[-1], other.segments[-1]
    slug, words_of_other = _slug_words(last), _slug_words(known)
    if slug and 2 * len(slug & words_of_other) > max(len(slug), len(words_of_other)):
        return True
    is_an_id = len(number) > _SHORT_NUMBER and not number.endswith("000")
    in_place = page.segments[:-1] == other.segments[:-1] and number in last and number in known
    return is_an_id and in_place


def _number(page: Page) -> str:
    path = quote("/".join(page.segments))
    return article_number(f"https://site/{path}").partition("#")[2]


def marks_of(link: str) -> tuple[str, ...]:
    """Return what the unescaped address of the page of a link has in it, in lower case: any of it.

    A quick check before `is_same_page`.
    """
    page = page_of(link)
    if page is None:
        return ()
    if page.segments:
        return tuple(filter(None, (page.segments[-1].lower(), _number(page))))
    return tuple(value.lower() for _, value in page.parameters)


def _slug_words(segment: str) -> frozenset[str]:
    return frozenset(word.folded for word in words(segment) if word.folded.isalpha())


def variants(link: str) -> tuple[str, ...]:
    """Return addresses in canonical form that lead to the page of this one, itself first."""
    address = canonical(link)
    page = page_of(link)
    if not address or page is None:
        return ()
    parts = urlsplit(address)
    hosts = [parts.netloc, *(f"{label}{page.site}" for label in ("", "m.", "amp.", "mobile."))]
    if "xn--" in page.site:
        with suppress(UnicodeError):
            hosts.append(page.site.encode("ascii").decode("idna"))
    path = "".join(f"/{quote(segment)}" for segment in page.segments)
    written = parts.path.removesuffix("/amp").replace("/amp/", "/", 1)
    paths = [parts.path, written, path, f"{path}.html", f"{path}/amp", f"/amp{path}"]
    if path != path.lower() and page.segments and len(page.segments[-1].split("-")) > 2:
        paths += [path.lower(), f"{path.lower()}.html"]
    queries = [parts.query, urlencode(sorted(_kept(parts.query)))]
    if is_article(path):
        queries.append("")
    return tuple(
        dict.fromkeys(
            (
                address,
                *(
                    canonical(f"https://{host}{path}{f'?{query}' if query else ''}")
                    for host in hosts
                    for path in paths
                    for query in queries
                ),
            )
        )
    )


def _kept(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in _parameters(query) if name.lower() not in _SHARED]


def written_forms(link: str) -> tuple[str, ...]:
    """Return an address as guids have it: without scheme, with and without `www`."""
    address = link.partition("://")[2].rstrip("/")
    bare = address.removeprefix("www.")
    return tuple(dict.fromkeys((address, bare, f"www.{bare}")))


def slug_words(link: str) -> tuple[str, ...]:
    """Return words in the path of an address that its headline may have; empty for too few."""
    page = page_of(link)
    if page is None:
        return ()
    slugs = [
        [word.folded for word in words(segment.replace("_", "-")) if word.folded.isalpha()]
        for segment in page.segments
    ]
    longest = max(slugs, key=len, default=[])
    chosen = sorted((word for word in longest if len(word) > 3), key=len, reverse=True)[:3]
    return tuple(chosen) if len(chosen) > 1 else ()


# Headlines


def _headlines(lines: Sequence[str], least: int) -> Iterator[Headline]:
    """What a text may have for headlines, each of at least so many words."""
    whole = " ".join(lines)
    usable = [
        text
        for text in dict.fromkeys((whole, *lines))
        if len(text.split()) >= (least if text == whole else max(least, 2))
    ][:4]
    for text in usable:
        yield Headline(text, is_cut=bool(_CUT.search(text)))
    for quoted in _QUOTED.findall(whole)[:4]:
        if len(quoted.split()) > 1:
            yield Headline(quoted.strip(), is_quoted=True)
    for text in usable:
        ends = [(match.start(), match.end()) for match in _PIECES.finditer(text)]
        for start, end in (*reversed(ends[-3:]), *ends[:1]):
            before, after = text[:start].strip(), text[end:].strip()
            # The site stands behind the headline or, less often, before it.
            for title, site in ((before, after), (after, before)):
                if title and site and len(site) < len(title):
                    yield Headline(title, site, is_cut=bool(_CUT.search(title)))


def names_site(rest: str, *names: str) -> bool:
    """Whether what stands beside a headline names its site, by one of the site's names.

    Of several pieces ("Section | Site") the last or the first has to.
    """
    pieces = [piece.strip(" @") for piece in _PIECES.split(rest)]
    known = [[word.folded for word in words(name.replace(".", " "))] for name in names]
    for piece in {pieces[0], pieces[-1]}:
        called = [word.folded for word in words(piece) if word.folded not in _GENERIC]
        compact = "".join(called)
        if len(compact) > 3 and any(compact in "".join(name) for name in known):
            return True
        if called and any(set(called) <= set(name) for name in known):
            return True
    return False


def phrase(text: str, *, is_cut: bool = False) -> str:
    """Return a text as a quoted phrase of a query, without the last word where that is cut off."""
    parts = _NO_QUERY.sub(" ", text).split()
    return f'"{" ".join((parts[:-1] if is_cut else parts)[:16])}"'
