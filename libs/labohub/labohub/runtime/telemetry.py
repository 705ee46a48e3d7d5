"""One trace from the SGL to the DMP: the context travels in record headers and work rows (W3C traceparent)."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace import Span, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from labohub.errors import HubError

_PROPAGATOR = TraceContextTextMapPropagator()
_TRACER = trace.get_tracer("labohub")


def configure(service: str, otlp_endpoint: str) -> TracerProvider:
    """Return the tracer provider, now the process's own. Without an endpoint a span is its identifiers alone."""
    sampler = DEFAULT_ON if otlp_endpoint else ALWAYS_OFF
    provider = TracerProvider(sampler=sampler, resource=Resource.create({SERVICE_NAME: service}))
    if otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=otlp_endpoint.rstrip("/") + "/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


def current_traceparent() -> str:
    """Return the traceparent of the current span, or an empty string."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


@contextmanager
def span(name: str, traceparent: str = "", **attributes: str | int) -> Iterator[Span]:
    """Open a span, child of `traceparent` when given. Attributes obey the same rule as logs: no patient.

    An error marks the span with its code or type, never with its text.
    """
    parent = _PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else context.get_current()
    with _TRACER.start_as_current_span(
        name, context=parent, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except Exception as error:
            current.set_status(StatusCode.ERROR, error.code if isinstance(error, HubError) else type(error).__name__)
            raise


def trace_id() -> str:
    """Return the current trace's identifier in hexadecimal, or an empty string."""
    identifier = trace.get_current_span().get_span_context().trace_id
    return f"{identifier:032x}" if identifier else ""
