"""The live window of stories, with invented headlines."""

import csv
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.story_scores import Scores
from bot.model.stories import Grouping, Placement, Report, StoryIds
from bot.stories.assign import Merges
from bot.stories.window import Window

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAIRS = Path(__file__).parent / "story_pairs.tsv"

FERRY = (
    (
        "Ferry runs aground off Kestrel Bay with 200 aboard",
        "The Tamsin Star struck a reef near Kestrel Bay on Monday morning, the coast guard said.",
    ),
    (
        "Tamsin Star ferry aground near Kestrel Bay, 200 on board",
        "Coast guard boats are taking passengers off the ferry, which struck a reef on Monday.",
    ),
    (
        "Passengers taken off ferry stranded on Kestrel Bay reef",
        "The Tamsin Star ran aground with 200 people aboard; the coast guard says nobody is hurt.",
    ),
    (
        "200 rescued from the ferry Tamsin Star off Kestrel Bay",
        "Boats of the coast guard brought all passengers ashore after the ferry hit a reef.",
    ),
)
OTHERS = (
    (
        "Dunmore council approves the tram line to Old Varra",
        "Councillors voted 31 to 12 for the line after a debate of nine hours.",
    ),
    (
        "Grain exchange of Lindholm closes early after a fire alarm",
        "Trading in wheat contracts resumes on Tuesday, the exchange said.",
    ),
    (
        "Appeal court frees the painter Ilse Varn",
        "Judges found that letters used against the painter had been forged.",
    ),
    (
        "Record harvest of pears on the Tamsin coast",
        "Growers expect 40,000 tonnes, a third more than last year.",
    ),
    (
        "Museum of Port Ilse returns bronze masks",
        "Nine masks go back to the highland villages they were taken from.",
    ),
    (
        "Chess: Orla Denn wins the Kestrel Open",
        "She drew her last game and finished half a point ahead.",
    ),
)


class Stream:
    """Entries with consecutive ids, a minute apart unless a time is given."""

    def __init__(self) -> None:
        self.window = Window()
        self.placements: list[Placement] = []

    def add(
        self,
        title: str,
        summary: str = "",
        *,
        publisher: str = "",
        at: datetime | None = None,
        language: str = "en",
        link: bytes = b"",
    ) -> Placement:
        number = len(self.placements) + 1
        time = at or NOON + timedelta(minutes=number)
        report = Report(
            number, title, summary, language, publisher or f"Publisher {number}", time, link
        )
        self.placements.append(self.window.add(report))
        return self.placements[-1]

    def add_all(self, texts: Sequence[tuple[str, str]], *, language: str = "en") -> list[Placement]:
        return [self.add(title, summary, language=language) for title, summary in texts]


@pytest.fixture
def stream() -> Stream:
    """A stream that begins with entries about other events."""
    stream = Stream()
    stream.add_all(OTHERS)
    return stream


PEOPLE = (
    "Arlen Bosk,Mira Tolland,Jory Pell,Sanna Wick,Teo Lanz,Vera Quist,Odo Marsh,Ilka Brand"
).split(",")
PLACES = "Dunmore Lindholm Varra Kestrel Ilse Tamsin Orrin Galt Hollow Brisk".split()
VERBS = "opens closes sells defends visits loses rebuilds inspects buys blames".split()
THINGS = (
    "harbour bridge market museum tramway quarry brewery lighthouse school archive dam orchard"
).split()
OTHER_WORDS = (
    "council workers price storm court vote strike permit engineer debt winter crowd letter plan "
    "union budget flood report"
).split()


class Event(NamedTuple):
    """An invented event and the words in which it is reported."""

    person: str
    verb: str
    thing: str
    place: str
    words: list[str]


