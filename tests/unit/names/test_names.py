"""Names in any spelling and script: what is found, what is kept apart, and that the index never misses."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.names.find import find
from bot.names.gazetteer import exonyms, is_other_country
from bot.names.lookup_keys import pattern_keys, word_keys
from bot.names.pattern import compile_name
from bot.names.spellings import spellings
from bot.text.fold import words


def folded(text: str) -> list[str]:
    return [word.folded for word in words(text)]


def found(name: str, text: str) -> list[str]:
    """The words of the text that were taken for the name."""
    listed = folded(text)
    return [" ".join(listed[start:end]) for start, end in find(compile_name(name), listed)]


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
def test_a_name_is_found_in_its_usual_spellings_and_scripts(name: str, text: str) -> None:
    """One row, one habit."""
    assert found(name, text)


NEAR = [
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


@pytest.mark.parametrize(("one", "other"), NEAR)
def test_near_equal_names_stay_apart(one: str, other: str) -> None:
    """When unsure, it is not the name; in both directions."""
    assert not found(one, other)
    if (one, other) != ("Иванова", "Иванов"):  # the other way round it is the genitive
        assert not found(other, one)
    assert found(one, one) == [" ".join(folded(one))]


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
def test_everyday_words_are_not_names(name: str, text: str) -> None:
    """A name is more than its consonants."""
    assert not found(name, text)


def test_a_wall_is_not_crossed() -> None:
    """Title and summary are two texts."""
    pattern = compile_name("Deir ez-Zor")
    assert find(pattern, ["deir", "ez", "zor"]) == [(0, 3)]
    assert find(pattern, ["deir", "", "ez", "zor"]) == []
    assert find(compile_name("泽连斯基"), ["泽", "连", "", "斯", "基"]) == []


def test_each_place_is_given_once_and_in_order() -> None:
    """Leftmost first, not overlapping."""
    assert find(compile_name("Homs"), folded("Homs, then Хомс, then حمص")) == [
        (0, 1),
        (2, 3),
        (4, 5),
    ]


@pytest.mark.parametrize("name", ["", "   ", "-- !", "'"])
def test_a_name_needs_a_letter(name: str) -> None:
    """What has none is no name."""
    with pytest.raises(ValueError, match="letter"):
        compile_name(name)


NAMES = [
    *(one for pair in NEAR for one in pair),
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
@settings(max_examples=300, deadline=None)
def test_a_name_is_found_in_itself(name: str, before: str) -> None:
    """Whatever a person writes is one of its spellings."""
    try:
        pattern = compile_name(name)
    except ValueError:
        return
    assert find(pattern, folded(name))
    listed = [*folded(before), *folded(name)]
    assert find(pattern, listed) == find(pattern, tuple(listed))
    assert find(pattern, listed)


@given(
    st.one_of(st.sampled_from(NAMES), LETTERS),
    st.lists(st.one_of(st.sampled_from(NAMES), LETTERS), max_size=5),
)
@settings(max_examples=500, deadline=None)
def test_the_keys_of_a_name_never_miss_a_text_that_holds_it(name: str, texts: list[str]) -> None:
    """Where find() finds, at least one key of the name is a key of a word."""
    try:
        pattern = compile_name(name)
    except ValueError:
        return
    listed = folded(" ".join([*texts, name]))
    for text in (listed, folded(" ".join(texts))):
        keys = {key for word in text for key in word_keys(word)}
        assert all(key.startswith("~") for key in keys)
        if find(pattern, text):
            assert keys & pattern_keys(pattern)
    for start, end in find(pattern, listed):
        assert 0 <= start < end <= len(listed)


def test_names_that_are_read_by_sound_have_few_keys() -> None:
    """One to three for most words, or the index grows."""
    sample = folded(
        "Reports from the quiet harbour town say that fishing boats of many nations stayed in port over the long holiday weekend"
    )
    assert sum(len(word_keys(word)) for word in sample) / len(sample) <= 3
    assert word_keys("") == ()


@pytest.mark.parametrize(
    "name",
    ["Zelensky", "Deir ez-Zor", "Kyiv", "Київ", "حلب", "Volodymyr Zelensky", "Germany", "习近平"],
)
def test_the_spellings_that_are_shown_are_found(name: str) -> None:
    """A person who looks sees what they get."""
    shown = spellings(name)
    assert shown[0] == name
    assert len(shown) <= 24
    for spelling in shown:
        assert found(name, spelling)
    assert len(spellings(name, 3)) <= 3


def test_the_spellings_of_a_latin_name_are_shown_in_other_scripts() -> None:
    """Cyrillic, Arabic and Hebrew."""
    shown = spellings("Zelensky")
    assert "Зеленский" in shown
    assert "Зеленський" in shown
    assert "זלנסקי" in shown


def test_exonyms_come_from_the_gazetteer_and_only_where_one_place_is_meant() -> None:
    """Countries by CLDR, larger cities by geonames; nothing for a name that is not known."""
    assert {"Deutschland", "Германия", "ドイツ"} <= set(exonyms("Germany"))
    assert {"Ghazzah", "غزة", "עזה"} <= set(exonyms("Gaza"))
    assert exonyms("Zelensky") == ()
    assert exonyms("Springfield") == ()
    assert not {"island", "Island", "Ísland"} & set(exonyms("Iceland"))
    assert is_other_country("germany", -1)
    assert not is_other_country("germany", compile_name("Deutschland").place)
    assert not is_other_country("zelensky", -1)


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
def test_hostile_names_and_texts_end(name: str) -> None:
    """The work is bounded by the number of words, whatever they hold."""
    pattern = compile_name(name)
    for text in (name, "jchgjchg " * 2000, "斯" * 3000, "de al " * 2000, "z' " * 2000):
        listed = folded(text)
        for start, end in find(pattern, listed):
            assert 0 <= start < end <= len(listed)


def test_most_variants_of_a_place_are_found_and_hardly_any_of_another(shared: Path) -> None:
    """Real places of two countries: a sample of what `bench/names.py` measures in full."""
    chance = Random(20260801)
    lines = (shared / "names" / "core_places.jsonl").read_text("utf-8").splitlines()
    places = [
        sorted(
            {name for names in json.loads(line)["names"].values() for name in names if folded(name)}
        )
        for line in chance.sample(lines, 120)
    ]
    places = [place for place in places if len(place) > 1]
    pairs = [
        (one, other)
        for place in places
        for one, other in [chance.sample(place, 2) for _ in range(6)]
    ]
    assert sum(bool(found(one, f"near {other} today")) for one, other in pairs) >= 0.6 * len(pairs)
    strangers = [
        tuple(chance.choice(place) for place in chance.sample(places, 2)) for _ in range(1500)
    ]
    assert sum(bool(found(one, f"near {other} today")) for one, other in strangers) <= 6
