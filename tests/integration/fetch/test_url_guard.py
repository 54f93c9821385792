"""The URL guard: no notation, redirect or name leads into a network that is not exempt."""

import errno
import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from support import FeedServer, ManualClock, feed_server

from bot.errors import AddressError
from bot.fetch.client import Limits, open_client
from bot.fetch.connection import LenientConnector
from bot.fetch.url_guard import FAKE_DNS, GuardedResolver, UrlGuard
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchOutcome, FetchRequest

NOT_PUBLIC = "The address is not public."

SPECIAL = {
    "this network": "0.0.0.0 0.1.2.3",
    "private": "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255",
    "shared (carrier NAT), metadata of a cloud": "100.64.0.1 100.100.100.200 100.127.255.255",
    "loopback": "127.0.0.1 127.0.0.53 127.255.255.254",
    "link-local, clouds' metadata among it": "169.254.0.1 169.254.169.254 169.254.170.2",
    "protocol assignments, a cloud's metadata among it": "192.0.0.1 192.0.0.192",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.1",
    "6to4 relays": "192.88.99.1",
    "benchmarks": "198.18.0.1 198.19.255.255",
    "multicast": "224.0.0.1 239.255.255.255",
    "reserved and broadcast": "240.0.0.1 255.255.255.255",
    "a cloud's own address in public space": "168.63.129.16",
    "IPv6 unspecified and loopback": ":: ::1 0:0:0:0:0:0:0:1",
    "IPv4-compatible": "::127.0.0.1 ::7f00:1 ::2",
    "IPv4-mapped": "::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:169.254.169.254",
    "IPv4-translated": "::ffff:0:127.0.0.1 ::ffff:0:7f00:1",
    "NAT64": "64:ff9b::127.0.0.1 64:ff9b::a00:1 64:ff9b:1::127.0.0.1 64:ff9b:1:ffff::a9fe:a9fe",
    "6to4": "2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe::1",
    "Teredo": "2001:0:7f00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe",
    "IPv6 protocol assignments": "2001:2::1 2001:10::1 2001:1ff:ffff::1",
    "IPv6 documentation": "2001:db8::1 3fff::1 3fff:fff::1",
    "discard": "100::1",
    "segment routing": "5f00::1",
    "unique local, a cloud's metadata among it": "fc00::1 fd00::1 fd00:ec2::254",
    "IPv6 link-local": "fe80::1 fe80::1%lo fe80::1%2 febf::1",
    "site-local": "fec0::1 feff::1",
    "IPv6 multicast": "ff02::1 ff0e::1 ff00::",
    "IPv6 that nobody was given": "1::1 4000::1 8000::1 e000::1",
}
PUBLIC = (
    "1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 "
    "2606:4700:4700::1111 2a00:1450:4001:800::200e"
).split()

