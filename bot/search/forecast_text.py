"""A forecast as text for chats and the command line: figures, and a bar for each day.

Not the newest matches below it. No I/O, no clock.
"""

from bot.i18n.catalog import ENGLISH, Translator
from bot.search.backtest import Forecast

_WIDTH = 12  # characters of the longest bar, which a phone shows in one line


def forecast_text(forecast: Forecast, translator: Translator = ENGLISH, width: int = _WIDTH) -> str:
    """Return the figures of a backtest in a few lines; `width` is that of the longest bar."""
    if forecast.nothing_stored:
        return translator.gettext("No articles stored yet, so there is no preview.")
    return "\n".join(
        (
            _counts(forecast, translator),
            _frequency(forecast, translator),
            "",
            *_bars(forecast, translator, width),
        )
    )


def _counts(forecast: Forecast, translator: Translator) -> str:
    stories = translator.ngettext("{number} story", "{number} stories", forecast.stories)
    period = _period(forecast.days, translator)
    if forecast.share < 1:
        return translator.gettext("About {stories} {period}.", stories=stories, period=period)
    return translator.gettext("{stories} {period}.", stories=stories, period=period)


def _period(days: float, translator: Translator) -> str:
    if days >= 1.5:
        return translator.ngettext(
            "in the last {number} day", "in the last {number} days", round(days)
        )
    return translator.ngettext(
        "in the last {number} hour", "in the last {number} hours", round(24 * days)
    )


def _frequency(forecast: Forecast, translator: Translator) -> str:
    """Return how many alerts to expect by the day, or by the week where it is less than one."""
    if forecast.alerts_per_day >= 1:
        return translator.ngettext(
            "About {number} alert a day.",
            "About {number} alerts a day.",
            round(forecast.alerts_per_day),
        )
    if forecast.alerts_per_week >= 1:
        return translator.ngettext(
            "About {number} alert a week.",
            "About {number} alerts a week.",
            round(forecast.alerts_per_week),
        )
    return translator.gettext("Less than one alert a week.")


def _bars(forecast: Forecast, translator: Translator, width: int) -> list[str]:
    """Return a line for each day. A day with any story has a bar."""
    longest = max((count for _, count in forecast.by_day), default=0)
    return [
        f"{translator.weekday(day)} {'▇' * -(-width * count // max(longest, 1))} {count}"
        for day, count in forecast.by_day
    ]
