"""The chart of a trend: what it shows, and that the child that draws it always ends."""

import asyncio
import importlib
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.chart.axis import EACH, brief, each, levels, ticks
from bot.chart.fit import fit, right_to_left
from bot.chart.process import LARGEST, ChartLimits, draw_chart
from bot.chart.trend import Trend, from_json, to_json
from bot.errors import ChartError

ROOT = Path(__file__).resolve().parents[3]
FIRST = date(2026, 2, 17)
ARABIC = "ميناء الشمال يعود إلى العمل"
HEBREW = "הנמל נפתח מחדש"
LONG = "harbour " * 100
Drawing = Callable[..., Any]


def trend(count: int, *, title: str = "harbour", factor: int = 1, **more: Any) -> Trend:
    days = tuple(
        (FIRST + timedelta(number), number % 7 * factor, number % 5) for number in range(count)
    )
    return Trend(title, days, "UTC", **more)


@pytest.fixture(scope="module")
def picture() -> Any:
    """The module that draws, in this process; only tests import it there."""
    return importlib.import_module("bot.chart.picture")


@pytest.fixture
def image(picture: Any) -> Drawing:
    """Draws, and reads the PNG again."""
    return lambda shown, *, dark=False: Image.open(BytesIO(picture.draw(shown, dark=dark))).convert(
        "RGB"
    )


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def count(pixels: Any, colour: str, box: tuple[int, int, int, int] | None = None) -> int:
    """How many pixels of a picture, or of a box in it, have exactly this colour."""
    found = pixels.crop(box).getcolors(1 << 24) if box else pixels.getcolors(1 << 24)
    return sum(number for number, value in found if value == rgb(colour))


# The picture


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("days", [0, 1, 2, 14, 15, 90, 400])
def test_a_picture_is_a_png_of_1280_by_800_below_its_limit(
    picture: Any, days: int, dark: bool
) -> None:
    data = picture.draw(trend(days, factor=1000), dark=dark)

    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert data[12:16] == b"IHDR"
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1280, 800)
    assert len(data) <= LARGEST


@pytest.mark.parametrize("dark", [False, True])
def test_the_ground_is_opaque_and_of_its_look(picture: Any, image: Drawing, dark: bool) -> None:
    look = picture.DARK if dark else picture.LIGHT
    pixels = image(trend(14), dark=dark)

    assert {pixels.getpixel(corner) for corner in ((0, 0), (1279, 0), (0, 799), (1279, 799))} == {
        rgb(look.ground)
    }
    assert count(pixels, look.ground) > 1280 * 800 / 2


def test_the_looks_differ(picture: Any) -> None:
    assert picture.draw(trend(14), dark=True) != picture.draw(trend(14), dark=False)


