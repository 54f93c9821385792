"""Updates of incidents, as status pages write them into the text of an entry."""

import pytest

from bot.text.incident import (
    changed_part,
    incident_updates,
    is_status_page,
    newest,
    without_status,
)

FIRST = "Jun 5, 13:50 UTC Investigating - Calls to the harbour API fail."
SECOND = "Jun 5, 14:01 UTC Monitoring - A fix is in place."
THIRD = "Jun 5, 14:32 UTC Resolved - All calls work again."
TITLE = "Harbour API errors"


def said(title: str, text: str, *, status_page: bool = False) -> list[tuple[str, str]]:
    updates = incident_updates(title, text, status_page=status_page)
    return [(update.status, update.text) for update in updates]


@pytest.mark.parametrize("status_page", [False, True])
def test_updates_with_times_are_read_in_the_order_of_the_text(*, status_page: bool) -> None:
    assert said(TITLE, f"{THIRD} {SECOND} {FIRST}", status_page=status_page) == [
        ("Resolved", "All calls work again."),
        ("Monitoring", "A fix is in place."),
        ("Investigating", "Calls to the harbour API fail."),
    ]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("[14:32 UTC] Resolved: all is well.", "Resolved"),
        ("Identified (14:32 CET): a cable was cut.", "Identified"),
        ("Mitigated at 14:32 UTC - traffic goes another way.", "Mitigated"),
        ("2026-03-02 14:32 UTC – Monitoring: we watch.", "Monitoring"),
        ("Mar 2, 2:32 PM PST Partially Resolved - most calls work.", "Partially Resolved"),
        ("Mar 02, 14:32:10 GMT+0 Investigating - calls fail.", "Investigating"),
        ("2. März, 14:32 Behoben - alles läuft.", "Behoben"),
        ("2 mar 14:32 Resuelto: todo funciona.", "Resuelto"),
        ("14:32 Устранено — всё работает.", "Устранено"),
        ("14:32 Усунено — усе працює.", "Усунено"),
        ("14:32 تم الحل: كل شيء يعمل.", "تم الحل"),
    ],
)  # fmt: skip
def test_spellings_of_an_update(text: str, status: str) -> None:
    assert [found for found, _ in said(TITLE, text)] == [status]


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Minister resigns", "12:05 Update - The minister speaks. 12:01 Update: a crowd gathers."),
        ("UPDATE: Mill burns", "The mill burns since 14:32."),
        ("[Update] Mill burns", "Firefighters resolved to go on. Identified: two of the dead."),
        ("Strike resolved: ferries sail at 14:32", "It was resolved at noon."),
        ("Monitoring: how states watch", "A study of monitoring - and of its cost."),
    ],
)
def test_news_is_no_incident(title: str, text: str) -> None:
    assert said(title, text) == []


def test_a_status_page_may_leave_times_out() -> None:
    text = "Resolved - All works. Monitoring - We watch."
    assert said(TITLE, text, status_page=True) == [
        ("Resolved", "All works."), ("Monitoring", "We watch."),
    ]  # fmt: skip
    assert said("RESOLVED: API errors", "All works.", status_page=True) == [("RESOLVED", "")]
    assert said("[Resolved] API errors", "All works.") == [("Resolved", "")]


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (FIRST, f"{SECOND} {FIRST}", "Monitoring"),
        (FIRST, f"{FIRST} {SECOND}", "Monitoring"),
        (FIRST, f"{THIRD} {SECOND} {FIRST}", "Resolved"),
        (FIRST, f"{FIRST} {SECOND} {THIRD}", "Resolved"),
        (f"{SECOND} {FIRST}", f"{SECOND} {FIRST}", None),
        (FIRST, FIRST.replace("fail", "fall"), None),  # the wording of an old update
        ("", FIRST, "Investigating"),
    ],
)
def test_the_newest_update_is_found_whichever_way_a_page_writes(
    before: str, after: str, status: str | None
) -> None:
    found = newest(
        incident_updates(TITLE, before, status_page=False),
        incident_updates(TITLE, after, status_page=False),
    )
    assert (found and found.status) == status


@pytest.mark.parametrize(
    ("url", "tags", "is_one"),
    [
        ("https://status.harbour.example/history.atom", (), True),
        ("https://www.harbourstatus.example/history.rss", (), True),
        ("https://harbour.statuspage.io/history.atom", (), True),
        ("https://harbour.example/incidents.rss", ("Status",), True),
        ("https://harbour.example/incidents.rss", ("coast",), False),
        ("https://harbour.example/status/feed", (), False),
        ("https://statusquo.example/feed", (), False),
        ("https://[broken", (), False),
    ],
)
def test_a_status_page_is_known_by_its_host_or_a_tag(
    url: str, tags: tuple[str, ...], *, is_one: bool
) -> None:
    assert is_status_page(url, tags) is is_one


def test_a_headline_without_its_status() -> None:
    assert without_status("[Resolved] API errors", status_page=False) == "API errors"
    assert without_status("RESOLVED: API errors", status_page=True) == "API errors"
    assert without_status("RESOLVED: API errors", status_page=False) == "RESOLVED: API errors"
    assert without_status("[Resolved]", status_page=True) == "[Resolved]"


def test_the_part_of_a_text_that_changed() -> None:
    before = "We look into it. " + "Calls fail in the north. " * 30
    after = before + "All calls work again since noon."
    assert changed_part(before, after).endswith("All calls work again since noon.")
    assert changed_part(before, after).startswith("…")
    assert changed_part("", "All works.") == "All works."
    assert changed_part("All works.", "") == ""
