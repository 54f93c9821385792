"""The page on operation lists every column that says something about a person."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from bot.store.schema import migrations

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
#: names of columns that hold a person's number or name, or what a person wrote
ABOUT_PEOPLE = re.compile(r"(^|_)(user|users|person|people|taken|owner|member)(_|$)|^address$")


def test_every_column_about_people_is_listed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.split("### What is stored about people\n")[1].split("\n### ")[0]
    listed = set(re.findall(r"`(\w+\.\w+)`", section)) - {"retention.removed", "retention.messages"}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        database = Database(connection)
        migrations.apply(database)
        columns = {
            f"{table.name}.{column.name}" for table in database.tables for column in table.columns
        }
    people = {name for name in columns if ABOUT_PEOPLE.search(name.partition(".")[2])}
    of_chats = {name.partition(".")[0] for name in columns if name.endswith(".chat_id")}

    assert listed <= columns
    assert people <= listed
    assert {table for table in of_chats if f"`{table}`" not in section} == set()
