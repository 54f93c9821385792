"""Which URLs may be requested and which addresses connected to. Fetches nothing.

A URL is parsed once. Addresses are checked when the connection is made, after every resolution and
redirect, so that neither a name that changes its address nor an unusual notation of an address
circumvents it.
"""

import errno
import re
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import AddressError

Network = IPv4Network | IPv6Network
PORTS = frozenset({80, 443})
URL_LENGTH = 2048
NOT_PUBLIC = "The address is not public."

# Beyond what `is_global` excludes (IANA special-purpose registries; Python 3.11 regards some of
# these as global), and the public address of the metadata service of a cloud.
_REFUSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",
        "100::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
# Networks whose addresses end in an IPv4 address, to which their packets go: NAT64 (RFC 6052,
# RFC 8215), IPv4-compatible (RFC 4291 §2.5.5.1), translated (RFC 2765).
_TRANSLATED = tuple(
    ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")
)
_ISATAP = 0x5EFE  # RFC 5214 §6.1: the 16 bits before the IPv4 address, but for the two lowest of
_ISATAP_MASK = 0xFCFF_FFFF  # the 32 bits before it
_BAD = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_NAME = re.compile(r"(?=.{1,253}\.?\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?\Z")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)\Z")


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address:
    """An IP address; raises ValueError. Cached, because parsing takes long compared to a poll."""
    return ip_address(text)


def _with_embedded(address: IPv4Address | IPv6Address) -> Iterable[IPv4Address | IPv6Address]:
    """The address, and all IPv4 addresses embedded in an IPv6 one.

    Mapped, 6to4, Teredo, NAT64, IPv4-compatible, ISATAP.
    """
    yield address
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        if address.sixtofour:
            yield address.sixtofour
        if address.teredo:
            yield from address.teredo
        number = int(address)
        is_isatap = (number >> 32) & _ISATAP_MASK == _ISATAP
        if is_isatap or any(address in network for network in _TRANSLATED):
            yield IPv4Address(number & 0xFFFFFFFF)
        if address in _TRANSLATED[1]:  # RFC 6052 §2.2: with a prefix of 48 bits it is in the middle
            yield IPv4Address((number >> 64 & 0xFFFF) << 16 | number >> 40 & 0xFFFF)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    special = (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )
    return not special and not any(
        address in network for network in _REFUSED if network.version == address.version
    )


class UrlGuard:
    """Decides which URLs and addresses are allowed; private networks in `allow` are exempt.

    An IPv6 address with an IPv4 address in it is judged by both: it is never exempt while it leads
    to an IPv4 address that is neither public nor allowed itself.
    """

    def __init__(self, allow: Sequence[Network] = (), ports: Iterable[int] = ()) -> None:
        self._allow = tuple(allow)
        self._ports = PORTS | frozenset(ports)

    def is_exempt(self, address: str) -> bool:
        """Whether the address is in a network that the operator allowed."""
        try:
            parsed = _address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped  # the same address, written otherwise
        outer, *embedded = _with_embedded(parsed)
        return self._is_allowed(outer) and (
            int(outer) <= 1  # ::1 is no IPv4 address
            or all(_is_public(inner) or self._is_allowed(inner) for inner in embedded)
        )

    def _is_allowed(self, address: IPv4Address | IPv6Address) -> bool:
        return any(
            address in network for network in self._allow if network.version == address.version
        )

    def allows(self, address: str) -> bool:
        """Whether connections to this IP address are allowed."""
        if self.is_exempt(address):
            return True
        try:
            parsed = _address(address)
        except ValueError:
            return False
        # Packets to an address with an embedded one end there. A public address is reached without.
        return len(list(_with_embedded(parsed))) == 1 and _is_public(parsed)

    def parse(self, text: str, length: int = URL_LENGTH) -> URL:
        """Parse and check a URL. Raises AddressError with what is wrong with it."""
        if len(text) > length:
            raise AddressError(f"The address is longer than {length} characters.")
        if _BAD.search(text):
            raise AddressError("The address contains a space, a backslash or a control character.")
        try:
            url = URL(text, encoded=text.isascii())
            host, port = url.raw_host or "", url.explicit_port
        except ValueError:
            raise AddressError("The address cannot be read as a URL.") from None
        if url.scheme not in {"http", "https"}:
            raise AddressError("The address must begin with http:// or https://.")
        if "@" in url.raw_authority:
            raise AddressError(
                "The address holds a user name or password: put it under `headers:` as "
                "Authorization."
            )
        self._check_host(host)
        if port is not None and port not in self._ports and not self.is_exempt(host):
            raise AddressError(
                f"The port {port} is not one for the web: add it to settings.network.ports."
            )
        return url.with_fragment(None)

    def _check_host(self, host: str) -> None:
        if not host or not host.isascii():
            raise AddressError("The address has no host name.")
        try:
            parsed = _address(host)
        except ValueError:
            if _NUMERIC_LABEL.match(host.rstrip(".").rpartition(".")[2]):
                raise AddressError(
                    "The host is a number that is not written as an IP address."
                ) from None
            if not _NAME.match(host):
                raise AddressError("The host name is not valid.") from None
            return
        if not self.allows(str(parsed)):
            raise AddressError(NOT_PUBLIC)

    def socket(self, info: Any) -> socket.socket:
        """Return a socket for an address. Raises OSError with EACCES if it is not allowed."""
        family, kind, protocol, _, address = info
        if not self.allows(str(address[0])):
            raise PermissionError(errno.EACCES, "the address is not public")
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """A resolver that rejects names with any address that is not allowed."""

    def __init__(self, url_guard: UrlGuard, inner: AbstractResolver) -> None:
        self._url_guard = url_guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name. Raises OSError with EACCES if any address is not allowed."""
        results = await self._inner.resolve(host, port, family)
        if not all(self._url_guard.allows(result["host"]) for result in results):
            raise PermissionError(errno.EACCES, "the address is not public")
        return results

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()
