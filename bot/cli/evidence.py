"""The command that writes a storyline down as evidence, and checks such a document."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from bot import __version__
from bot.cli.common import archive, readable
from bot.cli.config_option import config_option
from bot.cli.faults import Fault, Misconfigured, failing, plural
from bot.search.evidence_record import FORMAT, altered_parts, evidence_record
from bot.search.evidence_text import evidence_text
from bot.search.found import find


@click.command()
@click.argument("what", nargs=-1)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; a page to read is written beside it, as .md.",
)
@click.option(
    "--verify",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Check the hashes of such a file instead.",
)
@config_option
def evidence(what: tuple[str, ...], path: Path, out: Path | None, verify: Path | None) -> None:
    """Write a storyline down as evidence, with hashes.

    WHAT is the address or headline of any of its articles.
    """
    if verify:
        _check(verify)
        return
    if not what or out is None:
        raise Misconfigured("Say which article, and where to: newsbell evidence URL --out FILE")
    config = readable(path)
    with failing():
        stored = archive(config)
        found = stored.evidence(find(" ".join(what), stored).entry_id)
    if found is None:
        raise Fault("No stored article was found with this address or headline.")
    record = evidence_record(found, __version__, datetime.now(UTC))
    page = out.with_suffix(".md")
    try:
        out.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        page.write_text(evidence_text(found, record), encoding="utf-8")
    except OSError as error:
        raise Fault(f"{out} cannot be written: {error.strerror}.") from None
    articles, alerts = plural(len(found.articles), "article"), plural(len(found.alerts), "alert")
    click.echo(f"Wrote {out} and {page}: {articles}, {alerts}.\nSHA-256 {record['sha256']}")


def _check(file: Path) -> None:
    """Say whether a document is as it was made. Raises Fault where it is not."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        is_evidence = record["format"] == FORMAT
        wrong = altered_parts(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_evidence, wrong = False, []
    if not is_evidence:
        raise Fault(f"{file} is no evidence that this newsbell reads.")
    if wrong:
        raise Fault(f"{file} was changed: {', '.join(wrong)}.")
    click.echo(f"{file} is as it was made.\nSHA-256 {record['sha256']}")
