"""By which fetcher and after which questions a source is asked."""

from datetime import timedelta

from support import ManualClock

from bot.feeds.source_access import SourceAccess
from bot.feeds.sources import Sources
from bot.model.feeds import Failure, Fetched, FetchFailed, FetchOutcome, FetchRequest, Freshness
from bot.model.sources import ChannelSource, PageSource

CHANNEL = ChannelSource("euphrates_post")
PAGE = PageSource("li")
SITE = "https://port.example"


class Remembering:
    """A fetcher that remembers what it was asked for, and answers robots.txt with this."""

    def __init__(self, robots: str | Failure = "") -> None:
        self.robots, self.asked = robots, list[str]()

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        self.asked.append(request.url)
        if request.url.endswith("/robots.txt") and isinstance(self.robots, Failure):
            return FetchFailed(self.robots, "It does not answer.")
        return Fetched(self.robots.encode(), request.url, "", None, None, Freshness())


async def test_a_mirror_is_reached_as_feeds_of_the_file_are() -> None:
    of_file, public = Remembering(), Remembering()
    mirrored = Sources("http://10.0.0.5")
    access = SourceAccess.of(ManualClock(), lambda: mirrored, mirror=of_file)
    for sources in (mirrored, Sources()):
        url = sources.request_url("https://t.me/s/euphrates_post", CHANNEL, "")
        await access.ask(FetchRequest(url), CHANNEL, public)

    assert of_file.asked == ["http://10.0.0.5/s/euphrates_post"]
    assert public.asked == ["https://t.me/s/euphrates_post"]


async def test_robots_txt_is_asked_for_pages_and_sitemaps_once_a_day() -> None:
    clock, fetcher = ManualClock(), Remembering("User-agent: *\nDisallow: /x\nCrawl-delay: 3")
    access = SourceAccess.of(clock)

    async def asked(path: str, source: PageSource | None = PAGE) -> FetchOutcome:
        return await access.ask(FetchRequest(SITE + path), source, fetcher)

    assert isinstance(await asked("/feed", None), Fetched)
    assert fetcher.asked == [f"{SITE}/feed"], "a feed is fetched because somebody asked for it"
    refused = await asked("/x")
    assert isinstance(refused, FetchFailed)
    assert refused.failure is Failure.ROBOTS
    assert isinstance(await asked("/sitemap.xml", None), Fetched)
    assert access.rules.delay("port.example") == timedelta(seconds=3)
    assert fetcher.asked.count(f"{SITE}/robots.txt") == 1
    fetcher.robots = ""
    clock.advance(timedelta(hours=25))
    assert isinstance(await asked("/x"), Fetched)
    assert access.rules.delay("port.example") == timedelta(0)


async def test_a_site_whose_robots_txt_cannot_be_read_is_left_alone_and_one_without_is_not() -> (
    None
):
    for failure, answer in (
        (Failure.TIMEOUT, FetchFailed),
        (Failure.SERVER, FetchFailed),
        (Failure.SLOW_DOWN, FetchFailed),
        (Failure.NOT_FOUND, Fetched),
        (Failure.BLOCKED, Fetched),
        (Failure.REDIRECT, Fetched),
    ):
        fetcher = Remembering(failure)
        outcome = await SourceAccess.of(ManualClock()).ask(FetchRequest(SITE), PAGE, fetcher)

        assert isinstance(outcome, answer), failure
        assert (SITE in fetcher.asked) is (answer is Fetched)
