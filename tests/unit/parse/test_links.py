"""Links of entries, however they are written."""

import pytest

from bot.parse.document import absolute

BASE = "https://news.port.example/deep/feed.xml"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("www.quay.example/a/1", "https://www.quay.example/a/1"),
        ("WWW.Quay.Example/a", "https://WWW.Quay.Example/a"),
        ("news.port.example/a/1", "https://news.port.example/a/1"),
        (" www.quay.example ", "https://www.quay.example"),
        ("//quay.example/a", "https://quay.example/a"),
        ("a/1", "https://news.port.example/deep/a/1"),
        ("quay.html", "https://news.port.example/deep/quay.html"),
        ("www/a", "https://news.port.example/deep/www/a"),
        ("www.html", "https://news.port.example/deep/www.html"),
    ],
)
def test_a_host_without_a_scheme_is_a_host_and_a_page_is_a_page(link: str, address: str) -> None:
    assert absolute(link, BASE) == address
