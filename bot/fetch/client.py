"""Fetch a feed over HTTP with aiohttp: conditional, checked, bounded in time and size.

Every result is an outcome, never an exception. At most ten redirects are followed, each after
another check of its address. Cookies last for one fetch and go to the host that set them only;
referrers and proxies of the environment are not used.
Credentials are sent only to the host they are for, validators to the address they came from.
"""

import asyncio
import errno
import resource
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from typing import Any, TypeVar

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver
from multidict import CIMultiDict
from yarl import URL

from bot.errors import AddressError
from bot.feeds.yielding import AT_ONCE, LoopTurns
from bot.fetch.body import GZIP, TooLarge, Undecodable, decode
from bot.fetch.connection import UNREACHABLE_PROXY, ProxyFailed
from bot.fetch.headers import freshness
from bot.fetch.redirects import FetchCookies, resolve_location
from bot.fetch.response_rewriter import MalformedResponseError
from bot.fetch.routes import CONNECT, KEPT, UNKNOWN_NAME, Routes, open_routes
from bot.fetch.url_guard import NOT_PUBLIC, URL_LENGTH, UrlGuard
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchOutcome, FetchRequest, NotModified
from bot.ports import Clock
from bot.text.clean import label

T = TypeVar("T")

log = structlog.stdlib.get_logger("newsbell.poller")

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "text/xml;q=0.8, */*;q=0.1"
)
REDIRECTS = 10
CIRCLES = 2  #: times that a redirect may lead to what was asked before: some sites relent
REDIRECT_LENGTH = 8192  #: characters of an address that a redirect leads to
KEPT_HOSTS = 200  #: hosts to which connections are kept
REDIRECTED_FEEDS = 20_000  #: feeds of which it is known which address gave their validators
_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE})
_PERMANENT = frozenset({301, 308})
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
DECODED = 3  #: bodies that are decoded before other tasks get their turn
_OFF_LOOP = 64 * 1024  # bytes of a body above which it is decoded in a thread
_PAGE = 20_000  # bytes of an error page that are read
_PAGE_WAIT = 2.0  # seconds to wait for an error page: its headers are what matters
_CHALLENGE_MARKERS = (
    b"just a moment",
    b"cf-chl",
    b"challenge-platform",
    b"attention required",
    b"ddos-guard",
    b"captcha",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a fetch."""

    deadline: timedelta = timedelta(seconds=30)
    body: int = 10 * 1024 * 1024  #: decoded bytes
    connections: int = 200


class Client:
    """Implements `ports.Fetcher` and `ports.Caller`. Opened by `open_client`."""

    def __init__(
        self,
        routes: Routes,
        url_guard: UrlGuard,
        limits: Limits,
        clock: Clock,
        agent: str,
        *,
        discreet: bool,
    ) -> None:
        self._routes, self._discreet = routes, discreet
        self._recent: OrderedDict[str, float] = OrderedDict()  # hosts asked within KEPT
        self._url_guard = url_guard
        self._limits = limits
        self._clock = clock
        self._answered, self._decoding = LoopTurns(AT_ONCE), LoopTurns(DECODED)
        self._agent = agent
        # Address of a feed to the address that redirects led to, which gave the validators; hashes
        # of them, which take a tenth of the memory.
        self._validated: OrderedDict[int, int] = OrderedDict()

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        """Do a conditional GET within the deadline."""
        return await self._within_deadline(self._follow(request))

    async def call(
        self, url: str, body: str | None = None, form: Mapping[str, str] | None = None
    ) -> FetchFailed | None:
        """Call an address once within the deadline: GET, or POST with this body or form.

        What it answers is not read; a redirect is a failure.
        """
        if form is not None:
            return await self._within_deadline(self._call(url, aiohttp.FormData(dict(form))))
        content = None if body is None else body.encode()
        return await self._within_deadline(self._call(url, content))

    async def _call(
        self, address: str, content: bytes | aiohttp.FormData | None
    ) -> FetchFailed | None:
        url = self._url_guard.parse(address)
        route = await self._routes.to(url)
        async with route.session.request(
            "GET" if content is None else "POST",
            url,
            data=content,
            headers={"User-Agent": self._agent, "Connection": "close"},
            allow_redirects=False,
            proxy=route.proxy,
        ) as response:
            if 200 <= response.status < 300:
                return None
            return FetchFailed(*_failure(response.status, is_challenge=False))

    async def _within_deadline(self, work: Coroutine[Any, Any, T | FetchFailed]) -> T | FetchFailed:
        """Return what came of a request; whatever goes wrong with it is a failure."""
        try:
            async with asyncio.timeout(self._limits.deadline.total_seconds()):
                return await work
        except aiohttp.ConnectionTimeoutError:
            return FetchFailed(Failure.TIMEOUT, f"No connection within {CONNECT:.0f} seconds.")
        except TimeoutError:
            return FetchFailed(
                Failure.TIMEOUT,
                f"No complete answer within {self._limits.deadline.total_seconds():.0f} seconds.",
            )
        except AddressError as error:
            return FetchFailed(Failure(error.failure or Failure.PRIVATE), str(error))
        except aiohttp.ClientConnectorCertificateError as error:
            return FetchFailed(
                Failure.TLS, f"The site's certificate is not valid: {_certificate_problem(error)}."
            )
        except (aiohttp.ClientConnectorDNSError, aiohttp.ClientConnectorError) as error:
            return _unreachable(error, discreet=self._discreet)
        except TooLarge:
            return FetchFailed(
                Failure.TOO_LARGE,
                f"The feed is larger than {self._limits.body // 1024 // 1024} MiB.",
            )
        except Undecodable as error:
            return FetchFailed(Failure.ENCODING, f"The answer cannot be decompressed: {error}.")
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            return _broken(error)

    async def _follow(self, request: FetchRequest) -> FetchOutcome:
        url = self._url_guard.parse(request.url)
        start = url
        permanent = True
        cookies = FetchCookies()
        requests: list[tuple[URL, str]] = []
        for _ in range(REDIRECTS + 1):
            conditional = bool(request.etag or request.last_modified) and hash(
                url
            ) == self._validated.get(hash(start), hash(start))
            headers = self._headers(
                request, trusted=_same_site(start, url), conditional=conditional
            )
            if cookie := cookies.header(url):
                headers["Cookie"] = "; ".join(filter(None, (headers.get("Cookie"), cookie)))
            requests.append((url, cookie))
            if requests.count((url, cookie)) > CIRCLES:
                return FetchFailed(Failure.REDIRECT, "The site redirects in a circle.")
            is_kept = self._is_kept(url.authority)
            if not is_kept:
                headers["Connection"] = "close"
            route = await self._routes.to(url)
            async with route.session.get(
                url, headers=headers, allow_redirects=False, proxy=route.proxy
            ) as response:
                if not is_kept and response.connection and response.connection.protocol:
                    response.connection.protocol.force_close()
                location = response.headers.get("Location", "").strip()
                cookies.take(url, response.headers)
                if response.status not in _REDIRECTED or not location:
                    moved = (
                        str(url)
                        if permanent and _can_adopt(start, url, secret=bool(request.headers))
                        else None
                    )
                    outcome = await self._read(
                        response, moved, request.known, conditional=conditional
                    )
                    self._remember(start, url, outcome)
                    return outcome
                permanent = permanent and response.status in _PERMANENT
                url = self._redirected(url, location)
            if request.refuses and (refused := await request.refuses(str(url))):
                return refused
        return FetchFailed(Failure.REDIRECT, f"More than {REDIRECTS} redirects in a row.")

    def _redirected(self, url: URL, location: str) -> URL:
        """Return the checked address that a redirect leads to. Raises AddressError."""
        try:
            address = resolve_location(url, location)
        except ValueError:
            raise AddressError(
                "The site redirects to an invalid address.", Failure.REDIRECT
            ) from None
        try:
            return self._url_guard.parse(address, REDIRECT_LENGTH)
        except AddressError as error:
            if str(error) == NOT_PUBLIC:
                raise
            raise AddressError(
                f"A redirect of the site cannot be followed. {error}", Failure.REDIRECT
            ) from None

    def _is_kept(self, host: str) -> bool:
        """Whether the connection to a host may be kept: only those to a few hosts are."""
        now = asyncio.get_running_loop().time()
        while self._recent and next(iter(self._recent.values())) < now - KEPT:
            self._recent.popitem(last=False)
        if host not in self._recent and len(self._recent) >= KEPT_HOSTS:
            return False
        self._recent[host] = now
        self._recent.move_to_end(host)
        return True

    def _remember(self, start: URL, url: URL, outcome: FetchOutcome) -> None:
        """Remember which address gave the validators; a restart costs a fetch without them.

        So does a feed whose redirect came before those of many others.
        """
        if not isinstance(outcome, Fetched):
            return
        self._validated.pop(hash(start), None)
        if url != start and (outcome.etag or outcome.last_modified):
            self._validated[hash(start)] = hash(url)
            if len(self._validated) > REDIRECTED_FEEDS:
                self._validated.popitem(last=False)

    def _headers(
        self, request: FetchRequest, *, trusted: bool, conditional: bool
    ) -> CIMultiDict[str]:
        headers = CIMultiDict(
            {"User-Agent": self._agent, "Accept": ACCEPT, "Accept-Encoding": "gzip"}
        )
        if trusted:
            headers.update(dict(request.headers))
        if conditional and request.etag:
            headers["If-None-Match"] = request.etag
        if conditional and request.last_modified:
            headers["If-Modified-Since"] = request.last_modified
        return headers

    async def _read(
        self,
        response: aiohttp.ClientResponse,
        moved: str | None,
        known: bytes,
        *,
        conditional: bool,
    ) -> FetchOutcome:
        await self._answered.wait()
        headers = response.headers
        fresh = freshness(headers, self._clock.now())
        etag, last_modified = _validator(headers, "ETag"), _validator(headers, "Last-Modified")
        if response.status == 304 and conditional:
            return NotModified(etag, last_modified, fresh, moved)
        if response.status in _REDIRECTED:
            return FetchFailed(
                Failure.REDIRECT, f"The site redirects without saying where to ({response.status})."
            )
        if response.status not in {200, 203, 226}:
            return await self._rejection(response, conditional=conditional)
        raw, whole = await _body(response, self._limits.body)
        coding = headers.get("Content-Encoding", "")
        content_type = label(headers.get("Content-Type", ""), 200)
        await self._decoding.wait()
        digest = _digest(raw, coding, content_type)
        is_known = bool(whole and digest and digest == known)
        body, complete = (b"", True) if is_known else await self._decoded(raw, coding)
        return Fetched(
            body=body,
            url=str(response.url),
            content_type=content_type,
            etag=etag,
            last_modified=last_modified,
            freshness=fresh,
            permanent_url=moved,
            truncated=not (whole and complete),
            link_header=", ".join(headers.getall("Link", ()))[:2000],
            digest=digest,
            is_known=is_known,
        )

    async def _decoded(self, raw: bytes, coding: str) -> tuple[bytes, bool]:
        """Return a decoded body, and whether it is complete. Raises TooLarge and Undecodable."""
        if len(raw) >= _OFF_LOOP and (coding or raw.startswith(GZIP)):
            return await asyncio.to_thread(decode, raw, coding, self._limits.body)
        return decode(raw, coding, self._limits.body)

    async def _rejection(
        self, response: aiohttp.ClientResponse, *, conditional: bool
    ) -> FetchFailed:
        status = response.status
        head = (await _error_page(response)).lower() if status in {403, 429, 503} else b""
        is_challenge = "cf-mitigated" in response.headers or any(
            marker in head for marker in _CHALLENGE_MARKERS
        )
        failure, text = _failure(status, is_challenge)
        return FetchFailed(
            failure,
            text,
            freshness(response.headers, self._clock.now()),
            drop_validators=conditional and status in {400, 412, 416, 501},
        )


def _digest(raw: bytes, coding: str, content_type: str) -> bytes:
    """Return the BLAKE2b-128 digest of a small compressed body with its labels; empty for others.

    To decompress it takes ten times as long.
    """
    if len(raw) >= _OFF_LOOP or not raw.startswith(GZIP):
        return b""
    digest = blake2b(raw, digest_size=16)
    digest.update(f"\0{coding}\0{content_type}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def _failure(status: int, is_challenge: bool) -> tuple[Failure, str]:
    if is_challenge:
        return Failure.BLOCKED, f"The site answers with a challenge page for browsers ({status})."
    match status:
        case 304:
            return (
                Failure.HTTP,
                (
                    "The site answers that nothing has changed (304), "
                    "although the whole feed was requested."
                ),
            )
        case 404:
            return Failure.NOT_FOUND, "The site says there is nothing at this address (404)."
        case 410:
            return Failure.GONE, "The site says the feed is gone for good (410)."
        case 401:
            return Failure.LOGIN, f"The feed needs a login ({status})."
        case 407:
            return Failure.LOGIN, f"A proxy on the way to the feed needs a login ({status})."
        case 403 | 451:
            return Failure.BLOCKED, f"The site refuses to serve newsbell ({status})."
        case 429:
            return Failure.SLOW_DOWN, "The site asks for fewer requests (429)."
        case _ if 500 <= status < 600:
            return Failure.SERVER, f"The site's server fails ({status})."
        case _:
            return Failure.HTTP, f"The site answers with status {status}."


def _validator(headers: Mapping[str, str], name: str) -> str | None:
    """The header unchanged; None for one that could not be sent back as it came."""
    value = headers.get(name)
    return value if value is not None and len(value) <= 1000 and value.isprintable() else None


async def _body(response: aiohttp.ClientResponse, limit: int) -> tuple[bytes, bool]:
    """The encoded bytes and whether they are complete."""
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > limit:
                raise TooLarge
            chunks.append(chunk)
    except aiohttp.ClientPayloadError:
        return b"".join(chunks), False
    return b"".join(chunks), True


async def _error_page(response: aiohttp.ClientResponse) -> bytes:
    """The beginning of an error page, as far as it arrives in time and can be decoded."""
    raw = b""
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asyncio.timeout(_PAGE_WAIT):
            while len(raw) < _PAGE and (chunk := await response.content.readany()):
                raw += chunk
    try:
        return decode(raw, response.headers.get("Content-Encoding", ""), 50 * _PAGE)[0]
    except (TooLarge, Undecodable):
        return raw


def _same_site(start: URL, url: URL) -> bool:
    """Whether credentials for one URL may go to another: same origin, or its upgrade to https."""
    before, after = (start.scheme, start.port), (url.scheme, url.port)
    same_host = (start.host or "").lower() == (url.host or "").lower()
    return same_host and (before == after or (before, after) == (("http", 80), ("https", 443)))


def _can_adopt(start: URL, end: URL, *, secret: bool) -> bool:
    """Whether a permanent redirect may replace the address: it leads to https or the same host.

    RFC 9110 §15.4 leaves that to the client. A feed with custom headers stays on its site, because
    they would be sent along.
    """
    if len(str(end)) > URL_LENGTH or start == end or (secret and not _same_site(start, end)):
        return False
    return end.scheme == "https" or (end.host == start.host and start.scheme == "http")


def _certificate_problem(error: aiohttp.ClientConnectorCertificateError) -> str:
    inner = error.certificate_error
    return label(getattr(inner, "verify_message", "") or type(inner).__name__, 200)


def _broken(error: Exception) -> FetchFailed:
    """What went wrong on a connection that was made."""
    match error:
        case OSError() if error.errno in _NO_FILES:
            return _no_files()
        case MalformedResponseError():
            return FetchFailed(Failure.HTTP, str(error))
        case ProxyFailed():
            text = str(error)
        case aiohttp.ClientHttpProxyError():
            problem = "wants a login" if error.status == 407 else "refuses the connection"
            text = f"The proxy of settings.network.proxy {problem} ({error.status})."
        case aiohttp.ServerDisconnectedError():
            text = "The site closed the connection without an answer."
        case ssl.SSLError():
            return FetchFailed(Failure.TLS, "The secure connection to the site broke.")
        case aiohttp.ClientResponseError() | aiohttp.InvalidURL() | ValueError():
            # Beyond what `response_rewriter` lets through; nothing is known to lead here.
            log.warning("response_unreadable", error=f"{type(error).__name__}: {error}"[:200])
            return FetchFailed(Failure.HTTP, "The site's answer cannot be read as HTTP.")
        case _:
            text = "The site broke off the connection."
    return FetchFailed(Failure.CONNECT, text)


def _no_files() -> FetchFailed:
    log.warning("no_more_open_files", limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return FetchFailed(Failure.LOCAL, "newsbell may not open more files or connections.")


def _unreachable(error: aiohttp.ClientConnectorError, *, discreet: bool) -> FetchFailed:
    if error.os_error.errno in _NO_FILES:
        return _no_files()
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return FetchFailed(Failure.CONNECT, UNREACHABLE_PROXY)
    if error.os_error.errno == errno.EACCES and not discreet:
        return FetchFailed(Failure.PRIVATE, error.os_error.strerror or NOT_PUBLIC)
    if isinstance(error, aiohttp.ClientConnectorDNSError) or error.os_error.errno == errno.EACCES:
        return FetchFailed(Failure.DNS, UNKNOWN_NAME)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return FetchFailed(Failure.TLS, "No secure connection could be established.")
    return FetchFailed(Failure.CONNECT, "No connection to the site.")


@asynccontextmanager
async def open_client(
    url_guard: UrlGuard,
    limits: Limits,
    clock: Clock,
    agent: str,
    resolver: AbstractResolver | None = None,
    *,
    discreet: bool = False,
    proxy: str = "",
) -> AsyncIterator[Client]:
    """Open a client whose connections are all checked by the guard; close it at the end.

    Names are resolved by the system if no resolver is given. A discreet client says of a name that
    leads to a private address what it says of one that leads nowhere. `proxy` is the address of
    one, see `routes`.
    """
    opened = open_routes(
        url_guard,
        resolver,
        connections=limits.connections,
        proxy=proxy,
        discreet=discreet,
    )
    async with opened as routes:
        yield Client(routes, url_guard, limits, clock, agent, discreet=discreet)


def user_agent(version: str, contact: str, chats: int) -> str:
    """Return the User-Agent header: `newsbell/1.0 (+URL; 3 subscribers)`."""
    subscribers = f"{chats} subscriber{'s' if chats != 1 else ''}"
    return f"newsbell/{version} (+{contact or 'no contact given'}; {subscribers})"
