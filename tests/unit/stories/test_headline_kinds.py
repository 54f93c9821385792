"""The kinds of headlines."""

import pytest

from bot.stories.headline_kinds import Kind, kind_of


@pytest.mark.parametrize(
    "title",
    [
        "Morning news brief",
        "What to know today",
        "Horoscope for Monday",
        "Weather forecast for Dunmore",
        "The Daily Crossword",
        "Главное к этому часу",
        "Главные новости за день",
        "Погода на завтра",
        "Головне за день",
        "موجز أخبار اليوم",
        "Nachrichten am Morgen",
        "Wettervorhersage",
        "L'essentiel de l'actu du jour",
        "Noticias del día",
        "Notícias do dia",
        "Notizie del giorno",
        "今日要闻",
    ],
)
def test_digests_are_recognized_in_many_languages(title: str) -> None:
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
def test_live_pages_are_recognized(title: str) -> None:
    assert kind_of(title) is Kind.LIVE
