"""The page of figures is written by the benchmarks: each has a block of its own."""

from bench.published import block, put

PAGE = "# Benchmarks\n\nText.\n"


def test_a_block_is_put_behind_its_title_and_replaced_by_the_next() -> None:
    first = block("cycle", "python -m bench.cycle", "| a |\n", "abc1234", 0.1)
    page = put(PAGE, "cycle", "Poll cycle", first)
    assert page.startswith(PAGE.rstrip())
    assert "## Poll cycle" in page
    assert "at abc1234" in page

    again = put(page, "cycle", "Poll cycle", block("cycle", "python", "| b \\1 |", "def5678", 2.0))
    assert "| a |" not in again
    assert "| b \\1 |" in again
    assert again.count("## Poll cycle") == 1


def test_text_around_a_block_stays() -> None:
    page = put(PAGE, "names", "Names", block("names", "python", "1", "abc1234", 0.0)) + "\nMore.\n"

    assert put(page, "names", "Names", block("names", "python", "2", "abc1234", 0.0)).endswith(
        "\nMore.\n"
    )
