"""The text of the last good configuration, as one value of the database. Does not read it."""

import json
from datetime import datetime

from bot.model.desired_config import ConfigText
from bot.store import meta
from bot.store.engines.engine import Database
from bot.store.mappers import put_time, sure_time


def read(db: Database) -> ConfigText | None:
    """Return the text; None where none was kept, or what was kept cannot be read."""
    try:
        values = json.loads(meta.read(db, meta.MetaName.CONFIG) or "null")
        if values is None:
            return None
        return ConfigText(str(values["file"]), str(values["text"]), sure_time(values["taken_at"]))
    except (ValueError, TypeError, KeyError):
        return None


def keep(db: Database, source: ConfigText, now: datetime) -> None:
    """Keep the text, unless it is the one that is kept already."""
    kept = read(db)
    if kept and (kept.file, kept.text) == (source.file, source.text):
        return
    values = {"file": source.file, "text": source.text, "taken_at": put_time(now)}
    meta.write(db, meta.MetaName.CONFIG, json.dumps(values, ensure_ascii=False))
