"""Evidence as a page that people read, in Markdown. English; no I/O, no clock."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bot.model.evidence import Evidence, EvidenceAlert, EvidenceArticle
from bot.text.clean import plain

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


def evidence_text(evidence: Evidence, record: dict[str, Any]) -> str:
    """Return the page; `record` is the same as JSON, whose hashes it shows."""
    return "\n".join(_lines(evidence, record)) + "\n"


def _lines(evidence: Evidence, record: dict[str, Any]) -> Iterator[str]:
    yield f"# {_escaped(evidence.articles[0].title)}"
    yield ""
    yield (
        f"Storyline {evidence.storyline}: {len(evidence.articles)} articles, "
        f"{len(evidence.alerts)} alerts. All times are UTC."
    )
    yield f"Made {record['made']} by newsbell {record['newsbell']}."
    if evidence.configuration:
        since = _time(evidence.configuration.since)
        yield f"Configuration: {evidence.configuration.file}, in force since {since},"
        yield f"SHA-256 {evidence.configuration.sha256}."
    yield f"SHA-256 of the document: {record['sha256']}"
    yield ""
    yield "## Articles, in the order in which they were seen"
    for article, part in zip(evidence.articles, record["articles"], strict=True):
        yield ""
        yield from _article(article, part["sha256"])
    yield ""
    yield "## What was sent"
    for alert in evidence.alerts:
        yield ""
        yield from _alert(alert)
    if not evidence.alerts:
        yield ""
        yield "Nothing that is stored."


def _article(article: EvidenceArticle, digest: str) -> Iterator[str]:
    yield f"### {article.article}. {_escaped(article.title)}"
    yield ""
    yield f"- {_escaped(article.source or article.feed)}, from {_escaped(article.feed_url)}"
    if article.link:
        yield f"- <{plain(article.link)}>"
    yield f"- published {_time(article.published)}, seen {_time(article.first_seen)}"
    if article.left_feed:
        yield f"- left its feed {_time(article.left_feed)}"
    for revision in article.revisions:
        yield f"- until {_time(revision.until)}: {_escaped(revision.title)}"
    for pair in article.pairs:
        yield f"- {pair.reason} like article {pair.article} ({pair.likeness:.2f})"
    yield f"- SHA-256 {digest}"
    if article.summary:
        yield ""
        yield f"> {_escaped(article.summary)}"


def _alert(alert: EvidenceAlert) -> Iterator[str]:
    kind = f"Reply ({alert.update})" if alert.update else "Note" if alert.note else "Alert"
    yield f"- {_time(alert.made)} {kind} in {_escaped(alert.chat)}: {_escaped(alert.title)}"
    for match in alert.matches:
        words = ", ".join(match.matched)
        yield f"  - for {_escaped(match.subscription)}: {_escaped(words)}"
    for delivery in alert.deliveries:
        yield f"  - {delivery.kind} {delivery.state} {_time(delivery.settled or delivery.made)}"


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else "at an unknown time"


def _escaped(text: str) -> str:
    """Return a text that is no markup, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(plain(text).split()))