WRITTEN = {
    "a decimal number": "http://2130706433/",
    "a hexadecimal number": "http://0x7f000001/",
    "an octal number": "http://017700000001/",
    "octal parts": "http://0177.0.0.1/",
    "hexadecimal parts": "http://0x7f.0.0.0x1/",
    "an empty hexadecimal part": "http://127.0.0.0x/",
    "two parts": "http://127.1/",
    "three parts": "http://127.0.1/",
    "one zero": "http://0/",
    "five parts": "http://127.0.0.1.1/",
    "a part too large": "http://127.0.0.257/",
    "a final dot": "http://127.0.0.1./",
    "a percent-encoded dot": "http://127%2e0.0.1/",
    "a percent-encoded letter": "http://exa%6dple.com/",
    "a percent-encoded zero byte": "http://127.0.0.1%00.example.com/",
    "circled digits": "http://①②⑦.⓪.⓪.①/",
    "full-width digits": "http://１２７.0.0.1/",
    "ideographic full stops": "http://127。0。0。1/",
    "half-width full stops": "http://127｡0｡0｡1/",
    "a soft hyphen in the name": "http://exam\u00adple.com/",
    "a zero-width space in the name": "http://exam\u200bple.com/",
    "a mapped address in brackets": "http://[::ffff:127.0.0.1]/",
    "a compatible address in brackets": "http://[::127.0.0.1]/",
    "a zone": "http://[fe80::1%25lo]/",
    "IPv4 in brackets": "http://[127.0.0.1]/",
    "an open bracket": "http://[::1/",
    "IPv6 without brackets": "http://::1/",
    "a user": "http://user@example.com/",
    "a user and a password": "http://user:secret@example.com/",
    "a password alone": "http://:secret@example.com/",
    "an empty user": "http://@example.com/",
    "a public host as the user": "http://example.com@127.0.0.1/",
    "a public host and port as the user": "http://example.com:80@127.0.0.1/",
    "a backslash before the at sign": "http://127.0.0.1:8888\\@example.com/",
    "a backslash for a slash": "http:\\\\example.com/",
    "a backslash in the path": "http://example.com/a\\b",
    "a space": "http://example.com/a b",
    "a space before": " http://example.com/",
    "a line break": "http://example.com/\r\nHost: 127.0.0.1",
    "a tab": "http://exam\tple.com/",
    "a zero byte": "http://example.com\x00.evil.example/",
    "a C1 control": "http://example.com/\x85",
    "no scheme": "example.com/feed",
    "no scheme but slashes": "//example.com/feed",
    "no host": "http:///feed",
    "no host but a query": "http://?feed",
    "no host but a port": "http://:80/",
    "one slash": "http:/example.com/",
    "a file": "file:///etc/passwd",
    "a file with a host": "file://localhost/etc/passwd",
    "FTP": "ftp://example.com/feed",
    "gopher": "gopher://example.com/",
    "data": "data:text/xml,<rss/>",
    "script": "javascript:alert(1)",
    "an empty label": "http://a..example.com/",
    "only dots": "http://../",
    "a name that is too long": f"http://{'a.' * 130}example/",
    "a label that is too long": f"http://{'a' * 64}.example/",
    "a quote in the name": "http://a'b.example/",
    "a semicolon in the name": "http://example.com;x.example/",
    "a mail port": "http://example.com:25/",
    "a database port": "https://example.com:5432/",
    "port 0": "http://example.com:0/",
    "port 65536": "http://example.com:65536/",
    "a negative port": "http://example.com:-80/",
    "a port that is no number": "http://example.com:http/",
    "more than 2048 characters": f"http://example.com/{'a' * 2048}",
    "nothing": "",
}


@pytest.mark.parametrize(
    "address", [address for group in SPECIAL.values() for address in group.split()]
)
def test_a_special_address_is_not_allowed(address: str) -> None:
    assert not UrlGuard().allows(address)
    with pytest.raises(AddressError):
        UrlGuard().parse(
            f"http://[{address.replace('%', '%25')}]/feed"
            if ":" in address
            else f"http://{address}/feed"
        )
    with pytest.raises(PermissionError):
        UrlGuard().socket(
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, 80),
            )
        )


@pytest.mark.parametrize("url", WRITTEN.values(), ids=WRITTEN.keys())
def test_a_deceptive_url_is_rejected(url: str) -> None:
    with pytest.raises(AddressError):
        UrlGuard().parse(url)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert UrlGuard().allows(address)
    host = f"[{address}]" if ":" in address else address
    assert UrlGuard().parse(f"https://{host}/feed").host == address


@pytest.mark.parametrize(
    ("text", "fetched"),
    [
        ("https://example.com/feed?a=%2F&b=+c#part", "https://example.com/feed?a=%2F&b=+c"),
        ("HTTP://EXAMPLE.com/a%20b", "http://EXAMPLE.com/a%20b"),
        ("http://example.com:80/feed", "http://example.com/feed"),
        (
            "https://пример.example/новости",
            "https://xn--e1afmkfd.example/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8",
        ),
        ("http://example.com?@127.0.0.1/", "http://example.com/?@127.0.0.1/"),
        ("http://exam_ple.example.com./x", "http://exam_ple.example.com./x"),
    ],
)
def test_an_ordinary_url_is_fetched_as_written(text: str, fetched: str) -> None:
    assert str(UrlGuard().parse(text)) == fetched


