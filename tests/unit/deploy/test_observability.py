"""What watches the hub asks for metrics that the code has."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.manifests import ROOT, SERVICES, metrics, read_yaml

FOLDER = ROOT / "deploy/observability"
SAMPLE = re.compile(
    r"\b((?:labohub|ingest_hl7|ins_qualifier|cda_builder|mss_sender|dmp_feeder|process)_\w+)(\{[^}]*\})?"
)
GIVEN_BY_SCRAPING = {"job", "instance", "service_name"}


def rules() -> list[dict[str, Any]]:
    [document] = read_yaml(FOLDER / "alerts.yaml")
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.mark.parametrize(("title", "expression"), list(expressions()))
def test_an_expression_names_metrics_and_labels_that_exist(title: str, expression: str) -> None:
    known = metrics()
    samples = SAMPLE.findall(expression)
    assert samples or "up{" in expression
    labels = set(GIVEN_BY_SCRAPING)
    for name, matchers in samples:
        assert name in known, f"{title}: {name}"
        labels |= known[name]
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= known[name] | GIVEN_BY_SCRAPING
    for grouped in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",")} <= labels, title
    assert expression.count("(") == expression.count(")")


def test_each_alert_says_how_bad_it_is_and_what_it_means() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_every_service_is_scraped_where_it_serves() -> None:
    [prometheus] = read_yaml(FOLDER / "prometheus.yaml")
    [job] = prometheus["scrape_configs"]
    [discovery] = job["dns_sd_configs"]
    assert set(discovery["names"]) == set(SERVICES)
    assert prometheus["rule_files"] == ["alerts.yaml"]
    [compose] = read_yaml(ROOT / "deploy/compose/compose.yaml")
    ports = {compose["services"][service]["environment"]["LABOHUB_HTTP_PORT"] for service in SERVICES}
    assert ports == {str(discovery["port"])}


def test_the_collector_takes_what_the_hub_sends() -> None:
    [collector] = read_yaml(FOLDER / "otel-collector.yaml")
    pipeline = collector["service"]["pipelines"]["traces"]
    assert pipeline["receivers"] == ["otlp"]
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318")  # OTLP over HTTP, as ours
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) <= set(collector[part])
