"""The schema of feeds.yaml as pydantic models: `newsbell schema` prints it. Reads no file."""

import os
import re
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic import Tag as Kind

from bot.alerts.options import MAX_PUBLISHERS
from bot.i18n.catalog import LANGUAGES
from bot.model.chats import AlertOptions, ChatSettings, Developments, Updates, Urgency
from bot.model.database_address import DEFAULT_DATABASE
from bot.model.retention import DEFAULT, Retention
from bot.model.sources import PageSource
from bot.parse.selectors import selector_fault
from bot.text.channel_link import (
    SITE,
    channel_fault,
    channel_name,
    channel_url,
    followed_channel,
)
from bot.text.duration import parse_duration
from bot.text.times import MAX_DIGESTS, parse_time, parse_time_span

# pydantic would look for its plugins in all that is installed, which takes as long as feeds.yaml.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
PROXY_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})
RSSHUB = "rsshub://"  #: how the address of a route of RSSHub or RSS-Bridge begins
KEY_LENGTH = 12  #: characters of the path of an address from which it is a key and no word
#: keys that say where a chat is
CHAT_KEYS = (
    *("telegram", "terminal", "webhook", "discord", "slack", "matrix", "mattermost", "ntfy"),
    *("email", "apprise"),
)
LOOPBACK = "127.0.0.1"  #: where newsbell listens if only a port is named
FOREVER = "forever"
MAX_ID = (1 << 52) - 1  #: of Telegram, as the Bot API promises
#: the shortest retention: what comes back to its feed sooner must be known, or it alerts again
SHORTEST_DAYS = {"articles": 7, "alerts": 7, "messages": 2, "removed": 1, "explanations": 1}
NAT64_LENGTHS = frozenset({32, 40, 48, 56, 64, 96})  #: bits of a prefix (RFC 6052 §2.2)


def _duration(value: Any) -> timedelta:
    return parse_duration(value if isinstance(value, str) else "")


def _kept(value: Any) -> timedelta | None:
    if isinstance(value, timedelta):
        return value
    if value == FOREVER:
        return None
    try:
        return _duration(value)
    except ValueError:
        raise ValueError("expected a duration such as 90d, or forever") from None


def _written(pattern: str, expected: str) -> Callable[[str], str]:
    """Return a check that a text has this pattern, which tells what was expected instead."""

    def read(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"expected {expected}")
        return value

    return read


def _range(value: Any) -> str:
    try:
        return str(ip_network(str(value), strict=False))
    except ValueError:
        raise ValueError("expected an IP range such as 192.168.0.0/16") from None


def _nat64(value: Any) -> str:
    try:
        network = IPv6Network(str(value))
    except ValueError:
        network = None
    if network is None or network.prefixlen not in NAT64_LENGTHS:
        raise ValueError("expected a NAT64 prefix such as 2001:db8:64::/96")
    return str(network)


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


def _feed_url(value: Any) -> str:
    """The address of a feed; that of a channel, however it is written, in the form that is kept."""
    text = value.strip() if isinstance(value, str) else ""
    if fault := channel_fault(text):
        raise ValueError(fault)
    if name := channel_name(text):
        return channel_url(name)
    if text.startswith(RSSHUB):
        if not re.fullmatch(r"rsshub://[^\s\\]{1,1900}", text):
            raise ValueError("expected a route of RSSHub, such as rsshub://example/news")
        return text
    return _url(value)


