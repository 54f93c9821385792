"""What two phoneme strings hold tells apart no two that are close."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import SEED, amount, examples

from bot.names.edit_distance import NO_MATCH, distance
from bot.names.phoneme_content import ALL, OF_TEXT, STEPS, allowance, between, content, steps
from bot.names.phonemes import ABJAD, PLAIN, SYLLABIC, gap_costs

MODES = (PLAIN, ABJAD, SYLLABIC, ABJAD + SYLLABIC)
SYMBOLS = tuple(gap_costs(PLAIN))
STRINGS = st.text(st.sampled_from(SYMBOLS), min_size=1, max_size=8)
FAR = 9.0  # more than any limit, less than the highest limit of an allowance


@given(STRINGS, STRINGS, st.sampled_from(MODES))
@settings(max_examples=examples(300), deadline=None)
def test_a_name_allows_any_for_whatever_is_within_the_limit(
    name: str, text: str, mode: int
) -> None:
    cost = distance(name, text, mode, FAR)
    if cost < NO_MATCH:
        left = allowance(name, mode, cost)
        assert (left + content(text, mode)) & ALL == ALL
        assert (left - STEPS[steps(cost) - steps(0.0)] + content(name, mode)) & ALL == ALL
        for end in range(len(text)):
            assert (left + content(text[:end], mode)) & OF_TEXT == OF_TEXT


@pytest.mark.parametrize("mode", MODES)
def test_a_name_allows_any_for_its_spellings(mode: int) -> None:
    """Strings that differ in a symbol or two, of which many are close."""
    chance, close = Random(SEED), 0
    for _ in range(amount(2000, 200_000)):
        name = "".join(chance.choices(SYMBOLS, k=chance.randrange(1, 9)))
        changed = list(name)
        for _ in range(chance.randrange(3)):
            place = chance.randrange(len(changed) + 1)
            changed[place : place + chance.randrange(2)] = chance.choices(
                SYMBOLS, k=chance.randrange(2)
            )
        text = "".join(changed) or "a"
        cost = distance(name, text, mode, 1.2)
        close += 0 < cost < NO_MATCH
        if cost < NO_MATCH:
            assert (allowance(name, mode, cost) + content(text, mode)) & ALL == ALL, (name, text)
    assert close > 50


def test_other_sounds_are_not_allowed() -> None:
    for name, text in (("donetsk", "berlin"), ("kiv", "kirv"), ("anton", "anna"), ("a", "12")):
        assert (allowance(name, PLAIN, 0.5) + content(text, PLAIN)) & ALL != ALL


def test_what_is_between_two_texts_allows_any_where_any_text_between_them_has() -> None:
    run = "barakoSama"
    least, most = content(run[:3], SYLLABIC), content(run, SYLLABIC)
    for end in range(3, len(run) + 1):
        name = allowance(run[:end], SYLLABIC, 0.1)
        assert (name + content(run[:end], SYLLABIC)) & ALL == ALL
        assert (name + between(least, most)) & ALL == ALL
    assert (allowance("moskva", SYLLABIC, 0.5) + between(least, most)) & ALL != ALL
