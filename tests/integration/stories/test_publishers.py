"""Confirmation of a story by independent publishers."""

import json
from pathlib import Path

import pytest
from support import NOON, FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss


@pytest.mark.parametrize(
    ("publisher_groups", "alerts"),
    [({}, 1), ({"Coast Media": ["Coastal Post", "Harbour Times"]}, 0)],
)
async def test_two_outlets_in_one_publisher_group_do_not_confirm_each_other(
    tmp_path: Path,
    server: FeedServer,
    clock: ManualClock,
    terminal: Recorder,
    publisher_groups: dict[str, list[str]],
    alerts: int,
) -> None:
    titles = {
        "Coastal Post": "Blast at the Tarvos harbour kills four workers",
        "Harbour Times": "Tarvos harbour blast: four workers killed",
    }
    texts = (
        "A silo burst shortly before nine, crews say.",
        "Dust is looked at as the cause of it.",
    )
    for number in range(2):
        server.put(f"/{number}", rss(item("old", "Bakers vote", at=NOON)))
    feeds = [
        {"url": server.url(f"/{number}"), "name": name, "publisher": name}
        for number, name in enumerate(titles)
    ]
    config = json.loads(config_text(feeds, "tarvos")) | {"publisher_groups": publisher_groups}
    config["subscriptions"][0]["publishers"] = 2
    async with newsbell(tmp_path, json.dumps(config), clock=clock, terminal=terminal) as app:
        await poll(app)
        for number, title in enumerate(titles.values()):
            server.put(
                f"/{number}",
                rss(
                    item("new", title, text=texts[number], link=f"https://h{number}.example/new"),
                    item("old", "Bakers vote"),
                ),
            )
            await poll(app)
    assert len(terminal.titles()) == alerts