def _selector(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > 500 or (fault := selector_fault(text)):
        reason = f": {fault}" if text and len(text) <= 500 else ""
        raise ValueError(f"expected a CSS selector such as article.news h2{reason}")
    return text


def proxy_url(text: str) -> str:
    """Return the address of a proxy. Raises ValueError, which does not name it."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        good = (
            parts.scheme in PROXY_SCHEMES
            and bool(parts.hostname and parts.port)
            and parts.path in {"", "/"}
            and not parts.query
        )
    except ValueError:
        good = False
    if not good or re.search(r"[\s\\\x00-\x1f]", text):
        raise ValueError("expected a proxy such as http://HOST:PORT or socks5://HOST:PORT")
    return text


def _proxy(value: Any) -> SecretStr:
    return SecretStr(proxy_url(value if isinstance(value, str) else ""))


def _listen(value: Any) -> str:
    """HOST:PORT; a port alone is one of this machine."""
    host, separator, port = str(value).rpartition(":")
    host = host if separator else LOOPBACK
    try:
        good = 0 < int(port) < 65536 and bool(ip_address(host.strip("[]")))
    except ValueError:
        good = False
    in_brackets = host.startswith("[") and host.endswith("]")
    if not good or isinstance(value, bool) or (":" in host) != in_brackets:
        raise ValueError("expected an address and port such as 127.0.0.1:9464")
    return f"{host}:{port}"


def _site(value: Any) -> str:
    text = _url(value).rstrip("/")
    parts = urlsplit(text)
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("expected an address without a path, such as https://news.example.org")
    return text


def _secret_url(value: Any) -> SecretStr:
    return SecretStr(_url(value))


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("expected a whole number")  # noqa: TRY004 (pydantic takes ValueError)
    return value


_WHOLE = BeforeValidator(_number)
#: of a person or chat of Telegram, which needs at most 52 bits
TelegramId = Annotated[int, Field(ge=-MAX_ID, le=MAX_ID), _WHOLE]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema(
        {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhd]$", "examples": ["90s", "2m", "1h"]}
    ),
]
Kept = Annotated[
    timedelta | None,
    BeforeValidator(_kept),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(\d+(\.\d+)?\s*[smhd]|forever)$",
            "examples": ["90d", "365d", "forever"],
        }
    ),
]
Range = Annotated[str, BeforeValidator(_range)]
Proxy = Annotated[SecretStr, BeforeValidator(_proxy)]
Listen = Annotated[
    str,
    BeforeValidator(_listen),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["127.0.0.1:9464", 9464]}),
]
SecretUrl = Annotated[SecretStr, BeforeValidator(_secret_url)]
Nat64Prefix = Annotated[str, BeforeValidator(_nat64)]
Url = Annotated[
    str,
    BeforeValidator(_url),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://"}),
]
Selector = Annotated[
    str, BeforeValidator(_selector), WithJsonSchema({"type": "string", "maxLength": 500})
]
FeedUrl = Annotated[
    str,
    BeforeValidator(_feed_url),
    WithJsonSchema({"type": "string", "pattern": "^(https?://|@|t\\.me/|rsshub://)"}),
]
Site = Annotated[
    str,
    BeforeValidator(_site),
    WithJsonSchema({"type": "string", "format": "uri", "pattern": "^https?://[^/]+/?$"}),
]
Name = Annotated[str, Field(min_length=1, max_length=100)]
HostPattern = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9*_.:\[\]-]+$")
]
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
    span = parse_time_span(value) if isinstance(value, str) and value != "none" else None
    if span and span[0] == span[1]:
        raise ValueError("begins and ends at the same time; write none for no quiet hours")
    if value is False or (isinstance(value, str) and (value == "none" or parse_time_span(value))):
        return value or "none"
    raise ValueError('expected the hours in quotes, such as "23:00-07:00", or none')


def _digest(value: Any) -> list[str]:
    times = [value] if isinstance(value, str) else value
    if (
        not isinstance(times, list)
        or not 0 < len(times) <= MAX_DIGESTS
        or any(parse_time(time) is None for time in times)
    ):
        raise ValueError(
            'expected up to six times of the day in quotes, such as ["07:30", "19:00"]'
        )
    return [str(time) for time in times]


Stories = Literal["strict", "normal", "loose"]
Text = Literal["teaser", "feed", "full"]
Language = Annotated[str, BeforeValidator(_language)]
Zone = Annotated[str, BeforeValidator(_zone)]


class Shape(BaseModel):
    """Base of all parts: unknown keys are mistakes, values are frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )


