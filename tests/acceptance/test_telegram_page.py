"""The conversations of docs/telegram.md go as the page says.

`SCREENS=write` writes down how they go instead. With restarts, a run takes a third of them.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from botapi import BotApi
from conversation import Conversation, Scene
from sampling import share
from support import FeedServer, ManualClock, item, rss
from telegram_harness import ANN, BOB, FORUM, GROUP, TOPIC, Address, rule

COAST = -1_000_000_000_900
PAGE = Path(__file__).resolve().parents[2] / "docs" / "telegram.md"
BLOCK = re.compile(r"^```chat(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPML = (
    b"<opml version='2.0'><body><outline text='Coast & sea' "
    b"xmlUrl='https://coast.example/feed.xml'/></body></opml>"
)


def blocks() -> list[Any]:
    text = PAGE.read_text(encoding="utf-8")
    heading = ""
    parameters = []
    for number, block in enumerate(BLOCK.finditer(text)):
        heading = re.findall(r"^#+ (.+)$", text[: block.start()], re.MULTILINE)[-1]
        parameters.append(
            pytest.param(
                number,
                block.group(1) or "",
                block.group(2),
                id=f"{number}-{heading.replace(' ', '-')[:40]}",
            )
        )
    return parameters


async def scene(
    folder: Path, api: BotApi, clock: ManualClock, server: FeedServer, kind: str
) -> Scene:
    """The world of the page: Ann, who runs it or only uses it, Bob, a group, a forum's topic."""
    api.add_private(ANN, "Ann")
    api.add_private(BOB, "Bob")
    api.add_group(GROUP, "Newsroom", members={ANN: "creator", BOB: "member"})
    api.add_supergroup(FORUM, "Desks", members={ANN: "administrator", BOB: "member"}, forum=True)
    api.add_topic(FORUM, TOPIC, "Harbour desk")
    server.put(
        "/feed.xml", rss(item("1", "Pier opens"), item("2", "Ferry late"), title="Coast Herald")
    )
    link = f"<link rel=alternate type=application/rss+xml href={server.url('/feed.xml')}>"
    server.put("/", f"<html><head>{link}</head></html>", headers={"Content-Type": "text/html"})
    more: dict[str, Any] = {
        "subscriptions": [
            rule("Harbour", "harbour", to=("group",) if kind == "group" else ("ann",))
        ]
        if kind in {"group", "file"}
        else []
    }
    if kind == "packs":
        more["tags"] = ["world", "sea"]
    if kind == "channel":
        members = {ANN: "creator", api.bot_id: "administrator"}
        api.add_channel(COAST, "Coast", members, username="coast")
    if kind == "operator":
        more["admins"] = [ANN]
    if kind in {"open", "invite"}:
        more["access"] = kind
    chats: dict[str, Address] = {"ann": ANN, "group": GROUP, "desk": (FORUM, TOPIC)}
    if kind in {"stranger", "open", "invite", "operator"}:
        chats = {"ann": ANN}
    people = (
        {"Ann": ANN, "Bob": BOB}
        if kind in {"stranger", "open", "invite", "operator", "group"}
        else {"Ann": ANN}
    )
    return Scene(
        api,
        clock,
        folder,
        chats,
        people,
        {"Newsroom": GROUP, "Desks": (FORUM, TOPIC)},
        more,
        {"reader.opml": OPML},
    )


async def play(
    number: int, kind: str, script: str, folder: Path, server: FeedServer, *, restarts: bool
) -> str:
    async with BotApi() as api:
        made = await scene(folder, api, ManualClock(), server, kind)
        async with Conversation(made) as talk:
            reply = await talk.played(
                script.replace("SITE", server.base.removeprefix("http://")), restarts=restarts
            )
    without_address = reply.replace(server.base.removeprefix("http://"), "SITE")
    return re.sub(r"(start=[a-z]-)[\w-]+", r"\1…", without_address)


@pytest.mark.parametrize(("number", "kind", "script"), blocks())
async def test_the_page_says_how_it_goes(
    number: int, kind: str, script: str, tmp_path: Path, server: FeedServer
) -> None:
    reply = await play(number, kind, script, tmp_path, server, restarts=False)
    if os.environ.get("SCREENS") == "write":
        text = PAGE.read_text(encoding="utf-8")
        block = list(BLOCK.finditer(text))[number]
        PAGE.write_text(
            f"{text[: block.start(2)]}{reply}\n{text[block.end(2) :]}", encoding="utf-8"
        )
        return
    assert reply.split("\n") == script.rstrip("\n").split("\n")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "kind", "script"), share(blocks(), 3))
async def test_it_goes_the_same_with_a_restart_before_each_step(
    number: int, kind: str, script: str, tmp_path: Path, server: FeedServer
) -> None:
    assert (await play(number, kind, script, tmp_path, server, restarts=True)).split(
        "\n"
    ) == script.rstrip("\n").split("\n")
