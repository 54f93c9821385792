"""The connections of a client: checked addresses, and answers read as leniently as browsers do.

aiohttp's own protocol, with `ResponseRewriter` between the socket and the parser.
"""

import errno
import socket
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError
from python_socks.async_.asyncio import Proxy

from bot.fetch.response_rewriter import MalformedResponseError, ResponseRewriter
from bot.fetch.url_guard import NOT_PUBLIC, UrlGuard

UNREACHABLE_PROXY = "The proxy of settings.network.proxy cannot be reached."


class LenientHandler(ResponseHandler):
    """Reads the answers that come over one connection, one after the other."""

    _rewriter: ResponseRewriter | None = None  # none before the first request

    def set_response_params(self, **parameters: Any) -> None:
        """Expect the answer to a request."""
        self._rewriter = ResponseRewriter()
        super().set_response_params(**parameters)

    def data_received(self, data: bytes) -> None:
        """Hand on what arrives, rewritten."""
        rewriter = self._rewriter
        if rewriter is None or self._parser is None or not data:
            super().data_received(data)  # kept until there is a parser
            return
        was_done = rewriter.is_done
        strict = rewriter.feed(data)
        if rewriter.must_close:
            self.force_close()  # before the parser may give the connection back
        if strict:
            super().data_received(strict)
        else:
            self._reschedule_timeout()
        if rewriter.error and not rewriter.has_head:
            self.set_exception(rewriter.error)
        if (rewriter.error or was_done) and self.transport is not None:
            self.transport.close()  # an unfinished body counts as cut off

    def connection_lost(self, exc: BaseException | None) -> None:
        """Say of an answer that ended within its headers that it did."""
        rewriter = self._rewriter
        if rewriter and rewriter.has_begun and not rewriter.has_head and not rewriter.error:
            self.set_exception(
                MalformedResponseError("The site ended the connection within its answer's headers.")
            )
        super().connection_lost(exc)


class ProxyFailed(aiohttp.ClientError):
    """A proxy does not lead to the site; says why in a sentence."""


class LenientConnector(aiohttp.TCPConnector):
    """Connects with `LenientHandler` as the protocol."""

    def __init__(self, *, url_guard: UrlGuard | None = None, **options: Any) -> None:
        """Without a guard, to any address."""
        if url_guard:
            options["socket_factory"] = url_guard.socket
        super().__init__(**options)
        # aiohttp has no public place for another protocol; a test holds that this is used.
        factory = partial(LenientHandler, loop=self._loop)
        self._factory = factory  # type: ignore[assignment]  # a partial of a ResponseHandler
        self._url_guard = url_guard

    async def _wrap_create_connection(
        self, *arguments: Any, addr_infos: list[Any], **options: Any
    ) -> Any:
        """Connect as aiohttp does, without a race between addresses where there is only one."""
        family, _, _, _, address = addr_infos[0]
        if len(addr_infos) > 1 or family != socket.AF_INET or options.get("ssl"):
            return await super()._wrap_create_connection(
                *arguments, addr_infos=addr_infos, **options
            )
        host, port = address
        if self._url_guard and not self._url_guard.allows(host):
            refusal = PermissionError(errno.EACCES, NOT_PUBLIC)
            raise aiohttp.ClientConnectorError(options["req"].connection_key, refusal)
        return await self._wrap_existing_connection(
            *arguments,
            host=host,
            port=port,
            family=family,
            flags=socket.AI_NUMERICHOST,
            **options,
        )


class SocksConnector(LenientConnector):
    """Connects through a SOCKS proxy to the addresses that the resolver found."""

    def __init__(self, proxy: str, **options: Any) -> None:
        super().__init__(**options)
        self._proxy = proxy.replace("socks5h:", "socks5:")

    async def _wrap_create_connection(
        self, *arguments: Any, addr_infos: list[Any], **options: Any
    ) -> Any:
        """Connect as aiohttp does, with a socket that the proxy has connected."""
        host, port = addr_infos[0][4][:2]  # a name where the proxy is to resolve it
        try:
            connected = await Proxy.from_url(self._proxy, rdns=True).connect(
                dest_host=host, dest_port=port, timeout=options["timeout"].sock_connect
            )
        except (ProxyError, OSError) as error:  # also that it cannot be reached in time
            raise ProxyFailed(_proxy_problem(error)) from error
        try:
            return await self._wrap_existing_connection(*arguments, sock=connected, **options)
        except BaseException:
            connected.close()
            raise


def _proxy_problem(error: Exception) -> str:
    if isinstance(error, ProxyConnectionError | ProxyTimeoutError):
        return UNREACHABLE_PROXY
    return "The proxy of settings.network.proxy refuses the connection to the site."
