"""Signed links: each opens one story, as one chat sees it, or is where a hub tells of a feed.

The signature is an HMAC over the chat and the article by a key of this newsbell alone; another key
ends all of them. No I/O.
"""

import hmac
import re
from hashlib import sha256

_LENGTH = 32  # hexadecimal digits, 128 bits
_LINK = re.compile(r"([1-9]\d{0,14})-([1-9]\d{0,14})-([0-9a-f]{32})")


def story_link(key: bytes, chat_id: int, entry_id: int) -> str:
    """Return the last part of the address of a story."""
    return f"{chat_id}-{entry_id}-{_signature(key, chat_id, entry_id)}"


def read_story_link(key: bytes, link: str) -> tuple[int, int] | None:
    """Return chat and article of a link; None where it was not made with this key."""
    match = _LINK.fullmatch(link)
    if match is None:
        return None
    chat_id, entry_id = int(match[1]), int(match[2])
    if not hmac.compare_digest(match[3], _signature(key, chat_id, entry_id)):
        return None
    return chat_id, entry_id


def _signature(key: bytes, chat_id: int, entry_id: int) -> str:
    text = f"story {chat_id} {entry_id}".encode()
    return hmac.new(key, text, sha256).hexdigest()[:_LENGTH]


def hub_word(key: bytes, feed_id: int) -> str:
    """Return what only the hub of a feed knows of its address."""
    return hmac.new(key, f"hub of {feed_id}".encode(), sha256).hexdigest()[:_LENGTH]


def hub_address(key: bytes, public: str, feed_id: int) -> str:
    """Return the address at which the hub of a feed tells of its news."""
    return f"{public.rstrip('/')}/hub/{feed_id}/{hub_word(key, feed_id)}"


def hub_secret(key: bytes, feed_id: int, hub: str) -> str:
    """Return the secret with which a hub signs what it sends of a feed."""
    return hmac.new(key, f"secret of {feed_id} {hub}".encode(), sha256).hexdigest()
