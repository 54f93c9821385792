"""Names, measured: spellings of places that are found, false matches, and labelled name pairs.

    python -m bench.names [--places 1.0] [--pairs 60000] [--groups 3000] [--half 0|1] [--seed 7]

Recall: each spelling of a place as the query, each other spelling of it in an invented sentence of
its language; within Latin, and across scripts (of a place with more than 14 spellings, 14 by
chance). False matches: pairs of different places that share no spelling, one spelling of each by
chance. `any of any` counts what a person who waits for one of them meets: pairs of different places
that share no spelling, of which any spelling of one (14 at most, by chance) is found in a sentence
with any spelling of the other. Then F1 of the names of persons and firms, and the time and memory
of the engine. The baseline is what one writes first: anyascii, consonants only, edit distance up to
a share of the longer name; without sentences. `--half` takes every other place and pair, to tune on
one half and report the other. Asserts nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import resource
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from anyascii import anyascii

from bench.command_line import DATA, parse, write_record
from bot.names.context import text_of
from bot.names.find import find, find_in
from bot.names.pattern import compile_name
from bot.names.phonetic_key import word_keys
from bot.names.transliteration import LATIN, script
from bot.text.fold import folded_key, words

if TYPE_CHECKING:
    from collections.abc import Callable

    Judge = Callable[[str, "Spelling"], bool]

MAX_SPELLINGS = 14
#: shares of the longer name's consonants that may differ
BASELINES = (0.25, 0.34, 0.4)
SMALL = {"places": 0.01, "pairs": 200, "groups": 5}
SENTENCES = {
    "eng": ("Rain is expected near {} by the weekend", "The mayor of {} opened a bridge"),
    "ara": ("افتتح سوق جديد في {} صباح اليوم", "ينتظر المزارعون قرب {} موسم المطر"),
    "rus": ("Новый мост открыли возле {} утром", "Дождь ожидается у {} к выходным"),
    "ukr": ("Новий міст відкрили біля {} вранці", "Дощ очікується поблизу {} до вихідних"),
    "heb": ("שוק חדש נפתח ליד {} הבוקר", "גשם צפוי סביב {} בסוף השבוע"),
    "fas": ("بازار تازه‌ای در {} گشایش یافت", "باران در نزدیکی {} پیش‌بینی می‌شود"),
    "zho": ("新桥今早在{}开通", "周末{}附近有雨"),
    "deu": ("Am Wochenende wird bei {} Regen erwartet", "Die Brücke von {} ist wieder offen"),
    "fra": ("Un marché ouvre près de {} ce matin", "La pluie est attendue à {} samedi"),
    "spa": ("Se espera lluvia cerca de {} el sábado", "Abre un mercado nuevo en {}"),
    "tur": ("Hafta sonu {} yakınında yağmur bekleniyor", "Yeni köprü {} kentinde açıldı"),
}


#: the codes that newsbell has for these languages
CODES = {
    "eng": "en",
    "ara": "ar",
    "rus": "ru",
    "ukr": "uk",
    "heb": "he",
    "fas": "fa",
    "zho": "zh",
    "deu": "de",
    "fra": "fr",
    "spa": "es",
    "tur": "tr",
}


class Spelling(NamedTuple):
    """A spelling of a place."""

    name: str
    language: str  #: ISO 639-3
    script: str


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="spellings of names")
    parser.add_argument("--places", type=float, default=1.0, help="share of the places")
    parser.add_argument("--pairs", type=int, default=60_000, help="pairs of different places")
    parser.add_argument(
        "--groups", type=int, default=3_000, help="pairs of places compared by all their spellings"
    )
    parser.add_argument(
        "--half", type=int, choices=(0, 1), default=None, help="every other place and pair only"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--data", type=Path, default=DATA / "names", help="folder of real names")
    return parse(parser, SMALL)


def read_places(path: Path, half: int | None) -> list[list[Spelling]]:
    """Return the spellings of each place; those that fold to the same text count once."""
    listed: list[list[Spelling]] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines()):
        spellings: dict[str, Spelling] = {}
        for language, names in json.loads(line)["names"].items():
            for name in filter(folded_key, names):
                if any(character.isalpha() for character in name):
                    first = next(words(name)).folded
                    spelling = Spelling(name, language, script(first))
                    spellings.setdefault(folded_key(name), spelling)
        if spellings and half in (None, number % 2):
            listed.append(list(spellings.values()))
    return listed


def is_in_text(name: str, text: str, language: str) -> bool:
    """Return whether newsbell finds the name in a text of this language."""
    return bool(find_in(compile_name(name), text_of(text, language)))


def matches(name: str, spelling: Spelling) -> bool:
    """Return whether newsbell finds the name in a sentence with the spelling."""
    sentences = SENTENCES.get(spelling.language, SENTENCES["eng"])
    sentence = sentences[len(spelling.name) % len(sentences)].format(spelling.name)
    code = CODES[spelling.language if spelling.language in SENTENCES else "eng"]
    return is_in_text(name, sentence, code)


@lru_cache(maxsize=65536)
def consonants(name: str) -> str:
    """Return the consonants of a name in ASCII."""
    return re.sub(r"[^a-z]|[aeiouy]", "", anyascii(name).lower())


@lru_cache(maxsize=1 << 20)
def edit_distance(first: str, second: str) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(second) + 1))
    for index, letter in enumerate(first, 1):
        previous, row = row, [index]
        for column, other in enumerate(second, 1):
            replaced = previous[column - 1] + (letter != other)
            row.append(min(previous[column] + 1, row[-1] + 1, replaced))
    return row[-1]


def baseline(share: float) -> Judge:
    """Return a judge that allows this share of the longer name's consonants to differ."""

    def judge(name: str, spelling: Spelling) -> bool:
        first, second = consonants(name), consonants(spelling.name)
        limit = share * max(len(first), len(second))
        return bool(first and second) and edit_distance(first, second) <= limit

    return judge