class Network(Shape):
    """Which hosts newsbell may connect to."""

    allow: list[Range] = Field(
        default_factory=list,
        description="Private ranges that feeds of this file may reach; none by default.",
    )
    ports: list[Annotated[int, Field(ge=1, le=65535), _WHOLE]] = Field(
        default_factory=list, description="Ports of public hosts in addition to 80 and 443."
    )
    nat64: list[Nat64Prefix] = Field(
        default_factory=list,
        description="Prefixes of NAT64 translators in addition to 64:ff9b::/96; the IPv4 address "
        "within an address of theirs decides.",
    )
    proxy: Proxy | None = Field(
        default=None,
        description="Proxy for feeds, such as http://HOST:PORT or socks5://HOST:PORT; use ${NAME} "
        "for one with a password. The environment's proxies are not used.",
    )
    proxy_file: str | None = Field(
        default=None, description="File with the address of that proxy, relative to this file."
    )
    spacing: Duration = Field(
        default=timedelta(seconds=1), description="Pause between two requests to one public host."
    )


class Limits(Shape):
    """Limits of one feed."""

    body: Annotated[int, Field(ge=1, le=200), _WHOLE] = Field(
        default=10, description="Largest decoded size of a document, in MiB."
    )
    deadline: Duration = Field(
        default=timedelta(seconds=30), description="Total time of one fetch."
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
        default=200, description="Subscriptions of one chat, not counting those of this file."
    )
    feeds: Annotated[int, Field(ge=0, le=100_000), _WHOLE] = Field(
        default=200, description="Feeds that one chat may add."
    )
    hosts_an_hour: Annotated[int, Field(ge=0, le=10_000), _WHOLE] = Field(
        default=20, description="New sites that one person may add in an hour."
    )
    commands_a_minute: Annotated[int, Field(ge=1, le=1000), _WHOLE] = Field(
        default=30, description="Commands of one person; more are ignored."
    )


class Webhook(Shape):
    """Telegram calls newsbell instead of being polled."""

    url: Url = Field(description="Public https address that leads to `listen`.")
    listen: str = Field(
        default="127.0.0.1:8443",
        pattern=r"^[^:]+:\d{1,5}$",
        description="Address and port on which newsbell listens.",
    )
    secret_file: str | None = Field(
        default=None,
        description="File with the secret that Telegram sends with each call, relative to this "
        "file; without it, newsbell makes one up.",
    )


class TelegramSettings(Shape):
    """How to reach Telegram, and who the operators are."""

    api: Url = Field(
        default="https://api.telegram.org", description="Address of the Bot API server."
    )
    admins: list[TelegramId] = Field(
        default_factory=list,
        description="Telegram user ids of the operators, who get notices in their private chats.",
    )
    token_file: str | None = Field(
        default=None,
        description="File with the bot's token, relative to this file; "
        "TELEGRAM_BOT_TOKEN takes precedence.",
    )
    proxy: Proxy | None = Field(
        default=None,
        description="Proxy for the way to Telegram, such as http://HOST:PORT or "
        "socks5://HOST:PORT; use ${NAME} for one with a password.",
    )
    proxy_file: str | None = Field(
        default=None, description="File with the address of that proxy, relative to this file."
    )
    webhook: Webhook | None = Field(
        default=None,
        description="Have Telegram call newsbell; without it, newsbell polls Telegram.",
    )
    token: SecretStr | None = Field(
        default=None,
        description="The bot's token; use ${NAME}, because feeds.yaml gets shared.",
    )


class Monitor(Shape):
    """How a monitor sees newsbell."""

    listen: Listen | None = Field(
        default=None,
        description="Address and port on which newsbell answers /health and /metrics; a port "
        "alone is one of this machine. Without it, newsbell does not listen.",
    )


