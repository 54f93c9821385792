"""Whether a request is meant for this page, and comes from it. Decides by its headers alone.

A name in `Host` that is not ours means that somebody's DNS leads here (DNS rebinding); an address
in numbers cannot be such a name. A form of another site is known by what browsers say of where it
comes from. Asks no network, and never who asks: behind a proxy everybody has its address.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_our_host(host: str, public: str) -> bool:
    """Whether a `Host` header names this page; `public` is its address, or empty."""
    name, port = _host_and_port(host)
    if public and host.lower() == urlsplit(public).netloc.lower():
        return True
    if port and not port.isdecimal():
        return False
    if name == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_own_form(headers: Mapping[str, str], public: str) -> bool:
    """Whether a request that changes something comes from a page of ours.

    `Sec-Fetch-Site` is the browser's own word, which no page can set; browsers leave it out
    where the connection is not safe. `Origin` comes with all forms.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("Origin", "")
    ours = {f"http://{headers.get('Host', '')}".lower(), public.lower()}
    return bool(origin) and origin.lower() in ours


def _host_and_port(host: str) -> tuple[str, str]:
    name, separator, port = host.lower().rpartition(":")
    if not separator or port.endswith("]"):
        return host.lower(), ""
    return name, port
