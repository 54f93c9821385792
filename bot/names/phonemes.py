"""The phoneme alphabet: readings of symbols, edit costs, phonetic classes. No words, no scripts.

A symbol is one character. Lower-case letters, and S Z C J for sh, zh, ch, j, are phonemes; every
other symbol is a letter with several readings, such as the Latin `ch`. The unit of costs is one
consonant: 1.0 is the cost of an additional consonant.
"""

import re
from functools import cache, lru_cache
from itertools import pairwise

PHONEMES = "pbfvmntdszSZCJckgxhrlywaeiou"
VOWELS = frozenset("aeiou")
#: The readings of each symbol: phonemes, each followed by its cost.
READINGS = {
    # Latin
    "H": "C0 x0 S.05 k.1 h.15",  # ch
    "Y": "J0 y0 Z.05 x.12 h.15 i0",  # j
    "K": "k0 C.15 J.15 c.12 s.25",  # c, also the folded ç and Turkish c
    "E": "s.05 c0 C.08 J.12 k.15",  # c before e, i, y
    "A": "s0 z.1 S.5",  # s, also the folded ş and š
    "B": "z0 c.1 s.1 Z.12",  # z, German and Polish included
    "W": "v0 w0 u.1 f.15 b.25",  # w
    "D": "h0 x.08 g.12",  # h
    "G": "g0 h.1 J.12 x.2 k.3",  # g
    "R": "S0 Z.05 s.2",  # sch, sz
    "X": "S0 s.02 x.1 k.15 z.15",  # x at the start
    "Q": "k0 C.1 g.1",  # q
    "F": "Z0 J.03 z.15 C.2",  # zh
    "U": "x0 h.03 k.1",  # kh
    "I": "g0 h.1 x.1 k.3",  # gh
    "O": "t0 s.1 d.2 z.2",  # th
    "P": "d0 z.08 t.25",  # dh
    "L": "z.05 J.05 c.2 d.3",  # dz
    "M": "y0 i0 u.15 e.15",  # y
    # Cyrillic
    "γ": "g0 h.02 x.25",  # г
    "χ": "x0 h0 k.2",  # х
    "ε": "e0 o.2",  # е and the folded ё
    "η": "i0 y0 e.12",  # и, ы
    "τ": "v0 w0 u.15 f.2 b.3",  # в
    # Arabic and Persian
    "β": "b0 p.03 v.2",
    "φ": "f0 v.03 p.15",
    "ω": "w0 v0 u0 o0 f.2",
    "ι": "y0 i0 e.03 a.15",
    "α": "a0 e.04 o.08 i.1 u.1",
    "ζ": "J0 g.03 Z.05 y.3",
    "θ": "t0 s.05",
    "δ": "d.05 z0",
    "κ": "k0 g.05",
    "ψ": "k0 g.1",
    "λ": "h0 x.08 g.1",  # ه and ה
    "ρ": "h0 x.08",  # ح
    "ν": "a.03 e.05 i.08 o.08 u.1",  # ayin
    # Hebrew
    "μ": "b0 v0",
    "π": "p0 f0",
    "σ": "S0 s0",
    "ξ": "c0 C.08 s.12",
    "ο": "z0 Z.1",
    "υ": "g0 J.12 h.1",
    "ς": "x0 h0 k.12",
    "Δ": "k0 x.04",
    # Chinese renderings
    "Π": "f0 v0",
    "Σ": "r0 l0",
    "Φ": "S0 s.05 h.02 x.02 C.2",
    "Γ": "g0 k.08 h.1 x.15 J.15",
    "Ψ": "J0 d.02 t.05 g.08 k.03 Z.1 c.2",
    "Θ": "x0 h0 g.05",
    "Ξ": "z0 c.08 s.12 Z.12 J.15 O.1",
    "Ω": "v0 w0 u0",
}
#: Costs of substituting related phonemes for each other.
_RELATED = (
    "pb.3 fv.12 bv.35 vw.05 fw.3 pf.5 wu.15 uv.45 td.35 sz.2 SZ.3 CJ.35 CS.3 JZ.1 cs.3 "
    "cC.35 cz.3 sS.6 zZ.3 zJ.5 tc.5 tC.6 dJ.6 kg.35 kx.25 gh.15 hx.1 gx.4 kh.5 mn.45 rl.75 "
    "yi.06 ye.4 yJ.5 ZC.5 tO.1 ae.15 ao.2 ei.12 ou.12 ai.35 au.35 eo.3 io.3 iu.35 eu.35"
)
#: Phonetic classes for the index: phonemes that some pair of scripts confuses share a class.
_CLASS_OF = dict(zip("pbfvmntdszSZCJckgxhrl", "PPPPMNTTSSSSSSSKKKKRL", strict=True))
_MAX_CLASS_COST = 0.16  # of a reading whose class is indexed
_SYLLABIC_EQUALS = frozenset({"td", "dt", "kg", "gk", "pb", "bp", "sz", "zs"})
_LIQUIDS = "rlΣ"
#: Symbols that may also be silent, or a vowel.
MAY_BE_SILENT = frozenset("hDλρωYwyWΩ")
_REPEATED = re.compile(r"(.)\1", re.DOTALL)
#: Comparison modes, to be added: scripts that omit vowels, scripts that write syllables.
PLAIN, ABJAD, SYLLABIC = 0, 1, 2


