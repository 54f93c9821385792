"""What clean-ups keep to, as one value of the table `meta`. Decides nothing."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from bot.model.retention import Retention, RetentionState
from bot.store import meta
from bot.store.engines.engine import Database
from bot.store.mappers import get_time, put_time
from bot.store.meta import MetaName


def read(db: Database) -> RetentionState:
    """Return what was kept; the retention of earlier versions where nothing was."""
    values = json.loads(meta.read(db, MetaName.RETENTION) or "{}")
    announced = values.get("announced")
    return RetentionState(
        _retention(values.get("used", {})),
        None if announced is None else _retention(announced),
        get_time(values.get("announced_at")),
    )


def write(db: Database, state: RetentionState) -> None:
    """Keep this."""
    announced = None if state.announced is None else _seconds(state.announced)
    values = {
        "used": _seconds(state.used),
        "announced": announced,
        "announced_at": put_time(state.announced_at),
    }
    meta.write(db, MetaName.RETENTION, json.dumps(values))


def _seconds(retention: Retention) -> dict[str, float | None]:
    spans: dict[str, timedelta | None] = asdict(retention)
    return {kind: None if span is None else span.total_seconds() for kind, span in spans.items()}


def _retention(values: Mapping[str, float | None]) -> Retention:
    return Retention(
        **{
            kind: None if seconds is None else timedelta(seconds=seconds)
            for kind, seconds in values.items()
            if kind in Retention.__dataclass_fields__
        }
    )
