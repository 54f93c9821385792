"""How far the wall clock was set, and what that means for stored moments. No I/O, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClockStep:
    """The wall clock as it is, after it was set."""

    now: datetime
    span: timedelta = timedelta(0)  #: beyond the time that passed; negative: it was set back

    @property
    def before(self) -> datetime:
        """What the clock would show if it had not been set."""
        return _plus(self.now, -self.span)

    def waited_until(self, moment: datetime, longest: timedelta) -> datetime:
        """Return when a wait ends now that ended at `moment`, and was of `longest` at most.

        A step is noticed a little later: a wait that was longer began after it.
        """
        if self.span > timedelta(0) and moment > _plus(self.before, longest):
            return min(moment, _plus(self.now, longest))
        return min(_plus(moment, self.span), _plus(self.now, longest))

    def happened_at(self, moment: datetime) -> datetime:
        """Return the moment that lies as far back now as `moment` did before; never after now.

        What can have happened between the step and now stays as it is.
        """
        is_older = moment <= self.before if self.span > timedelta(0) else moment > self.now
        return min(_plus(moment, self.span), self.now) if is_older else min(moment, self.now)


def _plus(moment: datetime, span: timedelta) -> datetime:
    """Add a span; the first or last moment there is where the result would be beyond it."""
    try:
        return moment + span
    except OverflowError:
        return _FIRST if span < timedelta(0) else _LAST
