"""What a benchmark says of an aim, beside its figure."""

from bench.aims import Aim, table


def test_a_figure_at_its_limit_meets_the_aim_on_either_side() -> None:
    assert Aim("a start", "s", 3.0, 3.0).is_met
    assert Aim("entries", "a second", 500.0, 500.0, at_least=True).is_met


def test_the_factor_says_how_much_is_missing_on_either_side() -> None:
    assert "| 4.5 | missed by a factor of 1.50 |" in Aim("a start", "s", 3.0, 4.5).row
    assert "| 250 | missed by a factor of 2.00 |" in (
        Aim("entries", "a second", 500.0, 250.0, at_least=True).row
    )


def test_an_aim_that_was_not_measured_is_not_in_the_table() -> None:
    assert table([Aim("a start", "s", 3.0, None)]) == ""
    assert table([Aim("a start", "s", 3.0, None), Aim("memory", "MB", 90.0, 80.0)]).count("|") == 12
