"""Read feeds.yaml: every mistake at once with its line, and what store and process need of it.

Applies nothing.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from bot.alerts.options import problem
from bot.config import yaml_locations
from bot.config.compact import MANY, Packed
from bot.config.destinations import SECRET_KEYS, destination_of, kind_of
from bot.config.feed_addresses import declared_feed, resolved, selected
from bot.config.schema import (
    CHAT_KEYS,
    EXAMPLE_KINDS,
    ChatShape,
    FeedShape,
    FileShape,
    HostShape,
    Network,
    Settings,
    SubscriptionShape,
    TelegramSettings,
    proxy_url,
)
from bot.config.yaml_locations import YamlLocations
from bot.errors import ConfigError, Mistake, QueryError
from bot.model.chats import GENERAL_TOPIC, ChatKind, DeclaredChat, DeclaredSubscription
from bot.model.database_address import (
    DEFAULT_DATABASE,
    DatabaseAddress,
    PostgresAddress,
    is_server,
    postgres_address,
)
from bot.model.desired_config import DesiredConfig
from bot.model.destinations import Destination, secrets_of
from bot.model.feeds import DeclaredFeed, FeedText
from bot.model.stories import Grouping
from bot.query.parser import parse
from bot.query.price import FILE_LIMIT, check_price
from bot.query.tree import Node
from bot.query.warnings import NOT_INFLECTED, query_warnings

M = TypeVar("M", bound=BaseModel)
#: old names of keys that still work, by their path
RENAMED_KEYS = {
    ("families",): "publisher_groups",
    ("subscriptions", "*", "ring_again_at"): "alert_again_at",
}
#: values that are secret where they do not name a variable, by their path
SECRETS = (
    ("settings", "telegram", "token"),
    ("settings", "telegram", "proxy"),
    ("settings", "network", "proxy"),
    ("settings", "heartbeat"),
    ("feeds", "*", "headers", "*"),
    *(("chats", "*", *keys) for keys in SECRET_KEYS),
)
#: keys of `settings` in which machines that share a database may differ: how each reaches what
MACHINES_OWN = frozenset({"database", "database_password_file", "monitor", "heartbeat"})
#: where engines of containers mount secrets
SECRET_FOLDERS = (Path("/run/secrets"), Path("/var/run/secrets"))
#: headers that say what a client likes, and nothing that is secret
_OPEN_HEADERS = {
    *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control"),
    *("connection", "dnt", "pragma", "te", "upgrade-insecure-requests", "user-agent"),
}
_HOST_PATTERN = re.compile(r"[A-Za-z0-9*_.:\[\]-]{1,253}")  # as `schema.HostPattern`
#: pauses of hosts that `hosts:` need not name
SHIPPED_HOSTS = {"t.me": timedelta(seconds=1)}
_TRIED = "tried"  # name of a list that holds only the item under test
_NAME_LENGTH = 100  # as `schema.Name`
_CHAT_ID = "expected a chat id such as -1001234567890; send /start@BOT in the chat to learn its id"


@dataclass(frozen=True, slots=True)
class RuleTest:
    """An article that a subscription must match, or must not, with its line in the file."""

    subscription: str
    query: str
    headline: str
    should_match: bool
    line: int
    column: int
    path: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in the file."""

    line: int
    column: int
    path: str

    def mistake(self, message: str) -> Mistake:
        """Return a mistake at this place."""
        return Mistake(self.line, self.column, self.path, message)


@dataclass(frozen=True, slots=True)
class Proxies:
    """Addresses of proxies, perhaps with passwords; empty where there is none."""

    network: str = field(default="", repr=False)  #: for feeds
    telegram: str = field(default="", repr=False)

    @property
    def passwords(self) -> tuple[str, ...]:
        """What must not be shown of them."""
        parts = (urlsplit(address) for address in (self.network, self.telegram))
        return tuple(part.password for part in parts if part.password)


