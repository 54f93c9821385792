"""The index tries no query that it need not, and finds all that match when each is tried alone."""

from pathlib import Path
from random import Random

import pytest
from sampling import SEED, amount

from bench.bodies import articles
from bench.entries import load
from bench.queries import Maker, vocabularies
from bot.model.chats import Subscription
from bot.model.entries import Article
from bot.names import name_index
from bot.names.spellings import spellings
from bot.query.index import Index

NAMES = (
    "Volodymyr Zelensky",
    "Владимир Зеленский",
    "Donetsk",
    "Kherson Oblast",
    "kharkiv",
    "Hussein bin Ali",
    "Abu Mohammed al-Julani",
    "محمد حسني",
    "Benjamin Netanyahu",
    "Чернобыль",
    "צ'רנוביץ",
    "Xi Jinping",
    "Deir ez-Zor",
    "J. Edgar Hoover",
    "Mykola Ivanovych Petrenko",
    "Seven Sisters",
    "Putin",
    "New Caledonia",
    "Bank of Georgia",
    "Jean-Luc Picard",
)
WORDS = (
    "the a de al bin Mr President over war said Delhi Under Minister Group within of ist war "
    "против сказал Совет город يقول في 在 北 京 的 斯 克 область oblast 3 three J. s ,"
).split()


def subscription(number: int, query: str) -> Subscription:
    return Subscription(number, f"s{number}", query, (), (1,))


def piece(chance: Random, words: list[str]) -> str:
    """Some words, each of which may be split, joined, or written in another case."""
    changed = list(words)
    if chance.random() < 0.3:
        chance.shuffle(changed)
    if chance.random() < 0.3:
        changed.insert(chance.randrange(len(changed) + 1), chance.choice(WORDS))
    if chance.random() < 0.2:
        at = chance.randrange(len(changed))
        word = changed[at]
        changed[at : at + 1] = [word[: len(word) // 2 or 1], word[len(word) // 2 or 1 :]]
    if chance.random() < 0.2:
        del changed[chance.randrange(len(changed))]
    case = chance.choice((str, str, str.title, str.lower, str.upper))
    return chance.choice((" ", " ", " ", "-", "'", "")).join(map(case, changed))


def article(chance: Random, written: list[list[str]]) -> Article:
    """An article that has some of these spellings among other words."""
    parts: list[str] = []
    for _ in range(chance.randrange(1, 5)):
        parts += chance.choices(WORDS, k=chance.randrange(5))
        parts.append(piece(chance, chance.choice(written)))
    middle = chance.randrange(len(parts))
    language = chance.choice(("en", "ru", "uk", "de", "pl", "ar", "he", "zh", ""))
    return Article(" ".join(parts[:middle]), " ".join(parts[middle:]), language)


def found_alone(index: Index, count: int, candidate: Article) -> list[int]:
    """The subscriptions that match when each is tried on its own."""
    return [number for number in range(1, count + 1) if index.matches(number, candidate)]


def test_the_index_finds_names_just_where_each_alone_would_match() -> None:
    chance = Random(SEED)
    queries = [f'~"{name}"' for name in NAMES]
    queries += [
        f"{queries[5]} OR {queries[8]}",
        f"{queries[0]} AND {queries[16]}",
        f"{queries[2]} NOT {queries[4]}",
        f"title:{queries[10]}",
    ]
    index = Index({}, ("en", "ru", "uk", "de", "pl", "ar", "he", "zh"))
    for number, query in enumerate(queries, 1):
        index.set(subscription(number, query))
    written = [
        spelling.replace("-", " ").split() for name in NAMES for spelling in spellings(name, 12)
    ]
    hits = 0
    for _ in range(amount(150, 20_000)):
        candidate = article(chance, written)
        found = [match.subscription_id for match in index.match(candidate)]
        assert found == found_alone(index, len(queries), candidate), candidate
        hits += len(found)
    assert hits


def test_a_name_is_found_just_while_it_is_subscribed_also_where_words_were_looked_up_before() -> (
    None
):
    seen = Article("Speech by Volodymyr Zelensky", "Donetsk and Benjamin Netanyahu", "en")
    index = Index({})
    index.set(subscription(1, "~Donetsk"))
    for query, found in (
        ('~"Volodymyr Zelensky"', [1, 2]),
        ("~Putin", [1]),
        ('~"Benjamin Netanyahu" OR ~Minsk', [1, 2]),
        ("~donetsk", [1, 2]),
    ):
        index.set(subscription(2, query))
        assert [match.subscription_id for match in index.match(seen)] == found
        index.remove(2)
        assert [match.subscription_id for match in index.match(seen)] == [1]


def test_names_are_found_after_many_were_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_index, "_MIN_REMOVED", 3)
    seen = Article("Speech by Volodymyr Zelensky", "Donetsk and Benjamin Netanyahu", "en")
    index = Index({})
    for number, query in enumerate(
        ("~Donetsk", '~"Benjamin Netanyahu"', '~"Benjamin Netanyahu"', "~Kharkiv", "~Minsk") * 2, 1
    ):
        index.set(subscription(number, query))
    assert [match.subscription_id for match in index.match(seen)] == [1, 2, 3, 6, 7, 8]
    for removed, left in ((1, [2, 3, 6, 7, 8]), (2, [3, 6, 7, 8]), (4, [3, 6, 7, 8]), (5, None)):
        index.remove(removed)
        if left:
            assert [match.subscription_id for match in index.match(seen)] == left
    for removed in (9, 10, 6, 7, 8):
        index.remove(removed)
    assert [match.subscription_id for match in index.match(seen)] == [3]


def test_real_articles_have_the_queries_that_match_when_each_is_tried_alone(shared: Path) -> None:
    entries, _ = load(shared, 10)
    chance = Random(SEED)
    chance.shuffle(entries)
    maker = Maker(vocabularies(f"{entry.title}\n{entry.summary}" for entry in entries[:400]), SEED)
    count = amount(100, 2000)
    index = Index({}, ("en", "ru", "uk", "de", "es", "fr", "ar", "zh"))
    for number, query in enumerate(maker.queries(count), 1):
        index.set(subscription(number, query.text))
    for entry in entries[-amount(20, 4000) :]:
        candidate = Article(entry.title, entry.summary, entry.language)
        found = [match.subscription_id for match in index.match(candidate)]
        assert found == found_alone(index, count, candidate), entry.title


def test_real_texts_have_the_queries_that_match_when_each_is_tried_alone(shared: Path) -> None:
    """Texts of a thousand words."""
    texts = [article for article in articles(shared, 400)[0] if len(article.body) > 2_000]
    chance = Random(SEED)
    chance.shuffle(texts)
    maker = Maker(vocabularies(f"{text.title}\n{text.body}" for text in texts[:200]), SEED)
    count = amount(100, 2000)
    index = Index({}, ("en", "ru", "uk", "de", "es", "fr", "ar", "zh"))
    for number, query in enumerate(maker.queries(count), 1):
        index.set(subscription(number, query.text))
    hits = 0
    for text in texts[-amount(10, 1000) :]:
        found = [match.subscription_id for match in index.match(text)]
        assert found == found_alone(index, count, text), text.title
        hits += len(found)
    assert hits
