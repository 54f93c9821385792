"""What people write as the address of a Telegram channel, and the form that is kept of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples

from bot.search import asked
from bot.text.channel_link import (
    canonical_channel,
    channel_name,
    followed_channel,
    is_misnamed_channel,
    is_private_channel,
    post_link,
    publisher_of,
)

KEPT = "https://t.me/s/euphrates_post"


@pytest.mark.parametrize(
    "text",
    [
        "@Euphrates_Post",
        "t.me/euphrates_post",
        "https://t.me/s/euphrates_post",
        "http://www.t.me/EUPHRATES_POST/",
        "https://t.me/euphrates_post/77?single",
        "https://t.me/s/euphrates_post?before=20",
        "https://telegram.me/euphrates_post",
        "euphrates_post.t.me",
    ],
)
def test_all_spellings_of_a_channel_are_the_same_address(text: str) -> None:
    assert canonical_channel(text) == KEPT
    assert followed_channel(canonical_channel(text)) == "euphrates_post"


@pytest.mark.parametrize(
    "text",
    [
        "@ab",
        "@deir-ez-zor",
        "euphrates_post",
        "https://t.me/",
        "https://t.me/+AbCdEf",
        "https://t.me/joinchat/AbCdEf",
        "https://t.me/c/123456/7",
        "https://t.me/addstickers/cats",
        "https://t.me.example/euphrates_post",
        "https://news.example/t.me/euphrates_post",
        "ftp://t.me/euphrates_post",
        "mailto:desk@t.me",
        "https://[t.me/euphrates_post",
    ],
)
def test_anything_else_is_no_channel(text: str) -> None:
    assert channel_name(text) == ""
    assert canonical_channel(text) == text


@pytest.mark.parametrize(
    ("text", "is_misnamed"),
    [
        ("@x", True),
        ("@deir-ez-zor", True),
        ("@", True),
        ("@" + 33 * "a", True),
        ("t.me/x", True),
        ("https://t.me/s/1st_wire", True),
        ("x.t.me", True),
        ("@coast_radio", False),
        ("https://t.me/+AbCdEf", False),
        ("https://t.me/joinchat/AbCdEf", False),
        ("https://t.me/", False),
        ("https://t.me/s/", False),
        ("https://news.example/@x", False),
        ("", False),
    ],
)
def test_a_name_that_no_channel_can_have_is_told_from_other_addresses(
    text: str, is_misnamed: bool
) -> None:
    assert is_misnamed_channel(text) is is_misnamed


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=60))
def test_no_text_raises_and_the_kept_form_is_final(text: str) -> None:
    kept = canonical_channel(text)

    assert canonical_channel(kept) == kept
    assert isinstance(is_private_channel(text), bool)
    assert isinstance(post_link(text), str)


def test_what_only_members_can_open_is_told_apart() -> None:
    private = ("https://t.me/+AbCdEf", "t.me/joinchat/AbCdEf", "https://t.me/c/123456/7")

    assert all(map(is_private_channel, private))
    assert not any(map(is_private_channel, ("@euphrates_post", KEPT, "https://example.org/c/1")))


def test_a_post_has_a_single_link_and_a_channel_counts_for_itself() -> None:
    assert post_link("https://t.me/s/Euphrates_Post/7") == "https://t.me/euphrates_post/7"
    assert post_link("https://t.me/euphrates_post") == ""
    assert publisher_of(KEPT, "t.me") == "@euphrates_post"
    assert publisher_of("https://herald.example/feed", "herald.example") == "herald.example"


def test_a_post_is_asked_for_by_any_of_its_addresses() -> None:
    for text in (
        "https://t.me/s/Euphrates_Post/7",
        "t.me/euphrates_post/7?single",
        "telegram.me/euphrates_post/7",
    ):
        assert asked.read(f"why {text} ?").links == ("https://t.me/euphrates_post/7",)
