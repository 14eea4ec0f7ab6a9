"""Metrics for Prometheus: calls by tool, errors by code, durations, and the connection pool."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from db.pool import Pool

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
# Statistics of psycopg's pool, with their descriptions.
POOL_STATS = {
    "pool_size": "Open connections",
    "pool_available": "Idle connections",
    "requests_waiting": "Calls waiting for a connection",
}


class Metrics:
    """The metrics of one process. Labels are tool names and error codes, never input from callers."""

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(PoolMetrics(pool))
        self._calls = Counter("gearshed_calls", "Tool calls", ["tool"], registry=self._registry)
        self._errors = Counter("gearshed_errors", "Tool calls that failed", ["code"], registry=self._registry)
        self._seconds = Histogram(
            "gearshed_call_seconds",
            "Duration of tool calls",
            ["tool"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._refused = Counter(
            "gearshed_refused", "Requests with an invalid key or token", registry=self._registry
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


class PoolMetrics(Collector):
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[GaugeMetricFamily]:
        stats = self._pool.get_stats()
        for name, meaning in POOL_STATS.items():
            yield GaugeMetricFamily(f"gearshed_{name}", meaning, stats.get(name, 0))
