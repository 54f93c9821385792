"""A run in front of `explain`: its news, the accounts that were asked for, and what came of them.

What is played is `scripted` or `by_chance`. No assertions.
"""

from dataclasses import dataclass, field
from typing import Any

from botapi import Refuse
from outside.history import Published
from outside.newswire import Event, Newswire, Telling
from outside.replay import Outlet, Replay
from outside.statements import Verdict, judge

AGENCY = "AP"
REFUSAL = Refuse(400, "Bad Request: can't parse entities: unexpected end of input")
OUTLETS = (
    ("harbour-times", "Harbour Times", "coast"),
    ("coastal-post", "Coastal Post", "coast"),
    ("evening-signal", "Evening Signal", "city"),
    ("lantern", "The Lantern", "city"),
    ("meridian", "Daily Meridian", "world"),
    ("vestnik", "Вестник Тарвы", "russian"),
    ("slovo", "Новое слово", "russian"),
)


@dataclass
class Played:
    """What came of it."""

    verdict: Verdict = field(default_factory=Verdict)
    answers: list[tuple[Any, ...]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    articles: int = 0
    messages: int = 0
    subscriptions: int = 0


@dataclass
class Scene:
    """A run, its news, and what is known of it."""

    run: Replay
    news: Newswire
    played: Played = field(default_factory=Played)
    told: dict[str, list[Published]] = field(default_factory=dict)  #: by the topic of the event

    def outlets(self, language: str) -> list[str]:
        """The feeds in a language that everybody reads."""
        russian = language == "ru"
        return [
            outlet.name
            for outlet in self.run.served.feeds.values()
            if isinstance(outlet, Outlet)
            and not outlet.readers
            and ("russian" in outlet.tags) == russian
        ]

    def wire(self, event: Event, count: int, agency: str = AGENCY) -> list[Published]:
        """Let so many outlets carry the agency's story word for word."""
        feeds = self.outlets(event.language)
        chosen = self.run.chance.sample(feeds, min(count, len(feeds)))
        articles = [self.run.publish(feed, event.wire, agency=agency) for feed in chosen]
        self.told.setdefault(event.wire.title, []).extend(articles)
        return articles

    def tell(self, event: Event, telling: Telling) -> Published:
        """Let an outlet tell it in its own words: one that has not told it, if there is one."""
        told = self.told.setdefault(event.wire.title, [])
        feeds = self.outlets(event.language)
        fresh = [feed for feed in feeds if feed not in {article.feed for article in told}]
        article = self.run.publish(self.run.chance.choice(fresh or feeds), telling)
        told.append(article)
        return article

    async def ask(self, *arguments: str) -> None:
        """Ask for an account of the newest articles and judge it."""
        answer = await self.run.explain(*arguments)
        if answer.errors:
            self.played.errors.append(answer.errors)
        self.played.answers.append(answer.articles)
        self.played.verdict.add(
            judge(answer.articles, answer.at, self.run.history, self.run.api.evidence)
        )

    def finish(self) -> Played:
        """Count what there was."""
        played = self.played
        played.articles = len(self.run.history.articles)
        played.messages = len(self.run.api.evidence.receipts)
        played.subscriptions = len(self.run.history.subscriptions)
        played.errors += self.run.waits
        played.errors += [f"ended itself: {end}" for end in self.run.program.ends]
        return played


def subscription_config(name: str, query: str, *to: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "query": query, "to": list(to), **options}


def feed_config(outlet: Outlet) -> dict[str, Any]:
    return {
        "url": outlet.url,
        "name": outlet.name,
        "publisher": outlet.publisher,
        "tags": list(outlet.tags),
        "every": "10m",
    }
