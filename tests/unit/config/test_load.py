"""feeds.yaml: every mistake at once, each with its place and what was expected.

Nothing secret in any message; nothing that eats the machine.
"""

import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples

from bot.cli.schema import schema_text
from bot.config.load import Config, load, load_again
from bot.config.schema import FeedShape, FileShape
from bot.config.yaml_locations import SIZE, YamlLocations
from bot.errors import ConfigError
from bot.model.chats import ChatKind

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "123456:" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r"

EXAMPLE = """
settings:
  database: newsbell.db
  timezone: Europe/Berlin
  contact: https://example.org/bot
  network: {allow: [127.0.0.0/8]}
  telegram: {api: https://api.telegram.org, admins: [123456789]}
chats:
  desk: {telegram: -1001234567890, topic: 42}
  here: {terminal: true}
feeds:
  - https://feeds.example.org/world.xml
  - {url: https://example.com/atom, name: Example, publisher: example.com, tags: [syria, wire],
     every: 2m, headers: {Authorization: "Bearer ${EXAMPLE_TOKEN}"}}
names:
  deir-ez-zor: [Deir ez-Zor, Deir Ezzor, دير الزور, Дейр-эз-Зор]
subscriptions:
  - {name: Air defence, query: '"S-300" AND (Syria OR @deir-ez-zor) NOT football',
     feeds: [syria], to: [desk, here]}
"""


def read(folder: Path, text: str | bytes, **environment: str) -> Config:
    path = folder / "feeds.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path, environment)


def mistakes(folder: Path, text: str | bytes, **environment: str) -> list[str]:
    """Each mistake as `line:column path: message`."""
    with pytest.raises(ConfigError) as raised:
        read(folder, text, **environment)
    prefix = f"{folder / 'feeds.yaml'}:"
    lines = [mistake.at(raised.value.file) for mistake in raised.value.mistakes]
    assert all(line.startswith(prefix) for line in lines)
    assert str(raised.value) == "\n".join(lines)
    return [line.removeprefix(prefix) for line in lines]


def test_the_example_is_read_as_it_is_meant(tmp_path: Path) -> None:
    config = read(tmp_path, EXAMPLE, EXAMPLE_TOKEN="sesame-sesame")
    first, second = config.declared.feeds
    assert (first.url, first.name, first.publisher, first.tags, first.every) == (
        "https://feeds.example.org/world.xml",
        "feeds.example.org",
        "feeds.example.org",
        (),
        None,
    )
    assert (second.name, second.publisher, second.tags, second.every) == (
        "Example",
        "example.com",
        ("syria", "wire"),
        timedelta(minutes=2),
    )
    assert second.headers == (("Authorization", "Bearer sesame-sesame"),)
    assert config.headers[second.url] == {"Authorization": "Bearer sesame-sesame"}
    open_harness, here = config.declared.chats
    assert (open_harness.name, open_harness.kind, open_harness.address, open_harness.topic) == (
        "desk",
        ChatKind.TELEGRAM,
        -1001234567890,
        42,
    )
    assert (here.name, here.kind) == ("here", ChatKind.TERMINAL)
    (subscription,) = config.declared.subscriptions
    assert (subscription.feeds, subscription.to) == (("syria",), ("desk", "here"))
    assert config.names["deir-ez-zor"][2] == "دير الزور"
    assert config.declared.admins == (123456789,)
    assert config.database == tmp_path / "newsbell.db"
    assert config.token is None


FAULTY = """settings:
  databse: x
  timezone: Europe/Berlinn
  network: {allow: [300.1.1.1/8], alow: 1}
chats:
  desk: {telegram: -1001234567890, topic: 42}
  same: {telegram: -1001234567890, topic: 42}
  here: {terminal: true}
feeds:
  - https://feeds.example.org/world.xml
  - {url: https://example.com/atom, name: Example, tags: [syria, wire], every: 2x}
  - https://feeds.example.org/world.xml
  - {url: https://example.net/a, name: Twin}
  - {url: https://example.net/b, name: Twin, tag: [syria]}
  - {url: https://example.net/c, name: Twin}
names:
  deir-ez-zor: [Deir ez-Zor]
subscriptions:
  - {name: Air, query: '"S-300" AND (Syria OR @deir-ez-zor', feeds: [siria], to: [desk, her]}
  - {name: Air, query: '@deir-er-zor', to: desk}
  - {name: No query, to: [desk]}
feed: []
"""


