"""Where a Location leads, by the URL standard of the WHATWG."""

import pytest
from yarl import URL

from bot.fetch.redirects import resolve_location

BASE = URL("http://news.example/a/b?x")


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("/new feed.xml", "http://news.example/new%20feed.xml"),
        ("\\n\\f.xml", "http://news.example/n/f.xml"),
        ("caf\udce9.xml", "http://news.example/a/caf%E9.xml"),
        ("/hafen/größe", "http://news.example/hafen/gr%C3%B6%C3%9Fe"),
        ("http:\\\\port.example\\x y", "http://port.example/x%20y"),
        ("//port.example", "http://port.example/"),
        ("///port.example/x", "http://port.example/x"),
        ("http:/same", "http://news.example/same"),
        ("http:same?q=a b", "http://news.example/a/same?q=a%20b"),
        ("https:/port.example/z", "https://port.example/z"),
        ("?y", "http://news.example/a/b?y"),
        ("../z", "http://news.example/z"),
        ("http://größe.example/ü", "http://xn--gre-6ka8i.example/%C3%BC"),
        ("HTTPS://Port.Example/Q%2f%7e", "https://port.example/Q%2f%7e"),
        ("/x?to=http://a b\\c", "http://news.example/x?to=http://a%20b%5Cc"),
        ("/a\tb\n", "http://news.example/ab"),
        ("ftp://port.example/x", "ftp://port.example/x"),
    ],
)
def test_a_location_means_what_browsers_take_it_for(location: str, address: str) -> None:
    assert resolve_location(BASE, location) == address


def test_a_host_that_is_no_text_means_nothing() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        resolve_location(BASE, "//caf\udce9.example/")
