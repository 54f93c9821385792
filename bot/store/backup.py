"""Copies of the database: made while newsbell runs, checked, few of them kept, and put back.

Knows no table. A copy is one file that needs no other; it is the owner's alone, as the database is.
"""

import os
import re
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from bot.errors import StoreError
from bot.store.engines.sqlite import Lock, applied, newer_than_known, read_only, wrapped

_STAMP = "%Y%m%dT%H%M%SZ"
_PART = ".part"  # ending of a copy that is not whole yet
_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database
_PRIVATE = 0o600


def back_up(database: Path, folder: Path, now: datetime) -> Path:
    """Copy the database into a folder, check the copy, and return it.

    Another process may be writing the database. Raises StoreError, and leaves nothing behind then.
    """
    target = folder / f"{database.stem}-{now:{_STAMP}}.db"
    with wrapped("be copied", "then try again"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _copy(database, target)
        except OSError as error:
            raise StoreError(f"Nothing can be written to {folder}: {error.strerror}.") from error
    return target


def remove_old(database: Path, folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest copies that `back_up` made in a folder, and return those removed.

    Raises StoreError.
    """
    pattern = re.compile(rf"{re.escape(database.stem)}-\d{{8}}T\d{{6}}Z\.db")
    copies = sorted(file for file in folder.iterdir() if pattern.fullmatch(file.name))
    old = copies[:-keep]
    for file in old:
        try:
            file.unlink()
        except OSError as error:
            raise StoreError(f"{file} cannot be removed: {error.strerror}.") from error
    return old


def restore(copy: Path, database: Path, now: datetime) -> Path | None:
    """Put a copy in place of the database; return where the former one is, None without one.

    Raises StoreBusy where a newsbell runs, and StoreError where the copy is damaged or none, or is
    of a newer newsbell; nothing is changed then.
    """
    database = database.resolve()
    if copy.resolve() == database:
        raise StoreError(f"{copy} is the database itself.")
    lock = Lock(database)
    lock.take()
    try:
        with wrapped("be restored", "then try again"):
            new = database.with_name(database.name + _PART)
            _copy(copy, new)
            try:
                _check_kind(new, copy)
                return _swap(new, database, now)
            finally:
                new.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"The database cannot be replaced: {error.strerror}.") from error
    finally:
        lock.release()


def _copy(source: Path, target: Path) -> None:
    """Copy a database, check the copy, and have it on the disk before it has its name."""
    part = target.with_name(target.name + _PART) if target.suffix != _PART else target
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE))
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as connection:
            with read_only(source, any_version=True) as original:
                original.backup(connection)
            # one file, that needs none beside it
            connection.execute("pragma journal_mode = delete")
            _check(connection, source)
        _settle(part)
        part.replace(target)
        _settle(target.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _check(connection: sqlite3.Connection, source: Path) -> None:
    found = " ".join(str(connection.execute("pragma integrity_check(1)").fetchone()[0]).split())
    if found != "ok":
        raise StoreError(f"The copy of {source} is damaged: {found}.")


def _settle(path: Path) -> None:
    """Have a file or a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_kind(file: Path, named: Path) -> None:
    """Raise StoreError for what is no database of newsbell, or one of a newer newsbell."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        if not applied(connection):
            raise StoreError(f"{named} is no database of newsbell.")
        newer = newer_than_known(connection)
    if newer:
        raise StoreError(f"{named} was written by a newer newsbell ({newer}): update this one.")


def _swap(new: Path, database: Path, now: datetime) -> Path | None:
    """Replace the database; at each moment there is a whole one under its name."""
    if not database.exists():
        new.replace(database)
        return None
    aside = database.with_name(f"{database.stem}-before-{now:{_STAMP}}{database.suffix}")
    # What stands beside the former one goes into it; a damaged one is kept as it is.
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    aside.hardlink_to(database)
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            database.with_name(database.name + ending).replace(aside.with_name(aside.name + ending))
    new.replace(database)
    _settle(database.parent)
    return aside
