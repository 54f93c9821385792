"""Names, measured: how many spellings of a place are found, how many of other places, and name pairs of persons and firms.

    python -m bench.names [--places 1.0] [--pairs 60000] [--half 0|1] [--seed 7]

Recall: each spelling of a place as the query against each other one of it, in an invented sentence of its language; within Latin, and
across scripts (of a place with more than 14 spellings, 14 by chance). False matches: pairs of different places that share no spelling,
one spelling of each by chance. Then F1 of name pairs, and what the engine costs in time and memory.
The floor is what one writes first: anyascii, consonants only, edit distance up to a share of the longer one; without sentences.
`--half` takes every other place and pair, to tune on one half and report the other. Asserts nothing.
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
from typing import TYPE_CHECKING, NamedTuple

from anyascii import anyascii

from bot.names.find import find
from bot.names.pattern import compile_name
from bot.names.phonetic_key import word_keys
from bot.names.transliteration import LATIN, script
from bot.text.fold import folded_key, words

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "names"
MOST_SPELLINGS = 14
#: shares of the longer skeleton that the floor lets differ
FLOORS = (0.25, 0.34, 0.4)
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


class Spelling(NamedTuple):
    """One spelling of a place."""

    name: str
    language: str
    script: str


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="spellings of names")
    parser.add_argument("--places", type=float, default=1.0, help="share of the places")
    parser.add_argument("--pairs", type=int, default=60_000, help="pairs of different places")
    parser.add_argument(
        "--half", type=int, choices=(0, 1), default=None, help="every other place and pair only"
    )
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def places(chance: random.Random, share: float, half: int | None) -> list[list[Spelling]]:
    """Spellings of each place, those that fold to one thing once."""
    found: list[list[Spelling]] = []
    for number, line in enumerate((DATA / "core_places.jsonl").read_text("utf-8").splitlines()):
        spellings: dict[str, Spelling] = {}
        for language, names in json.loads(line)["names"].items():
            for name in filter(folded_key, names):
                if any(character.isalpha() for character in name):
                    spellings.setdefault(
                        folded_key(name), Spelling(name, language, script(next(words(name)).folded))
                    )
        if spellings and half in (None, number % 2):
            found.append(list(spellings.values()))
    chance.shuffle(found)
    return found[: max(2, int(len(found) * share))]


def ours(name: str, spelling: Spelling) -> bool:
    """Whether newsbell finds the name in a sentence that holds the spelling."""
    sentences = SENTENCES.get(spelling.language, SENTENCES["eng"])
    sentence = sentences[len(spelling.name) % len(sentences)].format(spelling.name)
    return bool(find(compile_name(name), [word.folded for word in words(sentence)]))


@lru_cache(maxsize=65536)
def skeleton(name: str) -> str:
    """Consonants of a name in ASCII."""
    return re.sub(r"[^a-z]|[aeiouy]", "", anyascii(name).lower())


@lru_cache(maxsize=1 << 20)
def edits(one: str, other: str) -> int:
    """Edit distance."""
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        fresh = [index]
        for place, facing in enumerate(other, 1):
            fresh.append(min(row[place] + 1, fresh[-1] + 1, row[place - 1] + (letter != facing)))
        row = fresh
    return row[-1]


def floor(share: float) -> Callable[[str, Spelling], bool]:
    """What one writes first."""

    def judge(name: str, spelling: Spelling) -> bool:
        one, other = skeleton(name), skeleton(spelling.name)
        return bool(one and other) and edits(one, other) <= share * max(len(one), len(other))

    return judge


def recall(
    judge: Callable[[str, Spelling], bool], listed: list[list[Spelling]], chance: random.Random
) -> dict[str, float]:
    """Share of the spellings that are found by another of the same place: within Latin, and across scripts."""
    counts = {"latin": [0, 0], "across": [0, 0]}
    for place in listed:
        taken = chance.sample(place, MOST_SPELLINGS) if len(place) > MOST_SPELLINGS else place
        for one in taken:
            for other in taken:
                group = (
                    "latin"
                    if one.script == other.script == LATIN
                    else "across"
                    if one.script != other.script
                    else ""
                )
                if group and one is not other:
                    counts[group][0] += judge(one.name, other)
                    counts[group][1] += 1
    return {group: hits / many for group, (hits, many) in counts.items()}


def strangers(
    listed: list[list[Spelling]], chance: random.Random, many: int
) -> list[tuple[str, Spelling]]:
    """Pairs of spellings of different places that share none."""
    keys = [{folded_key(spelling.name) for spelling in place} for place in listed]
    found: list[tuple[str, Spelling]] = []
    while len(found) < many:
        one, other = chance.sample(range(len(listed)), 2)
        if not keys[one] & keys[other]:
            found.append((chance.choice(listed[one]).name, chance.choice(listed[other])))
    return found


def f1(half: int | None) -> tuple[float, int]:
    """F1 of the labelled name pairs, the first name as the query and the second as the text; and how many pairs."""
    right = wrong = missed = many = 0
    with (DATA / "opensanctions_cases_dev.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if half not in (None, number % 2):
                continue
            many += 1
            truth = row["is_match"] == "true"
            verdict = bool(
                find(compile_name(row["name1"]), [word.folded for word in words(row["name2"])])
            )
            right, wrong, missed = (
                right + (truth and verdict),
                wrong + (verdict and not truth),
                missed + (truth and not verdict),
            )
    return 2 * right / (2 * right + wrong + missed), many


def costs(listed: list[list[Spelling]]) -> list[str]:
    """Lines that say what a compilation, a look-up of keys and a search cost, without what is done once."""
    names = list(dict.fromkeys(spelling.name for place in listed for spelling in place))[:3000]
    text = [
        word.folded
        for language in SENTENCES
        for sentence in SENTENCES[language]
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
    many = sum(len(word_keys(word)) for word in distinct)
    after = time.perf_counter()
    return [
        f"compile {1e6 * (compiled - start) / len(names):.0f} us a name",
        f"find {1e6 * (searched - warm) / len(names):.0f} us a name in a text of {len(text)} words",
        f"find {1e6 * (warm - compiled) / len(names):.0f} us the first time",
        f"word_keys {1e6 * (after - before) / len(distinct):.0f} us a new word, {many / len(distinct):.1f} keys a word",
    ]


def gazetteer() -> str:
    """A line that says what the first name costs."""
    before, start = resident(), time.perf_counter()
    compile_name("Springfield")
    took, stays = time.perf_counter() - start, resident() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return f"first name: {took:.1f} s, {stays:.0f} MB stay, peak of the process {peak:.0f} MB"


def resident() -> float:
    """Resident memory in MB."""
    return (
        int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * resource.getpagesize() / 1e6
    )


def main() -> int:
    """Print the figures."""
    asked = arguments()
    if not DATA.is_dir():
        print(f"skipped: the folder of real data ({DATA}) is absent")
        return 0
    loaded = gazetteer()
    listed = places(random.Random(asked.seed), asked.places, asked.half)
    pairs = strangers(listed, random.Random(asked.seed), asked.pairs)
    print(
        f"{len(listed)} places, {len(pairs):,} pairs of different places, seed {asked.seed}, half {asked.half}\n"
    )
    print(
        "| engine | recall within Latin | recall across scripts | false matches per 1,000 pairs |\n|---|---:|---:|---:|"
    )
    for title, judge in [
        ("newsbell", ours),
        *((f"consonants, {share:.0%} may differ", floor(share)) for share in FLOORS),
    ]:
        found = recall(judge, listed, random.Random(asked.seed))
        false = 1000 * sum(judge(name, spelling) for name, spelling in pairs) / len(pairs)
        print(
            f"| {title} | {found['latin']:.3f} | {found['across']:.3f} | {false:.2f} |", flush=True
        )
    score, many = f1(asked.half)
    print(f"\nF1 of {many} labelled name pairs: {score:.3f} (logic-v2, published: .790)\n")
    print("\n".join([loaded, *costs(listed)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
