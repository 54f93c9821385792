"""What a change of an article is, and how a chat hears of it: the tables of both decisions."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.alerts.changes import change_of, fashion, loudest, withdrawal
from bot.model.chats import Updates
from bot.model.entries import EntryKeys, KnownEntry, Revision
from bot.model.feeds import FeedDue, FeedState
from bot.model.stories import StoryIds
from bot.model.updates import ArticleChange, ChangeKind

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NO_KEYS = EntryKeys(b"", b"", b"")
MILL = "Mill fire kills 12"
EDIT, NOTE, ALERT = Updates.EDIT, Updates.NOTE, Updates.ALERT
WITHDRAWN, CORRECTED, PROGRESS = ChangeKind
PLAIN, STATUS = "https://mill.example/feed", "https://status.mill.example/history.atom"


def known(title: str, text: str = "", **more: Any) -> KnownEntry:
    return KnownEntry(1, 1, StoryIds(1, 1, 1), NO_KEYS, title, text, NOON, None, NOON, **more)


def changed(
    before: KnownEntry, title: str, text: str = "", url: str = PLAIN, **more: Any
) -> ArticleChange | None:
    retitled = title != before.title
    revision = Revision(before, title, text, "", NO_KEYS, NOON, retitled=retitled, **more)
    feed = FeedDue(1, url, "Mill", "Mill", (), None, FeedState(next_poll_at=NOON))
    return change_of(revision, feed)


@pytest.mark.parametrize(
    ("kind", "chosen", "can_change", "is_at_hand", "heard"),
    [
        # messages change, and the message is known
        (WITHDRAWN, None, True, True, EDIT), (CORRECTED, None, True, True, EDIT),
        (PROGRESS, None, True, True, EDIT), (WITHDRAWN, EDIT, True, True, EDIT),
        # it is not known which message that is: a withdrawal is not silent
        (WITHDRAWN, None, True, False, NOTE), (CORRECTED, EDIT, True, False, NOTE),
        (PROGRESS, None, True, False, EDIT),
        # messages never change: what was wrong is said, unless somebody chose otherwise
        (WITHDRAWN, None, False, True, NOTE), (CORRECTED, None, False, True, NOTE),
        (PROGRESS, None, False, True, EDIT), (WITHDRAWN, EDIT, False, True, EDIT),
        (CORRECTED, EDIT, False, False, EDIT),
        *[
            (kind, choice, can_change, is_at_hand, choice)
            for kind in ChangeKind for choice in (NOTE, ALERT)
            for can_change in (True, False) for is_at_hand in (True, False)
        ],
    ],
)  # fmt: skip
def test_how_a_chat_hears_of_a_change(
    kind: ChangeKind, chosen: Updates | None, heard: Updates, *, can_change: bool, is_at_hand: bool
) -> None:
    assert fashion(kind, chosen, can_change=can_change, is_at_hand=is_at_hand) is heard


@pytest.mark.parametrize(
    ("choices", "chosen"),
    [
        ([], None),
        ([None], None),
        ([None, EDIT], EDIT),
        ([EDIT, NOTE, None], NOTE),
        ([NOTE, ALERT, EDIT], ALERT),
    ],
)
def test_the_loudest_choice_counts(choices: list[Updates | None], chosen: Updates | None) -> None:
    assert loudest(choices) is chosen


@pytest.mark.parametrize(
    ("before", "title", "text", "kind"),
    [
        (known(MILL), f"WITHDRAWN: {MILL}", "", WITHDRAWN),
        (known(MILL), f"{MILL} [Retracted]", "", WITHDRAWN),
        (known(MILL), MILL, "This article has been withdrawn.", WITHDRAWN),
        (known(MILL), f"CORRECTED: {MILL}", "This article has been retracted.", WITHDRAWN),
        (known(f"CORRECTED: {MILL}"), f"WITHDRAWN: {MILL}", "", WITHDRAWN),
        (known(MILL), f"CORRECTED: {MILL}", "", CORRECTED),
        (known(MILL), f"{MILL} (corrected)", "", CORRECTED),
        (known(f"CORRECTED: {MILL}"), "CORRECTED: Mill fire kills 2", "", CORRECTED),
        (known(f"CORRECTED: {MILL}"), f"CORRECTED 2: {MILL}", "", CORRECTED),
        (known(MILL), MILL, "Two died. Correction: it was not twelve.", CORRECTED),
        (known(MILL), MILL, "This story was amended on 2 March.", CORRECTED),
        (known(MILL), MILL, "In einer früheren Version stand eine andere Zahl.", CORRECTED),
        (known(MILL), "Mill fire kills 14", "Fourteen died.", None),
        (known(f"WITHDRAWN: {MILL}"), f"RETRACTED: {MILL}", "", None),
        (known(f"WITHDRAWN: {MILL}"), f"WITHDRAWN: {MILL}", "It burned.", None),
        (known(MILL, "Correction: it was two."), MILL, "It burned. Correction: it was two.", None),
        (known(f"CORRECTED: {MILL}"), "Mill fire kills two", "", None),
    ],
)
def test_what_a_change_of_words_is(
    before: KnownEntry, title: str, text: str, kind: ChangeKind | None
) -> None:
    change = changed(before, title, text)
    assert (change and change.kind) == kind


def test_words_that_were_there_before_are_no_change() -> None:
    assert changed(known(MILL), f"CORRECTED: {MILL}", flips=True) is None


def test_a_correction_says_what_was_before_and_what_is_new() -> None:
    before = known(MILL, "The fire killed twelve workers.")
    change = changed(before, "CORRECTED: Mill fire kills 2", "The fire killed two workers.")
    assert change is not None
    assert (change.title, change.before) == ("Mill fire kills 2", MILL)
    assert change.text == "The fire killed two workers."
    body = "Long text. Correction: two died, not 12."
    in_body = changed(before, MILL, before.summary, body=body)
    assert in_body is not None
    assert (in_body.before, in_body.text) == ("", "Correction: two died, not 12.")


def test_each_way_to_withdraw_is_the_same_change() -> None:
    before = known(MILL)
    ways = [
        withdrawal(before),
        changed(before, f"WITHDRAWN: {MILL}"),
        changed(before, MILL, "This article has been retracted."),
    ]
    assert len({item.mark for item in ways if item}) == 1


def test_a_correction_with_other_words_is_another_change() -> None:
    titles = {
        "CORRECTED: Mill fire kills 2": 1, "Corrected - Mill fire kills 2.": 1,
        "Mill fire kills 2 (corrected)": 1, "CORRECTED 2: Mill fire kills 2": 2,
        "CORRECTED: Mill fire kills 3": 3,
    }  # fmt: skip
    marks = {title: change.mark for title in titles if (change := changed(known(MILL), title))}
    assert marks.keys() == titles.keys()
    assert len(set(marks.values())) == 3
    assert all(
        (marks[title] == marks[other]) == (titles[title] == titles[other])
        for title in titles
        for other in titles
    )


@pytest.mark.parametrize(
    ("before", "title", "text", "url", "told"),
    [
        # a status page with plain words: any other text is an update
        (known("API", "It fails."), "API", "It works.", STATUS, ("", "It works.")),
        (known("API", "It fails."), "API", "It works.", PLAIN, None),
        # a status before the headline
        (known("[Investigating] API", "It fails."), "[Resolved] API", "It works.", STATUS,
         ("Resolved", "It works.")),
        (known("[Investigating] API"), "[Resolved] API", "", PLAIN, ("Resolved", "")),
        # the same status again, of another text
        (known("Monitoring: API", "We watch."), "Monitoring: API", "Still we watch.", STATUS,
         ("Monitoring", "Still we watch.")),
        # the wording of an old update
        (known("API", "12:01 UTC Monitoring - We wach."), "API", "12:01 UTC Monitoring - We watch.",
         STATUS, None),
    ],
)  # fmt: skip
def test_an_update_of_an_incident(
    before: KnownEntry, title: str, text: str, url: str, told: tuple[str, str] | None
) -> None:
    change = changed(before, title, text, url)
    assert (change and (change.kind, change.status, change.text)) == (told and (PROGRESS, *told))


def test_an_update_under_a_headline_that_comes_back_is_told() -> None:
    """The headline is one that it had, and its text has an update that nobody saw."""
    second = "12:01 UTC Monitoring - We watch."
    before = known("[Monitoring] API", second, earlier=(("[Investigating] API", "We look."),))
    text = f"12:09 UTC Investigating - It fails again. {second}"
    change = changed(before, "[Investigating] API", text, flips=True)
    assert change is not None
    assert (change.status, change.text) == ("Investigating", "It fails again.")