def test_ports_of_the_configuration_are_allowed() -> None:
    assert UrlGuard(ports=[8443]).parse("https://example.com:8443/").port == 8443
    with pytest.raises(AddressError, match=r"8443.*settings\.network\.ports"):
        UrlGuard().parse("https://example.com:8443/")


def test_an_exempt_network_is_allowed_with_every_port_and_as_mapped_address() -> None:
    url_guard = UrlGuard([ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")])
    for address in ("10.1.2.3", "fd00:1::5", "::ffff:10.1.2.3"):
        assert url_guard.allows(address)
    for address in ("10.2.0.1", "127.0.0.1", "fd00:2::1", "2002:a01:203::", "64:ff9b::10.1.2.3"):
        assert not url_guard.allows(address)
    assert url_guard.parse("http://10.1.2.3:9200/").port == 9200
    assert url_guard.parse("http://[fd00:1::5]:9200/").port == 9200


CARRIERS = {
    "mapped": lambda number: 0xFFFF << 32 | number,
    "NAT64": lambda number: 0x64FF9B << 96 | number,
    "6to4": lambda number: 0x2002 << 112 | number << 80,
    "Teredo": lambda number: 0x20010000 << 96 | 0x8080808 << 64 | number ^ 0xFFFFFFFF,
    "translated": lambda number: 0xFFFF << 48 | number,
    "a prefix of 96 bits": lambda number: 0x2A000064 << 96 | number,
    "a prefix of 64 bits": lambda number: 0x2A000164 << 96 | number << 24,
    "a prefix of 32 bits": lambda number: 0x2A010264 << 96 | number << 64,
}
PREFIXES = [
    IPv6Network(prefix) for prefix in ("2a00:64::/96", "2a00:164::/64", "2a01:264::/32")
]  # fmt: skip


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS.keys())
@given(number=st.integers(0, 2**32 - 1))
def test_an_address_within_an_address_decides(carry: Callable[[int], int], number: int) -> None:
    inner, outer = IPv4Address(number), IPv6Address(carry(number))
    guard = UrlGuard(nat64=PREFIXES)
    assert guard.allows(str(outer)) is guard.allows(str(inner))
    assert not guard.allows(str(inner)) or guard.parse(f"http://[{outer}]/")


@pytest.mark.parametrize("carry", CARRIERS.values(), ids=CARRIERS.keys())
@pytest.mark.parametrize("inner", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "0.1.2.3"])
def test_a_private_address_within_an_address_is_refused_whatever_is_allowed(
    carry: Callable[[int], int], inner: str
) -> None:
    outer = IPv6Address(carry(int(IPv4Address(inner))))
    assert not UrlGuard([ip_network("::/0")], nat64=PREFIXES).allows(str(outer))


def test_an_allowed_network_may_be_reached_through_a_translator_that_is_allowed_too() -> None:
    guard = UrlGuard(
        [ip_network("10.0.0.0/8"), ip_network("fd64::/96")], nat64=[IPv6Network("fd64::/96")]
    )
    assert guard.allows("fd64::10.0.0.1")
    assert not guard.allows("fd64::192.168.0.1")
    assert not guard.allows("64:ff9b::10.0.0.1")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_rejected_with_a_message_or_has_a_plain_host(text: str) -> None:
    try:
        url = UrlGuard().parse(f"http://{text}")
    except AddressError:
        return
    assert url.raw_host
    assert url.raw_host.isascii()
    assert "@" not in url.raw_authority


