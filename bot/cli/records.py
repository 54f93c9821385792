"""What commands print as JSON about stored articles, forecasts and deliveries. Prints one line."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime

import click

from bot.model.delivery import OutboxRow
from bot.search.backtest import Forecast
from bot.search.matches import Hit
from bot.search.rate import Range
from bot.text.output_charset import takes_unicode


def print_json(record: Mapping[str, object]) -> None:
    """Print a record in a line."""
    click.echo(json.dumps(record, ensure_ascii=not takes_unicode(sys.stdout)))


def hit_record(hit: Hit) -> dict[str, object]:
    """Return an article with its matches."""
    entry = hit.entry
    return {
        "title": entry.article.title,
        "link": entry.article.link,
        "summary": entry.article.summary,
        "body": entry.article.body,
        "feed": entry.article.feed_name,
        "publisher": entry.article.publisher,
        "source": entry.article.source,
        "language": entry.article.language,
        "published": _iso(entry.published),
        "first_seen": _iso(entry.first_seen_at),
        "story": entry.story_id,
        "matches": [[span.field, span.start, span.end, span.term] for span in hit.spans],
    }


def forecast_record(forecast: Forecast, names: Mapping[int, str]) -> dict[str, object]:
    """Return a backtest; `names` are those of the subscriptions."""
    expected = forecast.expectation
    return {
        "since": _iso(forecast.since),
        "now": _iso(forecast.now),
        "articles": forecast.entries,
        "alerts": forecast.alerts,
        "notes": forecast.notes,
        "share": forecast.share,
        "by_day": {day.isoformat(): count for day, count in forecast.by_day},
        "expected": expected
        and {
            "next_day": _range(expected.next_day),
            "next_week": _range(expected.next_week),
            "weekly_notes": _range(expected.weekly_notes),
        },
        "overlap": [
            {"subscription": names.get(number, str(number)), "stories": count}
            for number, count in forecast.overlap
        ],
        "newest": [hit_record(hit) for hit in forecast.hits],
    }


def delivery_record(row: OutboxRow) -> dict[str, object]:
    """Return a delivery."""
    return {
        "id": row.id,
        "state": row.state.value,
        "kind": row.kind.value,
        "chat": row.chat,
        "title": row.title,
        "tries": row.attempts,
        "created": _iso(row.created_at),
        "error": row.error,
        "wait": row.wait
        and {
            "cause": row.wait.cause.value,
            "until": _iso(row.wait.until),
            "reason": row.wait.reason,
        },
    }


def _range(expected: Range) -> dict[str, float]:
    return {"low": expected.low, "high": expected.high, "mean": expected.mean}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
