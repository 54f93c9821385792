"""What most texts of a feed have in one place is learnt, and taken out of each."""

from dataclasses import replace

import pytest

from bot.feeds.boilerplate import Boilerplate
from bot.model.entries import ParsedEntry

SUBJECTS = (
    "Ferry runs aground off Kestrel",
    "Council votes on the tram line",
    "Painter freed by the appeal court",
    "Pears are ripe on the coast",
    "Museum returns bronze masks to Varra",
    "Quarry floods after pumps fail",
    "Orchard of Galt is sold",
    "Archive opens its oldest rooms",
)
SLOGAN = "Support our newsroom with three coins a month"
BYLINE = "By the night desk of Lindholm —"


def entry(title: str, summary: str = "") -> ParsedEntry:
    return ParsedEntry(b"", title, "", title, summary)


def learnt(entries: list[ParsedEntry], before: Boilerplate | None = None) -> list[ParsedEntry]:
    known = (before or Boilerplate()).learn(entries)
    return list(known.without(entries))


def text_of(subject: str) -> str:
    return f"{subject}, people said: {' '.join(reversed(subject.split()))}."


def test_a_slogan_behind_and_a_byline_before_each_text_are_taken_out() -> None:
    texts = [entry(subject, f"{BYLINE} {text_of(subject)} {SLOGAN}") for subject in SUBJECTS]
    assert [each.summary for each in learnt(texts)] == list(map(text_of, SUBJECTS))


def test_what_the_headlines_begin_with_stays_in_them_and_not_in_their_core() -> None:
    entries = learnt([entry(f"POL-Galt: (G) Galt - {subject}") for subject in SUBJECTS])
    assert [each.core for each in entries] == list(SUBJECTS)
    assert entries[0].title == f"POL-Galt: (G) Galt - {SUBJECTS[0]}"


def test_it_is_learnt_over_many_documents() -> None:
    known = Boilerplate()
    for subject in SUBJECTS[:5]:
        known = Boilerplate.read(known.learn([entry(subject, f"{subject} {SLOGAN}")]).written())
    (last,) = known.without([entry("x", f"{SUBJECTS[6]} {SLOGAN}")])
    assert last.summary == SUBJECTS[6]


def test_a_subject_of_every_day_is_no_boilerplate() -> None:
    texts = [
        entry(
            subject,
            f"{' '.join(subject.split()[: number % 4])} the harbour strike of Tarvos {subject}",
        )
        for number, subject in enumerate(SUBJECTS)
    ]
    assert learnt(texts) == texts


def test_what_a_third_of_the_entries_share_stays() -> None:
    texts = [
        entry(subject, f"{subject} {SLOGAN if number % 3 == 0 else text_of(subject)}")
        for number, subject in enumerate(SUBJECTS * 3)
    ]
    assert learnt(texts) == texts


def test_a_text_never_becomes_empty() -> None:
    texts = [entry(subject, SLOGAN) for subject in SUBJECTS]
    assert all(each.summary for each in learnt(texts))


def test_an_agency_that_each_text_credits_stays() -> None:
    credit = "This report is by Reuters and others"
    texts = [entry(subject, f"{text_of(subject)} {credit}") for subject in SUBJECTS]
    assert learnt(texts) == texts


def test_a_habit_that_ended_is_forgotten() -> None:
    known = Boilerplate().learn([entry(s, f"{s} {SLOGAN}") for s in SUBJECTS * 3])
    known = known.learn(
        [entry(f"{s} {n}", text_of(f"{s} {n}")) for n in range(8) for s in SUBJECTS]
    )
    last = entry("x", f"{SUBJECTS[0]} {SLOGAN}")
    assert known.without([last]) == (last,)


@pytest.mark.parametrize("words", [1, 30, 400])
def test_what_is_kept_of_a_feed_is_bounded(words: int) -> None:
    known = Boilerplate()
    for number in range(300):
        text = " ".join(f"word{number}x{place}" for place in range(words))
        known = known.learn([entry(text[:300], text)])
    assert len(known.written()) < 5000


def test_the_written_form_is_read_back() -> None:
    known = Boilerplate().learn([entry(s, f"{s} {SLOGAN}") for s in SUBJECTS])
    assert Boilerplate.read(known.written()) == known
    assert Boilerplate.read("") == Boilerplate()


def test_nothing_else_of_an_entry_changes() -> None:
    known = Boilerplate().learn([entry(s, f"{s} {SLOGAN}") for s in SUBJECTS])
    before = entry("A headline", f"{SUBJECTS[0]} {SLOGAN}")
    (after,) = known.without([before])
    assert replace(after, summary=before.summary) == before
