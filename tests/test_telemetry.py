"""Traces and metrics for OpenTelemetry: what is recorded, what is left out, and when nothing is."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import pytest
from mcp import Client, MCPError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from psycopg import AsyncConnection, errors
from psycopg.sql import SQL, Identifier, Literal

from db import trace
from db.pool import Pool, credentials, settings, transaction
from mcp_server.protocol.edge import App
from mcp_server.server import TOOLS, build_server
from mcp_server.telemetry import Durations
from tests.calls import call, refused
from tests.test_stdio import ask, greet, say, served, using

Spans = Callable[[], list[ReadableSpan]]
SECRET = "Zelt 4711"


@pytest.fixture
def provider() -> Generator[TracerProvider]:
    provider = TracerProvider(shutdown_on_exit=False)
    yield provider
    provider.shutdown()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch, provider: TracerProvider) -> Generator[Spans]:
    """Yield a function that returns the spans that have ended since the last time."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("mcp.shared._otel._tracer", provider.get_tracer("mcp"))
    trace.start(provider.get_tracer("gearshed"))

    def ended() -> list[ReadableSpan]:
        found = exporter.get_finished_spans()
        exporter.clear()
        return list(found)

    yield ended
    trace.start(None)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def ids(span: ReadableSpan) -> tuple[int, int]:
    assert span.context
    return span.context.trace_id, span.context.span_id


def parent(span: ReadableSpan) -> tuple[int, int] | None:
    return (span.parent.trace_id, span.parent.span_id) if span.parent else None


