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
    expected = translator.gettext(
        "Expect about {day} alerts a day, {week} a week.",
        day=f"{forecast.alerts_per_day:.1f}",
        week=f"{forecast.alerts_per_week:.0f}",
    )
    return "\n".join(
        (_counts(forecast, translator), expected, "", *_bars(forecast, translator, width))
    )


def _counts(forecast: Forecast, translator: Translator) -> str:
    stories = translator.ngettext("{number} story", "{number} stories", forecast.stories)
    span = (
        translator.ngettext("{number} day", "{number} days", round(forecast.days))
        if forecast.days >= 1.5
        else translator.ngettext("{number} hour", "{number} hours", round(24 * forecast.days))
    )
    if forecast.share < 1:
        return translator.gettext("About {stories} in the last {span}.", stories=stories, span=span)
    return translator.gettext("{stories} in the last {span}.", stories=stories, span=span)


def _bars(forecast: Forecast, translator: Translator, width: int) -> list[str]:
    """Return a line for each day. A day with any story has a bar."""
    longest = max((count for _, count in forecast.by_day), default=0)
    return [
        f"{translator.weekday(day)} {'▇' * -(-width * count // max(longest, 1))} {count}"
        for day, count in forecast.by_day
    ]
