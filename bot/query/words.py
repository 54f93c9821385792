"""The words of one article, cut, folded and stemmed once for all queries, by where they stand. Not matching."""

from bisect import bisect_left
from functools import lru_cache
from itertools import combinations, pairwise
from unicodedata import normalize

from bot.model.entries import Article, Span
from bot.query.fields import site_value
from bot.text.fold import fold, folded_key
from bot.text.stem import stems
from bot.text.tokens import MAX_JOINED, designation, is_unspaced, joined, tokens

TokenRange = tuple[int, int]  #: half-open range of word positions
_HERE = tuple((index, index + 1) for index in range(600))


@lru_cache(maxsize=1 << 17)
def keys_of_word(word: str, language: str) -> tuple[str, ...]:
    """What a word of a text, in small letters, is found by: itself folded after `=`, and its stems. С300 is found as S300, too."""
    folded = fold(word)
    found = (f"={folded}", *stems(word, language))
    if folded.isascii() or not any(map(str.isdecimal, folded)):
        return found
    return (*found, f"={designation(folded)}", designation(folded))


class ArticleWords:
    """An article, ready to be matched. Positions run through title and summary; a wall that nothing crosses stands between."""

    __slots__ = (
        "_cut",
        "article",
        "language",
        "places",
        "said",
        "sorted_keys",
        "spans",
        "summary_from",
        "texts",
        "words",
    )

    def __init__(self, article: Article) -> None:
        self.article = article
        self.language = article.language
        self.texts = (article.title, article.summary)
        title = tokens(article.title)
        self.words, lower = title.words, title.lower
        compounds, unspaced = title.compounds, title.unspaced
        self.summary_from = len(self.words) + 1
        self._cut = [title]
        if article.summary:
            summary = tokens(article.summary)
            shift = self.summary_from
            self.words = [*self.words, "", *summary.words]
            lower = [*lower, "", *summary.lower]
            compounds = compounds + [
                (start + shift, end + shift) for start, end in summary.compounds
            ]
            unspaced = unspaced or summary.unspaced
            self._cut.append(summary)
        self.said: dict[
            str, list[TokenRange]
        ] = {}  #: words in small letters, joined ones as well, to where they stand
        self.places: dict[str, list[TokenRange]] = {}  #: keys to where they stand
        self.spans: dict[str, list[Span] | None] = {}  #: of terms that were looked for before
        self.sorted_keys: list[str] = []  #: made when a beginning is looked for
        self._stand(lower, compounds, unspaced=unspaced)
        self._file()

    def _stand(self, lower: list[str], compounds: list[TokenRange], *, unspaced: bool) -> None:
        said = self.said
        for index, word in enumerate(lower):
            here = _HERE[index] if index < len(_HERE) else (index, index + 1)
            if word in said:
                said[word].append(here)
            else:
                said[word] = [here]
        said.pop("", None)
        for first, last in compounds:
            for start, end in combinations(range(first, last + 1), 2):
                if 2 <= end - start <= MAX_JOINED:
                    said.setdefault(joined(tuple(lower[start:end])), []).append((start, end))
        if unspaced:  # two characters of a script without spaces are rarer than one
            for index, (one, other) in enumerate(pairwise(self.words)):
                if is_unspaced(one) and is_unspaced(other):
                    said.setdefault(one + other, []).append((index, index + 2))

    def _file(self) -> None:
        places, language = self.places, self.language
        for word, found in self.said.items():
            for one in keys_of_word(word, language):
                # Lists are shared between keys and never changed; words with one stem get a list of their own.
                places[one] = found if one not in places else [*places[one], *found]

    def characters(self, place: TokenRange) -> tuple[str, int, int]:
        """The field that words stand in, and the half-open range of their characters there."""
        if place[0] < self.summary_from:
            cut = self._cut[0].places
            return "title", cut[place[0]][0], cut[place[1] - 1][1]
        cut = self._cut[1].places
        return (
            "summary",
            cut[place[0] - self.summary_from][0],
            cut[place[1] - 1 - self.summary_from][1],
        )

    def original(self, place: TokenRange) -> str:
        """The stretch of the original text, composed."""
        field, start, end = self.characters(place)
        return normalize("NFC", self.texts[field != "title"][start:end])

    def beginning(self, start: str) -> list[TokenRange]:
        """Where words with this folded beginning stand."""
        if not self.sorted_keys:
            self.sorted_keys = sorted(one for one in self.places if one[0] == "=")
        found: list[TokenRange] = []
        index = bisect_left(self.sorted_keys, f"={start}")
        while index < len(self.sorted_keys) and self.sorted_keys[index].startswith(start, 1):
            found += self.places[self.sorted_keys[index]]
            index += 1
        return found

    def meta_keys(self) -> set[str]:
        """The keys of what is known beside the words."""
        article = self.article
        found = {
            f"lang:{article.language}",
            *(f"tag:{fold(tag)}" for tag in article.tags),
            f"feed:{article.feed}",
        }
        found.update(f"site:{site}" for site in site_hosts(site_value(article.link)))
        for field, text in (
            ("feed", article.feed_name),
            ("source", " ".join(sources(article))),
            ("author", article.author),
        ):
            found.update(f"{field}:{word}" for word in folded_key(text).split())
        return found


def sources(article: Article) -> tuple[str, ...]:
    """Whose article it is: the outlet an aggregator names, else publisher and feed."""
    return (article.source,) if article.source else (article.publisher, article.feed_name)


def site_hosts(address: str) -> list[str]:
    """The hosts that an address belongs to: its own and those above it."""
    labels = address.partition("/")[0].split(".")
    return [".".join(labels[index:]) for index in range(len(labels) - 1)]