def test_all_mistakes_are_told_at_once_each_with_line_column_and_path(tmp_path: Path) -> None:
    found = mistakes(tmp_path, FAULTY)
    assert [line.partition("\n")[0] for line in found] == [
        "2:3 settings.databse: unknown key; did you mean database?",
        "3:13 settings.timezone: expected a time zone such as Europe/Berlin or UTC",
        "4:21 settings.network.allow[0]: expected an IP range such as 192.168.0.0/16",
        "4:35 settings.network.alow: unknown key; did you mean allow?",
        "7:9 chats.same: same chat as desk (line 6); remove one of them",
        "11:80 feeds[1].every: expected a duration such as 90s, 2m, 1h or 1d",
        "12:5 feeds[2]: duplicate feed (first on line 10); remove one of them",
        "14:46 feeds[4].tag: unknown key; did you mean tags?",
        "15:40 feeds[5].name: duplicate feed name Twin (first on line 13); rename one of them",
        (
            "19:24 subscriptions[0].query: This parenthesis is not closed. Add a ) where it "
            "should end."
        ),
        (
            "19:70 subscriptions[0].feeds[0]: there is no tag, name or URL of a feed 'siria'; "
            "did you mean syria?"
        ),
        "19:89 subscriptions[0].to[1]: there is no chat 'her'; did you mean here?",
        (
            "20:12 subscriptions[1].name: duplicate subscription name Air (first on line 19); "
            "rename one of them"
        ),
        "20:24 subscriptions[1].query: There is no list @deir-er-zor. Did you mean @deir-ez-zor?",
        "21:5 subscriptions[2]: the key query is missing",
        "22:1 feed: unknown key; did you mean feeds?",
    ]


