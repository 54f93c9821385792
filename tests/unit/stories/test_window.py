"""What belongs together: the live window of the stories, by claims, with invented headlines."""

import csv
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.evaluate import TableError, evaluate_stories
from bench.story_scores import Scores
from bot.model.stories import Grouping, Placement, Report, StoryIds
from bot.stories.assign import Merges
from bot.stories.contradictions import contradicts
from bot.stories.features import extract_features, phonetic_key
from bot.stories.headline_kinds import Kind, kind_of
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
    """Entries with ids that count up, one minute after another unless told."""

    def __init__(self) -> None:
        self.window = Window()
        self.reports: list[Report] = []
        self.placements: list[Placement] = []

    def say(
        self,
        title: str,
        summary: str = "",
        *,
        house: str = "",
        at: datetime | None = None,
        language: str = "en",
        link: bytes = b"",
    ) -> Placement:
        number = len(self.reports) + 1
        when = at or NOON + timedelta(minutes=number)
        report = Report(number, title, summary, language, house or f"House {number}", when, link)
        self.reports.append(report)
        self.placements.append(self.window.add(report))
        return self.placements[-1]

    def tell(self, texts: Sequence[tuple[str, str]], *, language: str = "en") -> list[Placement]:
        return [self.say(title, summary, language=language) for title, summary in texts]


@pytest.fixture
def stream() -> Stream:
    made = Stream()
    made.tell(OTHERS)
    return made


