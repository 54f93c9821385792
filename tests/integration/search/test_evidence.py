"""Evidence holds what feeds showed and what was sent, with hashes that tell a change."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botapi import BotApi
from click.testing import CliRunner, Result
from postgres_server import address_of
from pydantic import TypeAdapter
from support import FeedServer, ManualClock, Recorder, config_text, item, newsbell, poll, rss
from telegram_harness import ANN, open_harness

from bot import __version__
from bot.cli.main import main
from bot.search.evidence_record import EvidenceDocument, altered_parts, evidence_record
from bot.search.evidence_text import evidence_text
from bot.store.archive import Archive
from bot.store.read_only import reader_of

ROOT = Path(__file__).resolve().parents[3]
MADE = datetime(2026, 3, 3, tzinfo=UTC)


def command(folder: Path, *arguments: str) -> Result:
    line = ["evidence", *arguments, "-c", str(folder / "feeds.yaml")]
    return CliRunner().invoke(main, line, catch_exceptions=False)


@pytest.fixture
async def archive(tmp_path: Path, server: FeedServer) -> Archive:
    """An article that was changed and alerted, from an address with a secret."""
    clock, terminal = ManualClock(), Recorder()
    feed = {"url": server.url("/a?key=s3cret"), "name": "Wire <b>"}
    config = config_text([feed], query="harbour AND opens")
    async with newsbell(tmp_path, config, clock=clock, terminal=terminal) as app:
        old = item("0", "Mill", at=clock.now() - timedelta(days=3))
        server.put("/a", rss(old))
        await poll(app)
        for title in ("Harbour opens", "Harbour opens *late*"):
            clock.advance(timedelta(minutes=30))
            server.put("/a", rss(item("1", title, at=clock.now()), old))
            await poll(app)
        assert terminal.titles()[:1] == ["Harbour opens"]
    return Archive(reader_of(address_of(tmp_path / "newsbell.db")))


async def test_it_is_complete_and_its_hashes_tell_a_change(archive: Archive) -> None:
    found = archive.evidence(2)
    assert found is not None
    assert archive.evidence(99) is None
    record = json.loads(json.dumps(evidence_record(found, __version__, MADE)))
    [article], [alert], [feed] = record["articles"], record["alerts"], record["feeds"]

    assert (article["title"], article["feed"]) == ("Harbour opens *late*", "Wire <b>")
    assert article["feed_url"].endswith("/a?key=…")
    assert [each["title"] for each in article["revisions"]] == ["Harbour opens"]
    assert [len(block) for block in article["blocks"]] == [32]
    assert len(feed["body_hash"]) == 32
    assert (alert["chat"], alert["service"], alert["title"]) == (
        "here",
        "terminal",
        "Harbour opens",
    )
    assert alert["matches"][0]["matched"] == ["harbour", "opens"]
    assert [each["state"] for each in alert["deliveries"]] == ["sent", "sent"]
    assert "s3cret" not in json.dumps(record)

    assert altered_parts(record) == []
    article["published"] = "2026-01-01T00:00:00+00:00"
    assert altered_parts(record) == ["articles[0]", "the document as a whole"]
    record["articles"] = []
    assert altered_parts(record) == ["the document as a whole"]


async def test_the_documented_schema_is_that_of_the_document(archive: Archive) -> None:
    found = archive.evidence(2)
    assert found is not None
    adapter = TypeAdapter(EvidenceDocument)
    documented = json.loads((ROOT / "docs" / "evidence.schema.json").read_text(encoding="utf-8"))
    record = evidence_record(found, __version__, MADE)

    assert documented == adapter.json_schema()
    read = adapter.validate_json(json.dumps(record))
    assert (read.sha256, read.made) == (record["sha256"], MADE)


async def test_the_page_holds_no_markup_of_others(archive: Archive) -> None:
    found = archive.evidence(2)
    assert found is not None
    lines = evidence_text(found, evidence_record(found, __version__, MADE)).splitlines()

    assert lines[0] == r"# Harbour opens \*late\*"
    assert any(line.startswith(r"- Wire \<b\>, from http") for line in lines)
    assert "- until 2026-03-02 13:00:00: Harbour opens" in lines
    quiet = replace(found, alerts=())
    assert "Nothing that is stored." in evidence_text(quiet, evidence_record(quiet, "", MADE))


async def test_operators_get_it_as_a_file_in_their_chat(tmp_path: Path, clock: ManualClock) -> None:
    async with BotApi() as api:
        api.add_private(ANN, "Ann")
        async with open_harness(tmp_path, api, {"ann": ANN}, clock, admins=[ANN]) as harness:
            await harness.bring("ann opens the harbour")
            await harness.deliver(timedelta(seconds=5), timedelta(seconds=1))
            for text, reply in (
                ("/evidence", api.messages(ANN)[-1].message_id),
                ("/evidence ann opens the harbour", None),
            ):
                api.say(ANN, ANN, text, None, reply)
                await harness.listen()
                await harness.deliver(timedelta(seconds=5), timedelta(seconds=1))
                sent = api.messages(ANN)[-1]
                assert sent.attachment["document"]["file_name"] == "evidence-1.json"
                assert sent.text.startswith("SHA-256 ")


async def test_the_command_writes_both_files_and_checks_one(
    archive: Archive, tmp_path: Path
) -> None:
    out = tmp_path / "harbour.json"
    written = await asyncio.to_thread(command, tmp_path, "Harbour opens late", "--out", str(out))
    assert written.exit_code == 0
    first, digest = written.stdout.splitlines()
    assert first == f"Wrote {out} and {out.with_suffix('.md')}: 1 article, 1 alert."
    assert digest == f"SHA-256 {json.loads(out.read_text('utf-8'))['sha256']}"
    assert digest.removeprefix("SHA-256 ") in out.with_suffix(".md").read_text("utf-8")

    assert command(tmp_path, "--verify", str(out)).stdout.startswith(f"{out} is as it was made.")
    out.write_text(out.read_text("utf-8").replace("opens", "closes"), encoding="utf-8")
    changed = command(tmp_path, "--verify", str(out))
    assert (changed.exit_code, "articles[0], alerts[0]" in changed.output) == (1, True)
    (tmp_path / "other.json").write_text("[]", encoding="utf-8")
    other = command(tmp_path, "--verify", str(tmp_path / "other.json"))
    assert "is no evidence" in other.output
    assert command(tmp_path, "no such thing", "--out", str(out)).exit_code == 1
    assert command(tmp_path, "harbour").exit_code == 2
