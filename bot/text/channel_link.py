"""Addresses of Telegram's public channels: what people write of them, and the form that is kept.

Fetches nothing, and knows nothing of what is on the page.
"""

import re
from urllib.parse import urlsplit

SITE = "https://t.me"  #: where Telegram shows channels to everyone
EXAMPLE = "@example_news"  #: a channel in what people read
_HOSTS = frozenset({"t.me", "www.t.me", "telegram.me", "www.telegram.me", "telegram.dog"})
_MAY_BE = re.compile(r"(?i)t\.me|telegram\.|[\t\r\n]")  # of blanks, addresses are rid
_NAME = re.compile(r"[a-z][a-z0-9_]{3,31}")
_POST = re.compile(r"/(?:s/)?([A-Za-z][A-Za-z0-9_]{3,31})/([0-9]{1,12})/?")
#: first parts of paths of t.me that are no names
_RESERVED = frozenset(
    "joinchat addstickers addemoji addtheme addlist setlanguage share proxy socks login invoice "
    "confirmphone contact boost giftcode bg msg stickers iv".split()
)


def channel_name(text: str) -> str:
    """Return the name of the channel that a text is the address of, in lower case; else empty.

    Such as `@name`, `t.me/name`, `https://t.me/s/name` and the address of a post.
    """
    text = text.strip()
    if text.startswith("@"):
        name = text[1:].lower()
        return name if _NAME.fullmatch(name) else ""
    parts = _telegram_parts(text)
    if not parts:
        return ""
    first = parts[1] if parts[0].lower() == "s" and len(parts) > 1 else parts[0]
    name = first.lower()
    return name if _NAME.fullmatch(name) and name not in _RESERVED else ""


def is_private_channel(text: str) -> bool:
    """Whether a text is an address of Telegram that only members of a channel or group can use."""
    parts = _telegram_parts(text.strip())
    return bool(parts) and (parts[0] in {"c", "joinchat"} or parts[0].startswith("+"))


def is_misnamed_channel(text: str) -> bool:
    """Whether a text is an address of a channel, and its name cannot be that of any channel."""
    text = text.strip()
    if channel_name(text) or is_private_channel(text):
        return False
    if text.startswith("@"):
        return True
    parts = [part for part in _telegram_parts(text) if part.lower() != "s"]
    return bool(parts) and parts[0].lower() not in _RESERVED


def channel_fault(text: str) -> str:
    """Return in English why newsbell cannot read the channel that a text names; else empty."""
    if not text.lstrip().startswith("@") and not _MAY_BE.search(text):
        return ""  # nearly all
    if is_private_channel(text):
        return "only members can read this channel or group; newsbell reads public channels"
    if is_misnamed_channel(text):
        return (
            "this is no name of a channel: it has 4 to 32 letters a to z, digits and _, and "
            f"begins with a letter, such as {EXAMPLE}"
        )
    return ""


def channel_url(name: str) -> str:
    """Return the address that is kept of a channel: that of its public preview."""
    return f"{SITE}/s/{name.lower()}"


def canonical_channel(text: str) -> str:
    """Return the kept address of the channel that a text is the address of; else the text."""
    name = channel_name(text)
    return channel_url(name) if name else text


def followed_channel(url: str) -> str:
    """Return the name of the channel of a kept address; empty where it is that of another feed."""
    name = url.removeprefix(f"{SITE}/s/")
    return name if name != url and _NAME.fullmatch(name) else ""


def post_link(url: str) -> str:
    """Return the link of a channel's post in the form that newsbell gives it; else empty."""
    lower = url.lower()
    if "t.me" not in lower and "telegram." not in lower and url.isprintable():
        return ""  # nearly all: first, for it is asked of each article
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    match = _POST.fullmatch(parts.path) if (parts.hostname or "") in _HOSTS else None
    return f"{SITE}/{match[1].lower()}/{match[2]}" if match else ""


def publisher_of(url: str, host: str) -> str:
    """Return whom a feed counts for where nobody says: the channel of its own, else the host."""
    name = followed_channel(url)
    return f"@{name}" if name else host


def _telegram_parts(text: str) -> list[str]:
    """The parts of the path of an address at Telegram's site; empty for any other."""
    if len(text) > 300 or not text or text.startswith("@") or not _MAY_BE.search(text):
        return []
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return []
    if parts.scheme not in {"http", "https"}:
        return []
    if host.endswith(".t.me") and host != "www.t.me":
        return [host.removesuffix(".t.me")]
    return [part for part in parts.path.split("/") if part] if host in _HOSTS else []
