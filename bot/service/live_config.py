"""The configuration in force, and what parts ask of it. Reads no file; `reload` does."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.config.load import Config
from bot.config.schema import Quotas, Settings
from bot.feeds.sources import Sources
from bot.fetch.url_guard import UrlGuard
from bot.i18n.catalog import Catalogs, Translator
from bot.model.chats import Chat, ChatSettings
from bot.model.desired_config import ConfigText
from bot.model.destinations import Destination
from bot.service.last_good import Rejected
from bot.stories.publishers import PublisherGroups
from bot.text.channel_link import SITE
from bot.text.url import host_and_port

TELEGRAM_HOST = host_and_port(SITE)

SPACINGS = 20_000  #: hosts of which the pause is remembered


class LiveConfig:
    """Holds the configuration; parts call it each time, so that a reload takes effect at once."""

    def __init__(
        self, config: Config, url_guard: UrlGuard, rejected: Rejected | None = None
    ) -> None:
        """`rejected` is the file, where the configuration is an earlier one."""
        self._url_guard = url_guard
        self._catalogs = Catalogs()
        self.replace(config)
        self.rejected = rejected
        self._delay: Callable[[str], timedelta] = lambda _: timedelta(0)

    def take_delays(self, delay: Callable[[str], timedelta]) -> None:
        """Take what says how long a pause hosts ask for in robots.txt."""
        self._delay = delay

    def replace(self, config: Config) -> None:
        """Put another configuration in force."""
        self.config, self.rejected = config, None
        self._spacings: dict[str, tuple[timedelta, bool]] = {}  # asked for many times a poll
        self._publisher_groups = PublisherGroups(config.publisher_groups)
        pages = {feed.url: feed.page for feed in config.declared.feeds if feed.page}
        self._sources = Sources(config.settings.sources.telegram, pages)

    def source(self) -> ConfigText:
        """Return the text of what is in force, to be kept."""
        return ConfigText(self.config.path.name, self.config.text)

    def destination(self, chat: str) -> Destination | None:
        """Return where a chat of another service than Telegram is, by its name."""
        return self.config.destinations.get(chat)

    @property
    def settings(self) -> Settings:
        """The settings of the file."""
        return self.config.settings

    @property
    def timezone(self) -> ZoneInfo:
        """The time zone of chats that chose none."""
        return ZoneInfo(self.settings.timezone)

    def names(self) -> Mapping[str, tuple[str, ...]]:
        """Return the named lists that queries may use."""
        return self.config.names

    def publisher_groups(self) -> PublisherGroups:
        """Return which publishers count as one."""
        return self._publisher_groups

    def quotas(self) -> Quotas:
        """Return how much a chat or person may use."""
        return self.settings.quotas

    def headers(self, url: str) -> Mapping[str, str]:
        """Return the HTTP headers of the feed at this address."""
        return self.config.headers.get(url, {})

    def sources(self) -> Sources:
        """Return which feeds are no documents of feeds, and where they are read."""
        return self._sources

    def spacing(self, host: str) -> timedelta:
        """Return the pause between two requests to a host.

        That of `hosts:`, by the longest pattern; otherwise what its robots.txt asks for, at least
        `settings.network.spacing` outside of the operator's network. That of Telegram's site is
        the pause of its mirror where it is read there.
        """
        known = self._spacings.get(host)
        if known is None:
            if len(self._spacings) >= SPACINGS:
                self._spacings.clear()
            known = self._spacings[host] = self._spacing(host)
        spacing, is_named = known
        return spacing if is_named else max(spacing, self._delay(host))

    def _spacing(self, host: str) -> tuple[timedelta, bool]:
        """The pause by the settings, and whether `hosts:` names the host."""
        if host == TELEGRAM_HOST:
            host = host_and_port(self.settings.sources.telegram)
        name, _, port = host.rpartition(":")
        name = name if port.isdecimal() else host
        patterns = (each for each in self.config.hosts if _fits(each, host, name))
        if pattern := max(patterns, key=len, default=""):
            return self.config.hosts[pattern], True
        if self._url_guard.is_exempt(name.strip("[]")):
            return timedelta(0), False
        return self.settings.network.spacing, False

    def translator(self, settings: ChatSettings) -> Translator:
        """Return the translator of a chat with these settings."""
        zone = ZoneInfo(settings.zone or self.settings.timezone)
        return Translator(zone, self._catalogs.of(settings.language or self.settings.language))

    def translator_of(self, chat: Chat) -> Translator:
        """Return the translator of a chat."""
        return self.translator(chat.settings)

    def translators(self, languages: tuple[str, ...]) -> list[Translator]:
        """Return a translator for each language."""
        return [Translator(self.timezone, self._catalogs.of(language)) for language in languages]


def _fits(pattern: str, host: str, name: str) -> bool:
    """Whether a key of `hosts:` means a host, given with its port and without."""
    if "*" not in pattern:
        return pattern in {host, name} or name.endswith(f".{pattern}")
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return any(re.fullmatch(expression, each) for each in (host, name))
