"""The deployment files say what the code understands: services, settings, ports; and hold no secret."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest_hl7.adapters.senders_file import load_registry
from ingest_hl7.settings import IngestSettings
from labohub.standards.er7 import read_header
from mss_sender.settings import OWN, SAID
from tests.support.manifests import ROOT, SERVICES, read_environment, read_yaml, required_names, settings_names

COMPOSE = ROOT / "deploy/compose"
BASE = ROOT / "k8s/base"
OVERLAY = ROOT / "k8s/overlays/demo"
FILES = sorted([*ROOT.glob("k8s/**/*.yaml"), *COMPOSE.glob("*.yaml"), *ROOT.glob("deploy/observability/*.yaml")])
SECRET = re.compile(r"(PASSWORD|SECRET|BLOB_KEY)$")
PRODUCTION = {f"MSS_SENDER_{name}".upper() for name in (*OWN, *SAID)} | {
    "INS_QUALIFIER_AUTHORISATION",
    "INS_QUALIFIER_INSTANCE",
    "INS_QUALIFIER_ISSUER",
    "INS_QUALIFIER_INSI_URL",
    "INS_QUALIFIER_KEY_FILE",
    "DMP_FEEDER_OID_ROOT",
    "DMP_FEEDER_SOURCE_OID",
    "DMP_FEEDER_LPS_APPROVAL",
}


def compose() -> dict[str, Any]:
    [document] = read_yaml(COMPOSE / "compose.yaml")
    return document  # type: ignore[no-any-return]


def deployment(service: str) -> dict[str, Any]:
    return next(each for each in read_yaml(BASE / f"{service}.yaml") if each["kind"] == "Deployment")  # type: ignore[no-any-return]


def container(service: str) -> dict[str, Any]:
    [only] = deployment(service)["spec"]["template"]["spec"]["containers"]
    return only  # type: ignore[no-any-return]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_is_yaml_without_a_secret(path: Path) -> None:
    documents = read_yaml(path)
    assert documents
    assert all(document.get("kind") != "Secret" for document in documents)
    assert "PRIVATE KEY" not in path.read_text()
    for word in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", path.read_text()):
        assert "/" in word or len(base64.b64decode(word + "===")) != 32, "a key?"


@pytest.mark.parametrize("path", [COMPOSE / ".env.example", OVERLAY / "config.env"], ids=lambda path: path.name)
def test_environment_files_name_settings_that_exist_and_hold_no_secret(path: Path) -> None:
    found = read_environment(path)
    assert set(found) - {"POSTGRES_PASSWORD"} <= settings_names()
    assert {name: value for name, value in found.items() if SECRET.search(name) and value} == {}
    assert not any("://" in value and "@" in value for value in found.values())


def test_the_example_asks_for_all_that_production_needs() -> None:
    found = read_environment(COMPOSE / ".env.example")
    assert required_names() | PRODUCTION <= set(found)


def test_the_overlay_gives_all_that_a_start_needs() -> None:
    assert required_names() <= set(read_environment(OVERLAY / "config.env"))


@pytest.mark.parametrize("service", SERVICES)
def test_compose_builds_and_confines_each_service(service: str) -> None:
    found = compose()["services"][service]
    assert found["build"]["args"] == {"SERVICE": service}
    assert (ROOT / "services" / service / "pyproject.toml").is_file()
    assert (COMPOSE / found["build"]["context"] / found["build"]["dockerfile"]).resolve() == ROOT / "deploy/Dockerfile"
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert found["mem_limit"].endswith("m")
    assert "/readyz" in found["healthcheck"]["test"][-1]
    assert found["environment"]["LABOHUB_HTTP_PORT"] in found["healthcheck"]["test"][-1]
    assert set(found["environment"]) <= settings_names()
    for name, value in found["environment"].items():
        assert not SECRET.search(name)
        assert "@" not in value or "${POSTGRES_PASSWORD:?}" in value


def test_compose_publishes_ports_that_something_listens_on() -> None:
    services = compose()["services"]
    for name, service in services.items():
        inside = {port.rsplit(":", 1)[1] for port in service.get("ports", ())}
        assert inside <= {value for key, value in service["environment"].items() if key.endswith("_PORT")} or not inside
        assert not (inside and service.get("deploy", {}).get("replicas", 1) > 1), f"{name}: one port, several replicas"
    plain = [port for service in services.values() for port in service.get("ports", ()) if not port.startswith("127.")]
    assert plain == ["2576:2576"]  # TLS alone faces the network


def test_the_kustomization_lists_every_service() -> None:
    [base] = read_yaml(BASE / "kustomization.yaml")
    assert set(base["resources"]) == {f"{service}.yaml" for service in SERVICES}
    assert {path.name for path in BASE.glob("*.yaml")} == {*base["resources"], "kustomization.yaml"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_deployment_is_confined_and_probed(service: str) -> None:
    found = deployment(service)
    pod, own = found["spec"]["template"]["spec"], container(service)
    assert found["metadata"]["name"] == service
    assert found["spec"]["selector"]["matchLabels"].items() <= found["spec"]["template"]["metadata"]["labels"].items()
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert own["image"] == f"labohub/{service}"
    paths = {probe: own[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert paths["readiness"] == {"path": "/readyz", "port": "http"}
    assert paths["startup"] == paths["liveness"] == {"path": "/healthz", "port": "http"}
    assert own["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in own["resources"]["limits"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_deployment_mounts_what_it_declares_and_sets_what_exists(service: str) -> None:
    pod, own = deployment(service)["spec"]["template"]["spec"], container(service)
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in own["volumeMounts"]} == volumes
    mounts = tuple(mount["mountPath"] for mount in own["volumeMounts"])
    settings = {each["name"]: each.get("value") for each in own["env"]}
    assert set(settings) <= settings_names()
    for name, value in settings.items():
        assert value is None or not SECRET.search(name)
        if name.endswith(("_FILE", "_SENDERS")):
            assert str(value).startswith(mounts)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reaches_ports_of_its_pods(service: str) -> None:
    found = next(each for each in read_yaml(BASE / f"{service}.yaml") if each["kind"] == "Service")
    labels = deployment(service)["spec"]["template"]["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in container(service)["ports"]}
    assert found["metadata"]["name"] == service
    assert found["spec"]["selector"].items() <= labels.items()
    assert {port["targetPort"]: port["port"] for port in found["spec"]["ports"]} == ports
    assert ports["http"] == int(read_environment(OVERLAY / "config.env")["LABOHUB_HTTP_PORT"])


def test_the_ports_of_the_intake_are_those_of_its_settings() -> None:
    ports = {port["name"]: str(port["containerPort"]) for port in container("ingest-hl7")["ports"]}
    settings = {each["name"]: each.get("value") for each in container("ingest-hl7")["env"]}
    assert (ports["mllp"], ports["mllps"]) == (
        settings["INGEST_HL7_MLLP_PORT"],
        settings["INGEST_HL7_MLLP_TLS_PORT"],
    )


def test_the_overlay_makes_what_the_base_refers_to() -> None:
    [overlay] = read_yaml(OVERLAY / "kustomization.yaml")
    made = {each["name"] for each in overlay["configMapGenerator"]}
    wanted = set()
    for service in SERVICES:
        wanted |= {each["configMapRef"]["name"] for each in container(service)["envFrom"]}
        volumes = deployment(service)["spec"]["template"]["spec"]["volumes"]
        wanted |= {each["configMap"]["name"] for each in volumes if "configMap" in each}
    assert made == wanted
    assert {each["name"] for each in overlay["images"]} == {f"labohub/{service}" for service in SERVICES}
    assert {each["name"]: each["count"] for each in overlay["replicas"]} == {"cda-builder": 2, "mss-sender": 2}
    files = [name for each in overlay["configMapGenerator"] for name in (*each.get("envs", ()), *each.get("files", ()))]
    assert all((OVERLAY / name).is_file() for name in files)


def test_the_overlays_senders_can_be_read() -> None:
    registry = load_registry(IngestSettings(senders=OVERLAY / "senders.toml"), "test")
    header = read_header(rb"MSH|^~\&|SGL|LABO-DEMO|LABOHUB|PFI|20260312073000||ORU^R01|1|T|2.5.1" + b"\r")
    found = registry.find(header)
    assert found is not None
    assert (found.application, found.facility) == ("SGL", "LABO-DEMO")


def test_the_component_mounts_the_official_rules_where_the_setting_says() -> None:
    [component] = read_yaml(ROOT / "k8s/components/official-rules/kustomization.yaml")
    [patch] = component["patches"]
    volume, mount, setting = (step["value"] for step in yaml.safe_load(patch["patch"]))
    assert patch["target"] == {"kind": "Deployment", "name": "cda-builder"}
    assert volume["name"] == mount["name"]
    assert setting == {"name": "LABOHUB_CISIS_DIR", "value": mount["mountPath"]}
    assert setting["name"] in settings_names()
