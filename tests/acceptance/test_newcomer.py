"""The way of a newcomer, from an empty folder to a restored backup, at the command line."""

from pathlib import Path

from support import FeedServer, item, rss
from test_command_line import OLD, command, folder, newsbell

__all__ = ["folder"]


async def test_from_an_empty_folder_to_a_restored_backup(folder: Path, server: FeedServer) -> None:
    lost = await command(folder, "status")
    assert (lost.code, lost.err.count("\n")) == (2, 1)
    assert "`newsbell init`" in lost.err

    made = await command(folder, "init", "--timezone", "UTC", "--topic", "tech", "--topic", "radar")
    assert made.code == 0
    assert (await command(folder, "check")).code == 0

    # The feeds that come with newsbell are somewhere else; this one is here.
    server.put("/a", rss(item("1", "Old radar news", at=OLD)))
    file = folder / "feeds.yaml"
    text = file.read_text("utf-8")
    head, _, rest = text.partition("feeds:\n")
    feed = f"  - {{url: '{server.url('/a')}', name: Wire}}\n"
    local = f"feeds:\n{feed}\n# Put{rest.partition('# Put')[2]}"
    head = head.replace("settings:\n", "settings:\n  network: {allow: [127.0.0.0/8]}\n")
    file.write_text(head + local, encoding="utf-8")
    shown = await command(folder, "fetch", "Wire")
    assert "Old radar news" in shown.out
    assert (await newsbell(folder, "run", "--once")).code == 0

    server.put("/a", rss(item("2", "Radar on Cape Lorne"), item("1", "Old radar news", at=OLD)))
    alerted = await newsbell(folder, "run", "--once", NO_COLOR="1")
    assert (alerted.code, "Radar on Cape Lorne" in alerted.out) == (0, True)
    assert "\x1b" not in alerted.out + alerted.err

    kept = await command(folder, "backup", "--keep", "2", "backups")
    assert (kept.code, "checked it" in kept.out) == (0, True)

    file.write_text((head + local).replace("query: 'radar'", 'query: "radar" AND cape'))
    wrong = await command(folder, "check")
    assert wrong.code == 2
    assert "Put single quotes around the whole value: '\"radar\" AND cape'" in wrong.err
    file.write_text((head + local).replace("query: 'radar'", "query: '\"radar\" AND cape'"))
    planned = await command(folder, "plan")
    assert "~ subscription radar: query." in planned.out

    (folder / "newsbell.db").unlink()
    (copy,) = (folder / "backups").iterdir()
    restored = await command(folder, "restore", str(copy))
    assert (restored.code, restored.out.startswith("Restored newsbell.db")) == (0, True)
    assert "Radar on Cape Lorne" in (await command(folder, "search", "radar")).out
