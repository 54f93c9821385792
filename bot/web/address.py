"""Addresses of pages. No I/O."""

from urllib.parse import urlencode


def address(path: str, **values: object) -> str:
    """Return the address of a page with these values; empty ones are left out."""
    given = {name: value for name, value in values.items() if value not in {"", None, 0}}
    return f"{path}?{urlencode(given)}" if given else path


def story_address(entry_id: int, chat: str = "") -> str:
    """Return the address of the page of an article's story."""
    return address(f"/story/{entry_id}", chat=chat)
