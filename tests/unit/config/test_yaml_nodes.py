"""The nodes of a document are those that PyYAML's composer makes of what libyaml parses."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from yaml.composer import Composer

from bot.config.yaml_locations import _composed

TEXTS = (
    "feeds: [https://news.example/feed, {url: 'https://a.example', tags: [a, 1, 2.5, ~]}]",
    "a: &first {x: yes, y: 0x1f}\nb: *first\nc: [*first, !own tagged, ! 12, !!str 12]",
    "text: |\n  two\n  lines\nfolded: >-\n  one\n  line\nempty:\nnull: null\n'': \"\"",
    "- 2026-11-29\n- 2026-11-29T10:00:00Z\n- .inf\n- =\n- <<\n- -1\n- +1\n- 1_000\n- 12:30:00",
    "? complex key\n: value\n? [a, b]\n: {c: d}",
    "",
)


class Reference(Composer, yaml.CSafeLoader):
    """PyYAML's own composer on libyaml."""

    def __init__(self, stream: str) -> None:
        yaml.CSafeLoader.__init__(self, stream)
        Composer.__init__(self)


def described(node: Any) -> Any:
    """All of a node."""
    if node is None:
        return None
    place = tuple((mark.line, mark.column, mark.index) for mark in (node.start_mark, node.end_mark))
    if isinstance(node, yaml.ScalarNode):
        return (node.tag, node.value, node.style, *place)
    if isinstance(node, yaml.SequenceNode):
        return (node.tag, node.flow_style, *place, [described(part) for part in node.value])
    pairs = [(described(key), described(value)) for key, value in node.value]
    return (node.tag, node.flow_style, *place, pairs)


@pytest.mark.parametrize("text", [*TEXTS, Path("feeds.yaml").read_text(encoding="utf-8")])
def test_nodes_are_those_of_pyyaml(text: str) -> None:
    assert described(_composed(text)) == described(yaml.compose(text, Loader=Reference))


@pytest.mark.parametrize("text", ["a: *nowhere", "a: &x 1\nb: &x 2"])
def test_what_pyyaml_refuses_is_refused_in_its_words(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as expected:
        yaml.compose(text, Loader=yaml.SafeLoader)
    with pytest.raises(yaml.YAMLError) as found:
        _composed(text)
    assert str(found.value) == str(expected.value)
