"""The way to a site: straight, or through the proxy of the configuration. Reads no answer.

Through a proxy, a name is checked before the request, as far as it can be resolved here. A proxy
that resolves names itself (all but `socks5://`) may find other addresses; it has to keep the
private ones to itself, as docs/operations.md says.
"""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from bot.errors import AddressError
from bot.fetch.connection import LenientConnector, SocksConnector
from bot.fetch.response_rewriter import HEAD_LENGTH, HEADERS
from bot.fetch.url_guard import NOT_PUBLIC, GuardedResolver, UrlGuard
from bot.model.feeds import Failure

CONNECT = 15.0  #: seconds to wait for a connection
KEPT = 10.0  #: seconds for which a connection is kept after its use
UNKNOWN_NAME = "The host name cannot be resolved."


@dataclass(frozen=True, slots=True)
class Route:
    """A session, and the proxy that its requests name (HTTP proxies only)."""

    session: aiohttp.ClientSession
    proxy: str | None = None


class Routes:
    """Chooses the route to each address. Opened by `open_routes`."""

    def __init__(
        self,
        direct: Route,
        proxied: Route | None,
        url_guard: UrlGuard,
        resolver: AbstractResolver,
        *,
        discreet: bool,
    ) -> None:
        self._direct, self._proxied = direct, proxied
        self._url_guard, self._resolver, self._discreet = url_guard, resolver, discreet

    async def to(self, url: URL) -> Route:
        """Return the route to an address that was parsed. Raises AddressError.

        What the operator allowed of the own network is reached straight.
        """
        if self._proxied is None:
            return self._direct  # its connector resolves and checks
        try:
            results = await self._resolver.resolve(
                url.raw_host or "", url.port or 0, socket.AF_UNSPEC
            )
        except PermissionError as error:
            if not self._discreet:
                raise AddressError(error.strerror or NOT_PUBLIC) from None
            raise AddressError(UNKNOWN_NAME, Failure.DNS) from None
        except OSError:
            # What chats name must not be found by the proxy alone: it may be inside its network.
            if self._discreet:
                raise AddressError(UNKNOWN_NAME, Failure.DNS) from None
            return self._proxied
        is_own = bool(results) and all(
            self._url_guard.is_exempt(result["host"]) for result in results
        )
        return self._direct if is_own else self._proxied


class _Unresolved(AbstractResolver):
    """Leaves names as they are, for a proxy that resolves them."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=host, port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def open_routes(
    url_guard: UrlGuard,
    resolver: AbstractResolver | None,
    *,
    connections: int,
    proxy: str,
    discreet: bool,
) -> AsyncIterator[Routes]:
    """Open the sessions; close them at the end. `proxy` is its address, empty for none."""
    guarded = GuardedResolver(url_guard, resolver or ThreadedResolver())
    common: dict[str, Any] = {"limit": connections, "ttl_dns_cache": 30, "keepalive_timeout": KEPT}
    direct = Route(_session(LenientConnector(resolver=guarded, url_guard=url_guard, **common)))
    async with direct.session:
        if not proxy:
            yield Routes(direct, None, url_guard, guarded, discreet=discreet)
            return
        # These connect to the proxy only, which may be at any address.
        if proxy.startswith("socks5"):
            names = guarded if proxy.startswith("socks5:") else _Unresolved()
            proxied = Route(_session(SocksConnector(proxy, resolver=names, **common)))
        else:
            proxied = Route(_session(LenientConnector(**common)), proxy)
        async with proxied.session:
            yield Routes(direct, proxied, url_guard, guarded, discreet=discreet)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        requote_redirect_url=False,
        # `ResponseRewriter` sees to all three, for all headers together.
        max_line_size=2 * HEAD_LENGTH,
        max_field_size=2 * HEAD_LENGTH,
        max_headers=2 * HEADERS,
        # The deadline of a fetch is the client's, for all of its redirects together.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
    )