class Names(AbstractResolver):
    """Answers with the addresses it is given."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        self.known = known
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.known:
            raise OSError(errno.ENOENT, "no such name")
        flags = socket.AI_NUMERICHOST
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=flags,
            )
            for address in self.known[host]
        ]

    async def close(self) -> None:
        """Nothing is open."""


async def fetched(
    url: str, url_guard: UrlGuard, names: Mapping[str, Sequence[str]] | None = None
) -> FetchOutcome:
    async with open_client(
        url_guard, Limits(), ManualClock(), "test", Names(names or {})
    ) as fetching:
        return await fetching.fetch(FetchRequest(url))


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["93.184.216.34", "10.0.0.1"],
        ["2606:4700::1111", "::ffff:127.0.0.1"],
    ],
)
async def test_a_name_with_any_private_address_is_rejected(
    addresses: list[str],
) -> None:
    outcome = await fetched("http://feeds.example/", UrlGuard(), {"feeds.example": addresses})
    assert outcome == FetchFailed(Failure.PRIVATE, NOT_PUBLIC)


async def test_a_fake_address_of_a_proxy_is_named_with_the_remedy() -> None:
    names = {"feeds.example": ["198.18.0.175"], "quay.example": ["64:ff9b::198.18.0.175"]}
    for name in names:
        outcome = await fetched(f"http://{name}/", UrlGuard(), names)
        assert outcome == FetchFailed(Failure.PRIVATE, FAKE_DNS)
    assert "settings.network.allow" in FAKE_DNS


@pytest.mark.parametrize(
    ("told", "private", "public"),
    [
        ("2a00:64::192.0.0.170", "2a00:64::10.0.0.1", "2a00:64::1.1.1.1"),
        ("2a00:64:1:2:c0:0:aa00:0", "2a00:64:1:2:a:0:100:0", "2a00:64:1:2:1:101:100:0"),
    ],
)
async def test_the_translator_of_a_network_leads_to_no_private_address(
    told: str, private: str, public: str
) -> None:
    """Its prefix looks like any other; the DNS of the network gives it away (RFC 7050)."""
    names = Names({"ipv4only.arpa": [told], "inside.example": [private], "quay.example": [public]})
    resolver = GuardedResolver(UrlGuard(), names)
    with pytest.raises(PermissionError):
        await resolver.resolve("inside.example", 80)
    assert [row["host"] for row in await resolver.resolve("quay.example", 80)] == [public]
    assert names.asked.count("ipv4only.arpa") == 1


async def test_what_a_network_says_of_its_translator_opens_nothing() -> None:
    names = Names({"ipv4only.arpa": ["fd00::192.0.0.170"], "quay.example": ["fd00::1.1.1.1"]})
    with pytest.raises(PermissionError):
        await GuardedResolver(UrlGuard(), names).resolve("quay.example", 80)


async def test_the_resolver_returns_public_addresses() -> None:
    names = Names({"feeds.example": ["93.184.216.34", "2606:4700::1111"]})
    rows = await GuardedResolver(UrlGuard(), names).resolve("feeds.example", 80)
    assert [row["host"] for row in rows] == ["93.184.216.34", "2606:4700::1111"]


async def test_localhost_is_rejected(server: FeedServer) -> None:
    """The system's own resolver knows localhost."""
    server.put("/feed", "<rss/>")
    port = server.base.rpartition(":")[2]
    async with open_client(
        UrlGuard(ports=[int(port)]), Limits(), ManualClock(), "test"
    ) as fetching:
        outcome = await fetching.fetch(FetchRequest(f"http://localhost:{port}/feed"))
    assert outcome == FetchFailed(Failure.PRIVATE, NOT_PUBLIC)
    assert server.seen == []


