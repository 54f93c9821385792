"""Reading documents, measured: from their bytes to entries, without fetching and storing them.

    python -m bench.documents [--rounds 5] [--older FOLDER]

Real documents where there are some, else invented ones. Each way of reading has a process of its
own in each round, the ways in turn. `--older` reads the same documents with a checkout of another
commit, set up. Times are those of the processor, once all modules are loaded. Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import corpus
from bench.command_line import DATA, ROOT, describe_machine, parse, write_record
from bot.parse.charset import charset_of, to_utf8
from bot.parse.plain import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PUBLISHED = "Sat, 28 Nov 2026 10:30:00 GMT"
WAYS = {
    "newsbell": "newsbell",
    "by_feedparser": "newsbell, all by feedparser",
    "feedparser": "feedparser alone, with its defaults",
}
SMALL = {"rounds": 1, "documents": 2, "data": None}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="reading documents")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--documents", type=int, default=0, help="the first ones only; 0: all")
    parser.add_argument("--older", type=Path, help="a checkout of another commit, set up")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real documents")
    return parse(parser, SMALL)


def commit(folder: Path) -> str:
    """Return the commit that a checkout is at; empty where there is no git."""
    asked = subprocess.run(
        ["git", "-C", str(folder), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip()


def run(folder: Path, documents: Path, way: str) -> dict[str, Any]:
    """Read all documents in a process, with the newsbell of a folder."""
    script = ROOT / "bench" / "programs" / "read_documents.py"
    own = folder / ".venv" / "bin" / "python"
    python = own if folder != ROOT else Path(sys.executable)
    ended = subprocess.run(
        [python, "-W", "ignore", script, documents, way],
        env=os.environ | {"PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        sys.exit(f"{way} in {folder}: {ended.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(ended.stdout)
    return figures


def plain_share(bodies: Iterable[bytes]) -> float:
    """Return the share of entries that are read without feedparser."""
    entries = plain = 0
    for body in bodies:
        kind = "application/xml"
        found = read_plain(to_utf8(body, kind, charset_of(body, kind)))
        entries += len(found.entries) if found else corpus.count_items(body)
        plain += sum(entry is not None for entry in found.entries) if found else 0
    return plain / entries


def row(way: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of the rounds."""
    names = ("cold_ms", "new_ms", "entries")
    return {"way": way} | {name: statistics.median(run[name] for run in runs) for name in names}


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the Markdown table."""
    lines = [
        "| read by | whole document, CPU ms | one new entry, CPU ms | entries |",
        "|---|---:|---:|---:|",
    ]
    for each in rows:
        new = f"{each['new_ms']:.2f}" if each["new_ms"] else ""
        lines.append(f"| {each['way']} | {each['cold_ms']:.1f} | {new} | {each['entries']:.0f} |")
    return "\n".join(lines)


def main() -> int:
    """Measure, print and write the figures."""
    options = arguments()
    source = corpus.load(options.data)
    bodies = source.documents[: options.documents or None]
    folders = dict.fromkeys(WAYS, ROOT)
    titles = dict(WAYS)
    if options.older is not None:
        folders["older"] = options.older.resolve()
        titles["older"] = f"newsbell at {commit(folders['older'])}"
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in folders}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = Path(folder) / "documents"
        pairs = [(body, corpus.with_new_item(body, "zq1", PUBLISHED)) for body in bodies]
        path.write_bytes(pickle.dumps(pairs))
        for _ in range(options.rounds):
            for way, checkout in folders.items():
                name = "newsbell" if way == "older" else way
                runs[way].append(run(checkout, path, name))
    rows = [row(titles[way], runs[way]) for way in folders]
    share, at = plain_share(bodies), commit(ROOT)
    print(f"{describe_machine()}; {source.describe()}; medians of {options.rounds} rounds at {at}")
    print(f"{share:.1%} of the entries are read without feedparser\n\n{table(rows)}")
    write_record(options, rows, commit=at, plain_share=share, corpus=source.describe())
    return 0


if __name__ == "__main__":
    sys.exit(main())
