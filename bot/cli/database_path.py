"""Where the database of a configuration file is, for commands that need nothing else of it."""

from pathlib import Path

from bot.cli.config_file import misconfigured
from bot.config.kept_text import databases
from bot.config.load import load, read_text
from bot.errors import ConfigError
from bot.model.database_address import DEFAULT_DATABASE


def beside_of(path: Path) -> Path:
    """Return the path beside which files of this machine lie: the database, where it is a file.

    Of a faulty configuration as far as it can be found.

    A newsbell that runs goes on with the last good configuration. Raises Misconfigured.
    """
    try:
        return load(path).beside
    except ConfigError as error:
        mistakes = error
    try:
        found = databases(path, read_text(path))
    except ConfigError:
        found = databases(path, "")
    if not found:
        raise misconfigured(path, mistakes)
    first = found[0]
    return first if isinstance(first, Path) else path.parent / DEFAULT_DATABASE
