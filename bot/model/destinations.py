"""Where chats outside Telegram are, and what opens them. From feeds.yaml; never stored or shown.

The store knows such a chat by its kind and name.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WebhookDestination:
    """An address that takes events, and the secret that signs them (Standard Webhooks)."""

    url: str = field(repr=False)
    secret: bytes = field(default=b"", repr=False)  #: empty: events are not signed


@dataclass(frozen=True, slots=True)
class HookDestination:
    """An address that takes messages and is a secret itself: of Discord, Slack, Apprise."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenDestination:
    """A place on a server that a token opens: a channel, a topic, or what Matrix calls a room."""

    server: str
    channel: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailDestination:
    """Receivers of mail, and the server that takes it."""

    host: str
    port: int
    security: str  #: "tls", "starttls" or "none"
    user: str
    password: str = field(repr=False)
    sender: str = ""
    to: tuple[str, ...] = ()


Destination = WebhookDestination | HookDestination | TokenDestination | MailDestination


def secrets_of(destination: Destination) -> tuple[str, ...]:
    """Return what no log, status or export may show of it."""
    match destination:
        case WebhookDestination(url, secret):
            return (url, secret.decode("latin-1"))
        case HookDestination(url):
            return (url, url.rstrip("/").rpartition("/")[2])
        case TokenDestination(token=token):
            return (token,)
        case MailDestination(password=password):
            return (password,)
