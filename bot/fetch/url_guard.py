"""Which URLs may be requested and which addresses connected to. Fetches nothing.

A URL is parsed once. Addresses are checked when the connection is made, after every resolution and
redirect, so that neither a name that changes its address nor an unusual notation of an address
circumvents it.
"""

import asyncio
import errno
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import AddressError

Network = IPv4Network | IPv6Network
PORTS = frozenset({80, 443})
URL_LENGTH = 2048
FIND_TRANSLATORS = 3600.0  #: seconds between two questions for the network's translators
NOT_PUBLIC = "The address is not public."
FAKE_DNS = (
    "The name leads to 198.18.0.0/15: a proxy on this machine or its router answers for the DNS "
    '("fake IP"). Let newsbell\'s names be resolved for real, or add 198.18.0.0/15 to '
    "settings.network.allow."
)

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
_NAT64 = IPv6Network("64:ff9b::/96")  # the prefix that everybody may use (RFC 6052 §2.1)
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215: the operator chooses a part of it
_NAT64_LENGTHS = (96, 64, 56, 48, 40, 32)  # bits of a prefix (RFC 6052 §2.2)
#: a name with two IPv4 addresses only, by which translators give themselves away (RFC 7050)
TRANSLATED_NAME = "ipv4only.arpa"
_TRANSLATED_ADDRESSES = frozenset({IPv4Address("192.0.0.170"), IPv4Address("192.0.0.171")})
# Networks whose addresses end in an IPv4 address, to which their packets go: IPv4-compatible
# (RFC 4291 §2.5.5.1), translated (RFC 2765).
_COMPATIBLE = IPv6Network("::/96")
_TRANSLATED = IPv6Network("::ffff:0:0:0/96")
FAKE_IP = IPv4Network("198.18.0.0/15")  #: for benchmarks; what some proxies' DNS answers
_ISATAP = 0x5EFE  # RFC 5214 §6.1: the 16 bits before the IPv4 address, but for the two lowest of
_ISATAP_MASK = 0xFCFF_FFFF  # the 32 bits before it
_DECIDED = 4096  # addresses of which it is remembered whether they are allowed
_BAD = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_NAME = re.compile(r"(?=.{1,253}\.?\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?\Z")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)\Z")


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address:
    """An IP address; raises ValueError. Cached, because parsing takes long compared to a poll."""
    return ip_address(text)


def _embedded(
    address: IPv6Address, prefixes: Iterable[IPv6Network] = ()
) -> tuple[list[IPv4Address], bool]:
    """Return the IPv4 addresses within an IPv6 one, and whether its packets go to them only.

    Mapped, 6to4, Teredo, NAT64 (`prefixes` are those of the operator), IPv4-compatible,
    translated, ISATAP.
    """
    number = int(address)
    last = IPv4Address(number & 0xFFFFFFFF)
    for prefix in prefixes:
        if address in prefix:
            return [_translated(number, prefix.prefixlen)], True
    if address.ipv4_mapped:
        return [address.ipv4_mapped], True
    if address.sixtofour:
        return [address.sixtofour], True
    if address.teredo:
        return list(address.teredo), True
    if address in _NAT64 or address in _TRANSLATED or (address in _COMPATIBLE and number > 1):
        return [last], True
    if address in _LOCAL_NAT64:  # the prefix may end anywhere
        return [_translated(number, 48), last], True
    if (number >> 32) & _ISATAP_MASK == _ISATAP:
        return [last], False
    return [], False


def _translated(number: int, length: int) -> IPv4Address:
    """The IPv4 address after a prefix of this length: RFC 6052 §2.2 leaves the ninth byte out."""
    raw = number.to_bytes(16, "big")
    start = length // 8
    if length < 96:
        raw, start = raw[:8] + raw[9:], start if start < 9 else start - 1
    return IPv4Address(raw[start : start + 4])


