"""The shape of feeds.yaml as pydantic models: what `newsbell schema` prints and `check` holds files against. No file is read here."""

import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from bot.alerts.options import MOST_PUBLISHERS
from bot.i18n.catalog import LANGUAGES
from bot.model.chats import AlertOptions, ChatSettings, Urgency
from bot.text.duration import parse_duration
from bot.text.times import MAX_DIGESTS, parse_time, parse_time_span


def _duration(value: Any) -> timedelta:
    return parse_duration(value if isinstance(value, str) else "")


def _range(value: Any) -> str:
    try:
        return str(ip_network(str(value), strict=False))
    except ValueError:
        raise ValueError("expected an IP range such as 192.168.0.0/16") from None


def _url(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"[\s\\\x00-\x1f]", text):
        raise ValueError("expected a web address that begins with http:// or https://")
    return text


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a whole number")  # noqa: TRY004 (pydantic takes ValueError)
    return value


_WHOLE = BeforeValidator(_number)
Whole = Annotated[int, _WHOLE]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhd]$", "examples": ["90s", "2m", "1h"]}
    ),
]
Range = Annotated[str, BeforeValidator(_range)]
Url = Annotated[
    str,
    BeforeValidator(_url),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[\w.-]+$")]


def _language(value: Any) -> str:
    if value not in LANGUAGES:
        raise ValueError(f"expected one of {', '.join(LANGUAGES)}")
    return str(value)


def _zone(value: Any) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        raise ValueError("expected a time zone such as Europe/Berlin or UTC") from None
    return str(value)


def _quiet(value: Any) -> str:
    if value is False or (isinstance(value, str) and (value == "none" or parse_time_span(value))):
        return value or "none"
    raise ValueError('expected the hours in quotes, such as "23:00-07:00", or none')


def _digest(value: Any) -> list[str]:
    times = [value] if isinstance(value, str) else value
    if (
        not isinstance(times, list)
        or not 0 < len(times) <= MAX_DIGESTS
        or any(parse_time(one) is None for one in times)
    ):
        raise ValueError(
            'expected up to six times of the day in quotes, such as ["07:30", "19:00"]'
        )
    return [str(one) for one in times]


Stories = Literal["strict", "normal", "loose"]
Language = Annotated[str, BeforeValidator(_language)]
Zone = Annotated[str, BeforeValidator(_zone)]


class Shape(BaseModel):
    """What all parts share: unknown keys are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Network(Shape):
    """What may be reached."""

    allow: list[Range] = Field(
        default_factory=list,
        description="Private ranges that feeds of this file may reach; none by default.",
    )
    ports: list[Annotated[int, Field(ge=1, le=65535), _WHOLE]] = Field(
        default_factory=list, description="Ports of public hosts beside 80 and 443."
    )
    spacing: Duration = Field(
        default=timedelta(seconds=1), description="Pause between two requests to one public host."
    )


class Limits(Shape):
    """What one feed may cost."""

    body: Annotated[int, Field(ge=1, le=200), _WHOLE] = Field(
        default=10, description="Decoded size of a document at most, in MiB."
    )
    deadline: Duration = Field(
        default=timedelta(seconds=30), description="Time for one fetch in all."
    )
    parse: Duration = Field(
        default=timedelta(seconds=5), description="Time for reading one document."
    )
    memory: Annotated[int, Field(ge=128, le=16384), _WHOLE] = Field(
        default=768, description="Memory for reading one document, in MiB."
    )

    @field_validator("deadline", "parse")
    @classmethod
    def _reasonable(cls, value: timedelta) -> timedelta:
        if not timedelta(seconds=0.1) <= value <= timedelta(minutes=2):
            raise ValueError("expected between 0.1s and 2m")
        return value


class Quotas(Shape):
    """How much one person or chat may have; operators may have more."""

    subscriptions: Annotated[int, Field(ge=1, le=10_000), _WHOLE] = Field(
        default=200, description="Of one chat, beside those of this file."
    )
    feeds: Annotated[int, Field(ge=0, le=100_000), _WHOLE] = Field(
        default=200, description="That one chat may add."
    )
    hosts_an_hour: Annotated[int, Field(ge=0, le=10_000), _WHOLE] = Field(
        default=20, description="New sites that one person may add in an hour."
    )
    commands_a_minute: Annotated[int, Field(ge=1, le=1000), _WHOLE] = Field(
        default=30, description="Of one person; more are passed by."
    )


class Webhook(Shape):
    """Telegram calls newsbell, instead of being asked again and again."""

    url: Url = Field(description="Public https address that leads to `listen`.")
    listen: str = Field(
        default="127.0.0.1:8443",
        pattern=r"^[^:]+:\d{1,5}$",
        description="Address and port where newsbell waits for the calls.",
    )
    secret_file: str | None = Field(
        default=None,
        description="File with the secret that Telegram shows at each call, relative to this file; one is made up where absent.",
    )


class TelegramSettings(Shape):
    """How to reach Telegram, and who runs this newsbell."""

    api: Url = Field(
        default="https://api.telegram.org", description="Address of the Bot API server."
    )
    admins: list[Whole] = Field(
        default_factory=list,
        description="Telegram user ids of the operators; their private chats get the notices.",
    )
    token_file: str | None = Field(
        default=None,
        description="File that holds the bot's token, relative to this file. TELEGRAM_BOT_TOKEN goes first.",
    )
    webhook: Webhook | None = Field(
        default=None,
        description="Have Telegram call newsbell; absent, newsbell asks (long polling).",
    )
    token: SecretStr | None = Field(
        default=None,
        description="The bot's token; better in TELEGRAM_BOT_TOKEN, here as ${NAME} at most.",
    )


class Settings(Shape):
    """How this newsbell works."""

    database: str = Field(
        default="newsbell.db", min_length=1, description="The database file, relative to this file."
    )
    timezone: Zone = Field(
        default="UTC",
        description="Time zone of the times in messages, such as Europe/Berlin; chats may choose another.",
    )
    language: Language = Field(
        default="en",
        description="Language of the messages: en, ar, de, es, ru or uk; chats may choose another.",
    )
    contact: str = Field(
        default="",
        max_length=200,
        description="Web address or e-mail for site owners; goes into the User-Agent.",
    )
    stories: Stories = Field(
        default="normal",
        description="What one alert is for: strict keeps apart what is not surely one occurrence, loose takes running coverage together.",
    )
    access: Literal["private", "invite", "open"] = Field(
        default="private",
        description="Who may use the bot in Telegram: only chats and admins of this file and whom those let in; those with an invitation, "
        "too; or everyone.",
    )
    quotas: Quotas = Field(
        default_factory=Quotas, description="How much one person or chat may have."
    )
    network: Network = Field(default_factory=Network, description="What may be reached.")
    limits: Limits = Field(default_factory=Limits, description="What one feed may cost.")
    telegram: TelegramSettings = Field(
        default_factory=TelegramSettings, description="How to reach Telegram."
    )


class ChatShape(Shape):
    """A place where alerts go: `telegram` with a chat id, or `terminal: true`."""

    telegram: Whole | None = Field(
        default=None, description="Telegram chat id; negative for groups and channels."
    )
    topic: Annotated[int, Field(ge=1), _WHOLE] | None = Field(
        default=None, description="Topic (message_thread_id) of a forum."
    )
    terminal: Literal[True] | None = Field(
        default=None, description="The terminal that newsbell runs in."
    )
    stories: Stories | None = Field(default=None, description="As settings.stories, for this chat.")
    language: Language | None = Field(
        default=None, description="As settings.language, for this chat."
    )
    timezone: Zone | None = Field(default=None, description="As settings.timezone, for this chat.")
    quiet: Annotated[str, BeforeValidator(_quiet)] | None = Field(
        default=None,
        description='Hours in which only breaking alerts ring, such as "23:00-07:00"; the rest comes as one message at their end.',
    )
    digest: Annotated[list[str], BeforeValidator(_digest)] | None = Field(
        default=None,
        description='When subscriptions with the urgency digest come together, such as ["07:30", "19:00"]; "08:00" when absent.',
    )
    digest_from: Annotated[int, Field(ge=0, le=100), _WHOLE] | None = Field(
        default=None, description="A digest comes before its time when so many stories wait."
    )

    @property
    def settings(self) -> ChatSettings:
        """What it says of how the chat is spoken to, and when."""
        quiet = None if self.quiet is None else parse_time_span(self.quiet) or (0, 0)
        times = (
            None
            if self.digest is None
            else tuple(sorted({parse_time(one) or 0 for one in self.digest}))
        )
        return ChatSettings(self.language, self.timezone, quiet, times, self.digest_from)

    @model_validator(mode="after")
    def _one(self) -> "ChatShape":
        if (self.telegram is None) == (self.terminal is None):
            raise ValueError("expected either `telegram: CHAT_ID` or `terminal: true`")
        if self.topic and self.terminal:
            raise ValueError("only Telegram chats have topics")
        if self.telegram == 0:
            raise ValueError("0 is no chat id")
        return self


class FeedShape(Shape):
    """A feed. A plain URL is short for `{url: ...}`."""

    url: Url = Field(description="Address of the RSS, Atom or JSON feed.")
    name: Name | None = Field(default=None, description="Shown in alerts; the host when absent.")
    publisher: Name | None = Field(
        default=None, description="Who stands behind the feed; the host when absent."
    )
    tags: list[Tag] = Field(default_factory=list, description="Subscriptions choose feeds by tags.")
    every: Duration | None = Field(
        default=None,
        description="Poll interval; absent, newsbell adapts between 5 minutes and 24 hours.",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Request headers, such as Authorization; never shown or stored.",
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @field_validator("every")
    @classmethod
    def _not_too_often(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and not timedelta(seconds=1) <= value <= timedelta(hours=24):
            raise ValueError("expected between 1s and 24h")
        return value

    @field_validator("headers")
    @classmethod
    def _sendable(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, content in value.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise ValueError(f"{name!r} cannot be the name of a header")
            if re.search(r"[\r\n\x00]", content.get_secret_value()):
                raise ValueError(f"the value of {name} holds a line break")
        return value


class TestsShape(Shape):
    """Headlines that a query must match, and such that it must not: `newsbell check` holds it against them."""

    match: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, description="Headlines that must match."
    )
    ignore: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, description="Headlines that must not match."
    )


class SubscriptionShape(Shape):
    """A standing query and the chats it rings."""

    name: Name = Field(description="Shown in the alerts it rings.")
    query: Annotated[str, Field(min_length=1)] = Field(
        description="What to look for; see docs/queries.md."
    )
    feeds: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, description="Tags, names or URLs of feeds; all feeds when absent."
    )
    to: Annotated[list[str], Field(min_length=1)] = Field(description="Names of chats.")
    urgency: Literal["breaking", "normal", "digest"] = Field(
        default="normal",
        description="breaking rings at once, also in quiet hours; normal waits for their end; digest comes together at the chat's times.",
    )
    publishers: Annotated[int, Field(ge=1, le=MOST_PUBLISHERS), _WHOLE] = Field(
        default=1, description="Ring when so many independent publishers carry the story."
    )
    or_after: Duration | None = Field(
        default=None,
        description="Ring so long after the first match all the same, marked as a single source; with `publishers` only.",
    )
    alert_again_at: Annotated[int, Field(ge=2, le=MOST_PUBLISHERS), _WHOLE] | None = Field(
        default=None,
        description="Ring once more when so many independent publishers carry the story.",
    )
    tests: TestsShape = Field(
        default_factory=TestsShape, description="Headlines to hold the query against."
    )

    @field_validator("feeds", "to", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def options(self) -> AlertOptions:
        """How it rings."""
        return AlertOptions(
            Urgency(self.urgency), self.publishers, self.or_after, self.alert_again_at or 0
        )


class FileShape(Shape):
    """feeds.yaml: feeds to watch, chats to ring, and what for."""

    settings: Settings = Field(default_factory=Settings, description="How this newsbell works.")
    chats: dict[Name, ChatShape] = Field(
        default_factory=dict, description="Where alerts go, by name."
    )
    feeds: list[Annotated[FeedShape | Url, Field(union_mode="left_to_right")]] = Field(
        default_factory=list, description="What is watched."
    )
    names: dict[Tag, Annotated[list[Name], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Lists of words, phrases and names, used in queries as @name.",
    )
    publisher_groups: dict[Name, Annotated[list[Name], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Publishers, sites or outlets that are one house and confirm nothing to each other, by the house's name.",
    )
    subscriptions: list[SubscriptionShape] = Field(
        default_factory=list, description="What rings where."
    )
