"""The tables on PostgreSQL: those that the migrations make on SQLite, and what those lean on.

A database on PostgreSQL begins with the tables of `BASELINE`, taken from an empty SQLite database
that the migrations up to it made: so the tables are written once. Later migrations run on both
engines, one by one. Runs in the transaction of whoever opens the database.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from bot.store.engines.engine import Database
from bot.store.migration_list import database_of
from bot.store.schema import NEXT_NUMBER, migrations

if TYPE_CHECKING:
    import sqlite_utils

BASELINE = "m035_withdrawn"  #: the last migration that no database on PostgreSQL ran
#: the table of what ran; of the same name as that of sqlite-utils, so that one question serves
MIGRATIONS = "_sqlite_migrations"

# What SQLite has by name. Aggregates of nothing are what SQLite gives: an empty array, 0.0, null.
_FUNCTIONS = """
create function min(anycompatible, anycompatible) returns anycompatible language sql immutable
  as 'select case when $1 is null or $2 is null then null when $1 < $2 then $1 else $2 end';
create function max(anycompatible, anycompatible) returns anycompatible language sql immutable
  as 'select case when $1 is null or $2 is null then null when $1 > $2 then $1 else $2 end';
create function min(anycompatible, anycompatible, anycompatible) returns anycompatible
  language sql immutable as 'select min(min($1, $2), $3)';
create function max(anycompatible, anycompatible, anycompatible) returns anycompatible
  language sql immutable as 'select max(max($1, $2), $3)';
create function as_json(text) returns jsonb language sql immutable strict
  as 'select $1::jsonb';
create function ascii_lower(text) returns text language sql immutable strict
  as 'select lower($1 collate "C")';
create function instr(text, text) returns bigint language sql immutable strict
  as 'select strpos($1, $2)::bigint';
create function julianday(text) returns double precision language sql stable strict
  as $$select extract(epoch from $1::timestamptz)::double precision / 86400 + 2440587.5$$;
create function json_each(text, out value text) returns setof text language sql immutable strict
  as $$select value from jsonb_array_elements_text($1::jsonb)$$;
create function json_extract(text, text) returns text language sql immutable strict
  as $$select $1::jsonb #>> string_to_array(substr($2, 3), '.')$$;
create function json_tree(text, out atom text) returns setof text language sql immutable strict
  as $$select value #>> '{}' from jsonb_path_query($1::jsonb, '$.**') as tree (value)
    where jsonb_typeof(value) not in ('object', 'array')$$;
create function json_appended(jsonb, anyelement) returns jsonb language sql immutable
  as 'select $1 || jsonb_build_array($2)';
create function json_text(jsonb) returns text language sql immutable strict as 'select $1::text';
create aggregate json_group_array(anyelement) (
  sfunc = json_appended, stype = jsonb, initcond = '[]', finalfunc = json_text);
create function text_joined(text, anyelement, text) returns text language sql immutable
  as 'select case when $2 is null then $1 when $1 is null then $2::text
    else $1 || $3 || $2::text end';
create function text_joined(text, anyelement) returns text language sql immutable
  as $$select text_joined($1, $2, ',')$$;
create aggregate group_concat(anyelement, text) (sfunc = text_joined, stype = text);
create aggregate group_concat(anyelement) (sfunc = text_joined, stype = text);
create function float_added(double precision, double precision) returns double precision
  language sql immutable as 'select $1 + coalesce($2, 0)';
create aggregate total(double precision) (
  sfunc = float_added, stype = double precision, initcond = '0')
"""
# As the migrations have them for SQLite.
_TRIGGERS = (
    f"""
    create function route_numbered() returns trigger language plpgsql as $$ begin
        insert into chat_numbers values (
            new.chat_id, new.subscription_id,
            {NEXT_NUMBER.format(chat="new.chat_id", own="new.subscription_id")}
        ) on conflict do nothing;
        return null;
    end $$
    """,
    """
    create trigger routes_numbered after insert on routes
        for each row execute function route_numbered()
    """,
    f"""
    create function subscription_restored() returns trigger language plpgsql as $$ begin
        update chat_numbers set
            number = {NEXT_NUMBER.format(chat="chat_numbers.chat_id", own="new.id")}
        where subscription_id = new.id and exists (
            select 1 from chat_numbers o join subscriptions s on s.id = o.subscription_id
            where o.chat_id = chat_numbers.chat_id and o.number = chat_numbers.number
            and s.id != new.id and s.removed_at is null);
        return null;
    end $$
    """,
    """
    create trigger subscriptions_restored after update of removed_at on subscriptions
        for each row when (old.removed_at is not null and new.removed_at is null)
        execute function subscription_restored()
    """,
    """
    create function subscription_deleted() returns trigger language plpgsql as $$ begin
        delete from chat_numbers where subscription_id = old.id;
        return null;
    end $$
    """,
    """
    create trigger subscriptions_deleted after delete on subscriptions
        for each row execute function subscription_deleted()
    """,
    """
    create function reference_forgotten() returns trigger language plpgsql as $$ begin
        delete from message_references where chat_id = old.chat_id
            and message_id = old.message_id and not exists (select 1 from alerts
                where chat_id = old.chat_id and message_id = old.message_id);
        return null;
    end $$
    """,
    """
    create trigger references_forgotten after delete on alerts
        for each row when (old.message_id is not null) execute function reference_forgotten()
    """,
)
_SEARCH = (
    "create table search (rowid bigint primary key, keys tsvector not null)",
    "create index search_keys on search using gin (keys)",
)


def known() -> tuple[str, ...]:
    """Return the names of all migrations, in their order."""
    return migrations.names


def applied(db: Database) -> frozenset[str]:
    """Return the names of the migrations that ran; none of a database without our tables."""
    there = db.execute("select to_regclass(?) is not null as there", [MIGRATIONS]).fetchone()
    if not there["there"]:
        return frozenset()
    return frozenset(row["name"] for row in db.execute(f"select name from {MIGRATIONS}"))


def migrate(db: Database) -> None:
    """Bring the tables up to date. In a transaction."""
    ran = applied(db)
    if not ran:
        for statement in _baseline():
            db.execute(statement)
    for number, (name, migration) in enumerate(migrations.by_name().items()):
        if name in ran:
            continue
        if ran or name > BASELINE:
            # A migration is written in the subset of `engine.Database`.
            migration(cast("sqlite_utils.Database", db))
        db.execute(
            f"insert into {MIGRATIONS} values (?, ?, ?, ?)",
            [number, migrations.name, name, datetime.now(UTC).isoformat()],
        )


def _baseline() -> Iterator[str]:
    """Statements that make the tables of `BASELINE`, in order."""
    yield from (part for part in _FUNCTIONS.split(";\n") if part.strip())
    following = [name for name in known() if name > BASELINE]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        db = database_of(connection)
        migrations.apply(db, stop_before=following)
        rows = connection.execute(
            "select type, sql from sqlite_schema where type in ('table', 'index') "
            "and sql is not null and tbl_name not like 'search%' and name != 'sqlite_sequence' "
            "or name in ('searched_again') order by type = 'index', rowid"
        ).fetchall()
    for row in rows:
        yield row["sql"]
    yield from _SEARCH
    yield from _TRIGGERS
