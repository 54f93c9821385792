"""Which links Telegram accepts, and the form it gives them. Fetches nothing."""

from __future__ import annotations

import re

_ANYHOW = re.IGNORECASE | re.DOTALL
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", _ANYHOW)
_AUTHORITY = re.compile(r"(?:([^/?#]*)@)?(\[[0-9a-f:.]*\]|[^/?#:]*)(?::(\d*))?(.*)", _ANYHOW)
_INTERNAL = re.compile(r"(tg|ton|tonsite):(?://)?([^/?#]*)(.*)", _ANYHOW)
_USER = re.compile(r"tg:(?://)?user/?\?id=(\d+)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_.~%!$&'()*+,;=-]*|[^\x00-\x7f]*|\[[0-9a-f:.]+\]", re.IGNORECASE)


class LinkError(ValueError):
    """A link Telegram does not accept; the message is Telegram's reason."""


def linked_user(url: str) -> int | None:
    """Return the user a `tg://user?id=N` link names."""
    match = _USER.fullmatch(url)
    return int(match[1]) if match else None


def check_link(url: str, *, https_only: bool = False) -> str:
    """Return the link as Telegram stores it.

    Raises:
        LinkError: it is neither http(s) with a dotted or IPv6 host nor one of Telegram's own.
    """
    internal = _INTERNAL.fullmatch(url)
    if internal and not https_only:
        return _check_internal(internal[1].lower(), internal[2], internal[3])
    scheme, rest = _split_scheme(url)
    if https_only and scheme != "https":
        msg = "Only HTTPS links are allowed"
        raise LinkError(msg)
    parts = _AUTHORITY.fullmatch(rest)
    user, host, port, tail = parts.groups() if parts else (None, "", None, "")
    if not host:
        msg = "URL host is empty"
        raise LinkError(msg)
    if any(not _HOST.fullmatch(piece) for piece in re.findall(r"[\x00-\x7f]+|[^\x00-\x7f]+", host)):
        msg = "Disallowed character in URL host"
        raise LinkError(msg)
    if "." not in host and not host.startswith("["):
        msg = "Wrong HTTP URL"
        raise LinkError(msg)
    login = f"{user}@" if user else ""
    default = {"http": "80", "https": "443"}[scheme]
    place = f":{port}" if port and port != default else ""
    path = tail if tail.startswith("/") else f"/{tail}"
    return f"{scheme}://{login}{host.lower()}{place}{path}"


def _split_scheme(url: str) -> tuple[str, str]:
    match = _SCHEME.fullmatch(url)
    if match is None:
        return "http", url
    scheme = match[1].lower()
    if scheme not in {"http", "https"}:
        msg = "Unsupported URL protocol"
        raise LinkError(msg)
    return scheme, match[2]


def _check_internal(scheme: str, host: str, tail: str) -> str:
    allowed = r"[A-Za-z0-9_.-]+" if scheme == "tonsite" else r"[A-Za-z0-9_-]+"
    if not host:
        msg = "URL host is empty"
        raise LinkError(msg)
    if not re.fullmatch(allowed, host):
        msg = "Unallowed characters in URL host"
        raise LinkError(msg)
    return f"{scheme}://{host.lower()}{tail}"