def _is_fake(address: str) -> bool:
    try:
        parsed = _address(address.partition("%")[0])
    except ValueError:
        return False
    inner = [parsed] if isinstance(parsed, IPv4Address) else _embedded(parsed)[0]
    return any(ip in FAKE_IP for ip in inner)


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

    An IPv6 address with an IPv4 address in it is judged by that: it is never allowed while it leads
    to one that is neither public nor, as the IPv6 address is, in `allow`. `nat64` are the prefixes
    of translators besides 64:ff9b::/96, of a length that RFC 6052 names.
    """

    def __init__(
        self,
        allow: Sequence[Network] = (),
        ports: Iterable[int] = (),
        nat64: Sequence[IPv6Network] = (),
    ) -> None:
        self._found: tuple[IPv6Network, ...] = ()  # prefixes that the network told of
        # What was decided of addresses: it takes long compared to a poll.
        self._exempt: dict[str, bool] = {}
        self._allowed: dict[str, bool] = {}
        self._valid_hosts: dict[str, bool] = {}
        self._allow = tuple(allow)
        self._nat64 = tuple(nat64)
        self._ports = PORTS | frozenset(ports)

    def is_exempt(self, address: str) -> bool:
        """Whether the address is in a network that the operator allowed."""
        exempt = self._exempt.get(address)
        return self._kept(self._exempt, address, self._is_exempt) if exempt is None else exempt

    @staticmethod
    def _kept(kept: dict[str, bool], address: str, decide: Callable[[str], bool]) -> bool:
        if len(kept) >= _DECIDED:
            kept.clear()
        decided = kept[address] = decide(address)
        return decided

    def _is_exempt(self, address: str) -> bool:
        try:
            parsed = _address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped  # the same address, written otherwise
        if not self._is_allowed(parsed):
            return False
        inner = self._embedded(parsed)[0] if isinstance(parsed, IPv6Address) else []
        return all(_is_public(address) or self._is_allowed(address) for address in inner)

    def _is_allowed(self, address: IPv4Address | IPv6Address) -> bool:
        return any(
            address in network for network in self._allow if network.version == address.version
        )

    def allows(self, address: str) -> bool:
        """Whether connections to this IP address are allowed."""
        allowed = self._allowed.get(address)
        return self._kept(self._allowed, address, self._allows) if allowed is None else allowed

    def _allows(self, address: str) -> bool:
        if self.is_exempt(address):
            return True
        try:
            parsed = _address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv4Address):
            return _is_public(parsed)
        if parsed.scope_id:
            return False
        inner, decides = self._embedded(parsed)
        return all(map(_is_public, inner)) and (decides or _is_public(parsed))

    def _embedded(self, address: IPv6Address) -> tuple[list[IPv4Address], bool]:
        inner, decides = _embedded(address, self._nat64)
        if not inner and any(address in prefix for prefix in self._found):
            # Nobody vouches for what the network told: it refuses addresses, and admits none.
            return _embedded(address, self._found)[0], False
        return inner, decides

    def find_translators(self, addresses: Iterable[str]) -> None:
        """Learn the prefixes of translators from the addresses of `TRANSLATED_NAME`.

        A prefix is where the name's IPv4 addresses stand behind it (RFC 7050 §3).
        """
        self._found = tuple(
            IPv6Network((int(parsed) >> (128 - length) << (128 - length), length))
            for parsed in map(_address, addresses)
            if isinstance(parsed, IPv6Address)
            for length in _NAT64_LENGTHS
            if _translated(int(parsed), length) in _TRANSLATED_ADDRESSES
        )
        self._exempt.clear()
        self._allowed.clear()
        self._valid_hosts.clear()

    def refusal(self, addresses: Iterable[str]) -> str:
        """Say why connections to the addresses of a name are not allowed."""
        for address in addresses:
            if not self.allows(address) and _is_fake(address):
                return FAKE_DNS
        return NOT_PUBLIC

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
        if host not in self._valid_hosts:
            self._kept(self._valid_hosts, host, self._check_host)
        if port is not None and port not in self._ports and not self.is_exempt(host):
            raise AddressError(
                f"The port {port} is not one for the web: add it to settings.network.ports."
            )
        return url.with_fragment(None) if "#" in text else url

    def _check_host(self, host: str) -> bool:
        """True for a host that may be asked; of no other. Raises AddressError."""
        if not host or not host.isascii():
            raise AddressError("The address has no host name.")
        try:
            _address(host)
        except ValueError:
            if _NUMERIC_LABEL.match(host.rstrip(".").rpartition(".")[2]):
                raise AddressError(
                    "The host is a number that is not written as an IP address."
                ) from None
            if not _NAME.match(host):
                raise AddressError("The host name is not valid.") from None
            return True
        if not self.allows(host):
            raise AddressError(NOT_PUBLIC)
        return True

    def socket(self, info: Any) -> socket.socket:
        """Return a socket for an address. Raises OSError with EACCES if it is not allowed."""
        family, kind, protocol, _, address = info
        if not self.allows(str(address[0])):
            raise PermissionError(errno.EACCES, NOT_PUBLIC)
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """A resolver that rejects names with any address that is not allowed."""

    def __init__(self, url_guard: UrlGuard, inner: AbstractResolver) -> None:
        self._url_guard = url_guard
        self._inner = inner
        self._asked_again = 0.0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name. Raises OSError with EACCES if any address is not allowed."""
        results = await self._inner.resolve(host, port, family)
        if any(":" in result["host"] for result in results):
            await self._find_translators()
        addresses = [result["host"] for result in results]
        if not all(map(self._url_guard.allows, addresses)):
            raise PermissionError(errno.EACCES, self._url_guard.refusal(addresses))
        return results

    async def _find_translators(self) -> None:
        """Ask once an hour whether the network has IPv6 translators, and with which prefixes."""
        now = asyncio.get_running_loop().time()
        if now < self._asked_again:
            return
        self._asked_again = now + FIND_TRANSLATORS
        with suppress(OSError):
            results = await self._inner.resolve(TRANSLATED_NAME, 0, socket.AF_INET6)
            self._url_guard.find_translators(result["host"] for result in results)

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()
