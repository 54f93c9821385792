"""Make the file of `bot.names.lexicon` from the lists of wordfreq.

    python -m data.word_frequencies

Not a part of the package: it looks nothing up.
"""

from __future__ import annotations

import gzip
from importlib.metadata import version
from importlib.resources import files

import msgpack

from bot.names.data_file import data_bytes, index_words, integer_bytes
from bot.names.lexicon import FILE, lists
from bot.text.fold import fold_many

BUCKET_BITS = 12


def steps_of_words(packed: bytes) -> dict[str, int]:
    """Return the words of a list, folded, and the steps of each below the highest frequency."""
    words: dict[str, int] = {}
    for number, listed in enumerate(msgpack.unpackb(gzip.decompress(packed))[1:]):  # a header first
        if listed:
            for word in fold_many(listed):
                words.setdefault(word, number)
    return words


def sections_of(language: str) -> dict[str, bytes]:
    """Return the sections of a language; none where there is no list."""
    source = files("wordfreq").joinpath(f"data/small_{language}.msgpack.gz")
    if not source.is_file():
        return {}
    words = steps_of_words(source.read_bytes())
    index, steps = index_words({word: (words[word],) for word in words}, BUCKET_BITS)
    return {
        f"{language} starts": integer_bytes("H", index.starts),
        f"{language} rests": integer_bytes("I", index.rests),
        f"{language} steps": integer_bytes("H", steps),
    }


def about() -> dict[str, list[str]]:
    """Return what the file is made from."""
    return {"from": [f"wordfreq {version('wordfreq')}"]}


def content() -> bytes:
    """Return the content of the file."""
    sections: dict[str, bytes] = {}
    for language in sorted(lists()):
        sections |= sections_of(language)
    return data_bytes(about(), sections)


if __name__ == "__main__":
    FILE.write_bytes(content())