class RetentionSettings(Shape):
    """How long newsbell keeps what its work no longer needs."""

    articles: Kept = Field(
        default=DEFAULT.articles,
        description="Articles that alerted nobody, from when they left their feed; at least 7d.",
    )
    alerts: Kept = Field(
        default=DEFAULT.alerts,
        description="Alerts and their articles, from when the last article of the story left its "
        "feed; at least 7d.",
    )
    messages: Kept = Field(
        default=DEFAULT.messages,
        description="Records of messages that were sent or dropped; at least 2d.",
    )
    removed: Kept = Field(
        default=DEFAULT.removed,
        description="Removed subscriptions and feeds, which can come back so long; at least 1d.",
    )
    explanations: Kept = Field(
        default=DEFAULT.explanations,
        description="What was decided about articles, and how subscriptions read before, for "
        "`newsbell explain`; at least 1d.",
    )

    @field_validator("*")
    @classmethod
    def _long_enough(cls, value: timedelta | None, info: ValidationInfo) -> timedelta | None:
        days = SHORTEST_DAYS[info.field_name or ""]
        if value is not None and value < timedelta(days=days):
            raise ValueError(f"expected at least {days}d, or forever")
        return value

    @property
    def value(self) -> Retention:
        """The same as a value of the model."""
        return Retention(self.articles, self.alerts, self.messages, self.removed, self.explanations)


class SourcesSettings(Shape):
    """Where newsbell reads what is no feed."""

    telegram: Url = Field(
        default=SITE,
        description="Where the previews of Telegram's channels are read: a mirror, where newsbell "
        "cannot reach Telegram's own site.",
    )


class Web(Shape):
    """The web page: where it listens, and how people reach it."""

    listen: Listen | None = Field(
        default=None,
        description="Address and port on which newsbell shows its web page; a port alone is one "
        "of this machine. Without it, there is no web page.",
    )
    public: Site | None = Field(
        default=None,
        description="Address by which people reach it, such as https://news.example.org, where a "
        "proxy leads there; by default the address on which it listens.",
    )

    @property
    def address(self) -> str:
        """The address by which people reach it; empty where there is no web page."""
        if self.listen is None:
            return ""
        return self.public or f"http://{self.listen}"

    @property
    def is_open_to_readers(self) -> bool:
        """Whether what people load can be read on its way: it leaves this machine without TLS."""
        parts = urlsplit(self.address)
        host = parts.hostname or "localhost"
        try:
            is_here = ip_address(host).is_loopback
        except ValueError:
            is_here = host == "localhost"
        return parts.scheme == "http" and not is_here