def reports(count: int, seed: int = 7) -> list[Report]:
    """A stream of stories told in ever other words, over five days, in no strict order of time, with templates and shared links."""
    chance = random.Random(seed)
    who = "Arlen Bosk,Mira Tolland,Jory Pell,Sanna Wick,Teo Lanz,Vera Quist,Odo Marsh,Ilka Brand".split(
        ","
    )
    where = "Dunmore Lindholm Varra Kestrel Ilse Tamsin Orrin Galt Hollow Brisk".split()
    what = "opens closes sells defends visits loses rebuilds inspects buys blames".split()
    things = "harbour bridge market museum tramway quarry brewery lighthouse school archive dam orchard".split()
    more = "council workers price storm court vote strike permit engineer debt winter crowd letter plan union budget flood report".split()
    made: list[Report] = []
    subjects = [
        (
            chance.choice(who),
            chance.choice(what),
            chance.choice(things),
            chance.choice(where),
            chance.sample(more, 6),
        )
        for _ in range(count // 4)
    ]
    for number in range(1, count + 1):
        person, verb, thing, place, words = subjects[
            min(len(subjects) - 1, int(number / 4 + chance.triangular(-12, 4, 0)))
            if number > 48
            else number // 4
        ]
        title = (
            f"{person} {verb} {thing} in {place}"
            if chance.random() < 0.6
            else f"{place}: {thing} {chance.choice(words)} after {person} {verb}"
        )
        if chance.random() < 0.05:
            title = f"Evening notes from {place}, May {number % 28 + 1}"
        summary = (
            f"{person} and the {thing} of {place}: "
            + " ".join(chance.sample(words, 4))
            + f" {chance.choice(more)} {chance.randrange(9)}"
        )
        at = NOON + timedelta(hours=120 * number / count - chance.random() * 3)
        link = bytes([number % 250, 7]) if chance.random() < 0.1 else b""
        made.append(Report(number, title, summary, "en", f"House {chance.randrange(12)}", at, link))
    return made


def kept(placed: Sequence[Report], window: Window) -> list[tuple[Report, StoryIds]]:
    """What a store has after these: every entry with its place after all merges."""
    placements = [window.add(report) for report in placed]
    merges = Merges.of(merge for placement in placements for merge in placement.merges)
    return [
        (report, merges.resolve(placement.story_ids))
        for report, placement in zip(placed, placements, strict=True)
    ]


def test_reports_of_one_occurrence_are_one_story_and_others_are_none_of_it(stream: Stream) -> None:
    told = stream.tell(FERRY)
    assert {one.story_ids.story for one in told} == {told[0].id}
    assert {one.story_ids.story for one in stream.placements[: len(OTHERS)]} == {1, 2, 3, 4, 5, 6}


def test_a_join_says_why_by_its_two_best_pairs(stream: Stream) -> None:
    told = stream.tell(FERRY)
    assert told[0].pairs == ()
    assert len(told[-1].pairs) == 2
    first, second = told[-1].pairs
    assert first.score >= second.score > 0
    assert {first.reason, second.reason} == {"words"}
    assert {first.other, second.other} <= {one.id for one in told[:-1]}


def test_every_level_is_a_part_of_the_next() -> None:
    window = Window()
    of_strict: dict[int, int] = {}
    of_story: dict[int, int] = {}
    merged = 0
    for report, place in kept(reports(600), window):
        assert place.strict <= report.id
        assert of_strict.setdefault(place.strict, place.story) == place.story
        assert of_story.setdefault(place.story, place.storyline) == place.storyline
        merged += place.storyline < place.story
    assert merged


def test_one_link_is_one_story_whatever_the_headline(stream: Stream) -> None:
    first = stream.say("Lantern parade draws thousands", house="A", link=b"one")
    second = stream.say("An evening nobody in Galt will forget", house="B", link=b"one")
    assert second.story_ids == first.story_ids
    assert second.pairs[0].reason == "link"


def test_a_page_that_one_publisher_links_under_several_headlines_tells_nothing(
    stream: Stream,
) -> None:
    stream.say("Lantern parade draws thousands", house="A", link=b"page")
    second = stream.say("Quarry of Orrin to be flooded", house="A", link=b"page")
    third = stream.say("Mayor of Brisk resigns over parking fines", house="B", link=b"page")
    assert second.story_ids.story == second.id
    assert third.story_ids.story == third.id


def test_an_equal_headline_at_another_publisher_is_the_same_story_and_a_copy(
    stream: Stream,
) -> None:
    first = stream.say("Quarry of Orrin to be flooded", house="A")
    second = stream.say(
        "QUARRY OF ORRIN TO BE FLOODED!", "Words of its own, all of them different.", house="B"
    )
    assert second.story_ids == first.story_ids
    assert (second.copy_of, second.pairs[0].reason) == (first.id, "headline")


def test_an_equal_headline_of_two_words_says_nothing(stream: Stream) -> None:
    stream.say("Breaking news", "A quarry is flooded in Orrin.", house="A")
    second = stream.say("Breaking news", "The mayor of Brisk has resigned.", house="B")
    assert second.story_ids.story == second.id


def test_a_text_that_was_handed_on_is_known_as_a_copy(stream: Stream) -> None:
    title, summary = FERRY[0]
    first = stream.say(title, summary, house="Agency")
    changed = stream.say(f"{title}, coast guard says", summary, house="Herald")
    own = stream.say(*FERRY[1], house="Third")
    assert changed.copy_of == first.id
    assert own.copy_of == 0
    assert own.story_ids.story == first.id


def test_digests_stay_alone_even_when_they_name_what_happened(stream: Stream) -> None:
    stream.tell(FERRY)
    digest = stream.say("Morning news brief: ferry aground off Kestrel Bay", FERRY[0][1])
    assert digest.story_ids == StoryIds(digest.id, digest.id, digest.id)
    after = stream.say("Morning news brief: ferry aground off Kestrel Bay", house="Another")
    assert after.story_ids.story == after.id


def test_a_live_page_joins_the_storyline_and_attracts_nobody(stream: Stream) -> None:
    told = stream.tell(FERRY[:2])
    live = stream.say("Ferry aground off Kestrel Bay - live updates", FERRY[0][1])
    assert live.story_ids.story == live.id
    assert live.story_ids.storyline == told[0].story_ids.storyline


def test_a_headline_that_comes_every_day_is_a_template(stream: Stream) -> None:
    stream.say(
        "Harbour prices on May 4: herring and cod", "Herring 4.20, cod 7.10 a kilo.", house="Herald"
    )
    second = stream.say(
        "Harbour prices on May 5: herring and cod",
        "Herring 4.30, cod 7.00 a kilo.",
        house="Herald",
        at=NOON + 25 * HOUR,
    )
    assert second.story_ids.storyline == second.id


@pytest.mark.parametrize(
    "title",
    [
        "Morning news brief", "What to know today", "Horoscope for Monday", "Weather forecast for Dunmore", "The Daily Crossword",
        "Главное к этому часу", "Главные новости за день", "Погода на завтра", "Головне за день", "موجز أخبار اليوم", "Nachrichten am Morgen",
        "Wettervorhersage", "L'essentiel de l'actu du jour", "Noticias del día", "Notícias do dia", "Notizie del giorno", "今日要闻",
    ],
)  # fmt: skip
def test_digests_are_known_in_many_languages(title: str) -> None:
    assert kind_of(title) is Kind.DIGEST


@pytest.mark.parametrize(
    "title",
    [
        "Live updates: storm hits Kestrel Bay",
        "Liveticker: Sturm an der Tamsin",
        "Шторм в Дунморе. Онлайн",
        "EN DIRECT - Tempête à Galt",
    ],
)
def test_live_pages_are_known(title: str) -> None:
    assert kind_of(title) is Kind.LIVE


def test_an_entry_is_in_the_window_for_three_days() -> None:
    stream = Stream()
    stream.tell(FERRY)
    late = stream.say(*FERRY[1], house="Late", at=NOON + 70 * HOUR)
    assert late.story_ids.story != late.id or late.story_ids.storyline == 1
    gone = stream.say(*FERRY[2], house="Later", at=NOON + 200 * HOUR)
    assert gone.story_ids.storyline == gone.id
    assert len(stream.window) == 1


def test_the_present_does_not_go_back() -> None:
    stream = Stream()
    stream.tell(FERRY)
    stream.say("Something else at Galt", at=NOON + 200 * HOUR)
    stream.say("Old ferry news", at=NOON - 200 * HOUR)
    stream.say("And now to Hollow", at=NOON + 201 * HOUR)
    assert len(stream.window) == 2


@pytest.mark.parametrize("cut", [1, 40, 150, 299, 300, 420])
def test_restored_it_goes_on_as_if_it_had_never_stopped(cut: int) -> None:
    whole = reports(450)
    window = Window()
    stored = kept(whole[:cut], window)
    again = Window()
    newest = max(report.at for report, _ in stored)
    for report, place in stored:
        if report.at >= newest - timedelta(hours=72):  # what a store would give back
            again.restore(report, place)
    assert [window.add(report) for report in whole[cut:]] == [
        again.add(report) for report in whole[cut:]
    ]
    assert len(window) == len(again)


def groups(of: Sequence[Report]) -> dict[int, int]:
    """Each entry, by its place in the first order, with its story, whoever came first."""
    window = Window()
    numbered = [replace(report, id=number) for number, report in enumerate(of, 1)]
    return {
        report.id: place.story
        for report, (_, place) in zip(of, kept(numbered, window), strict=True)
    }


def test_the_order_within_a_minute_hardly_matters() -> None:
    whole = sorted(reports(400), key=lambda report: report.at)
    first = groups(whole)
    for seed in range(3):
        chance = random.Random(seed)
        mixed = sorted(
            whole, key=lambda report: (report.at.replace(second=0, microsecond=0), chance.random())
        )
        second = groups(mixed)
        both = [(first[one.id], second[one.id]) for one in whole]
        agreed = sum(both.count(pair) - 1 for pair in both)
        ours, theirs = [pair[0] for pair in both], [pair[1] for pair in both]
        reply = sum(ours.count(pair[0]) - 1 for pair in both) + sum(
            theirs.count(pair[1]) - 1 for pair in both
        )
        assert 2 * agreed / reply > 0.95


def test_two_stories_become_one_when_an_entry_shows_that_they_are() -> None:
    merged = [
        merge
        for number in range(6)
        for placement in map(Window().add, reports(600, number))
        for merge in placement.merges
    ]
    assert merged
    assert all(merge.kept < merge.gone for merge in merged)
    assert {merge.grouping for merge in merged} <= {Grouping.NORMAL, Grouping.LOOSE}


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("ru", (("Паром сел на мель у бухты Кестрел", "На борту «Звезды Тамсина» двести пассажиров, сообщила береговая охрана."),
                ("У бухты Кестрел сел на мель паром с пассажирами", "Береговая охрана снимает людей с парома «Звезда Тамсина»."))),
        ("uk", (("Пором сів на мілину біля бухти Кестрел", "На борту «Зірки Тамсіна» двісті пасажирів, повідомила берегова охорона."),
                ("Біля бухти Кестрел сів на мілину пором із пасажирами", "Берегова охорона знімає людей із порома «Зірка Тамсіна»."))),
        ("ar", (("جنوح عبارة قرب خليج كيستريل", "على متن العبارة نجمة تامسين مئتا راكب بحسب خفر السواحل."),
                ("عبارة تجنح في خليج كيستريل وعلى متنها ركاب", "خفر السواحل يجلي ركاب العبارة نجمة تامسين."))),
        ("de", (("Fähre läuft vor der Kestrelbucht auf Grund", "An Bord der Stern von Tamsin sind 200 Passagiere, sagt die Küstenwache."),
                ("Fähre vor der Kestrelbucht auf Grund gelaufen", "Die Küstenwache holt die Passagiere von der Stern von Tamsin."))),
        ("fr", (("Un ferry s'échoue au large de la baie de Kestrel", "L'Étoile de Tamsin transporte 200 passagers, selon les garde-côtes."),
                ("Le ferry échoué dans la baie de Kestrel avec ses passagers", "Les garde-côtes évacuent l'Étoile de Tamsin."))),
        ("es", (("Un ferri encalla frente a la bahía de Kestrel", "A bordo del Estrella de Tamsin viajan 200 pasajeros, según los guardacostas."),
                ("Encalla un ferri con pasajeros en la bahía de Kestrel", "Los guardacostas evacúan el Estrella de Tamsin."))),
        ("zh", (("渡轮在红隼湾触礁搁浅", "海岸警卫队称塔姆辛之星号载有二百名乘客。"), ("红隼湾一艘渡轮搁浅 乘客获救", "塔姆辛之星号触礁，海岸警卫队正在转移乘客。"))),
    ],
)  # fmt: skip
def test_stories_are_told_in_many_languages(
    stream: Stream, language: str, texts: Sequence[tuple[str, str]]
) -> None:
    first, second = stream.tell(texts, language=language)
    assert second.story_ids.story == first.id


