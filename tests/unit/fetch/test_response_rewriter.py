"""Answers of sites become strict HTTP/1.1, in whatever pieces they arrive."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fetch import response_rewriter
from bot.fetch.response_rewriter import CHUNKS, HEAD_LENGTH, ResponseRewriter

HEAD = b"HTTP/1.1 200 OK\r\n"
BODY = b"<rss>harbour</rss>"
ANSWERS = (
    HEAD + b"Content-Length: 18\r\n\r\n" + BODY,
    HEAD + b"odd\r\n more\r\nContent-Length : +18\r\n\r\n" + BODY + b"what follows",
    HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\nd;x=y\n</rss>harbour\n0\r\nA: 1\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\nxyz\r\n",
    b"\r\nHTTP/1.0  200\n\n" + BODY,
    b"HTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n",
    b"SSH-2.0-x\r\n",
)


def rewritten(*pieces: bytes) -> tuple[bytes, str, bool]:
    """What is written, the body of chunks without their sizes; the error; whether to close."""
    rewriter = ResponseRewriter()
    written = b"".join(rewriter.feed(piece) for piece in pieces)
    head, end, body = written.partition(b"\r\n\r\n")
    if b"chunked" in head:
        body = b"".join(part for part in body.split(b"\r\n")[1::2])
    return head + end + body, str(rewriter.error or ""), rewriter.must_close


@given(st.sampled_from(ANSWERS), st.lists(st.integers(min_value=0, max_value=150), max_size=12))
def test_the_pieces_in_which_an_answer_arrives_change_nothing(
    answer: bytes, cuts: list[int]
) -> None:
    ends = [0, *sorted(cuts), len(answer)]
    pieces = [answer[start:end] for start, end in pairwise(ends)]
    written, error, _ = rewritten(*pieces)
    whole, same, _ = rewritten(answer)
    # Where to close may differ: trailers that have not arrived are not waited for.
    assert (written.replace(b"Connection: close\r\n", b""), error) == (
        whole.replace(b"Connection: close\r\n", b""),
        same,
    )


HEADERS = st.lists(
    st.text("aB-: \t\r\x00\x7f\xa0;,=", max_size=12).map(lambda line: line.encode("latin-1")),
    max_size=4,
)


@given(HEADERS)
def test_strict_headers_take_a_quick_way_to_the_same_end(lines: list[bytes]) -> None:
    quick = response_rewriter._headers(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response_rewriter, "_STRICT_LINE", re.compile(rb"(?!)"))
        assert response_rewriter._headers(lines) == quick


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for start in (b"", HEAD, HEAD + b"Transfer-Encoding: chunked\r\n\r\n"):
        rewriter = ResponseRewriter()
        rewriter.feed(start + data)
        assert rewriter.feed(b"more") == b"" or not rewriter.error


def test_what_follows_the_end_is_dropped_and_closes_the_connection() -> None:
    answer = HEAD + b"Content-Length: 2\r\n\r\nok"
    assert rewritten(answer, HEAD) == (HEAD + b"Content-Length: 2\r\n\r\nok", "", True)


def test_headers_about_the_connection_are_written_anew() -> None:
    written, _, close = rewritten(
        HEAD + b"Connection: upgrade\r\nUpgrade: h2c\r\nKeep-Alive: timeout=5\r\nA: b\r\n"
        b"Content-Length: 0\r\n\r\n"
    )
    assert written == HEAD + b"A: b\r\nContent-Length: 0\r\n\r\n"
    assert not close


def test_an_answer_of_very_many_small_chunks_is_cut_off() -> None:
    rewriter = ResponseRewriter()
    rewriter.feed(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in range(CHUNKS // 1000 + 1):
        rewriter.feed(b"1\r\nx\r\n" * 1000)
    assert str(rewriter.error) == "The site's answer has too many chunks."


def test_many_headers_are_bounded_together() -> None:
    rewriter = ResponseRewriter()
    rewriter.feed(HEAD)
    for _ in range(HEAD_LENGTH // 1000 + 1):
        rewriter.feed(b"A: " + b"x" * 1000 + b"\r\n")
    assert str(rewriter.error) == "The headers of the site's answer are longer than 256 KiB."
