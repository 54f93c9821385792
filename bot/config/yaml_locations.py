"""YAML with locations: the data of a document with line and column of each key and value.

Bounded in size and depth, no tags that make objects, no schema.
"""

import json
import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError

from bot.config.yaml_slips import slip
from bot.errors import ConfigError, Mistake

SIZE = 4 * 1024 * 1024
NODES = 200_000  #: values of a file, aliases counted each time they are used
DEPTH = 20  #: lists and keys within each other
LEFT_OUT = "(left out: secret)"  #: stands for a secret value in a text that is kept
COMMENT = re.compile(r"(?<!\S)#[^\n]*")  #: where no scalar is
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TEXT = "tag:yaml.org,2002:str"
_CUT_OFF = re.compile(r"[ \t]+(#\w[^\n]*)")

Path = tuple[str | int, ...]

#: the node that an event begins, and the event that ends it
_NODES_OF: dict[Any, Any] = {
    yaml.SequenceStartEvent: (yaml.SequenceNode, yaml.SequenceEndEvent),
    yaml.MappingStartEvent: (yaml.MappingNode, yaml.MappingEndEvent),
}

_LibyamlLoader: Any = None
if yaml.__with_libyaml__:

    class _LibyamlLoader(Composer, yaml.CSafeLoader):  # type: ignore[no-redef]  # where it is
        """Parses in C, and makes the nodes in Python.

        C would end the process where a document nests too deeply; the recursion of Python has a
        limit. The nodes are those of PyYAML, without its steps for rules by path, of which
        there are none.
        """

        def __init__(self, stream: str) -> None:
            yaml.CSafeLoader.__init__(self, stream)
            Composer.__init__(self)
            self._resolve: Any = self.resolve

        def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ARG002 (as PyYAML does)
            """Make the next node. Raises YAMLError, for which PyYAML then finds the words."""
            event: Any = self.get_event()
            kind, anchor = type(event), event.anchor
            if kind is yaml.AliasEvent:
                if anchor not in self.anchors:
                    raise ComposerError(None, None, "found undefined alias", event.start_mark)
                return self.anchors[anchor]
            if anchor is not None and anchor in self.anchors:
                raise ComposerError(None, None, "found duplicate anchor", event.start_mark)
            start, end = event.start_mark, event.end_mark
            if kind is yaml.ScalarEvent:
                scalar = yaml.ScalarNode(self._tag(event), event.value, start, end, event.style)
                if anchor is not None:
                    self.anchors[anchor] = scalar
                return scalar
            made, last = _NODES_OF[kind]
            tag = event.tag
            if tag is None or tag == "!":
                tag = self._resolve(made, None, event.implicit)
            node = made(tag, [], start, None, event.flow_style)
            if anchor is not None:
                self.anchors[anchor] = node
            add, is_sequence = node.value.append, made is yaml.SequenceNode
            while not self.check_event(last):
                part = self.compose_node(node, None)
                add(part if is_sequence else (part, self.compose_node(node, part)))
            closing: Any = self.get_event()
            node.end_mark = closing.end_mark
            return node

        def _tag(self, event: Any) -> str:
            tag, value = event.tag, event.value
            if tag is not None and tag != "!":
                return str(tag)
            if event.implicit[0] and value[:1] in self.yaml_implicit_resolvers:
                return str(self._resolve(yaml.ScalarNode, value, event.implicit))
            return _TEXT


