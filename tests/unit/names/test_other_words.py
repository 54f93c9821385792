"""What is no name: words of the text's language, other people, small letters, scattered words."""

from pathlib import Path

import pytest

from bot.names.context import text_of
from bot.names.find import find_in
from bot.names.pattern import compile_name

NAMES = (
    "Kyiv Gaza Paris London Moscow Berlin Tehran Damascus Beirut Kharkiv Odesa Lviv Aleppo Iran "
    "Israel Syria Lebanon Sudan Taiwan Putin Zelensky Macron Merkel Trump Biden Netanyahu Erdogan "
    "Modi Scholz Musk"
).split()
#: invented sentences about food, sport, people and business, by language; none has one of the names
SENTENCES = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "sentences.tsv").read_text("utf-8").splitlines()
]


def matched(name: str, text: str, language: str) -> list[str]:
    """The words of a text that match a name."""
    words = text_of(text, language)
    ranges = find_in(compile_name(name), words)
    return [" ".join(words.words[start:end]) for start, end in ranges]


def test_there_are_two_hundred_sentences_in_ten_languages() -> None:
    assert len(set(SENTENCES)) == 200
    assert len({language for language, _ in SENTENCES}) == 10


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_without_a_name_matches_it(name: str) -> None:
    hits = {text: words for language, text in SENTENCES if (words := matched(name, text, language))}
    assert hits == {}


@pytest.mark.parametrize("name", NAMES)
def test_no_sentence_matches_where_all_of_it_is_in_small_letters(name: str) -> None:
    hits = {
        text: words
        for language, text in SENTENCES
        if (words := matched(name, text.lower(), language))
    }
    assert hits == {}


@pytest.mark.parametrize(
    ("name", "text", "language"),
    [
        ("John Smith", "John Doe beats Adam Smith", "en"),
        ("John Smith", "Smith thanks John", "en"),
        ("John Smith", "John visits Smith", "en"),
        ("Deir ez-Zor", "Deir Hafir and Zor Maghar", "en"),
        ("Joe Biden", "Joe Baden wins the race", "en"),
        ("Turkey", "Roast turkey with rice", "en"),
        ("China", "Old china sold at the fair", "en"),
        ("Modi", "Ihr modi operandi", "de"),
        ("Rome", "Roma musicians play at the fair", "en"),
        ("Zelensky", "Zieliński scores twice", "pl"),
        ("Scholz", "Schulz scores twice", "de"),
        ("Merkel", "Marcel scores twice", "de"),
        ("Kyiv", "Keju dijual mahal", "id"),
        ("Kyiv", "Keju sold here", "en"),
        ("Aleppo", "Halep wins in straight sets", "en"),
        ("Damascus", "Damas de honor", "es"),
        ("Putin", "Best Poutine in town", "pl"),
        ("梅克尔", "Marcel scores twice", "de"),
    ],
)
def test_another_word_is_no_name(name: str, text: str, language: str) -> None:
    assert matched(name, text, language) == []


@pytest.mark.parametrize(
    ("name", "text", "language"),
    [
        ("Kyiv", "Zug nach Kiew hält", "de"),
        ("Kyiv", "Pociąg do stacji Kijów rusza", "pl"),
        ("Kyiv", "A train to Kiev leaves", "en"),
        ("Damascus", "Un train pour Damas part", "fr"),
        ("Aleppo", "Un marché ouvre à Alep", "fr"),
        ("Rome", "Il mercato di Roma apre", "it"),
        ("Putin", "Poutine parle", "fr"),
        ("Putin", "Przemówienie Putina trwa", "pl"),
        ("Trump", "Трампа встретили", "ru"),
        ("Biden", "Байден прибыл", "ru"),
        ("Musk", "Маск прибыл", "ru"),
        ("Hamas", "بيان حماس", "ar"),
        ("Abbas", "خطاب عباس", "ar"),
        ("Macron", "وصول ماكرون", "ar"),
        ("Macron", "马克龙访问", "zh"),
        ("Hussein", "Hussain speaks", "en"),
        ("Kyiv", "#kyiv waits for Rain", "en"),
        ("Kyiv", "kyiv waits for rain", "en"),
        ("kyiv", "A map of kyiv in Small Letters", "en"),
        ("Donets'k", "The Donets'k road", "en"),
        ("Ma'arrat al-Numan", "The Ma'arrat al-Numan road", "en"),
        ("Zelensky", "Zelensky's speech", "en"),
        ("Ankara", "Ankara'da yağmur", "tr"),
        ("Ukraine", "L'Ukraine attend", "fr"),
        ("Chernobyl", "הכביש לצ'רנוביל פתוח", "he"),
    ],
)
def test_a_name_in_the_language_of_the_text_matches(name: str, text: str, language: str) -> None:
    assert matched(name, text, language)
