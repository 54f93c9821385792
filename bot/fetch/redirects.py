"""Where a redirect leads, read as browsers do, and the cookies of one fetch. Fetches nothing.

A Location with blanks, backslashes or raw bytes is no URL by RFC 3986, but each has one meaning in
the URL standard of the WHATWG. What comes out is checked by `url_guard` like any other address.
"""

import re

from aiohttp import CookieJar
from multidict import CIMultiDictProxy
from yarl import URL

COOKIE_LENGTH = 8190  #: bytes of cookies that are sent back; curl and servers take no more
_STRIPPED = bytes(range(0x21))
_DROPPED = re.compile(rb"[\t\r\n]")
_ESCAPED = re.compile(rb"[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x5f\x61-\x7e]")  # also " < > \ `
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = frozenset({"http", "https"})


def resolve_location(base: URL, location: str) -> str:
    """Return the address that a Location means, seen from the address that gave it.

    Bytes that are not UTF-8 are surrogates in `location`. Raises ValueError where it means none.
    """
    raw = location.encode("utf-8", "surrogateescape").strip(_STRIPPED)
    raw = _DROPPED.sub(b"", raw).partition(b"#")[0]
    path, mark, query = raw.partition(b"?")
    scheme = _SCHEME.match(path.decode("ascii", "replace"))
    if scheme and scheme[1].lower() not in _WEB:
        return _escape(raw)  # refused later, in the words of the guard
    path = path.replace(b"\\", b"/")
    name = base.scheme
    if scheme:
        name, path = scheme[1].lower(), path[scheme.end() :]
        if name != base.scheme and not path.startswith(b"//"):
            path = b"//" + path
    if not path.startswith(b"//"):
        return str(base.join(URL(_escape(path + mark + query), encoded=True)))
    authority, slash, path = path.lstrip(b"/").partition(b"/")
    host = authority.decode("utf-8")
    if not host.isascii():
        host = URL(f"{name}://{host}/").raw_authority  # as IDNA writes it
    return f"{name}://{host if '@' in host else host.lower()}" + _escape(
        (slash or b"/") + path + mark + query
    )


def _escape(raw: bytes) -> str:
    return _ESCAPED.sub(lambda match: b"%%%02X" % match[0][0], raw).decode("ascii")


class FetchCookies:
    """The cookies of one fetch: each goes back to the host that set it, and to no other.

    Some sites send a reader through a check that sets a cookie, and back. Nothing is kept when the
    fetch ends.
    """

    def __init__(self) -> None:
        self._jars: dict[str, CookieJar] = {}

    def take(self, url: URL, headers: CIMultiDictProxy[str]) -> None:
        """Keep what the host of this address sets."""
        cookies = headers.getall("Set-Cookie", ())
        if cookies:
            # One jar a host: none reaches another one, not even of the same domain.
            jar = self._jars.setdefault(url.raw_host or "", CookieJar(unsafe=True))
            jar.update_cookies_from_headers(list(cookies), url)

    def header(self, url: URL) -> str:
        """Return the Cookie header of a request to this address; empty where there is none."""
        jar = self._jars.get(url.raw_host or "")
        if jar is None:
            return ""
        pairs = [
            pair
            for name, morsel in jar.filter_cookies(url).items()
            if (pair := f"{name}={morsel.coded_value}").isprintable()
        ]
        while pairs and len("; ".join(pairs).encode()) > COOKIE_LENGTH:
            pairs.pop()
        return "; ".join(pairs)
