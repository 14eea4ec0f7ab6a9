"""Traces and metrics for OpenTelemetry, exported as the standard `OTEL_*` variables say.

The SDK is the extra `gearshed[otel]`. Without these variables, it is not imported.
"""

import logging
import os
import time
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast
from uuid import uuid4

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.resources import Resource

logger = logging.getLogger(__name__)

Signal = Literal["TRACES", "METRICS"]

# Seconds for the last export when the process ends.
FOR_LAST = 1.0
PROTOCOL = "http/protobuf"
# Upper limits in seconds, by the semantic conventions.
BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
METHOD_NOT_FOUND = "-32601"


class Provider(Protocol):
    def shutdown(self) -> object: ...


def variable(*names: str) -> str:
    """Return the first of several environment variables that has a value."""
    return next((value for name in names if (value := os.environ.get(name, "").strip())), "")


def wanted(signal: Signal) -> bool:
    """Whether the environment asks for the export of a *signal*."""
    if variable("OTEL_SDK_DISABLED").lower() == "true":
        return False
    if exporters := variable(f"OTEL_{signal}_EXPORTER"):
        return "otlp" in [name.strip() for name in exporters.split(",")]
    return bool(variable(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"))


def exported(signal: Signal) -> bool:
    """Whether a *signal* is exported. Warn if what the environment asks for is not supported."""
    exporters = {name.strip() for name in variable(f"OTEL_{signal}_EXPORTER").split(",")}
    if others := sorted(exporters - {"", "otlp", "none"}):
        logger.warning(
            "OTEL_%s_EXPORTER: %s is ignored. Gearshed supports otlp and none.", signal, ", ".join(others)
        )
    if not wanted(signal):
        return False
    protocol = variable(f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL") or PROTOCOL
    if protocol != PROTOCOL:
        logger.warning(
            "OTEL_EXPORTER_OTLP_PROTOCOL: %s is not supported, so %s are not exported. Use %s.",
            protocol,
            signal.lower(),
            PROTOCOL,
        )
    return protocol == PROTOCOL


@contextmanager
def exporting() -> Generator[None]:
    """Export traces and metrics if the environment asks for it, at the end what is left.

    It starts threads, so a process that forks must not call it.
    """
    signals = [signal for signal in ("TRACES", "METRICS") if exported(signal)]
    try:
        providers = [START[signal]() for signal in signals]
    except ImportError as exc:
        logger.warning("Nothing is exported to OpenTelemetry (%s). Install gearshed[otel].", exc)
        providers = []
    try:
        yield
    finally:
        stop(providers)


def resource() -> "Resource":
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    # Each worker is an instance, or their metrics would overwrite each other.
    own = {
        "service.name": "gearshed",
        "service.version": version("gearshed"),
        "service.instance.id": str(uuid4()),
    }
    return Resource.create({**own, **OTELResourceDetector().detect().attributes})


def start_traces() -> Provider:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from db import trace as statements

    provider = TracerProvider(resource=resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    statements.start(provider.get_tracer("gearshed"))
    return provider


def start_metrics() -> Provider:
    from opentelemetry import metrics
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], resource=resource(), shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return provider


START = {"TRACES": start_traces, "METRICS": start_metrics}


def stop(providers: Sequence[Provider]) -> None:
    """Export what is left. An endpoint that does not answer is given up after FOR_LAST seconds."""
    end = time.monotonic() + FOR_LAST
    threads = [Thread(target=provider.shutdown, daemon=True) for provider in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))


def middleware(tools: Collection[str]) -> "list[ServerMiddleware[Any]]":
    """Return what measures requests, if metrics are exported."""
    if not wanted("METRICS"):
        return []
    from opentelemetry.metrics import get_meter

    return [Durations(get_meter("gearshed"), tools)]


class Durations:
    """The duration of each request (MCP middleware). Unknown names from clients do not become attributes."""

    def __init__(self, meter: "Meter", tools: Collection[str]) -> None:
        self._tools = tools
        self._seconds = meter.create_histogram(
            "mcp.server.operation.duration",
            unit="s",
            description="Duration of requests and notifications",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    async def __call__(self, ctx: "ServerRequestContext[Any, Any]", call_next: "CallNext") -> "HandlerResult":
        started, error = time.perf_counter(), ""
        try:
            result = await call_next(ctx)
            if ctx.method == "tools/call" and is_error(result):
                error = "tool_error"
            return result
        except BaseException as exc:
            error = error_type(exc)
            raise
        finally:
            self._seconds.record(time.perf_counter() - started, self._attributes(ctx, error))

    def _attributes(self, ctx: "ServerRequestContext[Any, Any]", error: str) -> dict[str, str]:
        found = {"mcp.method.name": "_OTHER" if error == METHOD_NOT_FOUND else ctx.method}
        if ctx.method == "tools/call":
            found["gen_ai.operation.name"] = "execute_tool"
            name = (ctx.params or {}).get("name")
            if isinstance(name, str) and name in self._tools:
                found["gen_ai.tool.name"] = name
        return {**found, "error.type": error} if error else found


def error_type(exc: BaseException) -> str:
    from mcp import MCPError

    return str(exc.error.code) if isinstance(exc, MCPError) else type(exc).__qualname__


def is_error(result: object) -> bool:
    if isinstance(result, dict):
        return cast(dict[str, Any], result).get("isError") is True
    return getattr(result, "is_error", False) is True