def test_a_mistake_in_a_query_has_a_caret_under_it(tmp_path: Path) -> None:
    (found,) = mistakes(
        tmp_path,
        "chats: {a: {terminal: true}}\nsubscriptions: [{name: a, query: 'x AND (', to: [a]}]",
    )
    _, query, caret = found.splitlines()
    assert (query.strip(), query[caret.index("^")]) == ("x AND (", "(")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("setings: {}", "1:1 setings: unknown key; did you mean settings?"),
        (
            "settings: {limits: {deadlin: 5s}}",
            "1:21 settings.limits.deadlin: unknown key; did you mean deadline?",
        ),
        (
            'chats: {a: {telegram: 1, quiet: "07:00-07:00"}}',
            "1:33 chats.a.quiet: begins and ends at the same time; write none for no quiet hours",
        ),
        (
            "settings: {retention: {articles: 2d}}",
            "1:34 settings.retention.articles: expected at least 7d, or forever",
        ),
        (
            "settings: {retention: {alerts: always}}",
            "1:32 settings.retention.alerts: expected a duration such as 90d, or forever",
        ),
        (
            "settings: {telegram: {admin: []}}",
            "1:23 settings.telegram.admin: unknown key; did you mean admins?",
        ),
        (
            "chats: {a: {telegramm: 1}}",
            "1:13 chats.a.telegramm: unknown key; did you mean telegram?",
        ),
        (
            "feeds: [{ulr: 'http://a.example'}]",
            "1:10 feeds[0].ulr: unknown key; did you mean url?",
        ),
        (
            "subscriptions: [{name: a, query: b, to: a, qery: c}]",
            "qery: unknown key; did you mean query?",
        ),
        ("settings: {zzz: 1}", "keys here: database, timezone, language, contact,"),
        ("feeds: []\nfeeds: []", "2:1 feeds: duplicate key (first on line 1)"),
        (
            "settings: {database: a, database: b}",
            "1:25 settings.database: duplicate key (first on line 1)",
        ),
        ("feeds: {a: b}", "1:8 feeds: expected a list"),
        ("chats: []", "1:8 chats: expected keys with values"),
        ("settings: 5", "1:11 settings: expected keys with values"),
        ("- feeds", "1:1 (the file): expected keys such as feeds:"),
        ("feeds", "1:1 (the file): expected keys such as feeds:"),
        ("", "1:1 (the file): is empty"),
        ("# only a comment\n", "1:1 (the file): is empty"),
        ("feeds: [5]", "1:9 feeds[0]: expected a URL, or keys with values such as url:"),
        ("feeds:\n  -\n", "feeds[0]: expected a URL"),
        ("feeds: ['ftp://a.example/']", "1:9 feeds[0].url: expected a web address"),
        ("feeds: ['http://']", "feeds[0].url: expected a web address"),
        ("feeds: ['http://a b.example/']", "feeds[0].url: expected a web address"),
        ("feeds: ['http://[::1/']", "feeds[0].url: expected a web address"),
        ("feeds: [{name: a}]", "1:9 feeds[0]: the key url is missing"),
        (
            "feeds: [{url: 'http://a.example', every: 5}]",
            "1:42 feeds[0].every: expected a duration such as",
        ),
        (
            "feeds: [{url: 'http://a.example', every: 0s}]",
            "feeds[0].every: expected between 1s and 24h",
        ),
        (
            "feeds: [{url: 'http://a.example', every: 25h}]",
            "feeds[0].every: expected between 1s and 24h",
        ),
        (
            "feeds: [{url: 'http://a.example', tags: [a b]}]",
            "feeds[0].tags[0]: only letters, digits,",
        ),
        (
            "feeds: [{url: 'http://a.example', headers: {'a b': c}}]",
            "feeds[0].headers: 'a b' cannot be the name of a header",
        ),
        (
            'feeds: [{url: "http://a.example", headers: {a: "x\\r\\ny"}}]',
            "feeds[0].headers: the value of a holds a line break",
        ),
        (
            "chats: {a: {}}",
            "chats.a: expected one of `telegram: CHAT_ID`, `terminal: true`, webhook",
        ),
        ("chats: {a: {telegram: 1, terminal: true}}", "chats.a: expected one of"),
        (
            "chats: {a: {telegram: true}}",
            "1:23 chats.a.telegram: expected a chat id such as -1001234567890; send /start@BOT",
        ),
        (
            "chats: {a: {telegram: desk}}",
            "1:23 chats.a.telegram: expected a chat id such as -1001234567890; send /start@BOT",
        ),
        (
            "chats: {a: {telegram: 1.5}}",
            "1:23 chats.a.telegram: expected a chat id such as -1001234567890; send /start@BOT",
        ),
        ("chats: {a: {telegram: 0}}", "chats.a: 0 is not a chat id"),
        ("chats: {a: {terminal: true, topic: 4}}", "chats.a: only Telegram chats have topics"),
        ("chats: {a: {terminal: false}}", "chats.a.terminal: expected true"),
        ("chats: {'': {terminal: true}}", "expected a name of 1 to 100 characters"),
        (
            "settings: {limits: {deadline: 0s}}",
            "1:31 settings.limits.deadline: expected between 0.1s and 2m",
        ),
        (
            "settings: {limits: {body: 0}}",
            "settings.limits.body: expected at least 1",
        ),
        (
            "settings: {network: {nat64: ['2a00:64::/80']}}",
            "settings.network.nat64[0]: expected a NAT64 prefix such as 2001:db8:64::/96",
        ),
        (
            "settings: {network: {ports: [70000]}}",
            "settings.network.ports[0]: expected at most 65535",
        ),
        ("settings: {access: public}", "settings.access: expected 'private'"),
        (
            "settings: {web: {listen: 9464}, monitor: {listen: 0.0.0.0:9464}}",
            "settings: web.listen and monitor.listen have the same port",
        ),
        (
            "settings: {web: {public: 'https://news.example/bell'}}",
            "1:26 settings.web.public: expected an address without a path",
        ),
        ("names: {a: []}", "1:12 names.a: must not be empty"),
        ("names: {a: [2024]}", "1:13 names.a[0]: expected text; put it in quotes"),
        ("names: {a: ['...']}", "1:13 names.a[0]: "),
        ("names: {a b: [x]}", "names.a b"),
        (
            "chats: {a: {terminal: true}}\nsubscriptions: [{name: a, query: b, to: []}]",
            "2:41 subscriptions[0].to: must not be empty",
        ),
        ("subscriptions: [{name: a, query: b, to: [x]}]", "there is no chat 'x'; known: none"),
        (
            "chats: {a: {terminal: true}}\nsubscriptions: [{name: a, query: '@sahel', to: a}]",
            "2:34 subscriptions[0].query: ",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_was_expected(
    tmp_path: Path, text: str, expected: str
) -> None:
    found = mistakes(tmp_path, text)
    assert any(expected in line for line in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("feeds:\n\t- x", "2:1 (the file): is not valid YAML here: a tab indents this line"),
        ("feeds: [a", "(the file): is not valid YAML here: "),
        ("feeds: 'a", "(the file): is not valid YAML here: "),
        ("a: b: c", "1:5 (the file): is not valid YAML here: YAML takes a colon before a space"),
        (
            """subscriptions:\n  - query: "air defence" AND radar""",
            (
                "2:26 (the file): is not valid YAML here: the text goes on behind a closing quote. "
                "Put "
                """single quotes around the whole value: '"air defence" AND radar'"""
            ),
        ),
        (
            "feeds: *nothing",
            ("1:8 (the file): is not valid YAML here: YAML has a use of its own for *"),
        ),
        (
            "feeds: []\n---\nfeeds: []",
            ("2:1 (the file): is not valid YAML here: found another document"),
        ),
        (
            "feeds: []\nnames:\n  a: \x07",
            ("3:6 (the file): is not valid YAML here: special characters are not allowed"),
        ),
        (b"feeds: [\xff]", "1:1 (the file): is not UTF-8 text (byte 9); save it as UTF-8"),
        ("feeds: []".encode("utf-16"), "1:1 (the file): is not UTF-8 text"),
        ("a: &a [*a]", "a[0]: nests too deeply"),
        ("feeds: " + "[" * 30 + "]" * 30, "nests too deeply"),
        ("feeds: " + "[" * 100_000, "nests too deeply"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
            + "".join(
                f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n"
                for a, b in ("ab", "bc", "cd", "de", "ef", "fg")
            ),
            "aliases counted",
        ),
        ("feeds: # " + "x" * SIZE, f"is larger than {SIZE // 1024} KiB"),
        ("feeds: !!python/object/apply:os.system [exit]", "feeds[0].url: expected a web address"),
        (
            ("settings: {database: !!python/name:os.system ''}"),
            "settings.database: must not be empty",
        ),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_not_yaml_or_a_bomb_is_refused_with_its_place(
    tmp_path: Path, text: str | bytes, expected: str
) -> None:
    found = mistakes(tmp_path, text)
    assert any(expected in line for line in found), found


def test_a_missing_file_says_how_to_make_or_name_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no .*: `newsbell init` .*--config FILE"):
        load(tmp_path / "none.yaml", {})


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufefffeeds: ['http://a.example/']").declared.feeds


OLD_KEYS = """
chats: {here: {terminal: true}}
families: {Nile Media: [Nile Herald, nile.example]}
subscriptions:
  - {name: Harbour, query: harbour, to: [here], ring_again_at: 3}
"""
NEW_KEYS = OLD_KEYS.replace("families", "publisher_groups").replace(
    "ring_again_at", "alert_again_at"
)


def test_a_file_with_the_old_names_of_keys_means_the_same(tmp_path: Path) -> None:
    old, new = read(tmp_path, OLD_KEYS), read(tmp_path, NEW_KEYS)

    assert old.declared == new.declared
    assert old.declared.subscriptions[0].options.alert_again_at == 3
    assert (
        old.publisher_groups
        == new.publisher_groups
        == {"Nile Media": ("Nile Herald", "nile.example")}
    )
    assert new.outdated == ()


def test_old_names_of_keys_are_known_with_their_lines_and_new_names(tmp_path: Path) -> None:
    assert [key.at("feeds.yaml") for key in read(tmp_path, OLD_KEYS).outdated] == [
        "feeds.yaml:3:1 families: is now called publisher_groups",
        "feeds.yaml:5:49 subscriptions[0].ring_again_at: is now called alert_again_at",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "families: {A: [b]}\npublisher_groups: {A: [b]}",
            "2:1 publisher_groups: duplicate key (first on line 1); families is its old name",
        ),
        (
            "publisher_groups: {A: [b]}\nfamilies: {A: [b]}",
            "2:1 publisher_groups: duplicate key (first on line 1); families is its old name",
        ),
        (
            (
                "chats: {a: {terminal: true}}\nsubscriptions:\n  - {name: a, query: b, to: a,\n"
                "     alert_again_at: 3,\n     ring_again_at: 3}"
            ),
            (
                "5:6 subscriptions[0].alert_again_at: duplicate key (first on line 4); "
                "ring_again_at is its old name"
            ),
        ),
    ],
)
def test_the_old_and_the_new_name_of_a_key_together_are_a_mistake(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert mistakes(tmp_path, text) == [expected]


def test_an_old_name_works_in_its_own_place_only(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, "settings: {families: {A: [b]}}")
    assert "settings.families: unknown key" in mistake


def test_variables_are_put_in_from_the_environment(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "feeds: ['https://a.example/?key=${KEY}&x=$KEY']\nchats: {a: {telegram: '${CHAT}'}}",
        KEY="k",
        CHAT="-100123",
    )
    assert config.declared.feeds[0].url == "https://a.example/?key=k&x=$KEY"
    assert config.declared.chats[0].address == -100123


def test_a_variable_that_is_not_set_is_a_mistake_at_its_place(tmp_path: Path) -> None:
    text = "feeds:\n  - {url: 'http://a.example/', headers: {X-Key: '${NOT_SET}'}}"
    assert mistakes(tmp_path, text) == [
        "2:49 feeds[0].headers.X-Key: the environment variable NOT_SET is not set"
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("90s", 90),
        ("2m", 120),
        ("1.5h", 5400),
        ("1d", 86400),
        (" 5 m ", 300),
        ("0.5h", 1800),
    ],
)
def test_durations_are_written_with_a_unit(text: str, seconds: int) -> None:
    assert FeedShape.model_validate({"url": "http://a.example", "every": text}).every == timedelta(
        seconds=seconds
    )


