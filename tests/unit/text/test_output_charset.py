"""Text on streams whose charset lacks some of its signs."""

import io

import pytest

from bot.text.output_charset import print_any_text, takes_unicode


def printed(text: str, charset: str) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=charset)
    print_any_text(stream, None, io.StringIO())
    stream.write(text)
    stream.flush()
    return raw.getvalue().decode(charset)


@pytest.mark.parametrize(
    ("text", "charset", "shown"),
    [
        ("● Пожар в порту", "ascii", "* Pozhar v portu"),
        ("● Пожар в порту", "koi8-r", "* Пожар в порту"),
        ("Café – “quay”", "iso-8859-1", 'Café - "quay"'),
        ("a\u2060b\u200f", "ascii", "ab"),
        ("a\ud800b", "utf-8", "a?b"),
        ("a\u0301", "ascii", "a"),
    ],
)
def test_what_a_charset_lacks_is_spelled_in_ascii(text: str, charset: str, shown: str) -> None:
    assert printed(text, charset) == shown


def test_formats_with_escapes_know_when_to_use_them() -> None:
    assert takes_unicode(io.TextIOWrapper(io.BytesIO(), encoding="UTF-16"))
    assert takes_unicode(io.StringIO())
    assert not takes_unicode(io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
