"""What Prometheus reads: calls by tool, errors by code, how long calls take, and how the pool is doing."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from db.pool import Pool

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# What psycopg counts of a pool, and what it means.
OF_POOL = {
    "pool_size": "Connections that are open",
    "pool_available": "Connections that nobody uses",
    "requests_waiting": "Calls that wait for a connection",
}


class Metrics:
    """The figures of one process. Labels are names of tools and codes of errors, never what a caller sent."""

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(OfPool(pool))
        self._calls = Counter("gearshed_calls", "Tool calls", ["tool"], registry=self._registry)
        self._errors = Counter("gearshed_errors", "Tool calls that failed", ["code"], registry=self._registry)
        self._seconds = Histogram(
            "gearshed_call_seconds",
            "How long tool calls take",
            ["tool"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "gearshed_refused", "Requests without a key or token that opens", registry=self._registry
        )

    def count_call(self, tool: str, seconds: float, error: str | None) -> None:
        self._calls.labels(tool).inc()
        self._seconds.labels(tool).observe(seconds)
        if error:
            self._errors.labels(error).inc()

    def count_refused(self) -> None:
        self._refused.inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)


class OfPool(Collector):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        stats = self._pool.get_stats()
        for name, meaning in OF_POOL.items():
            yield GaugeMetricFamily(f"gearshed_{name}", meaning, stats.get(name, 0))
