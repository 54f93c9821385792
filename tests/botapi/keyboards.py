"""What Telegram accepts as reply markup. Presses no button."""

from __future__ import annotations

from typing import Final

from .errors import Json, bad_request
from .links import LinkError, check_link, linked_user

CALLBACK_BYTES: Final = 64
COPY_TEXT: Final = 256
ROW: Final = 8
KEYBOARD: Final = 100
PLACEHOLDER: Final = 64
_KINDS: Final = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")
_SWITCHES: Final = (
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
)
_UNKNOWN_BOT: Final = (
    "button in a channel chat, because users will not be able to use the button without "
    "knowing bot's username"
)


def check_markup(markup: Json | None, chat_kind: str, *, only_inline: bool = False) -> Json | None:
    """Return the markup as Telegram stores it, or None when there is none.

    An edit takes inline keyboards only.

    Raises:
        ApiError: a button is wrong, or there are too many.

    """
    if not markup or not any(kind in markup for kind in _KINDS):
        return None
    if "inline_keyboard" not in markup:
        if only_inline:
            raise bad_request("inline keyboard expected")
        # the documented limit; the words of the refusal are not known
        if len(str(markup.get("input_field_placeholder") or "")) > PLACEHOLDER:
            raise bad_request("REPLY_MARKUP_INVALID")
        return markup
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be of type Array')
    checked = [[_check_button(button, chat_kind) for button in row] for row in rows if row]
    if sum(map(len, checked)) > KEYBOARD or any(len(row) > ROW for row in checked):
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": checked} if checked else None


def is_inline(markup: Json | None) -> bool:
    """Say whether the message that carries this may be edited."""
    return markup is None or "inline_keyboard" in markup


def _check_button(button: Json, chat_kind: str) -> Json:
    if "text" not in button:
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not str(button["text"]).strip():
        raise bad_request("inline keyboard button text must be non-empty")
    if button.get("url"):
        return {**button, "url": _check_url(button["url"])}
    if button.get("callback_data"):
        if len(str(button["callback_data"]).encode()) > CALLBACK_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
        return button
    return _check_rare(button, chat_kind)


def _check_rare(button: Json, chat_kind: str) -> Json:
    if "copy_text" in button:
        if not 1 <= len(button["copy_text"].get("text", "")) <= COPY_TEXT:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
        return button
    if "web_app" in button:
        return _check_web_app(button, chat_kind)
    switch = next((switch for switch in _SWITCHES if switch in button), None)
    if switch is not None:
        if chat_kind == "channel":
            suffix = "_current_chat" if switch == "switch_inline_query_current_chat" else ""
            raise bad_request(f"can't use switch_inline_query{suffix} {_UNKNOWN_BOT}")
        return button
    if any(kind in button for kind in ("login_url", "callback_game", "pay")):
        raise bad_request("BUTTON_TYPE_INVALID")
    raise bad_request(
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
    )


def _check_url(url: str) -> str:
    if linked_user(url) is not None:
        return url
    try:
        return check_link(url)
    except LinkError as error:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: {error}") from None


def _check_web_app(button: Json, chat_kind: str) -> Json:
    url = str(button["web_app"].get("url", ""))
    try:
        checked = check_link(url, https_only=True)
    except LinkError as error:
        reason = f"inline keyboard button Web App URL '{url}' is invalid: {error}"
        raise bad_request(reason) from None
    if chat_kind != "private":
        raise bad_request("BUTTON_TYPE_INVALID")
    return {**button, "web_app": {"url": checked}}