def test_the_same_trend_is_the_same_picture(picture: Any) -> None:
    assert picture.draw(trend(30), dark=True) == picture.draw(trend(30), dark=True)


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_the_contrast_that_wcag_asks_for(picture: Any, dark: bool) -> None:
    def luminance(colour: str) -> float:
        parts = [value / 255 for value in rgb(colour)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return sum(
            part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True)
        )

    look = picture.DARK if dark else picture.LIGHT
    for colour in (look.ink, look.muted, look.stories, look.publishers):
        low, high = sorted((luminance(colour), luminance(look.ground)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour


def test_a_bar_is_as_high_as_its_day_has_stories(picture: Any, image: Drawing) -> None:
    """Two days, the left one with twice the stories, then the right one."""
    plot_left, plot_right = (120, 240, 676, 570), (676, 240, 1236, 570)
    falling = image(Trend("", ((FIRST, 20, 0), (FIRST + timedelta(1), 10, 0)), ""))
    rising = image(Trend("", ((FIRST, 10, 0), (FIRST + timedelta(1), 20, 0)), ""))
    blue = picture.LIGHT.stories

    assert count(falling, blue, plot_left) > 1.5 * count(falling, blue, plot_right) > 0
    assert count(rising, blue, plot_right) > 1.5 * count(rising, blue, plot_left) > 0


def test_the_line_stands_higher_where_there_are_more_publishers(
    picture: Any, image: Drawing
) -> None:
    upper = (120, 60, 1236, 300)
    many, few = (image(Trend("", ((FIRST, 20, publishers),), "", "", "")) for publishers in (20, 1))

    assert (
        count(many, picture.LIGHT.publishers, upper)
        > count(few, picture.LIGHT.publishers, upper)
        == 0
    )


def test_numbers_stand_under_the_days_up_to_fourteen_of_them(picture: Any, image: Drawing) -> None:
    foot = (140, 676, 1280, 800)

    assert count(image(trend(EACH)), picture.LIGHT.stories, foot) > 0
    assert count(image(trend(EACH)), picture.LIGHT.publishers, foot) > 0
    assert count(image(trend(EACH + 1)), picture.LIGHT.publishers, foot) == 0


def test_a_day_without_stories_is_a_gap_and_no_error(image: Drawing) -> None:
    zeros = Trend("harbour", tuple((FIRST + timedelta(number), 0, 0) for number in range(3)), "")
    sparse = Trend("harbour", ((FIRST, 3, 2), (FIRST + timedelta(40), 4, 1)), "")

    assert image(zeros).size == image(sparse).size == (1280, 800)


@pytest.mark.parametrize(
    "title",
    [
        LONG,
        "x" * 500,
        ARABIC * 5,
        HEBREW * 9,
        "Порт знову відкрито " * 9,
        "$5 or $6 \\frac{1}{0}",
        "a\x00b\u202ec\n",
    ],
)
def test_a_title_stays_within_the_margins(picture: Any, image: Drawing, title: str) -> None:
    ground, head = picture.LIGHT.ground, 240
    pixels = image(trend(14, title=title))

    assert count(pixels, picture.LIGHT.ink, (44, 0, 1236, head)) > 0
    for box in ((0, 0, 40, head), (1240, 0, 1280, head)):
        assert count(pixels, ground, box) == (box[2] - box[0]) * head


def test_a_right_to_left_title_ends_at_the_left(picture: Any, image: Drawing) -> None:
    left, right = (44, 0, 100, 90), (980, 0, 1240, 90)

    for title in (HEBREW, ARABIC):
        pixels = image(trend(14, title=title))
        assert count(pixels, picture.LIGHT.ink, right) > count(pixels, picture.LIGHT.ink, left) == 0
    pixels = image(trend(14, title="harbour"))
    assert count(pixels, picture.LIGHT.ink, left) > count(pixels, picture.LIGHT.ink, right) == 0


def test_arabic_letters_are_joined(image: Drawing) -> None:
    """The three letters with non-joiners (U+200C) between them look otherwise and are wider."""
    joined, apart = image(Trend("بببب", (), "")), image(Trend("ب\u200cب\u200cب\u200cب", (), ""))

    def width(pixels: Any) -> int:
        dark = (
            pixels.crop((0, 0, 1280, 100))
            .convert("L")
            .point(lambda value: 255 if value < 128 else 0)
        )
        box = dark.getbbox()
        return int(box[2] - box[0])

    assert width(joined) < width(apart)


@pytest.mark.parametrize(
    "title", ["港口重新开放", "港 harbour", "항구가 다시 열리다", "ท่าเรือ", "बंदरगाह"]
)
def test_a_title_whose_letters_the_font_lacks_is_left_to_the_caption(
    picture: Any, title: str
) -> None:
    assert picture.drawable(title) == ""
    assert picture.draw(trend(14, title=title), dark=False) == picture.draw(
        trend(14, title=""), dark=False
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("🚢 harbour\u200d 🇺🇦", "harbour"),
        ("Müller & Søn", "Müller & Søn"),
        (ARABIC, ARABIC),
        (HEBREW, HEBREW),
        ("", ""),
    ],
)
def test_symbols_that_the_font_lacks_are_dropped_and_letters_kept(
    picture: Any, text: str, shown: str
) -> None:
    assert picture.drawable(text) == shown
    assert picture.drawable(text, bold=True) == shown


def test_a_line_is_as_wide_as_it_was_measured(picture: Any, image: Drawing) -> None:
    """Letters that join, digits and words of another direction within a line are shaped alike."""
    for title in (
        "harbour AND (fire OR quay)",
        "Порт знову",
        ARABIC,
        HEBREW,
        f"{ARABIC} harbour 12",
    ):
        pixels = image(Trend(title, (), "")).crop((0, 0, 1280, 100)).convert("L")
        left, _, right, _ = pixels.point(lambda value: 255 if value < 128 else 0).getbbox()
        measured = picture._width(title, 50, bold=True)

        assert abs(right - left - measured) < 10, title


def test_a_word_of_another_direction_stands_where_its_line_has_it(
    picture: Any, image: Drawing
) -> None:
    """A line that begins in Hebrew ends with its Latin word at the left, also after a break."""
    alone, both = image(Trend(HEBREW, (), "")), image(Trend(f"{HEBREW} harbour", (), ""))
    start = (1000, 0, 1240, 90)

    assert both.crop(start).tobytes() == alone.crop(start).tobytes()


def test_the_words_of_the_key_are_those_that_were_given(picture: Any) -> None:
    own, other = (
        picture.draw(trend(14), dark=False),
        picture.draw(trend(14, stories="сюжети", publishers="видання"), dark=False),
    )
    none = [
        picture.draw(trend(14, stories=stories, publishers=""), dark=False)
        for stories in ("", "stories", "报道")
    ]

    assert own != other != none[0]
    assert none[0] == none[1] == none[2]


# Lines, labels, numbers


@given(st.text(max_size=400), st.integers(1, 60), st.integers(1, 3))
def test_no_line_is_wider_than_its_space_and_no_text_is_added(
    text: str, width: int, lines: int
) -> None:
    result = fit(text, width, lines, len)

    assert len(result) <= lines
    assert all(0 < len(line) <= width for line in result)
    told, whole = "".join("".join(result).removesuffix("…").split()), "".join(text.split())
    assert whole.startswith(told)
    assert (
        told == whole
        or (result and result[-1].endswith("…"))
        or width < 3
        or any(map(unicodedata.combining, text))
    )


def test_a_text_is_broken_at_a_space_and_cut_with_an_ellipsis() -> None:
    assert fit("harbour opens again after the storm", 20, 2, len) == [
        "harbour opens again",
        "after the storm",
    ]
    assert fit("harbour opens again after the storm", 10, 2, len) == ["harbour", "opens aga…"]
    assert fit("x" * 30, 10, 2, len) == ["x" * 10, "x" * 9 + "…"]
    assert fit("", 10, 2, len) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [(ARABIC, True), (HEBREW, True), ("12 " + HEBREW, True), ("a " + HEBREW, False), ("12", False)],
)
def test_the_first_letter_with_a_direction_says_where_a_text_begins(
    text: str, expected: bool
) -> None:
    assert right_to_left(text) is expected


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 1500))
def test_at_most_fourteen_days_are_labelled_and_each_of_fourteen_is(
    first: date, length: int
) -> None:
    days = [first + timedelta(number) for number in range(length)]
    marks = ticks(days)

    assert 1 <= len(marks) <= 14
    assert {mark.day for mark in marks} <= set(days)
    assert marks[0].under
    assert len(marks) == length if each(days) else len(marks) < length