def test_a_token_comes_from_the_environment_or_from_a_file_that_only_its_owner_reads(
    tmp_path: Path,
) -> None:
    other = TOKEN.replace("123456:", "654321:")
    (tmp_path / "token").write_text(f"{other}\n", encoding="ascii")
    (tmp_path / "token").chmod(0o600)
    text = "settings: {telegram: {token_file: token}}"
    from_file = read(tmp_path, text).token
    assert from_file is not None
    assert from_file.get_secret_value() == other
    from_environment = read(tmp_path, text, TELEGRAM_BOT_TOKEN=f" {TOKEN} ").token
    assert from_environment is not None
    assert from_environment.get_secret_value() == TOKEN


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_secret_that_a_container_mounts_may_have_the_mode_that_its_engine_gives(
    tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.config.load.SECRET_FOLDERS", (tmp_path / "secrets",))
    (tmp_path / "secrets" / "..1").mkdir(parents=True)
    token = tmp_path / "secrets" / "..1" / "token"
    token.write_text(TOKEN, encoding="ascii")
    token.chmod(mode)
    (tmp_path / "secrets" / "token").symlink_to("..1/token")
    text = f"settings: {{telegram: {{token_file: {tmp_path}/secrets/token}}}}"
    assert read(tmp_path, text).token is not None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can own a file as an engine does")
def test_a_secret_of_root_that_nobody_writes_is_that_of_an_engine(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    (tmp_path / "token").chmod(0o444)
    assert read(tmp_path, "settings: {telegram: {token_file: token}}").token is not None


@pytest.mark.parametrize(
    ("mode", "content", "expected"),
    [
        (
            0o644,
            TOKEN.encode(),
            "1:35 settings.telegram.token_file: others can read token: run `chmod 600 token`",
        ),
        (0o640, TOKEN.encode(), "others can read token"),
        (
            0o600,
            b"not a token",
            "1:35 settings.telegram.token_file: the bot's token does not look like a token",
        ),
        (0o600, "токен".encode(), "settings.telegram.token_file: cannot be read"),
        (None, b"", "settings.telegram.token_file: cannot be read: No such file or directory"),
    ],
)
def test_a_token_file_that_cannot_serve_is_a_mistake(
    tmp_path: Path, mode: int | None, content: bytes, expected: str
) -> None:
    if mode is not None:
        (tmp_path / "token").write_bytes(content)
        (tmp_path / "token").chmod(mode)
    (found,) = mistakes(tmp_path, "settings: {telegram: {token_file: token}}")
    assert expected in found


PROXIES = """
settings:
  telegram: {proxy: "socks5://${PROXY_USER}:${PROXY_PASSWORD}@127.0.0.1:1080"}
  network: {proxy_file: proxy}
"""


def test_proxies_come_from_the_file_with_the_environment_or_from_files_of_their_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "proxy").write_text("http://desk:sesame@proxy.example:3128\n", encoding="ascii")
    (tmp_path / "proxy").chmod(0o600)
    config = read(tmp_path, PROXIES, PROXY_USER="desk", PROXY_PASSWORD="open-up")
    assert config.proxies.telegram == "socks5://desk:open-up@127.0.0.1:1080"
    assert config.proxies.network == "http://desk:sesame@proxy.example:3128"
    assert config.proxies.passwords == ("sesame", "open-up")
    assert "sesame" not in repr(config)
    assert "open-up" not in repr(config)


@pytest.mark.parametrize(
    "proxy",
    ["proxy.example:3128", "http://proxy.example", "ftp://a.example:1", "http://a b:1", "", "7"],
)
def test_a_proxy_that_is_no_address_is_a_mistake_that_does_not_show_it(
    tmp_path: Path, proxy: str
) -> None:
    (found,) = mistakes(tmp_path, f"settings: {{network: {{proxy: '{proxy}'}}}}")
    assert found.endswith(
        "settings.network.proxy: expected a proxy such as http://HOST:PORT or socks5://HOST:PORT"
    )


def test_a_malformed_token_says_where_it_came_from(tmp_path: Path) -> None:
    assert (
        "TELEGRAM_BOT_TOKEN of the environment"
        in mistakes(tmp_path, "feeds: []", TELEGRAM_BOT_TOKEN="sesame-sesame")[0]
    )
    assert mistakes(tmp_path, "settings: {telegram: {token: '${T}'}}", T="sesame-sesame")[
        0
    ].startswith("1:30 settings.telegram.token: ")


def test_no_secret_is_in_what_is_shown_of_a_configuration(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        "settings: {telegram: {token: '${T}'}}\n"
        "feeds: [{url: 'http://a.example/', headers: {A: '${H}'}}]",
        T=TOKEN,
        H="sesame-sesame",
    )
    for shown in (
        repr(config),
        str(config),
        repr(config.settings),
        repr(config.declared),
        repr(config.declared.feeds[0]),
    ):
        assert TOKEN not in shown
        assert "sesame" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "feeds: [{url: 'http://a.example/', headers: {A: '${H}'}, every: x}]",
        "feeds: [{url: 'http://a.example/', headers: ['${H}']}]",
        "feeds: [{url: 'http://a.example/', headers: {'${H}': '${H}', B: ['${H}']}}]",
        (
            "feeds: [{url: 'http://a.example/?${H}', name: a}, {url: 'http://a.example/?${H}', "
            "name: a}]"
        ),
        "feeds: ['${H}']",
        (
            "feeds: ['http://a.example/?key=${H}']\nchats: {a: {terminal: true}}\n"
            "subscriptions: [{name: a, query: b, feeds: [zzz], to: a}]"
        ),
        "settings: {telegram: {token: '${H}'}}",
        "settings: {telegram: {token: ['${H}']}}",
        "settings: {telegram: {token: '${H}', admins: ['${H}']}, timezone: '${H}'}",
    ],
)
def test_no_secret_is_in_a_mistake(tmp_path: Path, text: str) -> None:
    assert not [line for line in mistakes(tmp_path, text, H="sesame sesame") if "sesame" in line]