@dataclass(frozen=True, slots=True)
class Config:
    """A valid configuration file."""

    path: Path
    settings: Settings
    declared: DesiredConfig
    names: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, Mapping[str, str]] = field(repr=False)  #: by feed URL
    token: SecretStr | None = field(default=None, repr=False)
    webhook_secret: str = field(default="", repr=False)
    tests: tuple[RuleTest, ...] = ()
    publisher_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outdated: tuple[Mistake, ...] = ()  #: keys under old names; they still work
    text: str = field(default="", repr=False)  #: of the file, without the secrets that are in it
    warnings: tuple[Mistake, ...] = ()  #: of queries that may mean something else
    proxies: Proxies = Proxies()
    #: the pause between two requests, by name or pattern of the host
    hosts: Mapping[str, timedelta] = field(default_factory=dict)
    has_uninflected_words: bool = False  #: some warnings are about such
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)  #: of feeds, by URL
    #: where chats outside Telegram are, by name
    destinations: Mapping[str, Destination] = field(default_factory=dict, repr=False)
    database: DatabaseAddress = Path(DEFAULT_DATABASE)
    digest: bytes = b""  #: of the file's text; empty where other files belong to it
    content: str = ""  #: digest of what the file says, but for what may differ by machine

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show: token, passwords, and header values that may be secret."""
        token = self.token.get_secret_value() if self.token else ""
        values = (
            value
            for headers in self.headers.values()
            for name, value in headers.items()
            if name.casefold() not in _OPEN_HEADERS
        )
        passwords = [*self.proxies.passwords]
        if isinstance(self.database, PostgresAddress):
            passwords.append(self.database.password)
        elsewhere = (secret for place in self.destinations.values() for secret in secrets_of(place))
        known = (
            *(token, self.webhook_secret, *passwords, *self.settings.secrets, *values),
            *elsewhere,
        )
        return tuple(secret for secret in known if secret)

    @property
    def beside(self) -> Path:
        """The path beside which files of this machine lie: the database, where it is a file."""
        name = DEFAULT_DATABASE if isinstance(self.database, PostgresAddress) else self.database
        return self.path.parent / name


def load(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read a file; raises ConfigError with every mistake in it."""
    environment = yaml_locations.environment() if environment is None else environment
    text = read_text(path)
    reader = _Reader(path, read_document(path, text, environment), environment)
    config = reader.config()
    if not reader.reads_files:
        config = replace(config, digest=_digest(text))
    del reader, text
    if len(config.declared.feeds) < MANY:
        return config
    packed = Packed(
        (config.declared.feeds, config.places, config.headers, config.text), (DeclaredFeed, Place)
    )
    declared = replace(config.declared, feeds=())
    config = replace(config, declared=declared, places={}, headers={}, text="")
    feeds, places, headers, kept = packed.values()
    declared = replace(declared, feeds=feeds)
    return replace(config, declared=declared, places=places, headers=headers, text=kept)