def test_two_languages_meet_in_names_and_numbers(stream: Stream) -> None:
    first = stream.say(
        "Arlen Bosk and Mira Tolland open the 340 metre bridge of Lindholm",
        "Bosk thanked Tolland and the builders of Lindholm.",
    )
    second = stream.say(
        "Арлен Боск и Мира Толланд открыли мост длиной 340 метров в Линдхольме",
        "Боск поблагодарил Толланд.",
        language="ru",
    )
    other = stream.say("Арлен Боск купил пивоварню", "Цена неизвестна.", language="ru")
    assert second.story_ids.story == first.id
    assert second.pairs[0].reason == "names"
    assert other.story_ids.story == other.id


def test_names_sound_alike_in_several_scripts() -> None:
    assert phonetic_key("трамп") == phonetic_key("trump") == phonetic_key("ترامب")
    assert phonetic_key("al") == ""


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("Council backs 12th harbour package", "Council backs 13th harbour package", True),
        (
            "Council backs twelfth harbour package",
            "The 12th harbour package is backed by the council",
            False,
        ),
        ("Quake of magnitude 5.1 shakes Galt", "Quake of magnitude 5.6 shakes Galt", True),
        ("Seven dead in Galt mine, 12 missing", "Nine dead in Galt mine, 14 missing", False),
        ("Nearly 200 sheep escape at Brisk", "More than 190 sheep escape at Brisk", False),
        ("Court hears the Varn case on Monday", "Court hears the Varn case on Thursday", True),
        ("Mayor of Galt resigns over ferry deal", "Mayor of Orrin resigns over ferry deal", True),
        (
            "Orla Denn beats Sanna Wick 3-1 in final",
            "Orla Denn beats Vera Quist 3-0 in final",
            True,
        ),
    ],
)
def test_headlines_that_differ_in_what_tells(one: str, other: str, apart: bool) -> None:
    first, second = (
        extract_features(Report(number, text, "", "en", "A", NOON, b""))
        for number, text in enumerate((one, other), 1)
    )
    assert contradicts(first, second) is apart
    assert contradicts(second, first) is apart