class Settings(Shape):
    """General settings."""

    database: str = Field(
        default=DEFAULT_DATABASE,
        min_length=1,
        description="The database file, relative to this file, or a database on a PostgreSQL "
        "server: postgresql://USER@HOST/DATABASE.",
    )
    timezone: Zone = Field(
        default="UTC",
        description="Time zone of the times in messages, such as Europe/Berlin; "
        "chats may choose another.",
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
        description="How widely articles are grouped into one alert: strict, only near-certain "
        "matches; normal, articles about the same event; loose, the whole running story.",
    )
    access: Literal["private", "invite", "open"] = Field(
        default="private",
        description="Who may use the bot in Telegram. private: the chats and admins of this file, "
        "and whom the admins allow; invite: also people with an invitation; open: everyone.",
    )
    quotas: Quotas = Field(
        default_factory=Quotas, description="How much one person or chat may have."
    )
    network: Network = Field(
        default_factory=Network, description="Which hosts newsbell may connect to."
    )
    limits: Limits = Field(default_factory=Limits, description="Limits of one feed.")
    telegram: TelegramSettings = Field(
        default_factory=TelegramSettings, description="How to reach Telegram."
    )
    rsshub: Url | None = Field(
        default=None,
        description="Address of an instance of RSSHub or RSS-Bridge, which stands for the "
        "`rsshub://` of feeds.",
    )
    sources: SourcesSettings = Field(
        default_factory=SourcesSettings, description="Where newsbell reads what is no feed."
    )
    monitor: Monitor = Field(default_factory=Monitor, description="How a monitor sees newsbell.")
    web: Web = Field(
        default_factory=Web, description="The web page: where it listens, and its address."
    )
    database_password_file: str | None = Field(
        default=None,
        description="File with the password for the database's server, relative to this file.",
    )
    heartbeat: SecretUrl | None = Field(
        default=None,
        description="Address that is called every minute while newsbell works, and with /fail "
        "behind it while it does not; use ${NAME}, because feeds.yaml gets shared.",
    )

    retention: RetentionSettings = Field(
        default_factory=RetentionSettings,
        description="How long newsbell keeps what its work no longer needs.",
    )

    @model_validator(mode="after")
    def _listens_once(self) -> "Settings":
        listeners = {
            "web.listen": self.web.listen,
            "monitor.listen": self.monitor.listen,
            "telegram.webhook.listen": self.telegram.webhook and self.telegram.webhook.listen,
        }
        ports: dict[str, str] = {}
        for name, address in listeners.items():
            port = (address or "").rpartition(":")[2]
            if port and port in ports:
                raise ValueError(
                    f"{ports[port]} and {name} have the same port; give one of them another"
                )
            ports[port] = name
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of the settings no log may show."""
        if self.heartbeat is None:
            return ()
        address = self.heartbeat.get_secret_value()
        path = urlsplit(address).path.strip("/")
        return (address, path) if len(path) >= KEY_LENGTH else (address,)


_MAIL = r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}"
_MATRIX_ID = r"![^\s/]{1,254}"
_TOPIC = r"[-_A-Za-z0-9]{1,64}"
MailAddress = Annotated[
    str,
    AfterValidator(_written(_MAIL, "an address such as desk@example.org")),
    WithJsonSchema({"type": "string", "pattern": f"^{_MAIL}$"}),
]
MatrixId = Annotated[
    str,
    AfterValidator(
        _written(_MATRIX_ID, "an id such as !abc:example.org; an alias, with #, is none")
    ),
    WithJsonSchema({"type": "string", "pattern": f"^{_MATRIX_ID}$"}),
]
Topic = Annotated[
    str,
    AfterValidator(_written(_TOPIC, "a topic of at most 64 letters, digits, _ and -")),
    WithJsonSchema({"type": "string", "pattern": f"^{_TOPIC}$"}),
]


class WebhookShape(Shape):
    """An address that takes events as JSON, signed as Standard Webhooks says."""

    url: Url = Field(description="Address that takes the events.")
    secret: SecretStr | None = Field(
        default=None,
        description="Secret that signs the events, whsec_ and base64; use ${NAME}, because "
        "feeds.yaml gets shared.",
    )
    secret_file: str | None = Field(
        default=None, description="File with that secret, relative to this file."
    )


class HookShape(Shape):
    """A webhook of a service: an address that is a secret itself."""

    webhook: SecretUrl | None = Field(
        default=None,
        description="Address of the webhook; use ${NAME}, because feeds.yaml gets shared.",
    )
    webhook_file: str | None = Field(
        default=None, description="File with that address, relative to this file."
    )


class TokenShape(Shape):
    """What a token opens."""

    token: SecretStr | None = Field(
        default=None, description="The token; use ${NAME}, because feeds.yaml gets shared."
    )
    token_file: str | None = Field(
        default=None, description="File with the token, relative to this file."
    )


class SlackShape(TokenShape):
    """A channel of Slack: with a bot's token, or an incoming webhook."""

    channel: Name | None = Field(
        default=None, description="Id of the channel, such as C012AB3CD; with a bot's token."
    )
    webhook: SecretUrl | None = Field(
        default=None,
        description="Address of an incoming webhook instead of a token: its messages never "
        "change. Use ${NAME}, because feeds.yaml gets shared.",
    )
    webhook_file: str | None = Field(
        default=None, description="File with that address, relative to this file."
    )
    server: Url = Field(default="https://slack.com", description="Address of Slack.")

    @model_validator(mode="after")
    def _has_one_way(self) -> "SlackShape":
        has_webhook = self.webhook is not None or self.webhook_file is not None
        if has_webhook == (self.channel is not None):
            raise ValueError("expected either `channel` with a token, or `webhook`")
        return self


class MatrixShape(TokenShape):
    """A room of Matrix that is not encrypted."""

    server: Url = Field(description="Address of the homeserver.")
    room: MatrixId = Field(description="Id of the room, such as !abc:example.org.")


class MattermostShape(TokenShape):
    """A channel of Mattermost."""

    server: Url = Field(description="Address of the server.")
    channel: Name = Field(description="Id of the channel.")


