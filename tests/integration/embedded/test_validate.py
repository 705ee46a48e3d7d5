"""`labohub validate`, as a command."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from embedded.cli import app
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.xdm import XdmDocument, XdmSource, pack_xdm
from tests.support.cda import PDF, model_of, results_of

AT = datetime(2026, 3, 14, tzinfo=UTC)
METADATA = """<SubmitObjectsRequest xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
  xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><rim:ExtrinsicObject>
  <rim:Slot name="URI"><rim:ValueList><rim:Value>{uri}</rim:Value></rim:ValueList></rim:Slot>
  <rim:Slot name="hash"><rim:ValueList><rim:Value>{hash}</rim:Value></rim:ValueList></rim:Slot>
  <rim:Slot name="size"><rim:ValueList><rim:Value>{size}</rim:Value></rim:ValueList></rim:Slot>
</rim:ExtrinsicObject></SubmitObjectsRequest>"""


@pytest.fixture(scope="module")
def document() -> bytes:
    return build_cr_bio(model_of(results_of()), PDF)


@pytest.fixture(autouse=True)
def without_official_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LABOHUB_CISIS_DIR", "LABOHUB_CISIS_SHA256", "CDA_BUILDER_LINT_LEVELS"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["validate", *arguments])


def written(folder: Path, content: bytes, name: str = "report.xml") -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def test_a_right_document_is_right_and_the_missing_rules_are_said(document: bytes, tmp_path: Path) -> None:
    done = run(written(tmp_path, document))

    assert done.exit_code == 0
    assert "aucune erreur, règles officielles non installées" in done.stdout
    assert "n'est pas déclaré conforme" in done.stdout


def test_each_defect_is_told_with_its_place_and_its_remedy(document: bytes, tmp_path: Path) -> None:
    wrong = document.replace(b"285076938314206", b"285076938314207")

    done = run(written(tmp_path, wrong))

    assert done.exit_code == 1
    assert "patient › identifiant (ligne 2) : La clé du matricule INS est fausse" in done.stdout
    assert "Remède : Reprendre le matricule rendu par le téléservice INSi" in done.stdout
    english = run(written(tmp_path, wrong), "--lang", "en").stdout
    assert "patient › identifier (line 2): The key of the matricule is wrong" in english


def test_programs_get_json(document: bytes, tmp_path: Path) -> None:
    first = written(tmp_path, document)
    second = written(tmp_path, b"<a", "cut.xml")

    done = run(first, second, "--json")

    said = json.loads(done.stdout)
    assert (done.exit_code, said["conforms"]) == (1, False)
    assert [each["conformance"] for each in said["documents"]] == ["not-configured", "failed"]
    assert said["documents"][1]["findings"][0]["rule"] == "xml-malformed"


def test_an_archive_is_opened_and_its_metadata_compared(document: bytes, tmp_path: Path) -> None:
    source = XdmSource("LBM", "contact", "Labohub", "Labohub")
    documents = (XdmDocument("DOC0001.XML", document, "CR"),)

    def archive(**facts: str) -> str:
        metadata = METADATA.format(**({"uri": "DOC0001.XML", "hash": "0" * 40, "size": "3"} | facts)).encode()
        return written(tmp_path, pack_xdm(documents, metadata, source, AT), "IHE_XDM.ZIP")

    changed = run(archive(), "--json")
    missing = run(archive(uri="DOC0002.XML"), "--json")

    rules = {each["rule"] for part in json.loads(changed.stdout)["documents"] for each in part["findings"]}
    assert rules == {"xdm-hash", "xdm-size"}
    assert [part["kind"] for part in json.loads(changed.stdout)["documents"]] == ["xdm", "cda"]
    assert "xdm-missing" in missing.stdout
    assert (changed.exit_code, missing.exit_code) == (1, 1)


def test_hl7_messages_are_explained_and_the_documents_that_they_carry_checked(tmp_path: Path, document: bytes) -> None:
    wrong = document.replace(b"285076938314206", b"285076938314207")
    text = base64.b64encode(wrong).decode()
    message = (
        "MSH|^~\\&|SGL|LBM|HUB|PFI|20260314101500||ORU^R01^ORU_R01|M1|T|2.5|||||FRA|UNICODE UTF-8\r"
        f"OBX|1|ED|11502-2^CR^LN||^application^xml^Base64^{text}||||||F\r"
    )

    done = run(written(tmp_path, message.encode(), "m.hl7"), "--json")

    parts = json.loads(done.stdout)["documents"]
    assert done.exit_code == 1
    assert [part["kind"] for part in parts] == ["hl7", "cda"]
    assert parts[0]["findings"]
    assert "ins-key" in {each["rule"] for each in parts[1]["findings"]}


@pytest.mark.parametrize("arguments", [["/nowhere/report.xml"], ["--rules", "/nowhere"], ["--lang", "de"]])
def test_what_cannot_be_done_exits_2(document: bytes, tmp_path: Path, arguments: list[str]) -> None:
    assert run(written(tmp_path, document), *arguments).exit_code == 2


def test_the_level_of_a_rule_is_that_of_the_installation(
    document: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDA_BUILDER_LINT_LEVELS", '{"pdf-cut": "block"}')
    cut = document.replace(base64_of(PDF), base64_of(PDF[:-7]))
    assert cut != document

    assert run(written(tmp_path, cut)).exit_code == 1


def base64_of(data: bytes) -> bytes:
    return base64.b64encode(data)
