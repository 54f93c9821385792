"""An article that its publisher takes back: the message that was sent says so."""

from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner
from support import FeedServer, ManualClock, Recorder, config_text, newsbell, poll, query

from bot.cli.main import main
from bot.model.delivery import DeliveryKind

HEAD = (
    "<feed xmlns='http://www.w3.org/2005/Atom' "
    "xmlns:at='http://purl.org/atompub/tombstones/1.0'><title>Mill Post</title>"
)


def entry(number: int, title: str) -> str:
    return (
        f"<entry><id>urn:mill:{number}</id><link href='https://mill.example/{number}'/>"
        f"<title>{title}</title></entry>"
    )


async def test_a_tombstone_and_a_word_before_the_headline_are_shown_once(
    tmp_path: Path, server: FeedServer
) -> None:
    clock, terminal = ManualClock(), Recorder()
    async with newsbell(
        tmp_path, config_text([server.url("/mill")]), clock=clock, terminal=terminal
    ) as app:

        async def publish(inside: str) -> None:
            clock.advance(timedelta(minutes=10))
            server.put("/mill", f"{HEAD}{inside}</feed>")
            await poll(app)

        await publish(entry(1, "Quiet morning"))
        await publish(entry(2, "Harbour burns") + entry(3, "Harbour fees of Lorne rise by half"))
        assert len(terminal.titles()) == 2
        gone = "<at:deleted-entry ref='urn:mill:2' when='2026-03-02T12:00:00Z'/>"
        corrected = entry(3, "CORRECTED: Harbour fees of Lorne rise by a tenth")
        for _ in range(2):
            await publish(gone + corrected)
        texts = terminal.texts(DeliveryKind.EDIT)
        assert sorted("withdrawn" in text for text in texts) == [False, True]
        assert sum("corrected by the publisher" in text for text in texts) == 1
        assert len(terminal.titles()) == 2
        assert query(app, "select count(*) from entries where withdrawn_at is not null") == [(1,)]
        command = ["explain", "https://mill.example/2", "-c", str(tmp_path / "feeds.yaml")]
        assert "Its feed withdrew it" in CliRunner().invoke(main, command).stdout
