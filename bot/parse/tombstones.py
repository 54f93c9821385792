"""Read which entries an Atom feed has withdrawn (RFC 6721): their ids, as keys."""

import html
import re

from bot.parse.entry_keys import keys_for

MAX_TOMBSTONES = 500  #: of a document that are read
MARK = b"deleted-entry"  #: what a document with tombstones has
_NAMESPACE = b"http://purl.org/atompub/tombstones/1.0"
_TOMBSTONE = re.compile(
    rb"<(?:[A-Za-z_][\w.-]{0,60}:)?deleted-entry\s[^<>]{0,4096}?\bref\s*=\s*"
    rb"(?:\"([^\"<>]{1,2048})\"|'([^'<>]{1,2048})')"
)


def withdrawn_keys(text: bytes, charset: str) -> tuple[bytes, ...]:
    """Return the keys of the guids of entries that a document says are withdrawn."""
    if MARK not in text or _NAMESPACE not in text:
        return ()
    keys: dict[bytes, None] = {}
    for tombstone in _TOMBSTONE.finditer(text):
        ref = html.unescape((tombstone[1] or tombstone[2]).decode(charset, "replace")).strip()
        if ref:
            keys[keys_for(ref, "", "", "").guid] = None
        if len(keys) == MAX_TOMBSTONES:
            break
    return tuple(keys)