def test_the_schema_in_docs_is_the_one_that_the_command_prints() -> None:
    assert (ROOT / "docs" / "feeds.schema.json").read_text(encoding="utf-8") == schema_text()


def test_the_schema_describes_every_key() -> None:
    schema = json.loads(schema_text())
    for shape in (schema, *schema["$defs"].values()):
        for name, key in shape.get("properties", {}).items():
            assert key.get("description") or "$ref" in key, name


def test_the_shipped_file_is_good_and_holds_no_secret() -> None:
    config = load(ROOT / "feeds.yaml", {})
    assert len(config.declared.feeds) >= 20
    assert config.declared.subscriptions
    data = YamlLocations("feeds.yaml", (ROOT / "feeds.yaml").read_text(encoding="utf-8"), {}).data
    FileShape.model_validate(data)


@given(
    st.text(max_size=200)
    | st.text(st.sampled_from("feds:[]{}-*&!'\"|>%@`#, \n\tab01$"), max_size=80)
)
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        YamlLocations("feeds.yaml", text, {})
    except ConfigError as error:
        assert error.mistakes  # noqa: PT017 (either way is right)


@pytest.mark.parametrize(
    ("web", "warned"),
    [
        ("{}", False),
        ("{listen: 8080}", False),
        ("{listen: '[::1]:8080'}", False),
        ("{listen: 0.0.0.0:8080}", True),
        ("{listen: 0.0.0.0:8080, public: 'https://news.example'}", False),
        ("{listen: 8080, public: 'http://news.example'}", True),
        ("{listen: 8080, public: 'http://localhost:8080'}", False),
        ("{public: 'http://news.example'}", False),
    ],
)
def test_a_web_page_that_others_can_read_along_is_warned_of(
    tmp_path: Path, web: str, warned: bool
) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(f"settings: {{web: {web}}}\nfeeds: []\n", encoding="utf-8")
    warnings = [warning.message for warning in load(path, {}).warnings]
    assert any("without TLS" in text for text in warnings) is warned