def generated_reports(count: int, seed: int = 7) -> list[Report]:
    """Reports of events in varying words over five days, not strictly in order of time.

    Some have headlines of a daily series, some share links.
    """
    chance = random.Random(seed)
    events = [
        Event(
            chance.choice(PEOPLE),
            chance.choice(VERBS),
            chance.choice(THINGS),
            chance.choice(PLACES),
            chance.sample(OTHER_WORDS, 6),
        )
        for _ in range(count // 4)
    ]
    reports: list[Report] = []
    for number in range(1, count + 1):
        recent = int(number / 4 + chance.triangular(-12, 4, 0)) if number > 48 else number // 4
        event = events[min(len(events) - 1, recent)]
        title = (
            f"{event.person} {event.verb} {event.thing} in {event.place}"
            if chance.random() < 0.6
            else f"{event.place}: {event.thing} {chance.choice(event.words)} after {event.person} "
            f"{event.verb}"
        )
        if chance.random() < 0.05:
            title = f"Evening notes from {event.place}, May {number % 28 + 1}"
        summary = (
            f"{event.person} and the {event.thing} of {event.place}: "
            + " ".join(chance.sample(event.words, 4))
            + f" {chance.choice(OTHER_WORDS)} {chance.randrange(9)}"
        )
        at = NOON + timedelta(hours=120 * number / count - chance.random() * 3)
        link = bytes([number % 250, 7]) if chance.random() < 0.1 else b""
        publisher = f"Publisher {chance.randrange(12)}"
        reports.append(Report(number, title, summary, "en", publisher, at, link))
    return reports


def stored(reports: Sequence[Report], window: Window) -> list[tuple[Report, StoryIds]]:
    """What a store contains after these reports: each with its stories after all merges."""
    placements = [window.add(report) for report in reports]
    merges = Merges.of(merge for placement in placements for merge in placement.merges)
    return [
        (report, merges.resolve(placement.story_ids))
        for report, placement in zip(reports, placements, strict=True)
    ]


def test_reports_of_one_event_are_one_story_and_other_events_stay_apart(stream: Stream) -> None:
    placements = stream.add_all(FERRY)
    assert {placement.story_ids.story for placement in placements} == {placements[0].id}
    others = stream.placements[: len(OTHERS)]
    assert {placement.story_ids.story for placement in others} == {1, 2, 3, 4, 5, 6}


def test_a_placement_names_its_two_best_pairs_as_the_reason(stream: Stream) -> None:
    placements = stream.add_all(FERRY)
    assert placements[0].pairs == ()
    assert len(placements[-1].pairs) == 2
    first, second = placements[-1].pairs
    assert first.score >= second.score > 0
    assert {first.reason, second.reason} == {"words"}
    assert {first.other, second.other} <= {placement.id for placement in placements[:-1]}


def test_a_strict_story_lies_within_a_story_and_a_story_within_a_storyline() -> None:
    window = Window()
    story_of_strict: dict[int, int] = {}
    storyline_of_story: dict[int, int] = {}
    merged = 0
    for report, ids in stored(generated_reports(600), window):
        assert ids.strict <= report.id
        assert story_of_strict.setdefault(ids.strict, ids.story) == ids.story
        assert storyline_of_story.setdefault(ids.story, ids.storyline) == ids.storyline
        merged += ids.storyline < ids.story
    assert merged


def test_entries_with_the_same_link_share_a_story_whatever_their_headlines(stream: Stream) -> None:
    first = stream.add("Lantern parade draws thousands", publisher="A", link=b"one")
    second = stream.add("An evening nobody in Galt will forget", publisher="B", link=b"one")
    assert second.story_ids == first.story_ids
    assert second.pairs[0].reason == "link"


def test_a_link_under_several_headlines_of_one_publisher_joins_nothing(
    stream: Stream,
) -> None:
    stream.add("Lantern parade draws thousands", publisher="A", link=b"page")
    second = stream.add("Quarry of Orrin to be flooded", publisher="A", link=b"page")
    third = stream.add("Mayor of Brisk resigns over parking fines", publisher="B", link=b"page")
    assert second.story_ids.story == second.id
    assert third.story_ids.story == third.id


def test_an_equal_headline_at_another_publisher_is_the_same_story_and_a_copy(
    stream: Stream,
) -> None:
    first = stream.add("Quarry of Orrin to be flooded", publisher="A")
    second = stream.add(
        "QUARRY OF ORRIN TO BE FLOODED!", "Words of its own, all of them different.", publisher="B"
    )
    assert second.story_ids == first.story_ids
    assert (second.copy_of, second.pairs[0].reason) == (first.id, "headline")


def test_an_equal_headline_of_two_words_joins_nothing(stream: Stream) -> None:
    stream.add("Breaking news", "A quarry is flooded in Orrin.", publisher="A")
    second = stream.add("Breaking news", "The mayor of Brisk has resigned.", publisher="B")
    assert second.story_ids.story == second.id


def test_a_nearly_equal_text_at_another_publisher_is_a_copy(stream: Stream) -> None:
    title, summary = FERRY[0]
    first = stream.add(title, summary, publisher="Agency")
    changed = stream.add(f"{title}, coast guard says", summary, publisher="Herald")
    own = stream.add(*FERRY[1], publisher="Third")
    assert changed.copy_of == first.id
    assert own.copy_of == 0
    assert own.story_ids.story == first.id


def test_digests_join_no_story_even_when_they_name_an_event(stream: Stream) -> None:
    stream.add_all(FERRY)
    digest = stream.add("Morning news brief: ferry aground off Kestrel Bay", FERRY[0][1])
    assert digest.story_ids == StoryIds(digest.id, digest.id, digest.id)
    after = stream.add("Morning news brief: ferry aground off Kestrel Bay", publisher="Another")
    assert after.story_ids.story == after.id


def test_a_live_page_joins_the_storyline_only(stream: Stream) -> None:
    placements = stream.add_all(FERRY[:2])
    live = stream.add("Ferry aground off Kestrel Bay - live updates", FERRY[0][1])
    assert live.story_ids.story == live.id
    assert live.story_ids.storyline == placements[0].story_ids.storyline


def test_the_headlines_of_a_daily_series_stay_apart(stream: Stream) -> None:
    stream.add(
        "Harbour prices on May 4: herring and cod",
        "Herring 4.20, cod 7.10 a kilo.",
        publisher="Herald",
    )
    second = stream.add(
        "Harbour prices on May 5: herring and cod",
        "Herring 4.30, cod 7.00 a kilo.",
        publisher="Herald",
        at=NOON + 25 * HOUR,
    )
    assert second.story_ids.storyline == second.id


def test_an_entry_is_in_the_window_for_three_days() -> None:
    stream = Stream()
    stream.add_all(FERRY)
    late = stream.add(*FERRY[1], publisher="Late", at=NOON + 70 * HOUR)
    assert late.story_ids.story != late.id or late.story_ids.storyline == 1
    gone = stream.add(*FERRY[2], publisher="Later", at=NOON + 200 * HOUR)
    assert gone.story_ids.storyline == gone.id
    assert len(stream.window) == 1


def test_an_old_entry_does_not_move_the_window_back() -> None:
    stream = Stream()
    stream.add_all(FERRY)
    stream.add("Something else at Galt", at=NOON + 200 * HOUR)
    stream.add("Old ferry news", at=NOON - 200 * HOUR)
    stream.add("And now to Hollow", at=NOON + 201 * HOUR)
    assert len(stream.window) == 2


@pytest.mark.parametrize("cut", [1, 40, 150, 299, 300, 420])
def test_a_restored_window_continues_as_if_it_had_never_stopped(cut: int) -> None:
    whole = generated_reports(450)
    window = Window()
    rows = stored(whole[:cut], window)
    restored = Window()
    newest = max(report.at for report, _ in rows)
    for report, story_ids in rows:
        if report.at >= newest - timedelta(hours=72):  # what a store would return
            restored.restore(report, story_ids)
    assert [window.add(report) for report in whole[cut:]] == [
        restored.add(report) for report in whole[cut:]
    ]
    assert len(window) == len(restored)


def story_by_report(reports: Sequence[Report]) -> dict[int, int]:
    """The story of each report by the report's id, with the reports added in the given order."""
    numbered = [replace(report, id=number) for number, report in enumerate(reports, 1)]
    return {
        report.id: story_ids.story
        for report, (_, story_ids) in zip(reports, stored(numbered, Window()), strict=True)
    }


def test_the_order_within_a_minute_hardly_matters() -> None:
    """The F1 of pairs in one story is above 0.95 between two orders."""
    reports = sorted(generated_reports(400), key=lambda report: report.at)
    stories = story_by_report(reports)
    for seed in range(3):
        chance = random.Random(seed)
        shuffled = sorted(
            reports,
            key=lambda report: (report.at.replace(second=0, microsecond=0), chance.random()),
        )
        other_stories = story_by_report(shuffled)
        scores = Scores.of(
            [stories[report.id] for report in reports],
            [other_stories[report.id] for report in reports],
        )
        assert scores.f1 > 0.95


def test_an_entry_that_is_similar_to_two_similar_stories_merges_them() -> None:
    merged = [
        merge
        for number in range(6)
        for placement in map(Window().add, generated_reports(600, number))
        for merge in placement.merges
    ]
    assert merged
    assert all(merge.kept < merge.gone for merge in merged)
    assert {merge.grouping for merge in merged} <= {Grouping.NORMAL, Grouping.LOOSE}


def test_bare_headlines_of_one_word_bring_no_stories_together() -> None:
    stream = Stream()
    first = stream.add("Harbour Tolvane Brisk Ormund Kessel Vane")
    second = stream.add("Harbour Quiddany Pellow Ashgrave Tarn Holt")
    for summary in ("harbour", "", "harbour harbour"):
        stream.add("Harbour", summary, publisher="Short")
    assert not any(placement.merges for placement in stream.placements)
    assert first.story_ids.story != second.story_ids.story


@pytest.mark.parametrize("seed", range(25))
def test_no_entry_merges_stories_whose_openers_share_nothing(seed: int) -> None:
    """The first headlines are what a chat has seen of the two."""
    chance = random.Random(seed)
    first, second = THINGS[:6], THINGS[6:]
    stream = Stream()
    stream.add(" ".join(first))
    stream.add(" ".join(second))
    for _ in range(6):
        stream.add(" ".join(chance.sample(first, 3) + chance.sample(second, 3)))
    assert not any(
        (merge.kept, merge.gone) == (1, 2)
        for placement in stream.placements
        for merge in placement.merges
    )


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [
        (
            "ru",
            (
                "Паром сел на мель у бухты Кестрел",
                "На борту «Звезды Тамсина» двести пассажиров, сообщила береговая охрана.",
            ),
            (
                "У бухты Кестрел сел на мель паром с пассажирами",
                "Береговая охрана снимает людей с парома «Звезда Тамсина».",
            ),
        ),
        (
            "uk",
            (
                "Пором сів на мілину біля бухти Кестрел",
                "На борту «Зірки Тамсіна» двісті пасажирів, повідомила берегова охорона.",
            ),
            (
                "Біля бухти Кестрел сів на мілину пором із пасажирами",
                "Берегова охорона знімає людей із порома «Зірка Тамсіна».",
            ),
        ),
        (
            "ar",
            (
                "جنوح عبارة قرب خليج كيستريل",
                "على متن العبارة نجمة تامسين مئتا راكب بحسب خفر السواحل.",
            ),
            (
                "عبارة تجنح في خليج كيستريل وعلى متنها ركاب",
                "خفر السواحل يجلي ركاب العبارة نجمة تامسين.",
            ),
        ),
        (
            "de",
            (
                "Fähre läuft vor der Kestrelbucht auf Grund",
                "An Bord der Stern von Tamsin sind 200 Passagiere, sagt die Küstenwache.",
            ),
            (
                "Fähre vor der Kestrelbucht auf Grund gelaufen",
                "Die Küstenwache holt die Passagiere von der Stern von Tamsin.",
            ),
        ),
        (
            "fr",
            (
                "Un ferry s'échoue au large de la baie de Kestrel",
                "L'Étoile de Tamsin transporte 200 passagers, selon les garde-côtes.",
            ),
            (
                "Le ferry échoué dans la baie de Kestrel avec ses passagers",
                "Les garde-côtes évacuent l'Étoile de Tamsin.",
            ),
        ),
        (
            "es",
            (
                "Un ferri encalla frente a la bahía de Kestrel",
                "A bordo del Estrella de Tamsin viajan 200 pasajeros, según los guardacostas.",
            ),
            (
                "Encalla un ferri con pasajeros en la bahía de Kestrel",
                "Los guardacostas evacúan el Estrella de Tamsin.",
            ),
        ),
        (
            "zh",
            (
                "渡轮在红隼湾触礁搁浅",
                "海岸警卫队称塔姆辛之星号载有二百名乘客。",
            ),
            (
                "红隼湾一艘渡轮搁浅 乘客获救",
                "塔姆辛之星号触礁，海岸警卫队正在转移乘客。",
            ),
        ),
    ],
)
def test_reports_of_one_event_share_a_story_in_every_language(
    stream: Stream, language: str, first: tuple[str, str], second: tuple[str, str]
) -> None:
    placements = stream.add_all([first, second], language=language)
    assert placements[1].story_ids.story == placements[0].id