def statements(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    return [span for span in spans if "db.system.name" in attributes(span)]


async def test_the_statements_of_a_call_are_spans_below_that_of_the_call(
    client: Client, spans: Spans, era: str
) -> None:
    spans()
    item_id = (await call(client, "create_item", name=SECRET))["id"]
    await call(client, "get_item", item_id=item_id)
    found = spans()
    for tool in ("create_item", "get_item"):
        (called,) = (
            span for span in found if span.name == f"tools/call {tool}" and span.kind == SpanKind.SERVER
        )
        below = [span for span in statements(found) if parent(span) == ids(called)]
        assert below
        for span in below:
            assert span.kind == SpanKind.CLIENT
            assert attributes(span)["db.system.name"] == "postgresql"
            assert attributes(span)["db.operation.name"] == span.name
            assert attributes(span)["db.query.text"]
    assert {"INSERT", "SELECT"} <= {span.name for span in statements(found)}
    assert all(span.parent for span in statements(found))


async def test_spans_have_neither_user_ids_nor_parameters(client: Client, spans: Spans) -> None:
    await call(client, "create_item", name=SECRET)
    await call(client, "list_items", query=SECRET)
    found = statements(spans())
    assert found
    shown = "".join(span.to_json() for span in found)
    assert "%(name)s" in shown
    assert SECRET not in shown
    assert "set_config" not in shown
    assert "gearshed.user_id" not in shown


async def test_the_transaction_of_a_user_shows_no_id(
    pool: Pool, provider: TracerProvider, spans: Spans
) -> None:
    assert b"98765" in settings(98765, False, False)
    with provider.get_tracer("test").start_as_current_span("call"):
        async with transaction(pool, 98765) as conn:
            await conn.execute("SELECT 1 AS n")
        async with credentials(pool):
            pass
    first, second, third = statements(spans())
    assert [attributes(span)["db.query.text"] for span in (first, second)] == ["BEGIN", "SELECT 1 AS n"]
    assert attributes(third)["db.operation.name"] == "BEGIN"


async def test_several_statements_in_one_message_are_one_span(client: Client, spans: Spans) -> None:
    spans()
    await call(client, "list_items")
    batches = [each for each in map(attributes, statements(spans())) if "db.operation.batch.size" in each]
    assert batches
    assert all(each["db.operation.name"].startswith("BATCH") for each in batches)


async def test_an_error_is_a_code_without_the_message_of_postgresql(
    conn: AsyncConnection, provider: TracerProvider, spans: Spans
) -> None:
    with (
        provider.get_tracer("test").start_as_current_span("call"),
        pytest.raises(errors.InvalidTextRepresentation) as caught,
    ):
        await conn.execute("SELECT %(value)s::text::integer AS n", {"value": SECRET})
    assert SECRET in str(caught.value)
    (span,) = statements(spans())
    assert attributes(span)["error.type"] == attributes(span)["db.response.status_code"] == "22P02"
    assert span.status.status_code == StatusCode.ERROR
    assert SECRET not in span.to_json()


async def test_statements_outside_of_a_call_have_no_spans(conn: AsyncConnection, spans: Spans) -> None:
    await conn.execute("SELECT 1 AS n")
    assert spans() == []


def test_values_of_a_composed_statement_are_left_out() -> None:
    query = SQL("\n-- why\nSELECT {} FROM {}").format(Literal(SECRET), Identifier("items"))
    assert trace.written(query).strip() == '-- why\nSELECT ? FROM "items"'
    assert trace.operation(trace.written(query)) == "SELECT"


async def test_durations_have_the_names_of_the_conventions(pool: Pool, user_id: int, era: Any) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    durations = Durations(provider.get_meter("test"), {entry.name for entry in TOOLS})
    server = build_server(App(pool, user_id), middleware=[durations])
    async with Client(server, mode=era) as client:
        await call(client, "create_item", name="Tent")
        await refused(client, "get_item", item_id=99)
        await refused(client, SECRET)
        with pytest.raises(MCPError):
            await client.get_prompt(SECRET)
        await client.list_tools()
    data = reader.get_metrics_data()
    assert data
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("mcp.server.operation.duration", "s")
    points = [cast(HistogramDataPoint, point) for point in metric.data.data_points]
    found = [dict(point.attributes or {}) for point in points]
    tool = {"mcp.method.name": "tools/call", "gen_ai.operation.name": "execute_tool"}
    assert {**tool, "gen_ai.tool.name": "create_item"} in found
    assert {**tool, "gen_ai.tool.name": "get_item", "error.type": "tool_error"} in found
    assert {**tool, "error.type": "tool_error"} in found
    assert {"mcp.method.name": "prompts/get", "error.type": "-32602"} in found
    assert {"mcp.method.name": "tools/list"} in found
    assert SECRET not in str(found)
    assert all(point.sum < 60 for point in points)
    provider.shutdown()


def printed(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )


STARTED = """
import sys, mcp_server.cli, mcp_server.process, mcp_server.commands.serve
from mcp_server import telemetry
with telemetry.exporting():
    telemetry.middleware([])
    print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("variables", "imported"),
    [
        ({}, set[str]()),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}, set[str]()),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "console"}, set[str]()),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, {"opentelemetry.sdk.trace", "requests"}),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, {"opentelemetry.sdk.metrics", "requests"}),
    ],
)
def test_the_sdk_is_imported_only_when_something_is_exported(
    variables: dict[str, str], imported: set[str]
) -> None:
    loaded = {*printed(STARTED, **variables).stdout.split()}
    assert "mcp_server.telemetry" in loaded
    if imported:
        assert imported <= loaded
    else:
        assert not [
            name for name in loaded if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))
        ]
        assert "requests" not in loaded


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER: console is ignored"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "grpc is not supported, so traces are not exported",
        ),
    ],
)
def test_what_is_not_supported_is_logged(variables: dict[str, str], words: str) -> None:
    assert words in printed(STARTED, **variables).stderr


def test_without_the_extra_the_server_starts_with_a_warning() -> None:
    absent = f"import sys; sys.modules['opentelemetry.exporter'] = None\n{STARTED}"
    done = printed(absent, OTEL_TRACES_EXPORTER="otlp")
    assert "mcp_server.server" in done.stdout
    assert "Install gearshed[otel]" in done.stderr


class Collector(ThreadingHTTPServer):
    """A host that keeps the exports it gets."""

    received: dict[str, list[bytes]]

    @property
    def variables(self) -> dict[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_port}"}


class Export(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        cast(Collector, self.server).received.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def collecting(handler: type[BaseHTTPRequestHandler] = Export) -> Generator[Collector]:
    with Collector(("127.0.0.1", 0), handler) as collector:
        collector.received = {}
        collector.daemon_threads = True
        Thread(target=collector.serve_forever, daemon=True).start()
        yield collector
        collector.shutdown()


def test_a_process_on_standard_input_exports_what_it_did_when_it_ends(url: str) -> None:
    with collecting() as collector, served(DATABASE_URL=url, **collector.variables) as process:
        greet(process)
        assert not ask(process, using("create_item", name=SECRET))["result"]["isError"]
        output, errors = process.communicate(timeout=10)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in output.splitlines())
    assert errors == ""
    spans = ExportTraceServiceRequest.FromString(b"".join(collector.received["/v1/traces"]))
    names = {s.name for r in spans.resource_spans for scope in r.scope_spans for s in scope.spans}
    assert {"tools/call create_item", "INSERT"} <= names
    assert SECRET not in str(spans)
    about = {a.key: a.value.string_value for a in spans.resource_spans[0].resource.attributes}
    assert about["service.name"] == "gearshed"
    metrics = ExportMetricsServiceRequest.FromString(b"".join(collector.received["/v1/metrics"]))
    assert "mcp.server.operation.duration" in str(metrics)


class Silent(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        cast(Collector, self.server).received[self.path] = []
        time.sleep(20)


@pytest.mark.parametrize("way", ["input ends", "signal"])
def test_an_endpoint_that_does_not_answer_does_not_keep_the_process(url: str, way: str) -> None:
    with collecting(Silent) as collector, served(DATABASE_URL=url, **collector.variables) as process:
        greet(process)
        say(process, {"method": "notifications/initialized"})
        if way == "signal":
            process.terminate()
        else:
            assert process.stdin
            process.stdin.close()
        process.wait(8)
    assert "/v1/traces" in collector.received
