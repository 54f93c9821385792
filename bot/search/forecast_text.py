"""A forecast as text for chats and the command line: what came, what to expect, a bar a day.

Not the newest matches below it. No I/O, no clock.
"""

from math import ceil, floor

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.chats import ForecastResult
from bot.search.backtest import Expectation, Forecast
from bot.search.rate import Range

_WIDTH = 12  # characters of the longest bar, which a phone shows in one line
_DAYS = 1.5  # from which a period is told in days; a shorter one began at a time


def forecast_text(forecast: Forecast, translator: Translator = ENGLISH, width: int = _WIDTH) -> str:
    """Return a backtest in a few lines; `width` is that of the longest bar."""
    if forecast.nothing_stored:
        return translator.gettext("No articles stored yet, so there is no preview.")
    return "\n".join(
        (
            counts_text(forecast, translator),
            *expectation_lines(forecast, translator),
            "",
            *_bars(forecast, translator, width),
        )
    )


def expectation_lines(forecast: Forecast, translator: Translator) -> list[str]:
    """Return what to expect: alerts, and notes where there will be any; or that it is too early."""
    expectation = forecast.expectation
    if expectation is None:
        return [translator.gettext("Too early to say how many to expect.")]
    lines = [
        translator.gettext(
            "Alerts to expect: {day} in the next 24 hours, {week} in a week.",
            day=range_text(expectation.next_day, translator),
            week=range_text(expectation.next_week, translator),
        )
    ]
    if forecast.notes:
        notes = range_text(expectation.weekly_notes, translator)
        lines.append(translator.gettext("Silent replies to expect: {week} in a week.", week=notes))
    return lines


def range_text(span: Range, translator: Translator) -> str:
    """Return a range as `2 to 5`, or the one number that it has."""
    return _numbers(span.low, span.high, translator)


def a_day_text(expectation: Expectation, translator: Translator) -> str:
    """Return how many alerts come a day, on average over a week."""
    week = expectation.next_week
    return _numbers(floor(week.low / 7), ceil(week.high / 7), translator)


def result_text(result: ForecastResult, translator: Translator) -> str:
    """Return what came of a subscription in a week beside what was forecast."""
    return translator.gettext(
        "Alerts of the last 7 days: {number}; expected: {range}.",
        number=result.came,
        range=_numbers(result.low, result.high, translator),
    )


def _numbers(low: int, high: int, translator: Translator) -> str:
    if low == high:
        return str(low)
    return translator.gettext("{low} to {high}", low=low, high=high)


def counts_text(forecast: Forecast, translator: Translator) -> str:
    """Return what would have come, such as `4 alerts since 19:20.`, in a sentence."""
    counts = translator.ngettext("{number} alert", "{number} alerts", forecast.alerts)
    if forecast.notes:
        notes = translator.ngettext(
            "{number} silent reply", "{number} silent replies", forecast.notes
        )
        counts = translator.gettext("{alerts} and {notes}", alerts=counts, notes=notes)
    period = _period(forecast, translator)
    if forecast.share < 1:
        return translator.gettext("About {counts} {period}.", counts=counts, period=period)
    return translator.gettext("{counts} {period}.", counts=counts, period=period)


def _period(forecast: Forecast, translator: Translator) -> str:
    if forecast.days >= _DAYS:
        return translator.ngettext(
            "in the last {number} day", "in the last {number} days", round(forecast.days)
        )
    since = translator.time(forecast.since, forecast.now)
    return translator.gettext("since {time}", time=since)


def _bars(forecast: Forecast, translator: Translator, width: int) -> list[str]:
    """Return a line for each day. A day with any alert has a bar."""
    longest = max((count for _, count in forecast.by_day), default=0)
    return [
        f"{translator.weekday(day)} {'▇' * -(-width * count // max(longest, 1))} {count}"
        for day, count in forecast.by_day
    ]
