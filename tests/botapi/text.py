"""From what a bot sends to what Telegram shows: parse modes, entities, cleaning, limits.

Knows nothing of chats, except through the lookup of users that mentions need.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from .errors import ApiError, Json, bad_request
from .html import parse_html, place
from .links import LinkError, check_link, linked_user

TEXT_LIMIT: Final = 4096
CAPTION_LIMIT: Final = 1024
RAW_BYTES: Final = 32768
MOST_ENTITIES: Final = 100
_FARTHEST: Final = 1_000_000

#: Finds the Bot API's user object of a user id.
Users = Callable[[int], Json | None]


def _load_tdjson() -> Callable[[bytes], bytes | None] | None:
    try:
        execute: Callable[[bytes], bytes | None] = import_module("tdjson").td_execute
    except ImportError:
        return None
    execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}')
    return execute


#: Telegram's own parser; None where it is not installed.
td_execute: Callable[[bytes], bytes | None] | None = _load_tdjson()

_PARSE_MODES: Final[dict[str, Json]] = {
    "html": {"@type": "textParseModeHTML"},
    "markdown": {"@type": "textParseModeMarkdown", "version": 1},
    "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
}
_TD_TYPES: Final = {
    "Bold": "bold", "Italic": "italic", "Underline": "underline", "Spoiler": "spoiler",
    "Strikethrough": "strikethrough", "Code": "code", "Pre": "pre", "PreCode": "pre",
    "TextUrl": "text_link", "MentionName": "text_mention", "CustomEmoji": "custom_emoji",
    "BlockQuote": "blockquote", "ExpandableBlockQuote": "expandable_blockquote",
    "DateTime": "date_time",
}  # fmt: skip
_FOUND_ALONE: Final = {
    "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number",
}  # fmt: skip
_NEEDS: Final = {"text_link": "url", "text_mention": "user", "custom_emoji": "custom_emoji_id"}


@dataclass(frozen=True)
class Formatted:
    """A text as shown, with its entities in UTF-16 units."""

    text: str
    entities: list[Json]


def parse(
    text: str, parse_mode: str, entities: list[Json], *, refuse_bad_links: bool = False
) -> Formatted:
    """Return the text with its markup turned into entities; nothing is cleaned yet.

    Raises:
        ApiError: the raw text is too long, or the parse mode, the markup or an entity is wrong.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None
    if size > RAW_BYTES:
        raise bad_request("text is too long")
    mode = parse_mode.lower()
    if not text or mode in {"", "none"}:
        read = [_read_entity(entity, refuse=refuse_bad_links) for entity in entities]
        return Formatted(text, [entity for entity in read if entity])
    if mode not in _PARSE_MODES or (td_execute is None and mode != "html"):
        raise bad_request("unsupported parse_mode")
    if td_execute is None:
        return Formatted(*parse_html(text))
    return _parse_with_td(td_execute, text, _PARSE_MODES[mode])


def _parse_with_td(
    execute: Callable[[bytes], bytes | None], text: str, parse_mode: Json
) -> Formatted:
    request = {"@type": "parseTextEntities", "text": text, "parse_mode": parse_mode}
    answer: Json = json.loads(execute(json.dumps(request).encode()) or b"{}")
    if answer["@type"] == "error":
        raise bad_request(answer["message"])
    return Formatted(answer["text"], [_from_td(entity) for entity in answer["entities"]])


def _from_td(entity: Json) -> Json:
    kind: Json = dict(entity["type"])
    name = _TD_TYPES[kind.pop("@type").removeprefix("textEntityType")]
    kind.pop("formatting_type", None)
    if "user_id" in kind:
        kind = {"user": {"id": kind["user_id"]}}
    return {"type": name, "offset": entity["offset"], "length": entity["length"], **kind}


