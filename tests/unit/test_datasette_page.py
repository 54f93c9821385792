"""docs/datasette.yaml names tables and columns that there are, and shows none with secrets."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.store.engines import sqlite as engine

FILE = Path(__file__).resolve().parents[2] / "docs" / "datasette.yaml"
#: columns that hold a secret or a number of a person
SECRET = frozenset(
    "user_id taken_user token_hash etag address reference adopted_url body value hub".split()
)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    connected: sqlite3.Connection = engine.connect(tmp_path_factory.mktemp("d") / "a.db").conn
    return connected


def described() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found: dict[str, Any] = document["databases"]["newsbell"]
    return found


def columns(connection: sqlite3.Connection) -> dict[str, set[str]]:
    names = connection.execute(
        "select name from sqlite_schema where type = 'table' and name not like 'search%'"
    ).fetchall()
    return {
        row["name"]: {
            each["name"] for each in connection.execute(f"pragma table_info({row['name']})")
        }
        for row in names
    }


def test_every_table_and_column_that_is_named_exists(connection: sqlite3.Connection) -> None:
    known = columns(connection)
    for table, more in described()["tables"].items():
        assert table in known
        assert set(more.get("columns", ())) <= known[table], table


def test_what_holds_secrets_or_people_is_not_shown(connection: sqlite3.Connection) -> None:
    file = described()
    hidden = {table for table, more in file["tables"].items() if more.get("allow") is False}
    shown = [
        (table, column)
        for table, names in columns(connection).items()
        for column in names & SECRET
        if table not in hidden
    ]
    assert shown == []
    assert file["allow_sql"] is False


def test_the_queries_run_and_select_no_secret(connection: sqlite3.Connection) -> None:
    for query in described()["queries"].values():
        names = {row[0] for row in connection.execute(query["sql"]).description}
        assert not names & (SECRET | {"url"})