class NtfyShape(TokenShape):
    """A topic of ntfy."""

    server: Url = Field(default="https://ntfy.sh", description="Address of the server.")
    topic: Topic = Field(
        description="The topic; on a public server whoever knows it can read along.",
    )


class EmailShape(Shape):
    """Receivers of mail, and the server that sends it."""

    host: Name = Field(description="Mail server that takes the messages.")
    port: Annotated[int, Field(ge=1, le=65535), _WHOLE] = Field(
        default=587, description="Its port."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is kept secret."
    )
    user: Name | None = Field(default=None, description="Name to log in with, if it wants one.")
    password: SecretStr | None = Field(
        default=None, description="Password; use ${NAME}, because feeds.yaml gets shared."
    )
    password_file: str | None = Field(
        default=None, description="File with the password, relative to this file."
    )
    sender: MailAddress = Field(alias="from", description="Address that the messages come from.")
    to: Annotated[list[MailAddress], Field(min_length=1, max_length=50)] = Field(
        description="Addresses of the receivers."
    )


class AppriseShape(Shape):
    """Any other service, by Apprise, which has to be installed: `pip install newsbell[apprise]`."""

    url: SecretStr | None = Field(
        default=None,
        description="Address of the service as Apprise writes it; use ${NAME}, because "
        "feeds.yaml gets shared.",
    )
    url_file: str | None = Field(
        default=None, description="File with that address, relative to this file."
    )


