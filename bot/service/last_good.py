"""Find the configuration that goes on where feeds.yaml has mistakes: the last that took effect."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from bot.config.kept_text import databases, read_kept
from bot.config.load import Config, load, load_again, read_text
from bot.errors import ConfigError, Mistake, NewsbellError
from bot.model.database_address import DatabaseAddress
from bot.service.losses import most_lost
from bot.store.read_only import ReadOnlyDatabase

SHOWN = 3  #: mistakes that a notice names
LENGTH = 1500  #: characters of them


@dataclass(frozen=True, slots=True)
class Rejected:
    """A configuration file that is not in force, because it has mistakes."""

    error: ConfigError
    since: datetime | None = None  #: when what is in force instead took effect
    without_headers: tuple[str, ...] = ()  #: feeds whose headers stood in the file itself

    @property
    def file(self) -> str:
        """The file's name, without its folder."""
        return Path(self.error.file).name

    def places(self) -> str:
        """Return the first mistakes, one a line, as editors understand them."""
        mistakes = self.error.mistakes
        return "\n".join(mistake.at(self.file) for mistake in mistakes[:SHOWN])[:LENGTH]

    @property
    def unnamed(self) -> int:
        """How many mistakes `places` leaves out."""
        return max(len(self.error.mistakes) - SHOWN, 0)


@dataclass(frozen=True, slots=True)
class InForce:
    """The configuration to run with."""

    config: Config
    rejected: Rejected | None = None  #: the file, where it is not the file's


def in_force(path: Path) -> InForce:
    """Return the configuration of a file, or the last good one where the file has mistakes.

    Raises ConfigError, with the mistakes of the file, where there is no earlier one.
    """
    try:
        return InForce(load(path))
    except ConfigError as error:
        found = _last_good(path, error)
        if found is None:
            raise
        return found


def in_force_at_start(path: Path) -> InForce:
    """As `in_force`, and the last good one, too, where the file lost most of what that has.

    It may have been half saved when the power failed. Whoever runs takes it in a little later, as
    it does with such a file while it runs. Raises ConfigError as `in_force`.
    """
    return _held(path, in_force(path))


def in_force_again(old: Config) -> InForce:
    """As `in_force_at_start`, for who read the file before; its database stays the same."""
    try:
        current = InForce(load_again(old))
    except ConfigError as error:
        current = _last_good(old.path, error) or InForce(old, Rejected(error))
    held = _held(old.path, replace(current, config=replace(current.config, database=old.database)))
    return replace(held, config=replace(held.config, database=old.database))


def _held(path: Path, current: InForce) -> InForce:
    """What is in force, or the last good one where the file lost most of what that has."""
    if current.rejected:
        return current
    try:
        kept = ReadOnlyDatabase(current.config.database).kept_config()
    except NewsbellError:
        return current
    if kept is None or kept.file != path.name or kept.text == current.config.text:
        return current
    earlier = _last_good(path, ConfigError(str(path), ()))
    if earlier is None or earlier.rejected is None:
        return current
    lost = most_lost(earlier.config.declared, current.config.declared)
    if lost is None:
        return current
    message = (
        f"it no longer has {lost}; in case it was only half saved, it takes effect half a minute "
        "after the start unless it changes again"
    )
    error = ConfigError(str(path), (Mistake(1, 1, "(the file)", message),))
    return replace(earlier, rejected=replace(earlier.rejected, error=error))


def _last_good(path: Path, error: ConfigError) -> InForce | None:
    import structlog  # noqa: PLC0415 (a fifth of what `status` takes, and most files are good)

    log = structlog.stdlib.get_logger("newsbell.config")
    try:
        text = read_text(path)
    except ConfigError:
        text = ""
    for database in databases(path, text):
        try:
            kept = ReadOnlyDatabase(database).kept_config()
            if kept is None or kept.file != path.name:
                continue
            config, without = read_kept(path, kept.text, text)
        except ConfigError as unusable:
            log.debug("last_config_unusable", database=str(database), error=str(unusable))
        except NewsbellError as unreadable:
            log.debug("no_last_config", database=str(database), error=str(unreadable))
        else:
            if _is_same(config.database, database):
                return InForce(config, Rejected(error, kept.taken_at, without))
    return None


def _is_same(address: DatabaseAddress, other: DatabaseAddress) -> bool:
    if isinstance(address, Path) and isinstance(other, Path):
        return address.resolve() == other.resolve()
    return str(address) == str(other)
