"""From a feed as feeds.yaml writes it to the feed that is meant: its address, name, publisher."""

from urllib.parse import urlsplit

from bot.config.schema import RSSHUB, FeedShape
from bot.model.feeds import DeclaredFeed
from bot.text.channel_link import canonical_channel, publisher_of


def resolved(url: str, rsshub: str | None) -> str:
    """Return the address that is fetched; `rsshub` is that of the instance.

    Raises ValueError where a route is named, and no instance.
    """
    if not url.startswith(RSSHUB):
        return url
    if rsshub is None:
        raise ValueError(
            "settings.rsshub is missing: the address of an instance of RSSHub or RSS-Bridge"
        )
    return f"{rsshub.rstrip('/')}/{url.removeprefix(RSSHUB).lstrip('/')}"


def selected(selector: str, rsshub: str | None) -> str:
    """Return the selector of a feed with the address that is meant; unchanged if it is none."""
    if selector.startswith(RSSHUB) and rsshub:
        return resolved(selector, rsshub)
    return canonical_channel(selector)


def declared_feed(shape: FeedShape, url: str) -> DeclaredFeed:
    """Return the feed that is meant; `url` is its resolved address."""
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    name, publisher = publisher_of(url, host), publisher_of(url, host)
    if shape.url.startswith(RSSHUB):
        name, publisher = _of_route(shape.url.removeprefix(RSSHUB).strip("/"), host)
    return DeclaredFeed(
        url=url,
        name=shape.name or name,
        publisher=shape.publisher or publisher,
        tags=tuple(shape.tags),
        every=shape.every,
        headers=tuple((key, value.get_secret_value()) for key, value in shape.headers.items()),
        page=shape.page.source if shape.page else None,
    )


def _of_route(route: str, host: str) -> tuple[str, str]:
    """Return name and publisher of a route: the first part of its path names the site."""
    path = route.partition("?")[0]
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["telegram", "channel"] and len(parts) > 2:
        return f"@{parts[2]}", f"@{parts[2].lower()}"
    return (path[:100], parts[0]) if parts else (host, host)
