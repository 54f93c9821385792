"""The words of one article, cut, folded and stemmed once for all queries, by where they stand. Not matching."""

from functools import lru_cache
from itertools import combinations, pairwise
from unicodedata import normalize

from bot.model.entries import Article
from bot.query.values import host
from bot.text.fold import fold, key
from bot.text.stem import stems
from bot.text.tokens import JOINED_MOST, designation, is_unspaced, joined, tokens

#: lengths of the beginnings of words under which an article is found
PREFIXES = (2, 4)
Place = tuple[int, int]  #: half-open range of word positions


@lru_cache(maxsize=1 << 17)
def keys_of(word: str, language: str) -> tuple[str, ...]:
    """What a folded word of a text is found by: itself after `=`, and its stems."""
    latin = () if word.isascii() or not any(map(str.isdecimal, word)) else (f"={designation(word)}",)
    return (f"={word}", *stems(word, language), *latin)


@lru_cache(maxsize=1 << 17)
def prefix_keys(word: str) -> tuple[str, ...]:
    """The beginnings that a word is found by, after `^`."""
    return tuple(f"^{word[:length]}" for length in PREFIXES if len(word) >= length)


class ArticleWords:
    """An article, ready to be matched. Positions run through title and summary; a wall that nothing crosses stands between."""

    __slots__ = ("article", "ends", "language", "places", "starts", "summary_from", "texts", "words")

    def __init__(self, article: Article) -> None:
        self.article = article
        self.language = article.language
        self.texts = (article.title, article.summary)
        title = tokens(article.title)
        self.words = title.words
        self.starts = title.starts
        self.ends = title.ends
        compounds, unspaced = title.compounds, title.unspaced
        self.summary_from = len(self.words) + 1
        if article.summary:
            summary = tokens(article.summary)
            shift = self.summary_from
            self.words = [*self.words, "", *summary.words]
            self.starts = [*self.starts, 0, *summary.starts]
            self.ends = [*self.ends, 0, *summary.ends]
            compounds = compounds + [(start + shift, end + shift) for start, end in summary.compounds]
            unspaced = unspaced or summary.unspaced
        self.places: dict[str, list[Place]] = {}
        self._place(compounds, unspaced=unspaced)

    @classmethod
    def of(cls, article: Article) -> "ArticleWords":
        """The words of an article."""
        return cls(article)

    def _place(self, compounds: list[Place], *, unspaced: bool) -> None:
        places, language = self.places, self.language
        for index, word in enumerate(self.words):
            if word:
                here = (index, index + 1)
                for one in keys_of(word, language):
                    found = places.get(one)
                    if found is None:
                        places[one] = [here]
                    else:
                        found.append(here)
        for first, last in compounds:
            for start, end in combinations(range(first, last + 1), 2):
                if 2 <= end - start <= JOINED_MOST:
                    for one in keys_of(joined(tuple(self.words[start:end])), language):
                        places.setdefault(one, []).append((start, end))
        if unspaced:
            self._place_pairs()

    def _place_pairs(self) -> None:
        """Two characters of a script without spaces are rarer than one."""
        for index, (first, second) in enumerate(pairwise(self.words)):
            if is_unspaced(first) and is_unspaced(second):
                self.places.setdefault(f"={first}{second}", []).append((index, index + 2))

    def field_of(self, position: int) -> str:
        """The field that a word stands in."""
        return "title" if position < self.summary_from else "summary"

    def original(self, place: Place) -> str:
        """The stretch of the original text, composed."""
        text = self.texts[place[0] >= self.summary_from]
        return normalize("NFC", text[self.starts[place[0]] : self.ends[place[1] - 1]])

    def prefix_keys(self) -> set[str]:
        """The keys of all beginnings of words."""
        return {one for key_ in self.places if key_[0] == "=" for one in prefix_keys(key_[1:])}

    def meta_keys(self) -> set[str]:
        """The keys of what is known beside the words."""
        article = self.article
        found = {f"lang:{article.language}", *(f"tag:{fold(tag)}" for tag in article.tags), f"feed:{article.feed}"}
        found.update(f"site:{site}" for site in sites(host(article.link)))
        for field, text in (("feed", article.feed_name), ("source", said_source(article)), ("author", article.author)):
            found.update(f"{field}:{word}" for word in key(text).split())
        return found


def said_source(article: Article) -> str:
    """Whose article it is: the outlet an aggregator names, else publisher and feed."""
    return article.source or f"{article.publisher} | {article.feed_name}"


def sites(address: str) -> list[str]:
    """The hosts that an address belongs to: its own and those above it."""
    labels = address.partition("/")[0].split(".")
    return [".".join(labels[index:]) for index in range(len(labels) - 1)]