def test_a_month_is_named_where_it_begins() -> None:
    marks = ticks([date(2026, 2, 27) + timedelta(number) for number in range(4)])

    assert [(mark.label, mark.under) for mark in marks] == [
        ("27", "2026-02"),
        ("28", ""),
        ("01", "2026-03"),
        ("02", ""),
    ]


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (15, "19 22 25 28 03"),
        (30, "21 26 03 08 13 18"),
        (60, "23 02 09 16 23 30 06 13"),
        (120, "03 04 05 06"),
    ],
)
def test_few_of_many_days_are_labelled(length: int, labels: str) -> None:
    assert (
        " ".join(
            mark.label for mark in ticks([FIRST + timedelta(number) for number in range(length)])
        )
        == labels
    )


@given(st.floats(1, 1e9))
def test_a_scale_has_few_lines_at_round_counts_from_nothing_to_the_highest(highest: float) -> None:
    marks = levels(highest)
    step = marks[1]

    assert marks == [*range(0, int(highest) + 1, step)]
    assert 2 <= len(marks) <= 5
    assert str(step).rstrip("0") in {"1", "2", "5"}


def test_no_day_has_no_label() -> None:
    assert ticks([]) == []
    assert not each([])


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1k"),
        (3599, "3.5k"),
        (12_400, "12k"),
        (999_999, "999k"),
        (3_000_000, "3M"),
    ],
)
def test_a_large_number_is_brief(number: int, text: str) -> None:
    assert brief(number) == text


@given(st.integers(0, 999_999_999))
def test_a_brief_number_has_four_characters_at_most(number: int) -> None:
    assert len(brief(number)) <= 4


@given(
    st.text(),
    st.lists(st.tuples(st.dates(), st.integers(0), st.integers(0)), max_size=5),
    st.text(),
)
def test_a_trend_comes_through_json_as_it_was(
    title: str, days: list[tuple[date, int, int]], note: str
) -> None:
    given_one = Trend(title, tuple(days), note)

    assert from_json(to_json(given_one)) == given_one


