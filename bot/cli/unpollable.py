"""Find feeds of a file that every poll would refuse, without a poll. Resolves no names."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.config.load import Config
from bot.errors import AddressError, Mistake

_PLAIN = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?:[/?#][^\s\\]*)?", re.IGNORECASE
)


def unpollable(config: Config) -> Iterator[Mistake]:
    """Yield what is wrong with addresses that the guard of the polls refuses as they stand."""
    suspects = [feed.url for feed in config.declared.feeds if not _PLAIN.fullmatch(feed.url)]
    if not suspects:
        return
    from bot.service.feed_trial import guard_of  # noqa: PLC0415 (most files need no HTTP)

    guard = guard_of(config)
    for url in suspects:
        try:
            guard.parse(url)
            host = urlsplit(url).hostname or ""
            if host.rpartition(".")[2] == "localhost" and not guard.allows("127.0.0.1"):
                guard.parse("http://127.0.0.1/")
        except AddressError as error:
            text = str(error)
            if "not public" in text:
                text = f"{text} Allow its network under settings.network.allow."
            yield config.places[url].mistake(text)