def load_again(old: Config) -> Config:
    """Read the file of a configuration once more: itself, where not a letter of it changed.

    Ten thousand feeds take a second to read. Raises ConfigError as `load`.
    """
    if old.digest and _digest(read_text(old.path)) == old.digest:
        return old
    return load(old.path)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def content_digest(data: Mapping[str, Any]) -> str:
    """Return a digest of the data of a file, whatever its comments and the order of its keys."""
    settings = data.get("settings")
    if isinstance(settings, dict):
        shared = {key: value for key, value in settings.items() if key not in MACHINES_OWN}
        data = {**data, "settings": shared}
    text = json.dumps(data, sort_keys=True, default=repr)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def read_text(path: Path) -> str:
    """Return the text of a file. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problem = f"there is no {path}: `newsbell init` makes one, --config FILE names another"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
    except OSError as error:
        problem = f"cannot be read: {error}"
    raise ConfigError(str(path), (Mistake(1, 1, "(the file)", problem),))


def read_document(path: Path, text: str, environment: Mapping[str, str]) -> YamlLocations:
    """Return the data of a text. Raises ConfigError where it is no YAML."""
    return YamlLocations(str(path), text, environment, RENAMED_KEYS, SECRETS)


def read_config(path: Path, document: YamlLocations, environment: Mapping[str, str]) -> Config:
    """Return the configuration of a document. Raises ConfigError with every mistake in it."""
    return _Reader(path, document, environment).config()


class _Reader:
    """Reads the parts of a document; collects mistakes instead of stopping at the first."""

    def __init__(self, path: Path, document: YamlLocations, environment: Mapping[str, str]) -> None:
        self._path = path
        self._document = document
        self._environment = environment
        self.reads_files = False  #: whether other files belong to the configuration
        data = document.data
        if not isinstance(data, dict):
            document.mistake((), "expected keys such as feeds: and subscriptions:")
            data = {}
        self._data: dict[str, Any] = data

    def config(self) -> Config:
        for key in self._data:
            if key not in FileShape.model_fields:
                self._unknown((key,), list(FileShape.model_fields))
        settings = (
            self._model(Settings, self._section("settings", dict), ("settings",)) or Settings()
        )
        chats = self._chats()
        feeds = self._feeds(settings)
        hosts = self._hosts()
        names = self._names()
        publisher_groups = self._publisher_groups()
        subscriptions = self._subscriptions(chats, feeds, names, settings.rsshub)
        token = self._token(settings)
        secret = self._secret(settings)
        database = self._database(settings)
        self._warn_of(settings)
        proxies = Proxies(
            self._proxy(settings.network, "network"), self._proxy(settings.telegram, "telegram")
        )
        if self._document.mistakes:
            ordered = sorted(
                set(self._document.mistakes),
                key=lambda mistake: (mistake.line, mistake.column, mistake.path),
            )
            raise ConfigError(self._document.file, tuple(ordered))
        declared = DesiredConfig(
            tuple(feeds.values()),
            tuple(chats.values()),
            tuple(subscriptions),
            tuple(settings.telegram.admins),
            open=settings.access == "open",
        )
        return Config(
            self._path,
            settings,
            declared,
            names,
            self._headers,
            token,
            secret,
            tuple(self._tests),
            publisher_groups,
            tuple(self._document.outdated),
            self._document.masked(),
            tuple(self._warnings),
            proxies,
            hosts,
            has_uninflected_words=self._has_uninflected_words,
            places=self._places,
            destinations=self._destinations,
            database=database,
            content=content_digest(self._data),
        )

    def _section(self, name: str, kind: type) -> Any:
        value = self._data.get(name)
        if value is None:
            return kind()
        if not isinstance(value, kind):
            self._document.mistake(
                (name,), "expected a list" if kind is list else "expected keys with values"
            )
            return kind()
        return value

    def _unknown(self, path: yaml_locations.Path, known: list[str]) -> None:
        near = get_close_matches(str(path[-1]), known, n=1, cutoff=0.5)
        line, column = self._document.key_at(path)
        hint = f"did you mean {near[0]}?" if near else f"keys here: {', '.join(known)}"
        self._document.mistakes.append(
            Mistake(
                line,
                column,
                yaml_locations.path_text(path),
                f"unknown key; {hint}",
            )
        )

    def _model(self, model: type[M], data: Any, path: yaml_locations.Path) -> M | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
            for detail in details:
                self._mistake(model, detail, path)
            return None

    def _mistake(self, model: type[BaseModel], error: Any, path: yaml_locations.Path) -> None:
        place = (
            *path,
            *(
                part
                for part in error["loc"]
                if part not in EXAMPLE_KINDS
                and not (isinstance(part, str) and part.startswith("function-"))
            ),
        )
        if error["type"] == "extra_forbidden":
            self._unknown(place, _keys_at(model, error["loc"][:-1]))
            return
        if error["type"] == "missing":
            self._document.mistake(place[:-1], f"the key {place[-1]} is missing")
            return
        is_chat_id = place[:1] == ("chats",) and place[2:] == ("telegram",)
        self._document.mistake(place, _CHAT_ID if is_chat_id else _message(error))

    def _chats(self) -> dict[str, DeclaredChat]:
        chats: dict[str, DeclaredChat] = {}
        seen: dict[tuple[int, int], str] = {}
        self._destinations: dict[str, Destination] = {}
        for name, data in self._section("chats", dict).items():
            chat = self._model(ChatShape, data, ("chats", name))
            if not 1 <= len(name) <= _NAME_LENGTH:
                self._document.mistake(
                    ("chats", name), f"expected a name of 1 to {_NAME_LENGTH} characters"
                )
            if chat is None:
                chats[name] = DeclaredChat(
                    name, ChatKind.TERMINAL
                )  # so that only this mistake is reported
                continue
            kind = kind_of(chat)
            self._locate(name, chat)
            topic = 0 if chat.topic in {None, GENERAL_TOPIC} else chat.topic or 0
            chats[name] = DeclaredChat(
                name,
                kind,
                chat.telegram or 0,
                topic,
                Grouping(chat.stories) if chat.stories else None,
                chat.settings,
            )
            if kind is ChatKind.TELEGRAM:
                first = seen.setdefault((chat.telegram or 0, topic), name)
                if first != name:
                    line = self._document.at(("chats", first))[0]
                    self._document.mistake(
                        ("chats", name), f"same chat as {first} (line {line}); remove one of them"
                    )
        return chats

    def _locate(self, name: str, chat: ChatShape) -> None:
        """Read where a chat outside Telegram is."""
        key = next(key for key in CHAT_KEYS if getattr(chat, key) is not None)
        path: yaml_locations.Path = ("chats", name, key)
        place = destination_of(
            chat,
            lambda key, file: self._secret_file(file, (*path, key)),
            lambda key, message: self._document.mistake((*path, key), message),
        )
        if place is not None:
            self._destinations[name] = place

    def _feeds(self, settings: Settings) -> dict[str, DeclaredFeed]:
        feeds: dict[str, DeclaredFeed] = {}
        names: dict[str, int] = {}  # to the feed's index
        lines: dict[str, int] = {}  # by URL
        self._headers: dict[str, Mapping[str, str]] = {}
        self._places: dict[str, Place] = {}
        self._elsewhere: set[str] = set()
        by_tag = self._texts()
        for index, data in enumerate(self._section("feeds", list)):
            if not isinstance(data, str | dict):
                self._document.mistake(
                    ("feeds", index), "expected a URL, or keys with values such as url:"
                )
                continue
            shape = self._model(FeedShape, data, ("feeds", index))
            if shape is None:
                self._half_read(data)
                continue
            place: yaml_locations.Path = (
                ("feeds", index, "url") if isinstance(data, dict) else ("feeds", index)
            )
            try:
                url = resolved(shape.url, settings.rsshub)
            except ValueError as error:
                self._document.mistake(place, str(error))
                self._half_read(data)
                continue
            if url in feeds:
                self._document.mistake(
                    place, f"duplicate feed (first on line {lines[url]}); remove one of them"
                )
                continue
            lines[url] = self._document.at(place)[0]
            self._places[url] = self._place(place)
            if shape.name and names.setdefault(shape.name, index) != index:
                line = self._document.at(("feeds", names[shape.name], "name"))[0]
                self._document.mistake(
                    ("feeds", index, "name"),
                    f"duplicate feed name {shape.name} (first on line {line}); rename one of them",
                )
            text = FeedText(shape.text) if shape.text else _text_of(shape.tags, by_tag)
            feeds[url] = replace(declared_feed(shape, url), text=text)
            self._headers[url] = dict(feeds[url].headers)
        return feeds

    def _texts(self) -> dict[str, FeedText]:
        """What is matched of feeds, by tag."""
        texts: dict[str, FeedText] = {}
        for tag, value in self._section("text", dict).items():
            shape = self._model(FileShape, {"text": {tag: value}}, ())
            if shape:
                texts[str(tag)] = FeedText(shape.text[tag])
        return texts

    def _hosts(self) -> dict[str, timedelta]:
        hosts = dict(SHIPPED_HOSTS)
        for pattern, data in self._section("hosts", dict).items():
            shape = self._model(HostShape, data, ("hosts", pattern))
            if not _HOST_PATTERN.fullmatch(str(pattern)):
                self._document.mistake(
                    ("hosts", pattern),
                    "expected the name of a host, such as feeds.example.org or *.example.org",
                )
            elif shape:
                hosts[str(pattern).lower()] = shape.interval
        return hosts

    def _half_read(self, data: Any) -> None:
        """Keep the tags of a faulty feed, so that subscriptions to them are no mistakes too."""
        if isinstance(data, dict):
            tags = data.get("tags")
            selectors = (
                data.get("url"),
                data.get("name"),
                *(tags if isinstance(tags, list) else []),
            )
            self._elsewhere.update(str(selector) for selector in selectors)

    def _names(self) -> dict[str, tuple[str, ...]]:
        names: dict[str, tuple[str, ...]] = {}
        raw = self._section("names", dict)
        for name, spellings in raw.items():
            shape = self._model(FileShape, {"names": {name: spellings}}, ())
            names[name] = tuple(shape.names[name]) if shape else ()
            for index, item in enumerate(names[name]):
                try:
                    parse(f"@{_TRIED}", {_TRIED: (item,)})
                except QueryError as error:
                    self._document.mistake(("names", name, index), error.message)
        return names

    def _publisher_groups(self) -> dict[str, tuple[str, ...]]:
        publisher_groups: dict[str, tuple[str, ...]] = {}
        whose: dict[str, str] = {}
        for name, members in self._section("publisher_groups", dict).items():
            shape = self._model(FileShape, {"publisher_groups": {name: members}}, ())
            publisher_groups[name] = tuple(shape.publisher_groups[name]) if shape else ()
            for index, member in enumerate(publisher_groups[name]):
                first = whose.setdefault(member.casefold(), name)
                if first != name:
                    self._document.mistake(
                        ("publisher_groups", name, index), f"{member} is already in {first}"
                    )
        return publisher_groups

    def _subscriptions(
        self,
        chats: Mapping[str, DeclaredChat],
        feeds: Mapping[str, DeclaredFeed],
        names: Mapping[str, tuple[str, ...]],
        rsshub: str | None,
    ) -> list[DeclaredSubscription]:
        result: list[DeclaredSubscription] = []
        selectors = {
            selector for feed in feeds.values() for selector in (feed.url, feed.name, *feed.tags)
        } | self._elsewhere
        seen: dict[str, int] = {}  # to the line
        self._tests: list[RuleTest] = []
        self._warnings: list[Mistake] = []
        self._has_uninflected_words = False
        for index, data in enumerate(self._section("subscriptions", list)):
            path: yaml_locations.Path = ("subscriptions", index)
            shape = self._model(SubscriptionShape, data, path)
            if shape is None:
                continue
            named = [item if item in selectors else selected(item, rsshub) for item in shape.feeds]
            if shape.name in seen:
                self._document.mistake(
                    (*path, "name"),
                    f"duplicate subscription name {shape.name} (first on line {seen[shape.name]}); "
                    "rename one of them",
                )
            seen.setdefault(shape.name, self._document.at((*path, "name"))[0])
            self._known((*path, "to"), shape.to, set(chats), "chat")
            self._known((*path, "feeds"), named, selectors, "tag, name or URL of a feed")
            try:
                tree = parse(shape.query, names)
                check_price(tree, shape.query, FILE_LIMIT)
                self._warn((*path, "query"), tree)
            except QueryError as error:
                caret = "\n".join(f"    {line}" for line in error.excerpt().splitlines())
                self._document.mistake((*path, "query"), f"{error.message}\n{caret}")
            if wrong := problem(shape.options):
                self._document.mistake((*path, wrong[0]), wrong[1].message)
            self._rule_tests(path, shape)
            result.append(
                DeclaredSubscription(
                    shape.name,
                    shape.query,
                    tuple(named),
                    tuple(dict.fromkeys(shape.to)),
                    shape.options,
                )
            )
        return result

    def _warn(self, path: yaml_locations.Path, tree: Node) -> None:
        line, column = self._document.at(path)
        name = yaml_locations.path_text(path)
        if comment := self._document.cut_off.get(path):
            text = (
                f"“{comment}” is a comment: put single quotes around the whole query to search it"
            )
            self._warnings.append(Mistake(line, column, name, text))
        for warning in query_warnings(tree):
            self._warnings.append(Mistake(line, column, name, str(warning)))
            self._has_uninflected_words |= warning.text == NOT_INFLECTED

    def _place(self, path: yaml_locations.Path) -> Place:
        return Place(*self._document.at(path), yaml_locations.path_text(path))

    def _warn_of(self, settings: Settings) -> None:
        """Warn of settings that work and are hardly meant."""
        path: yaml_locations.Path = ("settings", "telegram", "token")
        if settings.telegram.token and self._document.is_literal(path):
            self._warnings.append(
                self._place(path).mistake(
                    "the token itself stands in the file, which gets shared: write "
                    "${TELEGRAM_BOT_TOKEN}, or name a token_file"
                )
            )
        if settings.contact and not re.search(r"@\S|://|\w\.\w", settings.contact):
            self._warnings.append(
                self._place(("settings", "contact")).mistake(
                    "site owners cannot reach this: write a web address or an e-mail address"
                )
            )
        if settings.web.is_open_to_readers:
            key = "public" if settings.web.public else "listen"
            self._warnings.append(
                self._place(("settings", "web", key)).mistake(
                    "without TLS everybody on the way can read along and take over sessions: let a "
                    "proxy answer at an https address, and name it as web.public"
                )
            )

    def _rule_tests(self, path: yaml_locations.Path, shape: SubscriptionShape) -> None:
        for kind, examples in (("match", shape.tests.match), ("ignore", shape.tests.ignore)):
            for number, example in enumerate(examples):
                place = (*path, "tests", kind, number)
                line, column = self._document.at(place)
                self._tests.append(
                    RuleTest(
                        shape.name,
                        shape.query,
                        example if isinstance(example, str) else example.title,
                        kind == "match",
                        line,
                        column,
                        yaml_locations.path_text(place),
                        "" if isinstance(example, str) else example.body,
                    )
                )

    def _known(
        self, path: yaml_locations.Path, used: list[str], known: set[str], what: str
    ) -> None:
        for index, name in enumerate(used):
            if name not in known:
                near = get_close_matches(name, known, n=1)
                # Of a URL the query may be a secret.
                names = sorted(other for other in known if "://" not in other)[:8]
                hint = (
                    f"did you mean {near[0]}?" if near else f"known: {', '.join(names) or 'none'}"
                )
                self._document.mistake((*path, index), f"there is no {what} {name!r}; {hint}")

    def _secret_file(self, name: str, place: yaml_locations.Path) -> str | None:
        """Return the text of a file that is kept from others; None where it cannot be read."""
        file = self._path.parent / name
        self.reads_files = True
        try:
            text = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            self._document.mistake(
                place, f"cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"
            )
            return None
        if os.name == "posix" and file.stat().st_mode & 0o077 and not is_mounted_secret(file):
            self._document.mistake(
                place, f"others can read {file.name}: run `chmod 600 {file.name}`"
            )
        return text

    def _secret(self, settings: Settings) -> str:
        """Return the secret that Telegram sends with each call; empty: one is made up."""
        hook = settings.telegram.webhook
        if hook is None or hook.secret_file is None:
            return ""
        place: yaml_locations.Path = ("settings", "telegram", "webhook", "secret_file")
        text = self._secret_file(hook.secret_file, place) or ""
        if text and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", text):
            self._document.mistake(place, "only letters, digits, _ and - are allowed, at most 256")
        return text

    def _database(self, settings: Settings) -> DatabaseAddress:
        place: yaml_locations.Path = ("settings", "database")
        file = settings.database_password_file
        if not is_server(settings.database):
            if file is not None:
                self._document.mistake(
                    ("settings", "database_password_file"), "a database in a file has no password"
                )
            if "://" in settings.database:
                self._document.mistake(
                    place, "expected a file, or a database such as postgresql://USER@HOST/DATABASE"
                )
            return self._path.parent / settings.database
        try:
            address = postgres_address(settings.database, self._environment)
        except ValueError as error:
            self._document.mistake(place, str(error))
            return self._path.parent / DEFAULT_DATABASE
        if file is None:
            return address
        password = self._secret_file(file, ("settings", "database_password_file"))
        return address.with_password(password or "")

    def _proxy(self, settings: Network | TelegramSettings, name: str) -> str:
        """Return the address of a proxy; empty where there is none."""
        if settings.proxy:
            return settings.proxy.get_secret_value()
        if settings.proxy_file is None:
            return ""
        place: yaml_locations.Path = ("settings", name, "proxy_file")
        text = self._secret_file(settings.proxy_file, place)
        if text is None:
            return ""
        try:
            return proxy_url(text)
        except ValueError as error:
            self._document.mistake(place, str(error))
            return ""

    def _token(self, settings: Settings) -> SecretStr | None:
        text = self._environment.get("TELEGRAM_BOT_TOKEN", "").strip()
        whose = "TELEGRAM_BOT_TOKEN of the environment" if text else "the bot's token"
        place: yaml_locations.Path = ("settings", "telegram", "token")
        if not text and settings.telegram.token:
            text = settings.telegram.token.get_secret_value().strip()
        if not text and settings.telegram.token_file:
            place = ("settings", "telegram", "token_file")
            content = self._secret_file(settings.telegram.token_file, place)
            if not content:
                if content is not None:
                    self._document.mistake(
                        place, "the file is empty; put the token from @BotFather into it"
                    )
                return None
            text = content
        if text and (":" not in text or not text.partition(":")[0].isdecimal() or " " in text):
            self._document.mistake(
                place,
                f"{whose} does not look like a token (123456:ABC...); get it from @BotFather",
            )
            return None
        return SecretStr(text) if text else None


def _text_of(tags: Iterable[str], by_tag: Mapping[str, FeedText]) -> FeedText:
    """What is matched of a feed that does not say so: as its first tag has it that does."""
    return next((by_tag[tag] for tag in tags if tag in by_tag), FeedText.FEED)


def is_mounted_secret(file: Path) -> bool:
    """Whether a container's engine put a secret there, whose mode nobody within can change.

    Docker mounts secrets as 0444, Kubernetes as 0644; whoever else is on the machine cannot look
    into the container.
    """
    place, status = file.resolve(), file.stat()
    return (
        any(place.is_relative_to(folder) for folder in SECRET_FOLDERS)
        or bool(os.statvfs(file).f_flag & os.ST_RDONLY)
        or (status.st_uid == 0 and not status.st_mode & 0o222)
    )


def _keys_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys known at a location within a model."""
    for part in loc:
        annotation = (
            model.model_fields[part].annotation
            if isinstance(part, str) and part in model.model_fields
            else None
        )
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return list(model.model_fields)


def _message(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    message = message.replace("greater than or equal to", "at least")
    message = message.replace("less than or equal to", "at most")
    expected = {
        "string_type": "expected text; put it in quotes",
        "int_parsing": "expected a whole number",
        "int_type": "expected a whole number",
        "int_from_float": "expected a whole number",
        "float_parsing": "expected a number",
        "float_type": "expected a number",
        "too_short": "must not be empty",
        "string_too_short": "must not be empty",
        "list_type": "expected a list",
        "dict_type": "expected keys with values",
        "model_type": "expected keys with values",
        "literal_error": message.lower(),
        "string_pattern_mismatch": (
            "only letters, digits, dots, hyphens and underscores are allowed"
        ),
    }
    return expected.get(str(error["type"]), message[:1].lower() + message[1:])