def _read_entity(entity: Json, *, refuse: bool) -> Json | None:
    """Return an entity the bot gave, or None for a link Telegram drops."""
    kind = str(entity.get("type"))
    if kind not in _FOUND_ALONE and kind not in _TD_TYPES.values():
        raise bad_request("can't parse MessageEntity: Unsupported type specified")
    needed = _NEEDS.get(kind)
    if needed and needed not in entity:
        raise bad_request(f"can't parse MessageEntity: Can't find field \"{needed}\"")
    if kind != "text_link":
        return entity
    url = str(entity["url"])
    user_id = linked_user(url)
    if user_id is not None:
        place = {name: entity[name] for name in ("offset", "length")}
        return {"type": "text_mention", "user": {"id": user_id}, **place}
    try:
        return {**entity, "url": check_link(url)}
    except LinkError as error:
        if refuse:
            raise bad_request(f"entity URL '{url}' is invalid: {error}") from None
        return None


def settle(parsed: Formatted, users: Users, *, may_be_empty: bool = False) -> Formatted:
    """Return the text as Telegram stores it: entities checked, text cleaned and trimmed.

    Raises:
        ApiError: an entity is out of bounds, or nothing is left to show.
    """
    named = [_name_user(entity, users) for entity in parsed.entities[:MOST_ENTITIES]]
    entities = [entity for entity in named if entity and _in_bounds(entity)]
    text, entities = _clean(parsed.text, entities)
    shown = text.rstrip(" \n")
    if not shown:
        if may_be_empty:
            return Formatted("", [])
        raise bad_request("text must be non-empty")
    end = _utf16(shown)
    for entity in entities:
        entity["length"] = min(entity["length"], end - entity["offset"])
    entities = [entity for entity in entities if entity["length"] > 0]
    lead = len(shown) - len(shown.lstrip(" \n"))
    lead = min([lead, *(entity["offset"] for entity in entities)])
    moved = [{**entity, "offset": entity["offset"] - lead} for entity in entities]
    return Formatted(shown[lead:], sorted(moved, key=place))


def check_length(formatted: Formatted, limit: int) -> None:
    """Refuse a text that is too long once parsed, in code points."""
    if len(formatted.text) > limit:
        what = "message" if limit == TEXT_LIMIT else "message caption"
        raise bad_request(f"{what} is too long")


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _in_bounds(entity: Json) -> bool:
    """Say whether the entity covers anything; refuse impossible numbers."""
    for field in ("offset", "length"):
        number: Any = entity.get(field, 0)
        if not 0 <= number <= _FARTHEST:
            raise bad_request(f"receive an entity with incorrect {field} {number}")
    return bool(entity["length"])


def _name_user(entity: Json, users: Users) -> Json | None:
    """Return the entity as stored, or None where Telegram drops it."""
    if entity["type"] in _FOUND_ALONE:
        return None
    if entity["type"] != "text_mention":
        return dict(entity)
    user = users(entity["user"]["id"])
    return {**entity, "user": user} if user else None


def _clean(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Drop and replace the characters Telegram does not keep, and move the entities along."""
    characters: list[str] = []
    moved: list[int | None] = []
    at = 0
    for character in text:
        units = 1 + (ord(character) > 0xFFFF)
        moved += [at, None][:units]
        shown = _clean_character(character)
        characters.append(shown)
        at += units if shown else 0
    moved.append(at)
    result = []
    for entity in entities:
        begin, end = _bounds(entity, moved, text)
        if end > begin:
            result.append({**entity, "offset": begin, "length": end - begin})
    return "".join(characters), result


def _clean_character(character: str) -> str:
    code = ord(character)
    if character == "\r" or 0x2028 <= code <= 0x202E or code in {0x333, 0x33F, 0x30A}:
        return ""
    return " " if code < 0x20 and character != "\n" else character


def _bounds(entity: Json, moved: list[int | None], text: str) -> tuple[int, int]:
    first, past = entity["offset"], entity["offset"] + entity["length"]
    size = len(moved) - 1
    if first > size:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {first}")
    named = f"entity beginning at UTF-16 offset {first}"
    if past > size:
        raise bad_request(f"{named} ends after the end of the text at UTF-16 offset {past}")
    begin, end = moved[first], moved[past]
    if begin is None:
        raise _split("entity begins", text, first)
    if end is None:
        raise _split(f"{named} ends", text, past)
    return begin, end


def _split(what: str, text: str, offset: int) -> ApiError:
    before = text.encode("utf-16-le")[: (offset + 1) * 2].decode("utf-16-le")
    place = len(before.encode())
    return bad_request(f"{what} in a middle of a UTF-16 symbol at byte offset {place}")