def path_text(path: Path) -> str:
    """Return a path as people write it: `subscriptions[2].query`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "(the file)"


def _pattern(path: Path) -> tuple[str, ...]:
    """Return a path with `*` for each list index."""
    return tuple("*" if isinstance(part, int) else part for part in path)


def _composed(text: str) -> yaml.Node | None:
    """Return the node of a document; None for an empty one. Raises YAMLError and RecursionError.

    libyaml reads five times as fast as PyYAML's own parser, whose messages people know how to mend.
    """
    if _LibyamlLoader is not None:
        with suppress(yaml.YAMLError):
            return yaml.compose(text, Loader=_LibyamlLoader)
    return yaml.compose(text, Loader=yaml.SafeLoader)


class YamlLocations:
    """The data of one YAML document with the line and column of everything in it."""

    def __init__(
        self,
        file: str,
        text: str,
        environment: Mapping[str, str],
        renamed: Mapping[tuple[str, ...], str] | None = None,
        secret: Collection[tuple[str, ...]] = (),
    ) -> None:
        """Read the document.

        `renamed` maps the path of a key's old name (`*` for any list index) to its new name;
        `secret` are the paths of values that `masked` leaves out (`*` for any key as well).
        Raises ConfigError for what is not YAML, too large, or names a variable that is not set.
        """
        self.file = file
        self._renamed = renamed or {}
        self._old_keys = {pattern[-1] for pattern in self._renamed}
        #: patterns by their first key and their length
        self._secret: dict[tuple[str | int, int], list[tuple[str, ...]]] = {}
        for pattern in secret:
            self._secret.setdefault((pattern[0], len(pattern)), []).append(pattern)
        self._constructor = yaml.SafeLoader("")
        self._literals: set[Path] = set()
        self._spans: dict[tuple[int, int], bool] = {}  #: of scalars; whether they are secret
        self._text = text
        #: what looks like a part of a value, and is a comment: `#tag` behind an unquoted text
        self.cut_off: dict[Path, str] = {}
        self.outdated: list[Mistake] = []  #: keys under their old names, which still work
        self._environment = environment
        self._at: dict[Path, tuple[int, int]] = {}
        self.mistakes: list[Mistake] = []
        self._nodes = 0
        if len(text) > SIZE:
            raise ConfigError(
                file, (Mistake(1, 1, "(the file)", f"is larger than {SIZE // 1024} KiB"),)
            )
        try:
            node = _composed(text)
        except yaml.YAMLError as error:
            found = slip(error, text)
            mistake = Mistake(found.line, found.column, "(the file)", found.message)
            raise ConfigError(file, (mistake,)) from None
        except RecursionError:
            raise ConfigError(file, (Mistake(1, 1, "(the file)", "nests too deeply"),)) from None
        if node is None:
            raise ConfigError(
                file,
                (
                    Mistake(
                        1,
                        1,
                        "(the file)",
                        "is empty; expected keys such as feeds: and subscriptions:",
                    ),
                ),
            )
        self.data: Any = self._value(node, (), ())

    def at(self, path: Path) -> tuple[int, int]:
        """Return line and column of a value, or of the nearest thing that contains it."""
        while path and path not in self._at:
            path = path[:-1]
        return self._at.get(path, (1, 1))

    def masked(self) -> str:
        """Return the text without comments, and with a mark in place of each secret value.

        A value that names a variable stays: what is secret of it is in the environment.
        """
        if "#" not in self._text and not any(self._spans.values()):
            return self._text
        parts, position = [], 0
        for (start, end), secret in sorted(self._spans.items()):
            value = self._text[start:end]
            if secret:
                ending = value[len(value.rstrip("\n")) :]  # a block scalar includes its line's end
                value = json.dumps(LEFT_OUT) + ending
            parts += [COMMENT.sub("", self._text[position:start]), value]
            position = end
        return "".join((*parts, COMMENT.sub("", self._text[position:])))

    def is_literal(self, path: Path) -> bool:
        """Whether a secret value stands in the file itself."""
        return path in self._literals

    def _is_secret(self, path: Path) -> bool:
        patterns = self._secret.get((path[0], len(path))) if path else None
        if not patterns:
            return False
        return any(
            all(key in ("*", part) for key, part in zip(pattern, path, strict=True))
            for pattern in patterns
            if pattern[-1] in ("*", path[-1])
        )

    def mistake(self, path: Path, message: str) -> None:
        """Add a mistake at a path."""
        line, column = self.at(path)
        self.mistakes.append(Mistake(line, column, path_text(path), message))

    def _value(self, node: yaml.Node, path: Path, above: tuple[int, ...]) -> Any:
        self._nodes += 1
        is_scalar = isinstance(node, yaml.ScalarNode)
        too_deep = len(path) > DEPTH or (not is_scalar and id(node) in above)
        if self._nodes > NODES or too_deep:
            line, column = node.start_mark.line + 1, node.start_mark.column + 1
            problem = (
                "nests too deeply"
                if too_deep
                else f"makes the file hold more than {NODES} values, aliases counted"
            )
            raise ConfigError(self.file, (Mistake(line, column, path_text(path[:3]), problem),))
        self._at.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if is_scalar:
            return self._scalar(node, path)
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, above)
        return [self._value(item, (*path, index), above) for index, item in enumerate(node.value)]

    def _mapping(
        self, node: yaml.MappingNode, path: Path, above: tuple[int, ...]
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        old_names: dict[str, str] = {}  # by new name
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "(not a name)"
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            new_name = self._renamed.get(_pattern((*path, key))) if key in self._old_keys else None
            if new_name:
                outdated = path_text((*path, key))
                self.outdated.append(Mistake(line, column, outdated, f"is now called {new_name}"))
                old_names[new_name] = key
                key = new_name
            place = (*path, key)
            if key in result:
                first = self.key_at(place)[0]
                old = f"; {old_names[key]} is its old name" if key in old_names else ""
                self._at[place] = (line, column)
                self.mistake(place, f"duplicate key (first on line {first}){old}")
                continue
            self._note(key_node)
            # Mistakes about a key are shown at the key, those about its value at the value.
            self._at[(*place, "<key>")] = (line, column)
            result[key] = self._value(value_node, place, above)
        return result

    def _note(self, node: yaml.Node, *, secret: bool = False) -> None:
        span = node.start_mark.index, node.end_mark.index
        self._spans[span] = secret or self._spans.get(span, False)

    def key_at(self, path: Path) -> tuple[int, int]:
        """Return line and column of a key."""
        return self._at.get((*path, "<key>"), self.at(path))

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        secret = self._is_secret(path) and not _VARIABLE.search(str(node.value))
        if secret:
            self._literals.add(path)
        self._note(node, secret=secret)
        if not getattr(node, "style", None) and (  # libyaml has an empty one for plain text
            cut := _CUT_OFF.match(self._text, node.end_mark.index)
        ):
            self.cut_off[path] = cut.group(1)
        if node.tag.startswith("!"):
            self.mistake(
                path, f"begins with {node.tag}, a tag of YAML: put quotes around the value"
            )
            return node.tag[1:] or "x"
        if node.tag == _TEXT:
            return self._expanded(str(node.value), path)
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError):
            value = str(node.value)
        return self._expanded(value, path) if isinstance(value, str) else value

    def _expanded(self, text: str, path: Path) -> str:
        def value_of(variable: re.Match[str]) -> str:
            name = variable.group(1)
            value = self._environment.get(name)
            if value is None:
                self.mistake(path, f"the environment variable {name} is not set")
                return ""
            return value

        return _VARIABLE.sub(value_of, text) if "${" in text else text


def environment() -> Mapping[str, str]:
    """Return the environment of the process."""
    return os.environ
