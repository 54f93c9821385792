"""Draw a trend as PNG, with matplotlib's object interface alone. For the child process only.

The picture is 1280 x 800 pixels: Telegram keeps that size, and a phone shows it at about a third,
so letters have 34 pixels. Its background is opaque and reads on a light and on a dark screen. A bar
is the stories of a day, a dot of the line its publishers, on one scale: both are counts, and with a
second scale any two lines could be made to meet. Numbers stand under their day, where no bar can
reach them.

Since 3.11 matplotlib shapes text and orders right-to-left text (Raqm, HarfBuzz), so Arabic and
Hebrew need nothing more. The bundled DejaVu Sans has Latin, Greek, Cyrillic, Armenian, Georgian,
Hebrew and Arabic, but no Chinese, Japanese, Korean, Thai or Indic letters, and which other fonts a
machine has is unknown. A text with a letter that DejaVu lacks is therefore left out as a whole,
since boxes are worse than nothing; the caption, which Telegram shapes, has the title in any case.
Symbols that the font lacks (emoji) are dropped.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from matplotlib import get_data_path
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from bot.chart.axis import brief, each, ticks
from bot.chart.fit import fit, right_to_left
from bot.chart.trend import Trend
from bot.text.clean import plain

WIDTH, HEIGHT = 1280, 800  #: pixels
_DPI = 100
_MARGIN = 44
_LEFT = 116  # of the plot; the scale's numbers and the keys of the rows stand there
_TITLE, _NOTE, _NUMBER = 50, 34, 34  # pixels of a font
_ROW = 46  # from one line of numbers to the next
_JOINERS = " \u200c\u200d"  # nothing is left to join where an emoji was dropped
_DOTS = 45  # days up to which the line has dots
_FEWEST = 7  # days that the plot is wide at least, so that a single bar is no wall


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a picture; text has a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""

    ground: str
    ink: str
    muted: str
    grid: str
    stories: str
    publishers: str


LIGHT = Look(
    ground="#fbfbf9",
    ink="#161615",
    muted="#5f5e5a",
    grid="#dddcd6",
    stories="#2a6fc4",
    publishers="#b8450b",
)
DARK = Look(
    ground="#17191c",
    ink="#f4f4f1",
    muted="#a9aaa6",
    grid="#34373c",
    stories="#5b9ae6",
    publishers="#ff9d5c",
)


def draw(trend: Trend, *, dark: bool) -> bytes:
    """The trend as PNG of 1280 x 800 pixels, opaque, far below 300 KB."""
    card = _Card(DARK if dark else LIGHT)
    top = card.header(trend)
    rows = 2 if each(trend.dates) else 0
    bottom = _MARGIN + (rows + 2) * _ROW if trend.days else _MARGIN
    axes = card.plot(top, bottom)
    if trend.days:
        _series(axes, trend, card.look)
        _labels(card, axes, trend, bottom)
    else:
        card.write("–", WIDTH / 2, (top + bottom) / 2, _TITLE, card.look.muted, ha="center")
    return card.png()


def drawable(text: str, *, bold: bool = False) -> str:
    """Return the text without symbols that the font lacks; empty where it lacks a letter."""
    font = FT2Font(_font_path(bold)).get_charmap()
    text = "".join(
        letter
        for letter in plain(text)
        if ord(letter) in font or unicodedata.category(letter)[0] not in "SC"
    )
    known = all(ord(letter) in font or letter.isspace() for letter in text)
    return " ".join(text.split()).strip(_JOINERS) if known else ""


def _font_path(bold: bool) -> Path:
    return Path(get_data_path(), "fonts", "ttf", f"DejaVuSans{'-Bold' if bold else ''}.ttf")


class _Card:
    """The figure, written on in pixels from its lower left corner."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._figure = Figure(
            figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor=look.ground
        )
        FigureCanvasAgg(self._figure)

    def write(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        colour: str,
        *,
        bold: bool = False,
        ha: str = "left",
    ) -> None:
        """One line, its middle at this height. `$` is a letter, not mathematics."""
        font = FontProperties(fname=_font_path(bold), size=size * 72 / _DPI)
        self._figure.text(
            x / WIDTH,
            y / HEIGHT,
            text,
            color=colour,
            ha=ha,
            va="center",
            fontproperties=font,
            parse_math=False,
        )

    def width(self, size: float, *, bold: bool = False) -> Callable[[str], float]:
        """Measures a text in pixels."""
        font = FontProperties(fname=_font_path(bold), size=size * 72 / _DPI)

        def measure(text: str) -> float:
            written = self._figure.text(0, 0, text, fontproperties=font, parse_math=False)
            width = written.get_window_extent().width
            written.remove()
            return width

        return measure

    def header(self, trend: Trend) -> float:
        """Title, note and the key of both series; returns the height that is left under them."""
        y = HEIGHT - _MARGIN / 2
        for text, size, lines, colour, bold in (
            (trend.title, _TITLE, 2, self.look.ink, True),
            (trend.note, _NOTE, 1, self.look.muted, False),
        ):
            shown = drawable(text, bold=bold)
            backwards = right_to_left(shown)
            for line in fit(shown, WIDTH - 2 * _MARGIN, lines, self.width(size, bold=bold)):
                y -= size * 1.35
                # The mark (U+200F) keeps the direction of a line that begins with a Latin word.
                mark, x, ha = (
                    ("\u200f", WIDTH - _MARGIN, "right") if backwards else ("", _MARGIN, "left")
                )
                self.write(mark + line, x, y + size * 0.68, size, colour, bold=bold, ha=ha)
        return self._key(trend, y) - _ROW * 0.4

    def _key(self, trend: Trend, y: float) -> float:
        x: float = _MARGIN
        y -= _ROW * 1.2
        half = (WIDTH - 2 * _MARGIN) / 2 - 60
        words = [
            next(iter(fit(drawable(word, bold=True), half, 1, self.width(_NUMBER, bold=True))), "")
            for word in (trend.stories, trend.publishers)
        ]
        if not trend.days or not all(
            words
        ):  # one name without the other would say which is which no better
            return y + _ROW * 1.2
        for word, marker, colour in zip(
            words, "so", (self.look.stories, self.look.publishers), strict=True
        ):
            self.mark(marker, x + 12, y + _ROW / 2, colour)
            self.write(word, x + 40, y + _ROW / 2, _NUMBER, colour, bold=True)
            x += 40 + self.width(_NUMBER, bold=True)(word) + 56
        return y

    def mark(self, marker: str, x: float, y: float, colour: str) -> None:
        """Draw the square of the stories or the dot of the publishers.

        A little higher: the middle of a line of text is below that of its digits.
        """
        size = 24 * 72 / _DPI
        self._figure.add_artist(
            Line2D(
                [x / WIDTH],
                [(y + 4) / HEIGHT],
                marker=marker,
                markersize=size,
                color=colour,
                markeredgewidth=0,
            )
        )

    def plot(self, top: float, bottom: float) -> Axes:
        """The axes between two heights."""
        place = (
            _LEFT / WIDTH,
            bottom / HEIGHT,
            (WIDTH - _LEFT - _MARGIN) / WIDTH,
            (top - bottom) / HEIGHT,
        )
        axes = self._figure.add_axes(place, facecolor=self.look.ground)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set(xticks=[], yticks=[])
        return axes

    def png(self) -> bytes:
        """The picture."""
        data = BytesIO()
        self._figure.savefig(data, format="png", metadata={"Software": None})
        return data.getvalue()


