"""The Ukrainian dictionary, read where it lies, gives the lemmas that pymorphy3 gives."""

from itertools import islice

from pymorphy3 import MorphAnalyzer
from pymorphy3_dicts_uk import get_path

from bot.text.ukrainian import analyzer

UNKNOWN = ["зеленського", "трамваємось", "кіберблекаут", "найнеймовірнішого", "нато", "г", "1-го"]


def test_lemmas_are_those_of_a_dictionary_that_was_copied() -> None:
    plain = MorphAnalyzer(path=get_path(), lang="uk")
    known = islice(plain.dictionary.words.iterkeys("перемо"), 300)
    for word in (*known, *UNKNOWN):
        assert [form.normal_form for form in analyzer().parse(word)] == [
            form.normal_form for form in plain.parse(word)
        ]


def test_the_dictionary_is_not_copied() -> None:
    dictionary = analyzer().dictionary
    graphs = (dictionary.words, *dictionary.prediction_suffixes_dawgs)
    assert {type(graph.dct._units) for graph in graphs} == {memoryview}