# The child


async def test_the_child_draws_the_picture_that_this_process_would(picture: Any) -> None:
    shown = trend(14, title=ARABIC)

    assert await draw_chart(shown, dark=True) == picture.draw(shown, dark=True)


def test_newsbell_itself_does_not_hold_what_draws() -> None:
    program = (
        "import sys, bot.service.app, bot.cli.main, bot.chart.process; "
        "sys.exit(any(name.split('.')[0] in {'resvg_py', 'uharfbuzz', 'PIL'} "
        "for name in sys.modules))"
    )

    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, cwd=ROOT, timeout=60, check=False)  # noqa: S603 (our own)

    assert ended.returncode == 0


def alive(pid: int) -> bool:
    """Whether a process still runs; one that ended and waits to be collected does not."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()[0]
            != "Z"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def python(program: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program, *arguments)


HANGING = """
import os, pathlib, subprocess, sys, time
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(f"{os.getpid()} {inner.pid}")
path.with_suffix(".new").rename(path)
time.sleep(600)
"""


async def test_a_child_that_hangs_is_stopped_when_its_time_is_over(tmp_path: Path) -> None:
    with pytest.raises(ChartError, match=r"took longer than 0\.5 seconds and was stopped"):
        await draw_chart(
            trend(1),
            dark=False,
            limits=ChartLimits(seconds=0.5),
            command=python(HANGING, str(tmp_path / "pids")),
        )


async def test_a_child_ends_with_all_it_started_when_nobody_waits_for_it_any_more(
    tmp_path: Path,
) -> None:
    path = tmp_path / "pids"
    task = asyncio.create_task(draw_chart(trend(1), dark=False, command=python(HANGING, str(path))))
    async with asyncio.timeout(15):
        while not path.exists():
            await asyncio.sleep(0.02)
    pids = [int(pid) for pid in path.read_text().split()]

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not alive(pids[0])
    async with asyncio.timeout(15):
        while alive(pids[1]):
            await asyncio.sleep(0.02)


async def test_a_child_that_takes_too_much_memory_is_stopped() -> None:
    program = (
        "import sys; from bot.chart.__main__ import bound; bound(256 << 20, 20); bytearray(1 << 30)"
    )

    with pytest.raises(ChartError, match="too much memory"):
        await draw_chart(trend(1), dark=False, command=python(program))


async def test_a_child_whose_library_gets_no_memory_says_so() -> None:
    program = (
        "import os, sys; os.write(2, b'memory allocation of 4096 bytes failed\\n"
        "note: run with a variable to see more\\n'); os.abort()"
    )

    with pytest.raises(ChartError, match="too much memory"):
        await draw_chart(trend(1), dark=False, command=python(program))


async def test_the_bound_of_memory_reaches_the_child_that_draws() -> None:
    with pytest.raises(ChartError):
        await draw_chart(trend(1), dark=False, limits=ChartLimits(memory=48 << 20))


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(3)",
        "print('no picture')",
        "pass",
        "import sys; sys.stdout.buffer.write(b'\\x89PNG\\r\\n\\x1a\\n' + bytes(400_000))",
    ],
)
async def test_what_is_no_picture_is_an_error_in_a_plain_sentence(program: str) -> None:
    with pytest.raises(ChartError, match=r"^The chart could not be drawn; the log says why\.$"):
        await draw_chart(trend(1), dark=False, command=python(program))


async def test_a_program_that_is_not_there_is_an_error_as_well() -> None:
    with pytest.raises(ChartError, match="could not be drawn"):
        await draw_chart(trend(1), dark=False, command=("/nonexistent/python",))


async def test_the_child_gets_no_secret_of_the_environment_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:invented")
    program = (
        "import os, pathlib, sys; pathlib.Path(sys.argv[1]).write_text("
        "'\\n'.join([os.getcwd(), *os.environ, *os.environ.values()]))"
    )
    path = tmp_path / "seen"

    with pytest.raises(ChartError):
        await draw_chart(trend(1), dark=False, command=python(program, str(path)))

    folder, *seen = path.read_text().splitlines()
    assert "HOME" in seen
    assert seen.count(folder) == 1
    assert not [value for value in seen if "TELEGRAM" in value or "invented" in value]
    assert not await asyncio.to_thread(Path(folder).exists)
