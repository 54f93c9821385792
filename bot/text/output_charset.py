"""Output in any charset: what a stream cannot encode is written in ASCII, never an error.

Says nothing about the charset of documents; `parse.charset` does.
"""

import codecs
import unicodedata
from io import TextIOWrapper
from typing import IO

ERRORS = "newsbell-ascii"  #: the error handler of the codecs, by its name


def print_any_text(*streams: IO[str] | None) -> None:
    """Let streams take any text: what their charset lacks is spelled in ASCII, or is a `?`."""
    codecs.register_error(ERRORS, _replaced)
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def takes_unicode(stream: IO[str]) -> bool:
    """Whether the charset of a stream has all characters; formats with escapes use them if not."""
    charset = getattr(stream, "encoding", None) or "utf-8"  # none: it is no stream of bytes
    return codecs.lookup(charset).name.startswith("utf")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_ascii, error.object[error.start : error.end])), error.end


def _ascii(character: str) -> str:
    if unicodedata.category(character) in {"Cf", "Mn", "Me"}:
        return ""  # invisible, or part of the letter before
    from anyascii import anyascii  # noqa: PLC0415 (most charsets have all characters)

    return anyascii(character) or "?"
