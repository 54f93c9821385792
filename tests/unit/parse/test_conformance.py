"""Suites of other parsers: the expectations of feedparser, and the inputs of four others."""

import csv
import re
import tarfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import feedparser
import pytest
from feedparser.mixin import _FeedParserMixin
from support import NOON

from bot.model.entries import ParsedDocument
from bot.parse.charset import to_utf8
from bot.parse.feedparser_reader import parse_xml_feed
from bot.parse.read import read_document
from bot.parse.repair import fault, mend

FIELDS = {
    "title",
    "link",
    "id",
    "guid",
    "summary",
    "description",
    "published",
    "updated",
    "published_parsed",
    "updated_parsed",
}
REFERENCE = re.compile(r"entries\[0\](?:\.(\w+)|\[u?['\"](\w+)['\"]\])?")
#: Headers that the test server of feedparser sends by default.
SERVED = {
    "content-type": "application/xml",
    "content-location": "http://127.0.0.1:8097/relative/uri",
}

#: Expectations that feedparser meets and newsbell does not. The folder `sanitize` is left out: it
#: is not about parsing.
DIFFERENT = {
    # newsbell does not sanitise, because alerts are plain text. Sanitising also writes <br/> as
    # <br />, renames attributes of SVG and MathML, and mends references like &#146; or &#X61;.
    "encoding/demoronize-3.xml",
    "wellformed/sgml/charref_uppercase_x.xml",
    "wellformed/rss/item_description_br.xml",
    "wellformed/rss/item_description_br_shorttag.xml",
    "wellformed/namespace/atommathml.xml",
    "wellformed/namespace/atomsvg.xml",
    "wellformed/namespace/atomsvgdesc.xml",
    "wellformed/namespace/atomsvgtitle.xml",
    "wellformed/namespace/atomxlink.xml",
    "wellformed/namespace/rss2.0mathml.xml",
    "wellformed/namespace/rss2.0svg.xml",
    "wellformed/namespace/rss2.0svg5.xml",
    "wellformed/namespace/rss2.0svgtitle.xml",
    "wellformed/namespace/rss2.0xlink.xml",
    # Bytes of no charset: feedparser decodes them as windows-1252, newsbell as UTF-8.
    "encoding/bozo_linenoise.xml",
}
#: Relative links in markup are not resolved, because alerts show none; and an id is not a link.
UNRESOLVED = re.compile(r"wellformed/base/http_(?:entry_(?:summary|title|id)|item_description)_")
#: feedparser reports whether its input is well-formed; newsbell mends the input before.
BOZO = re.compile(r"(?:not )?bozo and ")


def files(shared: Path, suite: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(shared / "conformance" / f"{suite}.tar.xz") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file:
                yield member.name, file.read()


def is_met(result: Mapping[str, Any], expression: str) -> bool:
    """Whether an expectation, a Python expression over the result of feedparser, is met."""
    builtins = {"__builtins__": {"ord": ord, "len": len}}
    try:
        # The authors of feedparser wrote the expression.
        return bool(eval(expression, builtins, result))  # noqa: S307
    except (LookupError, AttributeError, TypeError):
        return False


def by_feedparser(body: bytes, headers: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Parse with feedparser alone."""
    with monkeypatch.context() as patch:
        patch.setattr(
            _FeedParserMixin, "can_be_relative_uri", _FeedParserMixin.can_be_relative_uri | {"id"}
        )
        return feedparser.parse(BytesIO(body), response_headers=dict(headers))


def by_newsbell(body: bytes, headers: Mapping[str, str]) -> Any:
    text = to_utf8(body, headers["content-type"])
    return parse_xml_feed(mend(text) if fault(text) else text, headers["content-location"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_newsbell_meets_the_expectations_of_feedparser(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = {
        name.removeprefix("feedparser/tests/"): body for name, body in files(shared, "feedparser")
    }
    with (shared / "conformance" / "feedparser_expectations.tsv").open(
        encoding="utf-8", newline=""
    ) as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["file"] in bodies]
    total, with_feedparser, with_newsbell = 0, 0, 0
    missed: set[str] = set()
    for row in rows:
        named = {first or second for first, second in REFERENCE.findall(row["expect"])}
        if not named or not named <= FIELDS or "/sanitize/" in row["file"]:
            continue
        header_lines = (line.partition(":") for line in row["http_headers"].splitlines())
        headers = SERVED | {name.strip().lower(): value.strip() for name, _, value in header_lines}
        body = bodies[row["file"]]
        expected = BOZO.sub("", row["expect"])
        feedparser_succeeds = is_met(by_feedparser(body, headers, monkeypatch), expected)
        newsbell_succeeds = is_met(by_newsbell(body, headers), expected)
        total, with_feedparser, with_newsbell = (
            total + 1,
            with_feedparser + feedparser_succeeds,
            with_newsbell + newsbell_succeeds,
        )
        if feedparser_succeeds and not newsbell_succeeds and not UNRESOLVED.match(row["file"]):
            missed.add(row["file"])
    print(  # noqa: T201 (the figures are the purpose of a run)
        f"\nexpectations of {total} documents: feedparser meets {with_feedparser}, "
        f"newsbell {with_newsbell}"
    )
    assert missed == DIFFERENT
    assert total > 100
    # Those listed above, half of them about SVG, MathML and line breaks.
    assert with_newsbell >= with_feedparser - 34


@pytest.mark.parametrize("suite", ["feedparser", "gofeed", "rss-parser", "feed-rs", "feedjira"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_documents_of_other_suites_are_parsed_if_feedparser_parses_them(
    shared: Path, suite: str
) -> None:
    total, with_feedparser, with_newsbell = 0, 0, 0
    missed: list[str] = []
    for name, body in files(shared, suite):
        outcome = read_document(body, "", "https://zoo.example/feed", frozenset(), NOON)
        if name.rpartition(".")[2] not in {"xml", "rss", "atom"}:
            continue
        feedparser_succeeds = bool(
            feedparser.parse(BytesIO(body), response_headers=dict(SERVED)).entries
        )
        newsbell_succeeds = isinstance(outcome, ParsedDocument) and bool(
            outcome.entries or outcome.skipped
        )
        total, with_feedparser, with_newsbell = (
            total + 1,
            with_feedparser + feedparser_succeeds,
            with_newsbell + newsbell_succeeds,
        )
        if feedparser_succeeds and not newsbell_succeeds:
            missed.append(name)
    print(  # noqa: T201 (as above)
        f"\n{suite}: of {total} documents feedparser finds entries in {with_feedparser}, "
        f"newsbell in {with_newsbell}"
    )
    assert missed == []
