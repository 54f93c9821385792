"""What a newsbell counted and stores, in the format of Prometheus.

Counts nothing itself (`measures` does), and holds no state but its own registry. No name of a
feed, a chat or a person is in it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from platform import python_version

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.model.delivery import WaitCause
from bot.model.gauges import FeedCondition, Gauges
from bot.model.health import Health, Role
from bot.model.nodes import Sharing
from bot.search.nodes_text import role_of
from bot.service.measures import Distribution, Measures

_GONE = "gone"  # a role, as a label


@dataclass(frozen=True, slots=True)
class Sample:
    """What is told at one moment."""

    now: datetime
    health: Health
    measures: Measures
    gauges: Gauges | None  #: None where the database could not be read
    reading: int  #: documents that are read or wait for a reader
    readers: int  #: processes that read; 0 where they rest
    window: int  #: entries by which stories are grouped
    sharing: Sharing | None = None  #: None where nobody else can share the database


class _Sampled(Collector):
    """One sample; other than a collector of a live program it cannot be asked twice."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def collect(self) -> Iterable[Metric]:
        sample = self._sample
        yield from _of_process(sample)
        yield from _of_measures(sample.measures)
        if sample.gauges:
            yield from _of_gauges(sample.gauges, sample.now)
        if sample.sharing:
            yield from _of_sharing(sample.sharing, sample.health)


def exposition(sample: Sample) -> bytes:
    """Return the text that Prometheus reads, version 0.0.4 of its format."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Sampled(sample))
    return generate_latest(registry)


def _of_process(sample: Sample) -> Iterator[Metric]:
    health = sample.health
    build = {"version": health.version, "python": python_version()}
    yield InfoMetricFamily("newsbell_build", "Version of newsbell.", value=build)
    gauges = (
        ("healthy", "1 where newsbell works, as newsbell health says.", float(health.healthy)),
        ("uptime_seconds", "Time since the start.", health.uptime),
        ("event_loop_lag_seconds", "Longest delay of the event loop in a minute.", health.lag),
        ("database_bytes", "Size of the database and its log.", float(health.database_bytes)),
        ("documents_reading", "Documents that are read or wait for it.", float(sample.reading)),
        ("readers", "Processes that read documents; 0 where they rest.", float(sample.readers)),
        ("window_entries", "Entries by which stories are grouped.", float(sample.window)),
    )
    for name, text, value in gauges:
        yield GaugeMetricFamily(f"newsbell_{name}", text, value=value)
    moments = (
        ("last_poll", "When polls were last stored.", health.last_poll_at),
        ("last_sent", "When a message last arrived.", health.last_sent_at),
        ("telegram_answered", "When Telegram last answered.", health.telegram_answered_at),
    )
    for name, text, moment in moments:
        if moment:
            yield _moment(name, text, moment)


def _of_measures(measures: Measures) -> Iterator[Metric]:
    yield _counts("polls", "Polls by outcome: ok, or a failure.", "outcome", measures.polls)
    yield _counts(
        "deliveries", "Tries by the state that they led to.", "state", measures.deliveries
    )
    yield CounterMetricFamily("newsbell_cleanups", "Clean-ups.", value=measures.cleanups)
    for name, text, distribution in (
        ("fetch", "Time until a feed had answered.", measures.fetch),
        ("parse", "Processor time for reading a document.", measures.parse),
        ("commit", "Time for deciding about a batch of polls and storing it.", measures.commit),
        (
            "published_to_sent",
            "From the publication of an article to its alert.",
            measures.published_to_sent,
        ),
        ("seen_to_sent", "From the sight of an article to its alert.", measures.seen_to_sent),
    ):
        yield _histogram(f"newsbell_{name}_seconds", text, distribution)


def _of_gauges(gauges: Gauges, now: datetime) -> Iterator[Metric]:
    feeds = GaugeMetricFamily("newsbell_feeds", "Feeds by how they are.", labels=["state"])
    for condition in FeedCondition:
        feeds.add_metric([condition], gauges.feeds.get(condition, 0))
    yield feeds
    count = GaugeMetricFamily("newsbell_outbox", "Messages that wait, by why.", labels=["cause"])
    age = GaugeMetricFamily(
        "newsbell_outbox_oldest_seconds", "Age of the oldest of them.", labels=["cause"]
    )
    for cause in WaitCause:
        backlog = gauges.waiting.get(cause)
        count.add_metric([cause], backlog.count if backlog else 0)
        seconds = (now - backlog.oldest).total_seconds() if backlog else 0.0
        age.add_metric([cause], max(0.0, seconds))
    yield from (count, age)
    others = GaugeMetricFamily(
        "newsbell_outbox_undelivered", "Messages being sent, dead or unknown.", labels=["state"]
    )
    for state, number in gauges.undelivered.items():
        others.add_metric([state], number)
    yield others
    yield GaugeMetricFamily(
        "newsbell_subscriptions", "Subscriptions in force.", value=gauges.subscriptions
    )
    if gauges.cleaned_at:
        text = "When a clean-up last went through to its end."
        yield _moment("cleaned", text, gauges.cleaned_at)


def _of_sharing(sharing: Sharing, health: Health) -> Iterator[Metric]:
    leader = sharing.leader
    roles = Counter(role_of(state, leader) or _GONE for state in sharing.states)
    nodes = GaugeMetricFamily("newsbell_nodes", "Machines by what they do.", labels=["role"])
    for role in (*Role, _GONE):
        nodes.add_metric([role], roles[role])
    yield nodes
    leads, wait = float(health.role is Role.LEADS), sharing.oldest.total_seconds()
    for name, text, value in (
        ("leads", "1 where this one leads, 0 where it waits for its turn.", leads),
        ("handed_over", "Polls that wait for the one that leads.", float(sharing.waiting)),
        ("handed_over_oldest_seconds", "For which the first of them has waited.", wait),
    ):
        yield GaugeMetricFamily(f"newsbell_{name}", text, value=value)


def _moment(name: str, text: str, moment: datetime) -> Metric:
    return GaugeMetricFamily(f"newsbell_{name}_timestamp_seconds", text, value=moment.timestamp())


def _counts(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"newsbell_{name}", text, labels=[label])
    for value, number in sorted(counts.items()):
        family.add_metric([value], number)
    return family


def _histogram(name: str, text: str, distribution: Distribution) -> Metric:
    buckets: list[tuple[str, float]] = []
    total = 0
    for bound, number in zip((*distribution.bounds, "+Inf"), distribution.counts, strict=True):
        total += number
        buckets.append((str(bound), float(total)))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=distribution.sum)
