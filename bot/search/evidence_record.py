"""Evidence as one JSON document with hashes of its parts and of all of it. No I/O, no clock.

A hash is SHA-256 over the canonical form of a part without its `sha256`: JSON in UTF-8 with sorted
keys, without blanks, no character escaped that need not be.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from bot.model.evidence import Evidence, EvidenceAlert, EvidenceArticle, EvidenceFeed

FORMAT = "newsbell evidence 1"
_PARTS = ("articles", "feeds", "alerts")
_HASH = "sha256"


@dataclass(frozen=True, slots=True)
class ArticlePart(EvidenceArticle):
    """An article with its hash."""

    sha256: str


@dataclass(frozen=True, slots=True)
class FeedPart(EvidenceFeed):
    """A feed with its hash."""

    sha256: str


@dataclass(frozen=True, slots=True)
class AlertPart(EvidenceAlert):
    """An alert with its hash."""

    sha256: str


@dataclass(frozen=True, slots=True)
class EvidenceDocument(Evidence):
    """The whole document."""

    articles: tuple[ArticlePart, ...]
    feeds: tuple[FeedPart, ...]
    alerts: tuple[AlertPart, ...]
    format: str
    newsbell: str  #: the version that made it
    made: datetime
    sha256: str  #: of everything else in it


def evidence_record(evidence: Evidence, version: str, now: datetime) -> dict[str, Any]:
    """Return the document; times are ISO 8601 in UTC."""
    record: dict[str, Any] = _plain(asdict(evidence))
    for kind in _PARTS:
        record[kind] = [{**part, _HASH: digest(part)} for part in record[kind]]
    record |= {"format": FORMAT, "newsbell": version, "made": _plain(now)}
    return {**record, _HASH: digest(record)}


def altered_parts(record: Mapping[str, Any]) -> list[str]:
    """Return what of a document has another hash than it says; empty where all is as it was."""
    wrong = [
        f"{kind}[{number}]"
        for kind in _PARTS
        for number, part in enumerate(record.get(kind, ()))
        if digest(part) != part.get(_HASH)
    ]
    if digest(record) != record.get(_HASH):
        wrong.append("the document as a whole")
    return wrong


def digest(part: Mapping[str, Any]) -> str:
    """Return the hash of a part, which does not count what it says of itself."""
    rest = {key: value for key, value in part.items() if key != _HASH}
    text = json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return values as JSON has them."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value