def test_ten_thousand_feeds_with_names_publishers_and_tags_are_one_file(tmp_path: Path) -> None:
    lines = (
        f'  - {{url: "https://feed{number}.example/rss.xml", name: Feed {number} of Selva, '
        f"publisher: Selva Publishing House {number % 3000}, tags: [world, region{number % 40}]}}"
        for number in range(10_000)
    )
    path = tmp_path / "feeds.yaml"
    path.write_text("feeds:\n" + "\n".join(lines), encoding="utf-8")
    config = load(path, {})
    assert len(config.declared.feeds) == 10_000
    last = config.declared.feeds[-1].url
    assert (config.places[last].line, config.places[last].column) == (10_001, 11)


def test_a_file_is_read_again_where_it_or_a_file_of_its_secrets_may_have_changed(
    tmp_path: Path,
) -> None:
    path, token = tmp_path / "feeds.yaml", tmp_path / "bot-token"
    path.write_text("feeds: [https://harbour.example/rss.xml]", encoding="utf-8")
    config = load(path, {})
    assert load_again(config) is config
    path.write_text("settings: {telegram: {token_file: bot-token}}", encoding="utf-8")
    token.write_text("123456:first", encoding="ascii")
    token.chmod(0o600)
    config = load_again(config)
    assert config.declared.feeds == ()
    token.write_text("123456:second", encoding="ascii")
    again = load_again(config)
    assert again.token is not None
    assert again.token.get_secret_value() == "123456:second"