def test_what_differs_in_what_tells_shares_a_storyline_at_most(stream: Stream) -> None:
    first = stream.say(
        "Council backs 12th harbour package",
        "The package of 40 measures was backed by all parties.",
    )
    second = stream.say(
        "Council backs 13th harbour package",
        "The package of 60 measures was backed by all parties.",
    )
    assert second.story_ids.story == second.id
    assert second.story_ids.storyline == first.story_ids.storyline


def test_pairs_written_by_hand() -> None:
    """Four out of five pairs that must not be one story are not, whatever they share; of the others as many as words can tell."""
    if not PAIRS.exists():
        pytest.skip(f"{PAIRS.name} is absent")
    right = {"0": [0, 0], "1": [0, 0]}
    with PAIRS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            window = Window()
            for number, side in enumerate("ab", 1):
                at = datetime.fromisoformat(row[f"published_{side}"])
                report = Report(
                    number,
                    row[f"title_{side}"],
                    row[f"summary_{side}"],
                    row[f"lang_{side}"],
                    row[f"source_{side}"],
                    at,
                )
                story = window.add(report).story_ids.story
            right[row["same"]][0] += (story == 1) == (row["same"] == "1")
            right[row["same"]][1] += 1
    assert right["0"][0] >= 0.8 * right["0"][1]
    assert right["1"][0] >= 0.4 * right["1"][1]


