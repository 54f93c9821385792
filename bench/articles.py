"""How well the text of articles is taken from their pages, and what that costs.

    python -m bench.articles [--pages FOLDER] [--chunks FOLDER]

`--pages` is a checkout of article-extraction-benchmark: pages with their texts, compared by runs of
four words. `--chunks` is the folder of tests in a checkout of trafilatura: pages with sentences
that belong to the article, and others that do not. Without both, pages are invented. Pages for
those who pay are left out. The time is that of the processor; the process is loaded before.
Asserts nothing, and copies no page.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import re
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import corpus
from bench.command_line import describe_machine, parse, write_record
from bot.model.pages import PageFailed, PageFailure, PageText
from bot.parse.article import read_article

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RUN = 4  # words
_WORD = re.compile(r"\w+")


def runs(text: str) -> Counter[tuple[str, ...]]:
    """Return the runs of four words of a text, and how often each is in it."""
    words = _WORD.findall(text)
    most = max(1, len(words) - _RUN + 1)
    return Counter(tuple(words[start : start + _RUN]) for start in range(most if words else 0))


def pages(folder: Path) -> Iterator[tuple[bytes, str]]:
    """Yield pages with the text of their article."""
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    for name, known in truth.items():
        page = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        yield page, known.get("articleBody", "")


def invented(number: int) -> tuple[bytes, str]:
    """Return a page about an invented article, and its text."""
    document = re.sub(r"<[^>]*>", " ", corpus.invent(number).decode())
    said = html.unescape(document).split()
    lines = [" ".join(said[start : start + 40]) for start in range(0, 800, 40)]
    menu = "<ul>" + "<li><a href=/a>Weather</a></li>" * 20 + "</ul>"
    own = "".join(f"<p>{html.escape(line)}.</p>" for line in lines)
    return f"<html><body>{menu}<article>{own}</article></body></html>".encode(), " ".join(lines)


def read(page: bytes, times: list[float]) -> str | None:
    """Return the text of a page; None where it is for those who pay."""
    began = time.process_time()
    outcome = read_article(page, "text/html")
    times.append(1000 * (time.process_time() - began))
    if outcome == PageFailed(PageFailure.PAYWALL):
        return None
    return outcome.text if isinstance(outcome, PageText) else ""


def row(name: str, precision: float, recall: float, texts: list[str], times: list[float]) -> Any:
    """Return the figures of a set of pages, and print them."""
    times.sort()
    figures = {
        "pages": len(texts),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
        "words": statistics.mean(len(text.split()) for text in texts),
        "without": sum(not text for text in texts),
        "ms": statistics.mean(times),
        "ms_p99": times[int(len(times) * 0.99)],
    }
    print(
        "| {name} | {pages} | {precision:.3f} | {recall:.3f} | {f1:.3f} | {words:.0f} | {without} "
        "| {ms:.1f} ({ms_p99:.0f}) |".format(name=name, **figures),
        flush=True,
    )
    return {"set": name, **figures}


def compared(name: str, known: Iterable[tuple[bytes, str]]) -> Any:
    """Return the figures of pages whose text is known."""
    times: list[float] = []
    pairs = [(own, true) for page, true in known if (own := read(page, times)) is not None]
    shares = []
    for own, true in pairs:
        mine, theirs = runs(own), runs(true)
        both = (mine & theirs).total()
        shares.append((both / mine.total() if mine else None, both / max(1, theirs.total())))
    precision = statistics.mean(share for share, _ in shares if share is not None)
    recall = statistics.mean(share for _, share in shares)
    return row(name, precision, recall, [own for own, _ in pairs], times)


def chunks(folder: Path) -> Any:
    """Return the figures of pages of which some sentences are known."""
    known = json.loads((folder / "evaldata.json").read_text(encoding="utf-8"))
    times: list[float] = []
    texts: list[str] = []
    right = wrong = missed = 0
    for item in known.values():
        paths = (folder / place / item["file"] for place in ("cache", "eval"))
        path = next((path for path in paths if path.exists()), None)
        text = read(path.read_bytes(), times) if path else None
        if text is None:
            continue
        texts.append(text)
        inside = [" ".join(chunk.split()) in text for chunk in item["with"]]
        right, missed = right + sum(inside), missed + len(inside) - sum(inside)
        wrong += sum(" ".join(chunk.split()) in text for chunk in item["without"])
    precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
    return row("sentences", precision, recall, texts, times)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="the text of articles from their pages")
    parser.add_argument("--pages", type=Path, help="checkout of article-extraction-benchmark")
    parser.add_argument("--chunks", type=Path, help="folder `tests` of a checkout of trafilatura")
    options = parse(parser, {"pages": None, "chunks": None})
    print(f"{describe_machine()}; one core\n")
    print("| pages | number | precision | recall | F1 | words | none | CPU ms a page (p99) |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    read_article(b"<p>", "")
    rows = []
    if options.pages:
        rows.append(compared("texts", pages(options.pages)))
    if options.chunks:
        rows.append(chunks(options.chunks))
    if not rows:
        rows.append(compared("invented", map(invented, range(20))))
    write_record(options, rows)


if __name__ == "__main__":
    main()
