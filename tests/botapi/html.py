"""A small parser of Telegram's HTML parse mode, for machines where tdjson is not installed.

Finds the same texts, entities and errors as Telegram's own parser for the markup a bot writes.
It does not merge or split overlapping entities, and it knows nothing of limits and of `tg-time`.
"""

from __future__ import annotations

import re
from typing import NoReturn

from .errors import Json, bad_request
from .links import LinkError, check_link, linked_user

_TYPES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic",
    "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler", "code": "code", "pre": "pre",
    "a": "text_link", "tg-emoji": "custom_emoji", "blockquote": "blockquote",
}  # fmt: skip
_NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
_REFERENCE = re.compile(rb"&(?:#(?:x([0-9a-f]+)|(\d+))|(lt|gt|amp|quot)(?![a-z]));?", re.IGNORECASE)
_ORDER = (
    "blockquote", "expandable_blockquote", "pre", "code", "text_link", "text_mention",
    "date_time", "bold", "italic", "underline", "strikethrough", "spoiler", "custom_emoji",
)  # fmt: skip
_SPACE = b" \t\r\n\0\x0b"
_LAST_CODE_POINT = 0x10FFFF


def parse_html(source: str) -> tuple[str, list[Json]]:
    """Return the plain text and the entities of some HTML.

    Raises:
        ApiError: the markup is broken; the description says where.
    """
    return _Parser(source.encode()).parse()


def place(entity: Json) -> tuple[int, int, int]:
    """Return the key that sorts entities as Telegram does: the outer before the inner."""
    return entity["offset"], -entity["length"], _ORDER.index(entity["type"])


def _broken(reason: str) -> NoReturn:
    raise bad_request(f"can't parse entities: {reason}")


class _Parser:
    def __init__(self, source: bytes) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.length = 0
        self.open: list[tuple[str, dict[str, str], int, int]] = []
        self.entities: list[Json] = []

    def parse(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            if self.source[self.at : self.at + 1] != b"<":
                self._write(self._text(b"<&"))
            elif self.source[self.at + 1 : self.at + 2] == b"/":
                self._close()
            else:
                self._start()
        if self.open:
            _broken(f'Can\'t find end tag corresponding to start tag "{self.open[-1][0]}"')
        return "".join(self.out), _fold_code(sorted(self.entities, key=place))

    def _write(self, text: str) -> None:
        self.out.append(text)
        self.length += len(text.encode("utf-16-le")) // 2

    def _peek(self) -> bytes:
        return self.source[self.at : self.at + 1]

    def _until(self, stops: bytes) -> bytes:
        begin = self.at
        while self.at < len(self.source) and self.source[self.at] not in stops:
            self.at += 1
        return self.source[begin : self.at]

    def _skip_space(self) -> None:
        while self._peek() and self._peek() in _SPACE:
            self.at += 1

    def _text(self, stops: bytes) -> str:
        """Read one character reference or the run of text before the next stop."""
        if self._peek() != b"&":
            return self._until(stops).decode()
        match = _REFERENCE.match(self.source, self.at)
        code = _code_point(match) if match else 0
        if match is None or not code:
            self.at += 1
            return "&"
        if 0xD800 <= code <= 0xDFFF:
            _broken(
                "Text contains invalid Unicode characters after decoding HTML entities, "
                "check for unmatched surrogate code units"
            )
        self.at = match.end()
        return chr(code)

    def _start(self) -> None:
        begin = self.at
        self.at += 1
        tag = self._until(_SPACE + b">").decode().lower()
        if self.at >= len(self.source):
            _broken(f"Unclosed start tag at byte offset {begin}")
        if tag not in _TYPES:
            _broken(f'Unsupported start tag "{tag}" at byte offset {begin}')
        attributes: dict[str, str] = {}
        while self._peek() != b">":
            self._skip_space()
            if self._peek() == b">":
                break
            name, value = self._attribute(tag, begin)
            attributes.setdefault(name, value)
        self.at += 1
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            _broken(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append((tag, attributes, self.length, len(self.out)))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        name = self._until(_SPACE + b"=>").decode().lower()
        if self.at >= len(self.source):
            _broken(f'Unclosed start tag "{tag}" at byte offset {begin}')
        if not name:
            _broken(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self._skip_space()
        if self._peek() != b"=":
            return name, ""
        self.at += 1
        self._skip_space()
        if self.at >= len(self.source):
            _broken(f'Unclosed start tag "{tag}" at byte offset {begin}')
        return name, self._quoted(begin) if self._peek() in b"'\"" else self._token()

    def _token(self) -> str:
        begin = self.at
        match = re.compile(rb"[A-Za-z0-9.-]*").match(self.source, self.at)
        self.at = match.end() if match else begin
        if not self._peek() or self._peek() not in _SPACE + b">":
            _broken(f"Unexpected end of name token at byte offset {begin}")
        return self.source[begin : self.at].decode().lower()

    def _quoted(self, begin: int) -> str:
        quote = self._peek()
        self.at += 1
        value = ""
        while self._peek() and self._peek() != quote:
            value += self._text(quote + b"&")
        if not self._peek():
            _broken(f"Unclosed start tag at byte offset {begin}")
        self.at += 1
        return value

    def _close(self) -> None:
        begin = self.at
        self.at += 2
        if not self.open:
            _broken(f"Unexpected end tag at byte offset {begin}")
        found = self._until(_SPACE + b">").decode().lower()
        self._skip_space()
        if self._peek() != b">":
            _broken(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        tag, attributes, offset, piece = self.open.pop()
        if found and found != tag:
            where = f"Unmatched end tag at byte offset {begin}"
            _broken(f'{where}, expected "</{tag}>", found "</{found}>"')
        if self.length > offset:
            self._finish(tag, attributes, offset, "".join(self.out[piece:]))

    def _finish(self, tag: str, attributes: dict[str, str], offset: int, inner: str) -> None:
        entity: Json = {"type": _TYPES[tag], "offset": offset, "length": self.length - offset}
        if tag == "a" and not _add_link(entity, attributes.get("href") or inner):
            return
        if tag == "blockquote" and "expandable" in attributes:
            entity["type"] = "expandable_blockquote"
        if tag == "tg-emoji":
            entity["custom_emoji_id"] = _emoji(attributes.get("emoji-id", ""))
        if tag == "code" and attributes.get("class", "").startswith("language-"):
            entity["language"] = attributes["class"].removeprefix("language-")
        self.entities.append(entity)


def _fold_code(entities: list[Json]) -> list[Json]:
    """Join a `code` that names its language with the `pre` of the same extent."""
    blocks = {(e["offset"], e["length"]): e for e in entities if e["type"] == "pre"}
    complete = []
    for entity in entities:
        language = entity.pop("language", "") if entity["type"] == "code" else ""
        block = blocks.get((entity["offset"], entity["length"]))
        if language and block is not None:
            block["language"] = language
        else:
            complete.append(entity)
    return complete


def _code_point(match: re.Match[bytes]) -> int:
    hexadecimal, decimal, named = match.groups()
    if named:
        return ord(_NAMED.get(named, "\0"))
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return code if code <= _LAST_CODE_POINT else 0


def _add_link(entity: Json, url: str) -> bool:
    user = linked_user(url)
    if user is not None:
        entity.update(type="text_mention", user={"id": user})
        return True
    try:
        entity["url"] = check_link(url)
    except LinkError:
        return False
    return True


def _emoji(identifier: str) -> str:
    if not identifier.isdecimal() or int(identifier) >= 1 << 63:
        _broken("Invalid custom emoji identifier specified")
    return identifier