def test_groups_are_scored_by_pairs_and_by_entries() -> None:
    scores = Scores.of([1, 1, 1, 2], ["a", "a", "b", "b"])
    assert (scores.precision, scores.recall) == (pytest.approx(1 / 3), pytest.approx(1 / 2))
    assert scores.f1 == pytest.approx(0.4)
    assert scores.saved == pytest.approx(0.5)
    assert Scores.of([], []).f1 == 1


def table(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(rows)
    return path


def test_a_table_is_grouped_in_order_of_time_and_written_in_its_own(tmp_path: Path) -> None:
    rows = [
        ("late", "B", "2026-05-04T14:00:00+00:00", *FERRY[1], "e1"),
        ("other", "C", "2026-05-04T13:00:00+00:00", *OTHERS[0], "e2"),
    ]
    rows.append(("early", "A", "2026-05-04T12:00:00+00:00", *FERRY[0], "e1"))
    source = table(
        tmp_path / "in.tsv", [("id", "source", "published", "title", "summary", "event"), *rows]
    )
    reply = evaluate_stories(source, tmp_path / "out.tsv", timeless=False)
    with (tmp_path / "out.tsv").open(encoding="utf-8", newline="") as file:
        written = [(row["id"], row["story"]) for row in csv.DictReader(file, delimiter="\t")]
    assert written == [("late", "early"), ("other", "other"), ("early", "early")]
    assert reply[0] == "3 rows"
    assert "normal: pair precision 1.000, recall 1.000, F1 1.000" in reply[2]


def test_a_table_without_labels_or_times_says_what_is_saved(tmp_path: Path) -> None:
    source = table(tmp_path / "in.tsv", [("title", "summary"), *FERRY[:2], OTHERS[0]])
    assert "normal: 2 stories, alerts saved 33.3%" in evaluate_stories(
        source, tmp_path / "out.tsv", timeless=True
    )


def test_a_time_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    source = table(tmp_path / "in.tsv", [("title", "published"), ("Ferry aground", "yesterday")])
    with pytest.raises(TableError, match=r"in.tsv:2:2 \(published\): 'yesterday' is no time"):
        evaluate_stories(source, tmp_path / "out.tsv", timeless=False)
