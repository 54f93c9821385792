"""What counts by itself is no change of an article, and numbers that are news are."""

import pytest

from bot.text.counters import same_but_counting, steady_headline, without_counters

#: two states of a text that nobody edited
COUNTING = [
    ("27 comments | 189 points", "1 comment | 1,203 points"),
    ("Points: 5 · Comments: none", "Points: 51 · Comments: none"),
    ("No comments yet. A ship sank.", "1 comment yet. A ship sank."),
    ("Posted 59 minutes ago by Ada", "Posted an hour ago by Ada"),
    ("Posted just now by Ada", "Posted 2 min ago by Ada"),
    ("Seen 980 times", "Seen 1.2k times"),
    ("Vor 59 Minuten · 1 Kommentar", "vor einer Stunde · 12 Kommentare"),
    ("gerade eben, 3 Stimmen", "vor 2 Std., 41 Stimmen"),
    ("hace 59 minutos · 1 comentario", "hace una hora · 12 comentarios"),
    ("hace un momento, 1 voto", "hace 2 días, 3 votos"),
    ("59 минут назад · 1 комментарий", "час назад · 5 комментариев"),
    ("только что, 1 просмотр", "2 дня назад, 1 тыс. просмотров"),
    ("59 хвилин тому · 1 коментар", "годину тому · 5 коментарів"),
    ("щойно, 1 перегляд", "2 дні тому, 14 переглядів"),
    ("منذ 59 دقيقة · تعليقان", "منذ ساعة · 3 تعليقات"),
    ("منذ يومين، ١٢ مشاهدة", "منذ 3 أيام، ٣٤ مشاهدة"),
]
#: two headlines of which the second is news
NEWS = [
    ("Harbour blast kills 4", "Harbour blast kills 12"),
    ("Bill passes with 189 votes", "Bill passes with 190 votes"),
    ("Harbour blast (4 dead)", "Harbour blast (12 dead)"),
    ("Index falls - 500 points", "Index falls - 800 points"),
    ("Quake of 5.2 shakes Tarvos", "Quake of 6.1 shakes Tarvos"),
    ("Взрыв в порту: 4 погибших", "Взрыв в порту: 12 погибших"),
    ("Hafen: 4 Tote", "Hafen: 12 Tote"),
    ("27 comments", "28 comments"),
]
#: two headlines of which the second is the first
SAME = [
    ("Harbour closed (27 comments)", "Harbour closed (1 comment)"),
    ("Harbour closed [12 views, 3 likes]", "Harbour closed [15 views, 4 likes]"),
    ("Harbour closed | 189 points", "Harbour closed | 190 points"),
    ("Harbour closed – 1.2k views", "Harbour closed – 999 views"),
    ("12 comments · Harbour closed", "no comments · Harbour closed"),
    ("Harbour closed · 3 hours ago", "Harbour closed · 1 day ago"),
    ("Hafen gesperrt (vor 3 Stunden)", "Hafen gesperrt (vor einem Tag)"),
    ("Puerto cerrado · hace 3 horas", "Puerto cerrado · hace un día"),
    ("Гавань закрыта (5 комментариев)", "Гавань закрыта (21 комментарий)"),
    ("Гавань зачинено · 5 хвилин тому", "Гавань зачинено · годину тому"),
    ("الميناء مغلق · منذ 3 ساعات", "الميناء مغلق · منذ ساعتين"),
]


@pytest.mark.parametrize(("before", "after"), COUNTING)
def test_a_text_that_only_counts_is_the_same(before: str, after: str) -> None:
    assert same_but_counting(before, after)


@pytest.mark.parametrize(("before", "after"), SAME)
def test_a_headline_that_only_counts_is_the_same(before: str, after: str) -> None:
    assert steady_headline(before) == steady_headline(after)


@pytest.mark.parametrize(("before", "after"), NEWS)
def test_a_number_that_is_news_changes_the_headline(before: str, after: str) -> None:
    assert steady_headline(before) != steady_headline(after)


def test_other_words_are_another_text() -> None:
    assert not same_but_counting("A ship sank. 3 comments", "A ferry sank. 3 comments")
    assert not same_but_counting("One ship sank. " * 30, "Many boats burnt at the pier. " * 30)


@pytest.mark.parametrize("text", ["1,1,1,1," * 250, "1 " * 1000, "1" + " " * 2000, "vor 3 " * 300])
def test_a_text_of_numbers_is_read_to_its_end(text: str) -> None:
    """Such texts took time by their square."""
    assert without_counters(f"{text} harbour").endswith("harbour")


@pytest.mark.parametrize("length", [0, 3, 40, 400])
def test_a_counter_is_found_wherever_in_a_text_it_is(length: int) -> None:
    before, after = "A ship sank at the pier. " * length, " The crew is safe." * length
    first, second = ("Seen by one reader, 1 comment,", "Seen by one reader, 27 comments,")
    assert same_but_counting(f"{before}{first}{after}", f"{before}{second}{after}")
    assert same_but_counting(f"{first} {before}{first}{after}", f"{second} {before}{second}{after}")
    assert not same_but_counting(f"{before}{first}{after}", f"{before}{second} Fire!{after}")
    assert not same_but_counting(f"{before}{first}{after}", f"{before}{second}{after} Fire!")
