"""What the command line prints: articles with their matches marked, storylines, forecasts.

Reads values, changes nothing. Texts that chats show as well come from bot/search.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from bot.cli.faults import plural
from bot.delivery.render import excerpt
from bot.i18n.catalog import Translator
from bot.model.delivery import DeliveryState, Settlement
from bot.model.entries import Span
from bot.search.backtest import Forecast
from bot.search.forecast_text import forecast_text
from bot.search.matches import Hit
from bot.search.timeline import (
    TimelineStory,
    format_delay,
    source_name,
    summary,
    who_was_first,
)
from bot.text.clean import headline, plain

_BAR_WIDTH = 40  # characters of the longest bar of a chart
_OVERLAPS = 5  # subscriptions that a backtest names


def settled(console: Console, settlement: Settlement) -> None:
    """Print what did not go well with a delivery."""
    chat = plain(settlement.delivery.chat.name)
    if settlement.state is DeliveryState.DEAD:
        console.print(f"{chat}: a message was refused: {settlement.error}", style="red")
    elif settlement.state is DeliveryState.UNKNOWN:
        text = f"{chat}: nobody can tell whether a message arrived: {settlement.error}"
        console.print(Text(text, style="red"))
    elif settlement.pause:
        console.print(f"{chat}: paused: {settlement.pause}", style="red")
    elif settlement.retry_at and settlement.error:
        error = settlement.error.rstrip(".")
        console.print(f"{chat}: {error}; newsbell tries again", style="yellow")


def marked(text: str, spans: Iterable[Span], style: str = "bold") -> Text:
    """Return a text with its matches underlined."""
    styled = Text(text, style=style)
    for span in spans:
        styled.stylize("underline", span.start, span.end)
    return styled


def hit(console: Console, hit: Hit, at: str) -> None:
    """Print a stored article that matches: time, headline, summary around the match, source."""
    article = hit.entry.article
    in_title = [span for span in hit.spans if span.field == "title"]
    console.print(Text(f"{at}  ").append_text(marked(headline(article.title), in_title)))
    text, inside = excerpt(article.title, article.summary, hit.spans, article.body)
    if text and inside:
        console.print(Text("    ").append_text(marked(text, inside, "")))
    console.print(Text(f"    {article.source or article.feed_name}  {article.link}", style="dim"))


def storyline(
    console: Console, stories: Sequence[TimelineStory], when: Callable[[datetime], str]
) -> None:
    """Print a storyline; for the requested story also why each article belongs to it."""
    console.print(Text(f"Storyline: {summary(stories)}", style="bold"))
    for story in stories:
        console.print()
        sign = "▶" if story.requested else "○"
        console.print(
            Text(f"{sign} {headline(story.title)}", style="bold" if story.requested else "")
        )
        console.print(Text(f"  {who_was_first(story)}", style="dim"))
        times = [when(item.entry.at) for item in story.entries]
        delays = [format_delay(item.delay) for item in story.entries]
        width, span = max(map(len, times)), max(map(len, delays))
        for item, at, delay in zip(story.entries, times, delays, strict=True):
            source, title = source_name(item.entry), headline(item.entry.title)
            console.print(Text(f"  {at:>{width}}  {delay:>{span}}  {source}: {title}"))
            if story.requested:
                console.print(Text(f"      {item.reason}", style="dim"))


def forecast(
    console: Console,
    forecast: Forecast,
    names: Mapping[int, str],
    translator: Translator,
) -> None:
    """Print a backtest: how many alerts to expect, a chart, overlaps, the newest matches."""
    console.print(Text(forecast_text(forecast, translator, _BAR_WIDTH)))
    if forecast.nothing_stored:
        return
    if forecast.share < 1:
        step = round(1 / forecast.share)
        console.print(f"The query is broad: these are estimates from every {_ordinal(step)} story.")
    for number, count in forecast.overlap[:_OVERLAPS]:
        verb = "is" if count == 1 else "are"
        name = names.get(number, number)
        console.print(Text(f"{plural(count, 'story', 'stories')} {verb} already in “{name}”."))
    if forecast.hits:
        console.print()
    for match in forecast.hits:
        hit(console, match, translator.time(match.entry.at, forecast.now))


def _ordinal(number: int) -> str:
    """Return 2nd, 3rd, 4th, 11th, 21st."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in {11, 12, 13} else ending}"
