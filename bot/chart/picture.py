"""Draw a trend as PNG: an SVG that resvg renders. For the child process only.

The picture is 1280 x 800 pixels: Telegram keeps that size, and a phone shows it at about a third,
so letters have 34 pixels. Its background is opaque and reads on a light and on a dark screen. A bar
is the stories of a day, a dot of the line its publishers, on one scale: both are counts, and with a
second scale any two lines could be made to meet. Numbers stand under their day, where no bar can
reach them.

resvg shapes text and orders right-to-left text, so Arabic and Hebrew need nothing more; HarfBuzz
says how wide a text is. The bundled DejaVu Sans has Latin, Greek, Cyrillic, Armenian, Georgian,
Hebrew and Arabic, but no Chinese, Japanese, Korean, Thai or Indic letters, and which other fonts a
machine has is unknown. A text with a letter that DejaVu lacks is therefore left out as a whole,
since boxes are worse than nothing; the caption, which Telegram shapes, has the title in any case.
Symbols that the font lacks (emoji) are dropped.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import regex
import uharfbuzz
from resvg_py import svg_to_bytes

from bot.chart.axis import brief, each, levels, ticks
from bot.chart.fit import fit, right_to_left
from bot.chart.trend import Trend
from bot.text.clean import plain

WIDTH, HEIGHT = 1280, 800  #: pixels
_MARGIN = 44
_LEFT = 116  # of the plot; the scale's numbers and the keys of the rows stand there
_TITLE, _NOTE, _NUMBER = 50, 34, 34  # pixels of a font
_ROW = 46  # from one line of numbers to the next
_MARK = 24  # pixels of a mark of the key
_RAISED = 4  # pixels: the middle of a line of text is below that of its digits
_MIDDLE = 0.275  # of a font's size: the middle of a line of letters above what they stand on
_JOINERS = " \u200c\u200d"  # nothing is left to join where an emoji was dropped
_EMBEDDED = "\u202b{}\u202c"  # keeps the direction of a line that begins with a Latin word
_DOTS = 45  # days up to which the line has dots
_FEWEST = 7  # days that the plot is wide at least, so that a single bar is no wall
_HEADROOM = 1.08  # of the plot, above the highest bar
_FONTS = Path(__file__).with_name("fonts")
_REGULAR, _BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
_FAMILY = "DejaVu Sans"
#: Letters are joined within one script.
_RUNS = regex.compile(r"[\p{Arabic}\p{M}\u200c\u200d]+|[\p{Hebrew}\p{M}]+|[^\p{Arabic}\p{Hebrew}]+")


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
    return _drawn(trend, dark=dark).png()


def draw_svg(trend: Trend, *, dark: bool) -> bytes:
    """The same as SVG, for a browser: it has the letters that it needs itself."""
    return _drawn(trend, dark=dark).svg().encode()


def _drawn(trend: Trend, *, dark: bool) -> "_Card":
    card = _Card(DARK if dark else LIGHT)
    top = card.header(trend)
    rows = 2 if each(trend.dates) else 0
    bottom = HEIGHT - _MARGIN - (rows + 2 if trend.days else 0) * _ROW
    if trend.days:
        plot = _Plot(trend, top, bottom)
        _series(card, plot, trend)
        _labels(card, plot, trend)
    else:
        card.write("–", WIDTH / 2, (top + bottom) / 2, _TITLE, card.look.muted, anchor="middle")
    return card


def drawable(text: str, *, bold: bool = False) -> str:
    """Return the text without symbols that the font lacks; empty where it lacks a letter."""
    font = _font(_BOLD if bold else _REGULAR)
    text = "".join(
        letter
        for letter in plain(text)
        if _has(font, letter) or unicodedata.category(letter)[0] not in "SC"
    )
    known = all(_has(font, letter) or letter.isspace() for letter in text)
    return " ".join(text.split()).strip(_JOINERS) if known else ""


def _has(font: uharfbuzz.Font, letter: str) -> bool:
    return bool(font.get_nominal_glyph(ord(letter)))


@cache
def _font(name: str) -> uharfbuzz.Font:
    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(_FONTS / name)))


def _width(text: str, size: float, *, bold: bool) -> float:
    """Return how many pixels wide a text is."""
    font, units = _font(_BOLD if bold else _REGULAR), 0.0
    for run in _RUNS.findall(text):
        letters = uharfbuzz.Buffer()
        letters.add_str(run)
        letters.guess_segment_properties()
        uharfbuzz.shape(font, letters)
        units += sum(position.x_advance for position in letters.glyph_positions or ())
    return units * size / int(font.face.upem)


class _Plot:
    """Where days and counts are, in pixels from the upper left corner."""

    def __init__(self, trend: Trend, top: float, bottom: float) -> None:
        ordinals = [day.toordinal() for day in trend.dates]
        around = max(0.6, (_FEWEST - (ordinals[-1] - ordinals[0])) / 2)
        self._first = ordinals[0] - around
        self.most = max(1, *(count for _, *counts in trend.days for count in counts))
        self.left, self.right, self.bottom = _LEFT, WIDTH - _MARGIN, bottom
        #: pixels of a day, and of a count
        self.day = (self.right - self.left) / (ordinals[-1] + around - self._first)
        self.count = (bottom - top) / (self.most * _HEADROOM)

    def x(self, ordinal: float) -> float:
        """The middle of a day."""
        return self.left + (ordinal - self._first) * self.day

    def y(self, count: float) -> float:
        """The height of a count."""
        return self.bottom - count * self.count


class _Card:
    """The picture, drawn on in pixels from its upper left corner."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._elements: list[str] = []

    def element(self, name: str, content: str = "", **attributes: str | float) -> None:
        """Draw an element of SVG over those before; `_` in names of attributes stands for `-`."""
        pairs = (
            f" {attribute.replace('_', '-')}="
            + quoteattr(value if isinstance(value, str) else f"{value:.2f}")
            for attribute, value in attributes.items()
        )
        self._elements.append(f"<{name}{''.join(pairs)}>{escape(content)}</{name}>")

    def write(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        colour: str,
        *,
        bold: bool = False,
        anchor: str = "start",
    ) -> None:
        """One line, its middle at this height."""
        self.element(
            "text",
            text,
            x=x,
            y=y + _MIDDLE * size,
            font_family=_FAMILY,
            font_size=size,
            font_weight="bold" if bold else "normal",
            text_anchor=anchor,
            fill=colour,
        )

    def width(self, size: float, *, bold: bool = False) -> Callable[[str], float]:
        """Measures a text in pixels."""
        return lambda text: _width(text, size, bold=bold)

    def header(self, trend: Trend) -> float:
        """Title, note and the key of both series; returns the height at which they end."""
        y = _MARGIN / 2
        for text, size, lines, colour, bold in (
            (trend.title, _TITLE, 2, self.look.ink, True),
            (trend.note, _NOTE, 1, self.look.muted, False),
        ):
            shown = drawable(text, bold=bold)
            backwards = right_to_left(shown)
            for line in fit(shown, WIDTH - 2 * _MARGIN, lines, self.width(size, bold=bold)):
                middle = y + size * 0.67
                y += size * 1.35
                if backwards:
                    written, x, anchor = _EMBEDDED.format(line), WIDTH - _MARGIN, "end"
                else:
                    written, x, anchor = line, _MARGIN, "start"
                self.write(written, x, middle, size, colour, bold=bold, anchor=anchor)
        return self._key(trend, y) + _ROW * 0.4

    def _key(self, trend: Trend, y: float) -> float:
        x: float = _MARGIN
        half = (WIDTH - 2 * _MARGIN) / 2 - 60
        words = [
            next(iter(fit(drawable(word, bold=True), half, 1, self.width(_NUMBER, bold=True))), "")
            for word in (trend.stories, trend.publishers)
        ]
        # One name without the other would say which is which no better.
        if not trend.days or not all(words):
            return y
        for word, mark, colour in zip(
            words,
            (self.square, self.dot),
            (self.look.stories, self.look.publishers),
            strict=True,
        ):
            mark(x + 12, y + _ROW * 0.7, colour)
            self.write(word, x + 40, y + _ROW * 0.7, _NUMBER, colour, bold=True)
            x += 40 + self.width(_NUMBER, bold=True)(word) + 56
        return y + _ROW * 1.2

    def square(self, x: float, y: float, colour: str) -> None:
        """Draw the square of the stories, with its middle where that of the digits beside it is."""
        side: float = _MARK
        top = y - _RAISED - side / 2
        self.element("rect", x=x - side / 2, y=top, width=side, height=side, fill=colour)

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw the dot of the publishers, likewise."""
        self.element("circle", cx=x, cy=y - _RAISED, r=_MARK / 2, fill=colour)

    def svg(self) -> str:
        """The picture as text."""
        ground = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{self.look.ground}"/>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}">{ground}{"".join(self._elements)}</svg>'
        )

    def png(self) -> bytes:
        """The picture."""
        fonts = [str(_FONTS / name) for name in (_REGULAR, _BOLD)]
        return bytes(
            svg_to_bytes(
                svg_string=self.svg(),
                background=self.look.ground,
                skip_system_fonts=True,
                font_files=fonts,
                font_family=_FAMILY,
            )
        )


def _series(card: _Card, plot: _Plot, trend: Trend) -> None:
    look = card.look
    for level in levels(plot.most * _HEADROOM):
        y = plot.y(level)
        card.element(
            "line", x1=plot.left, x2=plot.right, y1=y, y2=y, stroke=look.grid, stroke_width=2.0
        )
        card.write(brief(level), plot.left - 14, y + _RAISED, _NUMBER, look.muted, anchor="end")
    width = (0.72 if len(trend.days) <= _DOTS else 0.86) * plot.day
    for day, stories, _ in trend.days:
        card.element(
            "rect",
            x=plot.x(day.toordinal()) - width / 2,
            y=plot.y(stories),
            width=width,
            height=stories * plot.count,
            fill=look.stories,
        )
    at = [(plot.x(day.toordinal()), plot.y(publishers)) for day, _, publishers in trend.days]
    thick = 4.8 if len(at) <= 2 * _DOTS else 2.8
    # The rim in the colour of the ground sets line and dots off from the bars behind them.
    for colour, stroke in ((look.ground, 2 * thick), (look.publishers, thick)):
        card.element(
            "polyline",
            points=" ".join(f"{x:.2f},{y:.2f}" for x, y in at),
            fill="none",
            stroke=colour,
            stroke_width=stroke,
            stroke_linejoin="round",
        )
    if len(at) > _DOTS:
        return
    radius = 9.7 if each(trend.dates) else 7.0
    for x, y in at:
        card.element(
            "circle",
            cx=x,
            cy=y,
            r=radius,
            fill=look.publishers,
            stroke=look.ground,
            stroke_width=2.1,
        )


def _labels(card: _Card, plot: _Plot, trend: Trend) -> None:
    marks = [(plot.x(mark.day.toordinal()), mark) for mark in ticks(trend.dates)]
    y = plot.bottom + _ROW * 0.7
    for x, mark in marks:
        card.write(mark.label, x, y, _NUMBER, card.look.muted, anchor="middle")
    _under(card, [(x, mark.under) for x, mark in marks if mark.under], y + _ROW)
    if not each(trend.dates):
        return
    widest = max(
        map(
            card.width(_NUMBER, bold=True),
            (brief(count) for _, *counts in trend.days for count in counts),
        )
    )
    size = min(_NUMBER, _NUMBER * 0.9 * plot.day / widest)
    for row, (mark_row, colour) in enumerate(
        ((card.square, card.look.stories), (card.dot, card.look.publishers))
    ):
        height = y + (row + 2) * _ROW
        mark_row(_LEFT / 2 + 10, height, colour)
        for day, *counts in trend.days:
            x = plot.x(day.toordinal())
            card.write(brief(counts[row]), x, height, size, colour, bold=True, anchor="middle")


def _under(card: _Card, names: list[tuple[float, str]], y: float) -> None:
    """Write months or years under their first labels; of two that touch, the later stays."""
    taken = float(WIDTH)
    for x, name in reversed(names):
        width = card.width(_NUMBER)(name)
        left = max(min(x - 21, WIDTH - _MARGIN - width), 0)
        if left + width + 24 <= taken:
            card.write(name, left, y, _NUMBER, card.look.muted)
            taken = left
