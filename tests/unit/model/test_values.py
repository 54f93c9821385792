"""What values say of themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Mistake, QueryError
from bot.model.archive import StoredEntry
from bot.model.chats import Chat, ChatKind, ChatSettings
from bot.model.delivery import Delivery, DeliveryKind
from bot.model.entries import Article
from bot.model.stories import Grouping, StoryIds

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_settings_are_completed_by_others_and_false_values_count_as_chosen() -> None:
    chosen = ChatSettings(language="uk", quiet=(0, 0), digest_at=(), digest_from=0)
    others = ChatSettings("de", "Europe/Berlin", (1, 2), (3,), 4)
    assert chosen.over(others) == ChatSettings("uk", "Europe/Berlin", (0, 0), (), 0)
    assert others.over(chosen) == others


def test_story_ids_name_a_story_at_each_level() -> None:
    assert [StoryIds(1, 2, 3).at(level) for level in Grouping] == [1, 2, 3]


@pytest.mark.parametrize(
    ("published", "at"), [(None, NOON), (NOON - HOUR, NOON - HOUR), (NOON + HOUR, NOON)]
)
def test_an_entry_came_when_it_was_published_at_the_latest_when_it_was_seen(
    published: datetime | None, at: datetime
) -> None:
    assert StoredEntry(1, 1, Article("A headline"), published, NOON, None).at == at


def test_a_copy_of_what_may_have_arrived_is_a_repeat_and_so_are_its_edits() -> None:
    chat = Chat(1, "Ann", ChatKind.TELEGRAM, 7, 0)
    alert = Delivery(1, DeliveryKind.ALERT, chat, 1, 0, plain=False)
    assert not alert.repeat
    assert replace(alert, doubts=1).repeat
    assert replace(alert, kind=DeliveryKind.NOTICE, doubts=1).repeat
    assert replace(alert, kind=DeliveryKind.EDIT, marked=True).repeat
    assert not replace(alert, kind=DeliveryKind.EDIT, doubts=1).repeat
    assert not replace(alert, kind=DeliveryKind.REPLY, edits=True, doubts=1).repeat


def test_groups_have_negative_addresses() -> None:
    assert Chat(1, "Group", ChatKind.TELEGRAM, -10, 0).is_group
    assert not Chat(1, "Ann", ChatKind.TELEGRAM, 7, 0).is_group


def test_a_mistake_is_shown_as_editors_understand_it() -> None:
    mistake = Mistake(3, 7, "feeds[0].url", "not a URL")
    assert mistake.at("feeds.yaml") == "feeds.yaml:3:7 feeds[0].url: not a URL"


def test_a_query_error_stays_on_one_line_in_every_language_and_points_at_its_position() -> None:
    error = QueryError("a\nb", 2, "The word “{word}”\nis too long.", word="b")
    assert error.message == "The word “b” is too long."
    assert error.translated(lambda text, **values: text.format(**values).upper()) == (
        "THE WORD “B” IS TOO LONG."
    )
    assert error.caret() == "a b\n  ^"
