"""What the configuration says of feeds that are no documents of feeds. Fetches nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model.sources import ChannelSource, PageSource, Source
from bot.text.channel_link import SITE, followed_channel


@dataclass(frozen=True, slots=True)
class Sources:
    """How addresses are read, and from where."""

    telegram: str = SITE  #: where the previews of channels are fetched
    pages: Mapping[str, PageSource] = field(default_factory=dict)  #: by the feed's URL

    def of(self, url: str) -> Source | None:
        """Return what the feed of a URL is; None for a plain feed."""
        name = followed_channel(url)
        return ChannelSource(name) if name else self.pages.get(url)

    def request_url(self, url: str, source: Source | None, default: str) -> str:
        """Return where a feed is fetched, which is `default` for all but channels."""
        if isinstance(source, ChannelSource):
            return f"{self.telegram.rstrip('/')}{url.removeprefix(SITE)}"
        return default
