"""The first feeds.yaml of somebody: feeds and queries by topic. Writes nothing, asks nothing."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

_LIST = re.compile(r"@([\w-]+)")
_NAME_LENGTH = 100  # as `schema.Name`
_WIDTH = 1000  # columns: a feed has one line
_HEAD = """\
# yaml-language-server: $schema={schema}
#
# The feeds to watch, the chats to alert, and their queries.
# Check a change with `newsbell check`; a running newsbell reloads the file by itself.

"""


@dataclass(frozen=True, slots=True)
class Starter:
    """What a first file can hold."""

    feeds: tuple[Mapping[str, Any], ...]
    names: Mapping[str, Sequence[str]]
    queries: tuple[Mapping[str, Any], ...]

    @property
    def topics(self) -> tuple[str, ...]:
        """The tags of the feeds, the commonest first."""
        tags = [tag for feed in self.feeds for tag in feed["tags"]]
        return tuple(sorted(dict.fromkeys(tags), key=lambda tag: -tags.count(tag)))


def starter() -> Starter:
    """Return what comes with newsbell."""
    text = files("bot.config").joinpath("starter.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    return Starter(tuple(data["feeds"]), data["names"], tuple(data["queries"]))


def first_file(
    stock: Starter,
    topics: Collection[str],
    queries: Iterable[str],
    *,
    timezone: str,
    token_file: str,
    schema: str,
) -> str:
    """Return the text of a feeds.yaml.

    `topics` are some of those of the stock, `queries` are further ones, `token_file` is empty for
    none; `schema` is the address of the JSON Schema for editors.
    """
    settings: dict[str, Any] = {"timezone": timezone}
    if token_file:
        settings["telegram"] = {"token_file": token_file}
    feeds = [feed for feed in stock.feeds if set(feed["tags"]) & set(topics)]
    offered = [query for query in stock.queries if set(query["topics"]) & set(topics)]
    subscriptions = [
        *({"name": query["name"], "query": query["query"]} for query in offered),
        *({"name": query[:_NAME_LENGTH], "query": query} for query in queries),
    ]
    used = {name for item in subscriptions for name in _LIST.findall(item["query"])}
    names = {name: items for name, items in stock.names.items() if name in used}
    parts = [
        f"settings:\n{_entries(settings)}",
        "chats:\n  here: {terminal: true}\n",
        "feeds:\n" + "".join(f"  - {_flow(feed)}\n" for feed in feeds),
        f"names:\n{_entries(names)}" if names else "",
        "# Put single quotes around a query; `newsbell backtest QUERY` tries one.\n"
        "subscriptions:\n" + "".join(map(_subscription, subscriptions)),
    ]
    return _HEAD.format(schema=schema) + "\n".join(part for part in parts if part)


def _flow(value: object) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, width=_WIDTH, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("...\n").strip()


def _entries(values: Mapping[str, object]) -> str:
    return "".join(f"  {_flow(key)}: {_flow(value)}\n" for key, value in values.items())


def _subscription(values: Mapping[str, str]) -> str:
    query = values["query"].replace("'", "''")
    return f"  - name: {_flow(values['name'])}\n    query: '{query}'\n    to: [here]\n"
