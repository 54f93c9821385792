"""The parameters of a request, decoded as python-telegram-bot and others encode them.

Reads query strings, forms, multipart forms and JSON bodies; judges no value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from .errors import Json, bad_request

_TREES: Final = frozenset({
    "reply_markup", "entities", "caption_entities", "allowed_updates", "reply_parameters",
    "link_preview_options", "commands", "scope",
})  # fmt: skip
_NUMBERS: Final = frozenset({
    "chat_id", "message_id", "message_thread_id", "user_id", "offset", "limit", "timeout",
    "reply_to_message_id", "cache_time", "max_connections",
})  # fmt: skip
_FLAGS: Final = frozenset({
    "disable_notification", "protect_content", "show_alert", "drop_pending_updates",
    "disable_web_page_preview", "allow_sending_without_reply", "disable_content_type_detection",
})  # fmt: skip


@dataclass(frozen=True)
class Upload:
    """A file sent along with a request."""

    filename: str
    content: bytes


async def read_params(request: web.Request) -> Json:
    """Return every parameter of a request under its name, as the Bot API types it.

    Raises:
        ApiError: a value that should be JSON is not.
    """
    raw: Json = dict(request.query)
    if request.content_type == "application/json":
        raw |= await request.json()
    elif request.can_read_body:
        for name, value in (await request.post()).items():
            raw[name] = (
                Upload(value.filename, value.file.read())
                if isinstance(value, web.FileField)
                else value
            )
    return {name: _decode(name, value) for name, value in raw.items()}


def _decode(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _TREES:
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None
    if name in _NUMBERS:
        return int(value) if value.lstrip("-").isdecimal() else value
    return value.lower() in {"true", "yes", "1"} if name in _FLAGS else value