def recall(judge: Judge, listed: list[list[Spelling]], chance: random.Random) -> dict[str, Any]:
    """Return the shares of the pairs of spellings that match, and how many pairs there were."""
    hits, pairs = {"latin": 0, "across": 0}, {"latin": 0, "across": 0}
    for place in listed:
        sample = some(place, chance)
        for query in sample:
            for spelling in sample:
                latin = query.script == spelling.script == LATIN
                if query is spelling or not (latin or query.script != spelling.script):
                    continue
                group = "latin" if latin else "across"
                hits[group] += judge(query.name, spelling)
                pairs[group] += 1
    shares = {f"recall_{group}": hits[group] / (pairs[group] or 1) for group in hits}
    return shares | {f"pairs_{group}": pairs[group] for group in pairs}


def different_places(
    listed: list[list[Spelling]], chance: random.Random, count: int
) -> list[tuple[str, Spelling]]:
    """Return pairs of spellings of different places that share none."""
    keys = [{folded_key(spelling.name) for spelling in place} for place in listed]
    pairs: list[tuple[str, Spelling]] = []
    while len(pairs) < count:
        first, second = chance.sample(range(len(listed)), 2)
        if not keys[first] & keys[second]:
            pairs.append((chance.choice(listed[first]).name, chance.choice(listed[second])))
    return pairs


def pairs_of_all(
    listed: list[list[Spelling]], chance: random.Random, count: int
) -> list[tuple[list[Spelling], list[Spelling]]]:
    """Return spellings of pairs of different places that share none."""
    keys = [{folded_key(spelling.name) for spelling in place} for place in listed]
    pairs: list[tuple[list[Spelling], list[Spelling]]] = []
    while len(pairs) < count:
        first, second = chance.sample(range(len(listed)), 2)
        if not keys[first] & keys[second]:
            pairs.append((some(listed[first], chance), some(listed[second], chance)))
    return pairs


def some(place: list[Spelling], chance: random.Random) -> list[Spelling]:
    """Return the spellings of a place, so many at most."""
    return chance.sample(place, MAX_SPELLINGS) if len(place) > MAX_SPELLINGS else place


def any_of_any(judge: Judge, pairs: list[tuple[list[Spelling], list[Spelling]]]) -> float:
    """Return of how many pairs in 1,000 some spelling of one is found for one of the other."""
    false = sum(
        any(judge(query.name, spelling) for query in place for spelling in other)
        for place, other in pairs
    )
    return 1000 * false / (len(pairs) or 1)


def labelled_pairs(path: Path, half: int | None) -> dict[str, Any]:
    """Return F1 of labelled name pairs: the first name is the query, the second the text."""
    right = wrong = missed = pairs = 0
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if half not in (None, number % 2):
                continue
            verdict = is_in_text(row["name1"], row["name2"], "")
            label = row["is_match"] == "true"
            pairs += 1
            right += label and verdict
            wrong += verdict and not label
            missed += label and not verdict
    return {"pairs": pairs, "f1": 2 * right / ((2 * right + wrong + missed) or 1)}