async def test_a_name_of_an_exempt_network_is_fetched(
    server: FeedServer,
) -> None:
    server.put("/feed", "<rss/>")
    port = int(server.base.rpartition(":")[2])
    url_guard = UrlGuard([ip_network("127.0.0.1/32")], [port])
    outcome = await fetched(
        f"http://nas.example:{port}/feed", url_guard, {"nas.example": ["127.0.0.1"]}
    )
    assert isinstance(outcome, Fetched)
    assert server.seen[0].headers["Host"] == f"nas.example:{port}"


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_a_name_that_changes_its_address_after_the_check_is_not_connected(
    server: FeedServer, addresses: list[str]
) -> None:
    """Rebinding: the address is checked again when the socket is opened."""
    server.put("/feed", "<rss/>")
    url_guard = UrlGuard()
    port = server.base.rpartition(":")[2]
    connector = LenientConnector(resolver=Names({"feeds.example": addresses}), url_guard=url_guard)
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(aiohttp.ClientConnectorError) as raised:
            await session.get(f"http://feeds.example:{port}/feed")
    assert raised.value.os_error.errno == errno.EACCES
    assert server.seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_from_an_exempt_host_to_a_private_address_is_rejected(status: int) -> None:
    async with feed_server("127.0.0.2") as outer, feed_server("127.0.0.3") as inner:
        inner.put("/secret", "<rss/>")

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": inner.url("/secret")})

        outer.handle("/feed", redirect)
        outcome = await fetched(outer.url("/feed"), UrlGuard([ip_network("127.0.0.2/32")]))
        assert outcome == FetchFailed(Failure.PRIVATE, NOT_PUBLIC)
        assert inner.seen == []


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "http://user:secret@127.0.0.2/",
        "http://2130706433/",
        "//0/",
        "gopher://127.0.0.2/",
    ],
)
async def test_the_address_of_a_redirect_is_checked_like_any_other(target: str) -> None:
    async with feed_server("127.0.0.2") as outer:

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": target})

        outer.handle("/feed", redirect)
        outcome = await fetched(outer.url("/feed"), UrlGuard([ip_network("127.0.0.2/32")]))
        assert isinstance(outcome, FetchFailed)
        assert "passwd" not in outcome.text
        assert "secret" not in outcome.text
        assert len(outer.seen) == 1


async def test_the_message_is_the_same_for_open_ports_closed_ports_and_names(
    server: FeedServer,
) -> None:
    server.put("/feed", "<rss/>")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        shut = closed.getsockname()[1]
        port = int(server.base.rpartition(":")[2])
        url_guard = UrlGuard(ports=[port, shut])
        names = {"inside.example": ["127.0.0.1"]}
        texts = {
            str(await fetched(f"http://{host}:{number}/feed", url_guard, names))
            for host in ("127.0.0.1", "inside.example")
            for number in (port, shut)
        }
    assert texts == {str(FetchFailed(Failure.PRIVATE, NOT_PUBLIC))}
    assert server.seen == []


@pytest.mark.parametrize(
    "network", ["64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/0"]
)
@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::10.0.0.1",
        "64:ff9b:1:a00:0:100::",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:10.0.0.1",
        "2a00:1::5efe:10.0.0.1",
        "2a00:1::200:5efe:127.0.0.1",
        "::ffff:127.0.0.1",
    ],
)
def test_no_allowed_network_leads_to_a_private_address_within_an_address(
    network: str, address: str
) -> None:
    guard = UrlGuard([ip_network(network)])
    assert not guard.allows(address)
    with pytest.raises(AddressError):
        guard.parse(f"http://[{address}]/")


def test_an_allowed_translator_reaches_public_addresses_and_those_allowed_themselves() -> None:
    guard = UrlGuard([ip_network("64:ff9b::/96"), ip_network("10.0.0.0/8")])
    assert guard.allows("64:ff9b::1.1.1.1")
    assert guard.allows("64:ff9b::10.0.0.1")
    assert guard.allows("::ffff:10.0.0.1")
    assert not guard.allows("64:ff9b::192.168.0.1")
    assert UrlGuard([ip_network("::1/128")]).allows("::1")


def test_an_address_is_judged_anew_once_a_translator_is_found() -> None:
    url_guard = UrlGuard()
    inside = "2a00:1:2:3:4:5:a00:1"  # 10.0.0.1 behind the prefix
    assert url_guard.allows(inside)
    url_guard.find_translators(["2a00:1:2:3:4:5:c000:aa"])
    assert not url_guard.allows(inside)