def _series(axes: Axes, trend: Trend, look: Look) -> None:
    at = [day.toordinal() for day in trend.dates]
    stories = [count for _, count, _ in trend.days]
    publishers = [count for _, _, count in trend.days]
    around = max(0.6, (_FEWEST - (at[-1] - at[0])) / 2)
    axes.set_xlim(at[0] - around, at[-1] + around)
    axes.set_ylim(0, max(1, *stories, *publishers) * 1.08)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: brief(round(value)))
    axes.tick_params(
        axis="y", length=0, pad=10, labelcolor=look.muted, labelsize=_NUMBER * 72 / _DPI
    )
    axes.grid(axis="y", color=look.grid, linewidth=1.5)
    axes.set_axisbelow(True)
    axes.bar(at, stories, width=0.72 if len(at) <= _DOTS else 0.86, color=look.stories, linewidth=0)
    thick = 3.5 if len(at) <= 2 * _DOTS else 2.0  # points
    dot = "o" if len(at) <= _DOTS else ""
    # The rim in the colour of the ground sets line and dots off from the bars behind them.
    axes.plot(
        at,
        publishers,
        color=look.ground,
        linewidth=2 * thick,
        clip_on=False,
        solid_joinstyle="round",
    )
    (line,) = axes.plot(
        at, publishers, marker=dot, color=look.publishers, linewidth=thick, clip_on=False
    )
    line.set(
        markersize=14 if each(trend.dates) else 10, markeredgecolor=look.ground, markeredgewidth=1.5
    )


def _labels(card: _Card, axes: Axes, trend: Trend, bottom: float) -> None:
    low, high = axes.get_xlim()
    scale = (WIDTH - _LEFT - _MARGIN) / (high - low)

    def x(ordinal: float) -> float:
        return _LEFT + (ordinal - low) * scale

    marks = ticks(trend.dates)
    y = bottom - _ROW * 0.7
    for mark in marks:
        card.write(mark.label, x(mark.day.toordinal()), y, _NUMBER, card.look.muted, ha="center")
    _under(card, [(x(mark.day.toordinal()), mark.under) for mark in marks if mark.under], y - _ROW)
    if not each(trend.dates):
        return
    widest = max(
        map(
            card.width(_NUMBER, bold=True),
            (brief(count) for _, *counts in trend.days for count in counts),
        )
    )
    size = min(_NUMBER, _NUMBER * 0.9 * scale / widest)
    for row, (marker, colour) in enumerate((("s", card.look.stories), ("o", card.look.publishers))):
        height = y - (row + 2) * _ROW
        card.mark(marker, _LEFT / 2 + 10, height, colour)
        for day, *counts in trend.days:
            card.write(
                brief(counts[row]), x(day.toordinal()), height, size, colour, bold=True, ha="center"
            )


def _under(card: _Card, names: list[tuple[float, str]], y: float) -> None:
    """Write months or years under their first labels; of two that touch, the later stays."""
    taken = float(WIDTH)
    for x, name in reversed(names):
        width = card.width(_NUMBER)(name)
        left = max(min(x - 21, WIDTH - _MARGIN - width), 0)
        if left + width + 24 <= taken:
            card.write(name, left, y, _NUMBER, card.look.muted)
            taken = left