def costs(listed: list[list[Spelling]]) -> dict[str, float]:
    """Return microseconds of a compilation, a search and a look-up of keys, once all is loaded."""
    names = list(dict.fromkeys(spelling.name for place in listed for spelling in place))[:3000]
    text = [
        word.folded
        for sentences in SENTENCES.values()
        for sentence in sentences
        for word in words(sentence.format(""))
    ]
    compile_name.cache_clear()
    start = time.perf_counter()
    patterns = [compile_name(name) for name in names]
    compiled = time.perf_counter()
    for pattern in patterns:
        find(pattern, text)
    warm = time.perf_counter()
    for pattern in patterns:
        find(pattern, text)
    searched = time.perf_counter()
    distinct = list({word.folded for name in names for word in words(name)})
    word_keys.cache_clear()
    before = time.perf_counter()
    keys = sum(len(word_keys(word)) for word in distinct)
    after = time.perf_counter()
    return {
        "compile_us": 1e6 * (compiled - start) / len(names),
        "first_find_us": 1e6 * (warm - compiled) / len(names),
        "find_us": 1e6 * (searched - warm) / len(names),
        "text_words": len(text),
        "word_keys_us": 1e6 * (after - before) / len(distinct),
        "keys_a_word": keys / len(distinct),
    }


def first_name() -> dict[str, float]:
    """Return what the first name of a process costs: it opens the gazetteer."""
    before, start = resident_mb(), time.perf_counter()
    compile_name("Springfield")
    seconds, size = time.perf_counter() - start, resident_mb() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"first_name_s": seconds, "first_name_mb": size, "peak_mb": peak}


def resident_mb() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def compare_engines(
    options: argparse.Namespace, listed: list[list[Spelling]]
) -> list[dict[str, Any]]:
    """Return a row for newsbell and for each baseline; print them as a table."""
    pairs = different_places(listed, random.Random(options.seed), options.pairs)
    groups = pairs_of_all(listed, random.Random(options.seed), options.groups)
    print(
        f"{len(listed)} places, {len(pairs):,} pairs of different places, "
        f"seed {options.seed}, half {options.half}\n"
    )
    print(
        "| engine | recall within Latin | recall across scripts | false matches per 1,000 pairs "
        "| any of any |\n|---|---:|---:|---:|---:|"
    )
    judges: dict[str, Judge] = {"newsbell": matches}
    judges |= {f"consonants, {share:.0%} may differ": baseline(share) for share in BASELINES}
    rows: list[dict[str, Any]] = []
    for title, judge in judges.items():
        row = {"engine": title, **recall(judge, listed, random.Random(options.seed))}
        row["false_per_1000"] = (
            1000 * sum(judge(name, spelling) for name, spelling in pairs) / len(pairs)
        )
        row["any_of_any_per_1000"] = any_of_any(judge, groups)
        rows.append(row)
        print(
            "| {engine} | {recall_latin:.3f} | {recall_across:.3f} | {false_per_1000:.2f} "
            "| {any_of_any_per_1000:.1f} |".format(**row),
            flush=True,
        )
    return rows


def main() -> int:
    """Measure, print and write the figures."""
    options = arguments()
    if not options.data.is_dir():
        print(f"skipped: the folder of real names ({options.data}) is absent")
        return 0
    engine = first_name()
    listed = read_places(options.data / "core_places.jsonl", options.half)
    random.Random(options.seed).shuffle(listed)
    listed = listed[: max(2, int(len(listed) * options.places))]
    rows = compare_engines(options, listed)
    labelled = labelled_pairs(options.data / "opensanctions_cases_dev.csv", options.half)
    print(
        "\nF1 of {pairs} labelled name pairs: {f1:.3f} (logic-v2, published: .790)\n".format(
            **labelled
        )
    )
    engine |= costs(listed)
    print(
        "first name: {first_name_s:.1f} s, {first_name_mb:.0f} MB stay, "
        "peak of the process {peak_mb:.0f} MB\n"
        "compile {compile_us:.0f} us a name\n"
        "find {find_us:.0f} us a name in a text of {text_words} words\n"
        "find {first_find_us:.0f} us the first time\n"
        "word_keys {word_keys_us:.0f} us a new word, {keys_a_word:.1f} keys a word".format(**engine)
    )
    write_record(options, rows, places=len(listed), labelled=labelled, engine=engine)
    return 0


if __name__ == "__main__":
    sys.exit(main())
