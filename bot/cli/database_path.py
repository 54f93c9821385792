"""Where the database of a configuration file is, for commands that need nothing else of it."""

from pathlib import Path

from bot.cli.config_file import misconfigured
from bot.config.kept_text import databases
from bot.config.load import load, read_text
from bot.errors import ConfigError
from bot.model.database_address import DEFAULT_DATABASE, DatabaseAddress


def address_of(path: Path) -> DatabaseAddress:
    """Return the database of a file, and of a faulty one as far as it can be found.

    A newsbell that runs goes on with the last good configuration. Raises Misconfigured.
    """
    try:
        return load(path).database
    except ConfigError as error:
        mistakes = error
    try:
        found = databases(path, read_text(path))
    except ConfigError:
        found = databases(path, "")
    if not found:
        raise misconfigured(path, mistakes)
    return found[0]


def beside_of(path: Path) -> Path:
    """Return the path beside which files of this machine lie: the database, where it is a file.

    Raises Misconfigured.
    """
    address = address_of(path)
    return address if isinstance(address, Path) else path.parent / DEFAULT_DATABASE