class ChatShape(Shape):
    """A chat that gets alerts: one of Telegram, of another service, or the terminal."""

    telegram: TelegramId | None = Field(
        default=None, description="Telegram chat id; negative for groups and channels."
    )
    topic: Annotated[int, Field(ge=1, le=MAX_ID), _WHOLE] | None = Field(
        default=None,
        description="Topic (message_thread_id) of a forum; 1, General, is the group itself.",
    )
    terminal: Literal[True] | None = Field(
        default=None, description="The terminal that newsbell runs in."
    )
    webhook: WebhookShape | None = Field(
        default=None, description="An address that takes events as JSON."
    )
    discord: HookShape | None = Field(default=None, description="A channel of Discord.")
    slack: SlackShape | None = Field(default=None, description="A channel of Slack.")
    matrix: MatrixShape | None = Field(
        default=None, description="A room of Matrix that is not encrypted."
    )
    mattermost: MattermostShape | None = Field(default=None, description="A channel of Mattermost.")
    ntfy: NtfyShape | None = Field(default=None, description="A topic of ntfy.")
    email: EmailShape | None = Field(default=None, description="Receivers of mail.")
    apprise: AppriseShape | None = Field(
        default=None, description="Any other service that Apprise knows."
    )
    stories: Stories | None = Field(default=None, description="As settings.stories, for this chat.")
    language: Language | None = Field(
        default=None, description="As settings.language, for this chat."
    )
    timezone: Zone | None = Field(default=None, description="As settings.timezone, for this chat.")
    quiet: Annotated[str, BeforeValidator(_quiet)] | None = Field(
        default=None,
        description="Quiet hours, in which only breaking alerts come through; the rest arrive in "
        'one message afterwards. Such as "23:00-07:00".',
    )
    digest: Annotated[list[str], BeforeValidator(_digest)] | None = Field(
        default=None,
        description="When digest subscriptions are sent, such as "
        '["07:30", "19:00"]; by default "08:00".',
    )
    digest_from: Annotated[int, Field(ge=0, le=100), _WHOLE] | None = Field(
        default=None, description="Send the digest early once this many stories wait."
    )
    developments: Literal["note", "alert", "edit"] | None = Field(
        default=None,
        description="How news that joins an alerted story is told: note, a silent reply to the "
        "alert (the default); alert, an alert of its own; edit, in the alert's message alone.",
    )
    updates: Literal["note", "alert", "edit"] | None = Field(
        default=None,
        description="How it is told that an article of a sent alert was withdrawn or corrected, "
        "or that the page of an incident has an update: edit, in the alert's message alone (the "
        "default); note, also by a silent reply; alert, also by a reply with a sound.",
    )

    @property
    def settings(self) -> ChatSettings:
        """The settings of the chat."""
        quiet = None if self.quiet is None else parse_time_span(self.quiet) or (0, 0)
        times = (
            None
            if self.digest is None
            else tuple(sorted({parse_time(time) or 0 for time in self.digest}))
        )
        return ChatSettings(
            self.language,
            self.timezone,
            quiet,
            times,
            self.digest_from,
            Developments(self.developments) if self.developments else None,
            updates=Updates(self.updates) if self.updates else None,
        )

    @model_validator(mode="after")
    def _is_a_chat(self) -> "ChatShape":
        kinds = [name for name in CHAT_KEYS if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise ValueError(
                "expected one of `telegram: CHAT_ID`, `terminal: true`, " + ", ".join(CHAT_KEYS[2:])
            )
        if self.topic and self.telegram is None:
            raise ValueError("only Telegram chats have topics")
        if self.telegram == 0:
            raise ValueError("0 is not a chat id; send /start@BOT in the chat to learn its id")
        return self


class PageShape(Shape):
    """How a page is read that has no feed: CSS selectors, all but `item` within an item."""

    item: Selector = Field(description="What holds one article.")
    title: Selector | None = Field(
        default=None, description="Its headline; the text of the link when absent."
    )
    link: Selector | None = Field(
        default=None, description="Its link; the item itself or the first link when absent."
    )
    time: Selector | None = Field(
        default=None, description="Its time; the first <time> when absent."
    )
    summary: Selector | None = Field(default=None, description="Its text; none when absent.")

    @property
    def source(self) -> PageSource:
        """The same as a value of the model."""
        return PageSource(
            self.item, self.title or "", self.link or "", self.time or "", self.summary or ""
        )


class FeedShape(Shape):
    """A feed. A plain URL is short for `{url: ...}`."""

    url: FeedUrl = Field(
        description="Address of the RSS, Atom or JSON feed, or of a public channel of Telegram."
    )
    name: Name | None = Field(default=None, description="Shown in alerts; the host when absent.")
    publisher: Name | None = Field(
        default=None, description="Publisher of the feed; the host when absent."
    )
    tags: list[Tag] = Field(default_factory=list, description="Subscriptions choose feeds by tags.")
    every: Duration | None = Field(
        default=None,
        description="Poll interval; without it, newsbell adapts between 5 minutes and 24 hours.",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Request headers, such as Authorization; never shown or stored.",
    )
    text: Text | None = Field(
        default=None,
        description="What of its articles is matched beside headline and summary. teaser: "
        "nothing; feed: the text that the feed carries, which is the default; full: the text of "
        "its page as well, where the site allows that.",
    )
    page: PageShape | None = Field(
        default=None,
        description="CSS selectors by which a page is read that has no feed; "
        "`newsbell try-page` proposes them.",
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

    @model_validator(mode="after")
    def _is_read_in_a_single_way(self) -> "FeedShape":
        if self.page and followed_channel(self.url):
            raise ValueError("a channel of Telegram is read without `page`; remove it")
        return self

    @field_validator("headers")
    @classmethod
    def _sendable(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, content in value.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise ValueError(f"{name!r} cannot be the name of a header")
            if re.search(r"[\r\n\x00]", content.get_secret_value()):
                raise ValueError(f"the value of {name} holds a line break")
        return value


class HostShape(Shape):
    """How often a host may be asked."""

    spacing: Duration | None = Field(
        default=None,
        description="Pause between two requests, in place of settings.network.spacing.",
    )
    requests_a_minute: Annotated[float, Field(gt=0, le=600)] | None = Field(
        default=None, description="The same as a number of requests; may be below 1."
    )

    @property
    def interval(self) -> timedelta:
        """The pause between two requests."""
        return self.spacing or timedelta(minutes=1 / (self.requests_a_minute or float("inf")))

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "HostShape":
        if (self.spacing is None) == (self.requests_a_minute is None):
            raise ValueError("expected either spacing or requests_a_minute")
        if self.interval > timedelta(hours=24):
            raise ValueError("expected a request a day at least")
        return self


class ArticleShape(Shape):
    """An article on which a query is tested. A plain headline is short for `{title: ...}`."""

    title: Annotated[str, Field(min_length=1)] = Field(description="Its headline.")
    body: str = Field(default="", description="Its text, as far as the feed carries it.")


#: kinds of an example, which are no keys of the file
EXAMPLE_KINDS = frozenset({"(headline)", "(article)"})
Example = Annotated[
    Annotated[ArticleShape, Kind("(article)")]
    | Annotated[str, Field(min_length=1), Kind("(headline)")],
    Discriminator(lambda value: "(article)" if isinstance(value, dict) else "(headline)"),
]


class TestsShape(Shape):
    """Articles on which `newsbell check` tests the query."""

    match: list[Example] = Field(
        default_factory=list, description="Headlines, or articles, that must match."
    )
    ignore: list[Example] = Field(
        default_factory=list, description="Headlines, or articles, that must not match."
    )


class SubscriptionShape(Shape):
    """A query and the chats that get its alerts."""

    name: Name = Field(description="Shown in its alerts. Renaming a subscription makes a new one.")
    query: Annotated[str, Field(min_length=1)] = Field(
        description="What to look for; see docs/queries.md."
    )
    feeds: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, description="Tags, names or URLs of feeds; all feeds when absent."
    )
    to: Annotated[list[str], Field(min_length=1)] = Field(description="Names of chats.")
    urgency: Literal["breaking", "normal", "digest"] = Field(
        default="normal",
        description="breaking: at once, even in quiet hours; normal: after quiet hours; "
        "digest: bundled, at the chat's times.",
    )
    publishers: Annotated[int, Field(ge=1, le=MAX_PUBLISHERS), _WHOLE] = Field(
        default=1, description="Alert once this many independent publishers report the story."
    )
    or_after: Duration | None = Field(
        default=None,
        description="Longest wait for `publishers`; after it the alert is sent anyway, "
        "marked as a single publisher.",
    )
    alert_again_at: Annotated[int, Field(ge=2, le=MAX_PUBLISHERS), _WHOLE] | None = Field(
        default=None,
        description="Alert again once this many independent publishers report the story.",
    )
    developments: Literal["note", "alert", "edit"] | None = Field(
        default=None, description="As `developments` of the chat, for this subscription."
    )
    updates: Literal["note", "alert", "edit"] | None = Field(
        default=None, description="As `updates` of the chat, for this subscription."
    )
    tests: TestsShape = Field(
        default_factory=TestsShape,
        description="Headlines on which `newsbell check` tests the query.",
    )

    @field_validator("feeds", "to", mode="before")
    @classmethod
    def _text_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @property
    def options(self) -> AlertOptions:
        """Its alert options."""
        return AlertOptions(
            Urgency(self.urgency),
            self.publishers,
            self.or_after,
            self.alert_again_at or 0,
            Developments(self.developments) if self.developments else None,
            Updates(self.updates) if self.updates else None,
        )


class FileShape(Shape):
    """feeds.yaml: the feeds to watch, the chats to alert, and their queries."""

    settings: Settings = Field(default_factory=Settings, description="General settings.")
    chats: dict[Name, ChatShape] = Field(
        default_factory=dict, description="Where alerts go, by name."
    )
    feeds: list[Annotated[FeedShape | FeedUrl, Field(union_mode="left_to_right")]] = Field(
        default_factory=list, description="The feeds to watch."
    )
    hosts: dict[HostPattern, HostShape] = Field(
        default_factory=dict,
        description="How often hosts may be asked, by name; * stands for any part, and a name "
        "includes its subdomains.",
    )
    text: dict[Tag, Text] = Field(
        default_factory=dict,
        description="`text` of the feeds with a tag that do not set it themselves.",
    )
    names: dict[Tag, Annotated[list[Name], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Lists of words, phrases and names, used in queries as @name.",
    )
    publisher_groups: dict[Name, Annotated[list[Name], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Publishers or sites that belong together and count as one publisher, "
        "by the name of the group.",
    )
    subscriptions: list[SubscriptionShape] = Field(
        default_factory=list, description="Queries, each with the chats that get its alerts."
    )
