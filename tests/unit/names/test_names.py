"""Matching of names across spellings and scripts, and its index keys."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import examples

from bot.names.find import find
from bot.names.lookup_keys import pattern_keys, word_keys
from bot.names.pattern import compile_name
from bot.text.fold import words


def folded(text: str) -> list[str]:
    return [word.folded for word in words(text)]


def matches(name: str, text: str) -> list[str]:
    """The words of the text that match the name."""
    text_words = folded(text)
    return [" ".join(text_words[start:end]) for start, end in find(compile_name(name), text_words)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Deir ez-Zor", "Convoys left Dayr az Zawr before dawn"),
        ("Deir ez-Zor", "Convoys left Deir al-Zour before dawn"),
        ("Deir ez-Zor", "قوافل غادرت دير الزور فجرا"),
        ("Deir ez-Zor", "Колонна вышла из Дейр-эз-Зора на рассвете"),
        ("دير الزور", "Une colonne a quitté Deir ez-Zor"),
        ("استان دیرالزور", "A convoy crossed Deir ez-Zor province"),
        ("Zelensky", "President Volodymyr Zelenskyy spoke"),
        ("Zelensky", "Речь Зеленского длилась час"),
        ("Zelensky", "Präsident Selenskyj sprach eine Stunde"),
        ("Zelensky", "خطاب زيلينسكي استمر ساعة"),
        ("Zelensky", "הנאום של זלנסקי נמשך שעה"),
        ("Zelensky", "泽连斯基发表讲话"),
        ("Zelensky", "ゼレンスキーが演説"),
        ("泽连斯基", "Zelenskyy spoke for an hour"),
        ("澤連斯基", "泽连斯基发表讲话"),
        ("Volodymyr Zelensky", "弗拉基米尔·泽连斯基发表讲话"),
        ("Vladimir Zelensky", "Volodymyr Zelenskyi spoke"),
        ("Київ", "A quiet night in Kiev"),
        ("Kyiv", "Тиха ніч у Києві"),
        ("Kharkiv", "Power is back in Charkow"),
        ("Kharkiv", "Свет вернулся в Харьков"),
        ("Kharkiv", "哈尔科夫恢复供电"),
        ("Saporischschja", "Запоріжжя знову має світло"),
        ("Vovchansk", "Wowtschansk liegt nahe der Grenze"),
        ("Chernivtsi", "שוק חדש ליד צ'רנוביץ"),
        ("Zhytomyr", "שוק חדש ליד ז'יטומיר"),
        ("Kostiantynivka", "کوستیانتینیفکا بدون برق ماند"),
        ("Qamishli", "Un marché ouvre à Kameshli"),
        ("Kel'menets'kyi", "the Kelmenetskyi hills"),
        ("Kherson Oblast", "Farmers of the Khersonska Oblast wait"),
        ("Kherson Oblast", "Херсонская область ждёт дождя"),
        ("Xi Jinping", "主席习近平抵达"),
        ("习近平", "主席習近平抵達"),
        ("Barack Obama", "ბარაკ ობამა ჩამოვიდა"),
        ("Barack Obama", "バラク・オバマが到着"),
        ("LAVROV, Sergey Viktorovich", "Sergei Lavrov arrived"),
        ("Sergei Lavrov", "LAVROV Sergey arrived"),
        ("Sergei Lavrov", "Sergey Viktorovich Lavrov arrived"),
        ("Sergei Lavrov", "Сергея Лаврова встретили"),
        ("Pol Pot", "PolPot is the subject of a book"),
        ("RamiMakhlouf", "Rami Makhlouf is the subject of a book"),
        ("Dr. Rami Makhlouf", "Rami Makhlouf is the subject of a book"),
        ("Ali Khamenei", "A. Khamenei is the subject of a book"),
        ("Osama bin Laden", "Usama ibn Ladin is the subject of a book"),
        ("Abdul Aziz Nooristani", "Abd al-Aziz al-Nuristani wrote"),
        ("OAO Gazprom", "Gazprom JSC raised prices"),
        (
            "Tactical Missiles Corporation Joint Stock Company",
            "JSC Tactical Missiles Corporation was named",
        ),
        ("Brigade Forty-Four", "Brigade 44 marched"),
        ("Germany", "Deutschland wartet auf Regen"),
        ("Germany", "Фермеры Германии ждут дождя"),
        ("Germany", "المزارعون في المانيا ينتظرون"),
        ("Gaza", "غزة تنتظر"),
        ("Gaza", "Ghazzah waits"),
        ("Gaza", "ממתינים ליד עזה"),
        ("Turkey", "Le marché en Türkiye"),
    ],
)
def test_a_name_matches_its_usual_spellings_in_all_scripts(name: str, text: str) -> None:
    """One row for each convention of spelling."""
    assert matches(name, text)


SIMILAR_NAMES = [
    ("Iran", "Iraq"),
    ("Mali", "Malawi"),
    ("Mali", "Male"),
    ("Austria", "Australia"),
    ("Niger", "Nigeria"),
    ("Slovakia", "Slovenia"),
    ("Dnipro", "Dniester"),
    ("Mariupol", "Melitopol"),
    ("Zelensky", "Zaluzhny"),
    ("Homs", "Hama"),
    ("Kim Yong-chol", "Kim Yong-chun"),
    ("Kim Jong-un", "Kim Jong-il"),
    ("Ivanov", "Ivanova"),
    ("Ivanov", "Ivanenko"),
    ("Estonia", "Ethiopia"),
    ("Gambia", "Zambia"),
    ("Guinea", "Guyana"),
    ("Paraguay", "Uruguay"),
    ("Latvia", "Lithuania"),
    ("Sudan", "Sweden"),
    ("Korea", "Koran"),
    ("Kursk", "Kurgan"),
    ("Donetsk", "Lutsk"),
    ("Kherson", "Kharkiv"),
    ("Aleppo", "Lahore"),
    ("Bashar al-Assad", "Hafez al-Assad"),
    ("Rami Makhlouf", "Ihab Makhlouf"),
    ("Barack Obama", "Michelle Obama"),
    ("Deutsche Bank", "Commerzbank"),
    ("Volkswagen AG", "Siemens AG"),
    ("Sergey Viktorovich Lavrov", "Sergey Ivanovich Lavrov"),
    ("Иванова", "Иванов"),
    ("Мали", "Мальта"),
    ("Тула", "Тверь"),
    ("حماة", "حمص"),
    ("חיפה", "יפו"),
    ("Li Wei", "Li Na"),
    ("习近平", "江泽民"),
]


@pytest.mark.parametrize(("name", "other"), SIMILAR_NAMES)
def test_similar_names_do_not_match_each_other(name: str, other: str) -> None:
    assert not matches(name, other)
    if (name, other) != ("Иванова", "Иванов"):  # Иванова is also the genitive of Иванов
        assert not matches(other, name)
    assert matches(name, name) == [" ".join(folded(name))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Iran", "I ran home and he ran too"),
        ("Chad", "The child had a cold"),
        ("Poland", "The pool and the poll and a planned story"),
        ("Iceland", "A small island in the south"),
        ("Kyiv", "كيف كان الطقس"),
        ("Rivne", "В районе идёт дождь"),
        ("South Korea", "In Korea, South winds blow"),
        ("Volodymyr Zelensky", "Mr Zelensky spoke"),
        ("Kherson Oblast", "Kherson waits for rain"),
        ("Volodymyr-Volynskyi", "Volodymyr waits for rain"),
        ("Paul Smith", "Paul from the bakery said on Tuesday that Smith was late"),
    ],
)
def test_common_words_do_not_match_names(name: str, text: str) -> None:
    assert not matches(name, text)


def test_no_match_extends_across_an_empty_word() -> None:
    """An empty word separates headline and summary."""
    pattern = compile_name("Deir ez-Zor")
    assert find(pattern, ["deir", "ez", "zor"]) == [(0, 3)]
    assert find(pattern, ["deir", "", "ez", "zor"]) == []
    assert find(compile_name("泽连斯基"), ["泽", "连", "", "斯", "基"]) == []


def test_matches_are_in_order_and_do_not_overlap() -> None:
    assert find(compile_name("Homs"), folded("Homs, then Хомс, then حمص")) == [
        (0, 1),
        (2, 3),
        (4, 5),
    ]


@pytest.mark.parametrize("name", ["", "   ", "-- !", "'"])
def test_a_name_without_a_letter_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="letter"):
        compile_name(name)


NAMES = [
    *(name for pair in SIMILAR_NAMES for name in pair),
    "Ивано-Франковск",
    "Ma'arrat al-Numan",
    "Chernivtsi Oblast",
    "キーウ",
    "김정은",
    "N'Djamena",
    "Ὀδησσός",
    "ប៉ុល ពត",
]
LETTERS = st.text(
    st.sampled_from("abdehiklmnoprstuvyz -'чшщиояеёкнмтарбвلمنورسيكحةקבלרוניםצ斯基尔阿ルスーก"),
    max_size=24,
)


@given(
    st.one_of(st.sampled_from(NAMES), st.text(max_size=30), LETTERS),
    st.sampled_from(["", "today ", "сегодня ", "في ", "在"]),
)
@settings(max_examples=examples(300), deadline=None)
def test_a_name_matches_itself(name: str, before: str) -> None:
    try:
        pattern = compile_name(name)
    except ValueError:
        return
    assert find(pattern, folded(name))
    text_words = [*folded(before), *folded(name)]
    assert find(pattern, text_words) == find(pattern, tuple(text_words))
    assert find(pattern, text_words)


@given(
    st.one_of(st.sampled_from(NAMES), LETTERS),
    st.lists(st.one_of(st.sampled_from(NAMES), LETTERS), max_size=5),
)
@settings(max_examples=examples(500), deadline=None)
def test_every_text_that_matches_has_a_key_of_the_name(name: str, texts: list[str]) -> None:
    try:
        pattern = compile_name(name)
    except ValueError:
        return
    text_words = folded(" ".join([*texts, name]))
    for text in (text_words, folded(" ".join(texts))):
        keys = {key for word in text for key in word_keys(word)}
        assert all(key.startswith("~") for key in keys)
        if find(pattern, text):
            assert keys & pattern_keys(pattern)
    for start, end in find(pattern, text_words):
        assert 0 <= start < end <= len(text_words)


def test_words_have_at_most_three_keys_on_average() -> None:
    """More would make the index large."""
    sample = folded(
        "Reports from the quiet harbour town say that fishing boats of many nations stayed in port "
        "over the long holiday weekend"
    )
    assert sum(len(word_keys(word)) for word in sample) / len(sample) <= 3
    assert word_keys("") == ()


@pytest.mark.parametrize(
    "name",
    [
        "a" * 5000,
        "ab " * 3000,
        "Zelensky " * 500,
        "阿" * 3000,
        "jchghjc" * 30,
        "ж" * 4000,
        "צ'" * 2000,
        "x" * 39 + " " + "y" * 39,
        "ال" * 1000,
    ],
)
def test_hostile_names_and_texts_take_bounded_time(name: str) -> None:
    """The work is bounded by the number of words, whatever they contain."""
    pattern = compile_name(name)
    for text in (name, "jchgjchg " * 2000, "斯" * 3000, "de al " * 2000, "z' " * 2000):
        text_words = folded(text)
        for start, end in find(pattern, text_words):
            assert 0 <= start < end <= len(text_words)


def test_most_spellings_of_a_place_match_and_hardly_any_of_another_place(shared: Path) -> None:
    """Real places of two countries, a sample of what `bench/names.py` measures."""
    chance = Random(20260801)
    lines = (shared / "names" / "core_places.jsonl").read_text("utf-8").splitlines()
    places = [
        sorted(
            {name for names in json.loads(line)["names"].values() for name in names if folded(name)}
        )
        for line in chance.sample(lines, 120)
    ]
    places = [place for place in places if len(place) > 1]
    same_place = [chance.sample(place, 2) for place in places for _ in range(6)]
    assert count_matches(same_place) >= 0.6 * len(same_place)
    different_places = [
        [chance.choice(place) for place in chance.sample(places, 2)] for _ in range(1500)
    ]
    assert count_matches(different_places) <= 6


def count_matches(pairs: list[list[str]]) -> int:
    """The number of pairs whose first name matches a sentence with the second."""
    return sum(bool(matches(name, f"near {other} today")) for name, other in pairs)
