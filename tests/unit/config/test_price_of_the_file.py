"""A query of the file that costs far too much is a mistake of the file, with its place."""

from pathlib import Path

import pytest
import yaml

from bot.config.load import load
from bot.errors import ConfigError


def test_a_query_of_the_file_that_costs_far_too_much_is_a_mistake(tmp_path: Path) -> None:
    dear = " OR ".join(f"/.{{1,{number}}}qq.{{1,300}}/" for number in range(200, 230))
    path = tmp_path / "feeds.yaml"
    document = {
        "chats": {"here": {"terminal": True}},
        "feeds": ["https://harbour.example/feed"],
        "subscriptions": [{"name": "Dear", "query": dear, "to": ["here"]}],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(ConfigError, match="takes too long for each article"):
        load(path)