@cache
def readings_of(symbol: str) -> tuple[tuple[str, float], ...]:
    """Return the phonemes of a symbol with the cost of each reading."""
    readings = READINGS.get(symbol)
    if readings is None:
        return ((symbol, 0.0),)
    return tuple((reading[0], float(reading[1:])) for reading in readings.split())


@cache
def _related_costs() -> dict[frozenset[str], float]:
    return {frozenset(pair[:2]): float(pair[2:]) for pair in _RELATED.split()}


@lru_cache(1 << 12)  # pairs of some forty phonemes
def _phoneme_cost(phoneme: str, other: str) -> float:
    """Cost of substituting one phoneme for another."""
    if phoneme == other:
        return 0.0
    related = _related_costs().get(frozenset((phoneme, other)))
    if related is not None:
        return related
    if phoneme in VOWELS and other in VOWELS:
        return 0.4
    return 3.0 if phoneme.isdigit() or other.isdigit() else 1.2


@cache
def is_vowel(symbol: str) -> bool:
    """Whether every reading of a symbol is a vowel or a glide."""
    return all(reading in "aeiouy" for reading, _ in readings_of(symbol))


@cache
def substitution_costs(mode: int) -> dict[str, float]:
    """Return the cost of substituting one symbol for another, by the pair as a string.

    Args:
        mode: PLAIN, or a sum of ABJAD and SYLLABIC.
    """
    return {
        symbol + other: cost
        for symbol in _symbols()
        for other, cost in costs_of_symbol(symbol, mode).items()
    }


@cache
def costs_of_symbol(symbol: str, mode: int) -> dict[str, float]:
    """Return the cost of substituting each symbol for this one, in a mode as above.

    A name compares few symbols: the costs of all would take longer than the rest of it.
    """
    costs = dict(_plain_costs(symbol))
    if mode and is_vowel(symbol):
        for other in filter(is_vowel, costs):
            costs[other] = min(costs[other], 0.1 + costs[other] / 3)
    if mode & SYLLABIC:
        if symbol in _LIQUIDS:
            costs |= dict.fromkeys(_LIQUIDS, 0.03)
        costs |= {pair[1]: 0.12 for pair in _SYLLABIC_EQUALS if pair[0] == symbol}
    return costs


@cache
def _symbols() -> tuple[str, ...]:
    return (*PHONEMES, *READINGS, *"0123456789O")


@cache
def _plain_costs(symbol: str) -> dict[str, float]:
    """The least cost of a reading of a symbol for a reading of each other one."""
    readings = readings_of(symbol)
    return {
        other: min(
            _phoneme_cost(phoneme, other_phoneme) + reading_cost + other_cost
            for phoneme, reading_cost in readings
            for other_phoneme, other_cost in readings_of(other)
        )
        for other in _symbols()
    }


@cache
def gap_costs(mode: int) -> dict[str, float]:
    """Return the cost of each symbol that the other spelling lacks."""
    costs: dict[str, float] = {}
    for symbol in _symbols():
        if is_vowel(symbol):
            cost = (0.15 if symbol in "yiMηι" else 0.3) if mode == PLAIN else 0.06
            cost = 0.1 if symbol in "αων" else cost
        elif symbol in MAY_BE_SILENT:
            cost = 0.3 if symbol in "hDλρ" else 0.4
            cost = {"ω": 0.18, "Y": 0.2}.get(symbol, cost)
        else:
            cost = 3.0 if symbol.isdigit() else 0.6 if mode & SYLLABIC and symbol in "nrlD" else 1.0
        costs[symbol] = cost
    costs["ν"] = 0.04
    return costs


@cache
def phonetic_classes(symbol: str) -> tuple[str, ...]:
    """Return the phonetic classes of a symbol, likeliest first; empty ones for a silent reading."""
    classes = dict.fromkeys(
        _CLASS_OF.get(reading, symbol if symbol.isdigit() else "")
        for reading, cost in readings_of(symbol)
        if cost <= _MAX_CLASS_COST
    )
    if symbol in MAY_BE_SILENT:
        classes[""] = None
    if symbol == "Σ":
        return ("R", "L")
    return tuple(classes)


def collapse_repeats(phonemes: str) -> str:
    """Return a phoneme string without repeated symbols."""
    if not _REPEATED.search(phonemes):
        return phonemes
    return phonemes[:1] + "".join(after for before, after in pairwise(phonemes) if before != after)


def join_phonemes(before: str, after: str) -> str:
    """Join two phoneme strings without repeated symbols to one."""
    return before + (after[1:] if before[-1:] == after[:1] else after)
