"""A file of many feeds is kept in one piece, and says what it says."""

from pathlib import Path

import pytest

from bot.config import load as loading
from bot.config.compact import MANY
from bot.config.load import load


def test_a_file_of_many_feeds_says_the_same_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "feeds.yaml"
    feeds = "\n".join(
        f"  - {{url: 'https://news{number}.example/feed', name: Feed {number}, tags: [world, "
        f"t{number % 7}], every: {number % 9 + 1}m, headers: {{X-Key: k{number % 3}}}}}"
        for number in range(MANY)
    )
    path.write_text(
        f"chats: {{here: {{terminal: true}}}}\nfeeds:\n{feeds}\n"
        "  - {url: 'https://page.example/', name: A page, page: {item: li}}\n"
        "subscriptions:\n  - {name: Ferries, query: ferry, feeds: [t3], to: [here]}\n",
        encoding="utf-8",
    )
    packed = load(path, {})
    monkeypatch.setattr(loading, "MANY", 10 * MANY)
    assert packed == load(path, {})
    assert len(packed.declared.feeds) == MANY + 1
    assert packed.places.keys() == packed.headers.keys() == {f.url for f in packed.declared.feeds}