def test_entries_in_two_languages_join_by_names_and_numbers(stream: Stream) -> None:
    first = stream.add(
        "Arlen Bosk and Mira Tolland open the 340 metre bridge of Lindholm",
        "Bosk thanked Tolland and the builders of Lindholm.",
    )
    second = stream.add(
        "Арлен Боск и Мира Толланд открыли мост длиной 340 метров в Линдхольме",
        "Боск поблагодарил Толланд.",
        language="ru",
    )
    other = stream.add("Арлен Боск купил пивоварню", "Цена неизвестна.", language="ru")
    assert second.story_ids.story == first.id
    assert second.pairs[0].reason == "names"
    assert other.story_ids.story == other.id


def test_contradicting_headlines_share_a_storyline_at_most(stream: Stream) -> None:
    first = stream.add(
        "Council backs 12th harbour package",
        "The package of 40 measures was backed by all parties.",
    )
    second = stream.add(
        "Council backs 13th harbour package",
        "The package of 60 measures was backed by all parties.",
    )
    assert second.story_ids.story == second.id
    assert second.story_ids.storyline == first.story_ids.storyline


def same_story(row: dict[str, str]) -> bool:
    """Whether the two entries of a row share a story."""
    window = Window()
    stories = {
        window.add(
            Report(
                number,
                row[f"title_{side}"],
                row[f"summary_{side}"],
                row[f"lang_{side}"],
                row[f"source_{side}"],
                datetime.fromisoformat(row[f"published_{side}"]),
            )
        ).story_ids.story
        for number, side in enumerate("ab", 1)
    }
    return len(stories) == 1


def test_labelled_pairs_are_mostly_joined_and_kept_apart_correctly() -> None:
    """At least 80 % of the pairs of two stories, and 40 % of the pairs of one story."""
    if not PAIRS.exists():
        pytest.skip(f"{PAIRS.name} is absent")
    with PAIRS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    apart = [same_story(row) for row in rows if row["same"] == "0"]
    together = [same_story(row) for row in rows if row["same"] == "1"]
    assert apart.count(False) >= 0.8 * len(apart)
    assert together.count(True) >= 0.4 * len(together)
