"""The commands that copy the database and put a copy back."""

from datetime import UTC, datetime
from pathlib import Path

import click

from bot.cli.common import readable
from bot.cli.config_option import config_option
from bot.cli.faults import Fault, failing, plural
from bot.store.backup import back_up, remove_old
from bot.store.backup import restore as put_back

_MEGABYTE = 1_000_000


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--keep",
    metavar="NUMBER",
    type=click.IntRange(min=1),
    help="Remove older backups of DIR, so that so many remain.",
)
@config_option
def backup(path: Path, folder: Path, keep: int | None) -> None:
    """Copy the database into a folder, also while newsbell runs.

    The copy is checked before it gets its name.
    """
    database = _file_of(path)
    with failing():
        copy = back_up(database, folder, datetime.now(UTC))
        size = copy.stat().st_size / _MEGABYTE
        click.echo(f"Wrote {copy} ({size:.1f} MB) and checked it.")
        removed = remove_old(database, folder, keep) if keep else []
    if removed:
        click.echo(f"Removed {plural(len(removed), 'older backup')}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@config_option
def restore(path: Path, file: Path) -> None:
    """Put a backup in place of the database.

    Refuses while a newsbell runs on it. The former database is kept beside the new one.
    """
    database = _file_of(path)
    with failing():
        former = put_back(file, database, datetime.now(UTC))
    kept = f" The former one is {former}." if former else ""
    click.echo(f"Restored {database} from {file}.{kept}")


def _file_of(path: Path) -> Path:
    """The database file. Raises Fault where the database is on a server."""
    database = readable(path).database
    if isinstance(database, Path):
        return database
    raise Fault(
        f"The database is on a server: {database}. Copy it there (`pg_dump`), or into a file with "
        "`newsbell move`."
    )
