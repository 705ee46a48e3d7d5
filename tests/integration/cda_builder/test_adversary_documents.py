"""Documents that no mutation made: encodings, namespaces, wrappers, entities, versions; the reference tool agrees.

What it takes and the hub does not is said in `STRICTER`; entities crash it, and are refused here before anything reads.
"""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.rules_folder import checked_folders
from cda_builder.adapters.validation import validate
from labohub.standards.cda.builder import build_cr_bio, build_level_1
from tests.support.cda import CISIS, PDF, model_of
from tests.support.laboratory_reports import REPORTS

TOOL = CISIS.parent / "tools" / "cisis-validate"
_HL7 = "urn:hl7-org:v3"
_XSL = "http://www.w3.org/1999/XSL/Transform"
BASE = build_cr_bio(model_of(REPORTS["ordinary"]), PDF).decode()
BODY = BASE.split("?>", 1)[1].lstrip()
LEVEL_1 = build_level_1(model_of(REPORTS["ordinary"]), PDF).decode()
VOLET = '<templateId root="1.2.250.1.213.1.1.1.55" extension="2024.01"/>'
RESULT = '<templateId root="1.3.6.1.4.1.19376.1.3.1.6"/><templateId root="1.2.250.1.213.1.1.3.80"/>'


def prefixed(text: str, prefix: str = "h") -> str:
    """Return a document whose elements and types all have a prefix."""

    def copy(element: etree._Element, parent: etree._Element | None) -> etree._Element:
        spaces = {prefix: _HL7, "x": "http://www.w3.org/2001/XMLSchema-instance"}
        new = etree.Element(element.tag, nsmap=spaces) if parent is None else etree.SubElement(parent, element.tag)
        for name, value in element.items():
            new.set(name, prefix + ":" + str(value) if str(name).endswith("}type") else value)
        new.text, new.tail = element.text, element.tail
        for child in element:
            copy(child, new)
        return new

    return etree.tostring(copy(etree.fromstring(text.encode()), None)).decode()


def with_pdf(content: str) -> str:
    return re.sub(r'(mediaType="application/pdf"[^>]*>)[^<]+', lambda found: found[1] + content, BASE)


def presenting(document: str, script: str = "<html/>") -> str:
    return (
        f'<xsl:stylesheet version="1.0" xmlns:xsl="{_XSL}"><data:Contenu xmlns:data="urn:asip-sante:ci-sis">{document}'
        f'</data:Contenu><xsl:template match="/">{script}</xsl:template></xsl:stylesheet>'
    )


def said(encoding: str, text: str = BODY) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'


DOCUMENTS: dict[str, bytes] = {
    "plain": BASE.encode(),
    "UTF-16": said("UTF-16").encode("utf-16"),
    "ISO-8859-1": said("ISO-8859-1").encode("iso-8859-1", "xmlcharrefreplace"),
    "Windows-1252": said("windows-1252").encode("cp1252", "xmlcharrefreplace"),
    "ASCII": said("US-ASCII").encode("ascii", "xmlcharrefreplace"),
    "a byte order mark": b"\xef\xbb\xbf" + BASE.encode(),
    "no declaration": BODY.encode(),
    "ISO-8859-1 said UTF-8": BASE.encode("iso-8859-1", "replace"),
    "an unknown encoding": said("KLINGON").encode(),
    "comments everywhere": re.sub(r"(</[A-Za-z]+>|/>)(?=<)", r"\1<!-- c -->", BASE).encode(),
    "instructions everywhere": re.sub(r"(</[A-Za-z]+>|/>)(?=<)", r"\1<?p i?>", BASE).encode(),
    "a comment inside the title": BASE.replace("Compte rendu d", "Compte<!-- c --> rendu d", 1).encode(),
    "CDATA": re.sub(r">([^<>]+)</(title|content|family|given)>", r"><![CDATA[\1]]></\2>", BASE).encode(),
    "character references": BASE.replace("Compte rendu", "&#67;ompte&#x20;rendu").encode(),
    "an editor that names other rules": said(
        "UTF-8", f'<?oxygen SCHSchema="CI-SIS_BIO-CR-BIO_2021.01.sch"?>{BODY}'.replace(' extension="2024.01"', "")
    ).encode(),
    "prefixes": prefixed(BASE).encode(),
    "prefixes at level 1": prefixed(LEVEL_1).encode(),
    "types with a prefix": BASE.replace('xsi:type="', 'xsi:type="v3:')
    .replace("<ClinicalDocument ", f'<ClinicalDocument xmlns:v3="{_HL7}" ')
    .encode(),
    "a type without its prefix": BASE.replace('xsi:type="PQ"', 'xsi:type="zz:PQ"', 1).encode(),
    "an element of elsewhere": BASE.replace(
        "</ClinicalDocument>", '<z:a xmlns:z="urn:z"/></ClinicalDocument>'
    ).encode(),
    "an attribute of two megabytes": BASE.replace(
        'displayName="Normal"', f'displayName="{"A" * 2_000_000}"', 1
    ).encode(),
    "ten megabytes": with_pdf(base64.b64encode(PDF + b"x" * 7_500_000 + b"%%EOF").decode()).encode(),
    "a PDF in lines": with_pdf("\n".join(base64.encodebytes(PDF).decode().split())).encode(),
    "a PDF behind a banner": with_pdf(base64.b64encode(b"\nbanner\n" + PDF).decode()).encode(),
    "a PDF that is not base64": with_pdf("@@@@").encode(),
    "no PDF": with_pdf("").encode(),
    "depth": BASE.replace("<content ", "<content>" * 90 + "<content ", 1)
    .replace("</content>", "</content>" + "</content>" * 90, 1)
    .encode(),
    "two documents": (BASE + BODY).encode(),
    "a document in a document": BASE.replace("</ClinicalDocument>", f"{BODY}</ClinicalDocument>").encode(),
    "nothing": b"",
    "HL7": b"MSH|^~\\&|A|B|C|D|2026||ORU^R01|1|P|2.5\r",
    "another namespace": BASE.replace(_HL7, "urn:hl7-org:v2").encode(),
    "a bare root": f"<ClinicalDocument xmlns='{_HL7}'/>".encode(),
    "self-presenting": presenting(BODY).encode(),
    "self-presenting with prefixes": presenting(prefixed(BASE)).encode(),
    "inside a signature": f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{BODY}</ds:Signature>'.encode(),
    "level 1": LEVEL_1.encode(),
    "level 1 with a fourth template": LEVEL_1.replace("<id ", f"{VOLET}<id ", 1).encode(),
    "level 1, a picture": LEVEL_1.replace('mediaType="application/pdf"', 'mediaType="image/png"').encode(),
    "level 1, a text": LEVEL_1.replace('mediaType="application/pdf"', 'mediaType="text/plain"').encode(),
    "level 1 without media type": LEVEL_1.replace(' mediaType="application/pdf"', "").encode(),
    "level 1 without representation": LEVEL_1.replace(' representation="B64"', "").encode(),
    "another volet": BASE.replace(VOLET, '<templateId root="1.2.250.1.213.1.1.1.39"/>').encode(),
    "an edition of nowhere": BASE.replace('extension="2024.01"', 'extension="2019.01"').encode(),
    "edition 2022.01": BASE.replace('extension="2024.01"', 'extension="2022.01"').encode(),
    "edition 2023.01": BASE.replace('extension="2024.01"', 'extension="2023.01"').encode(),
    "two editions": BASE.replace(VOLET, VOLET.replace("2024", "2021") + VOLET).encode(),
    "two editions, the other way": BASE.replace(VOLET, VOLET + VOLET.replace("2024", "2021")).encode(),
    "a picture that is a text": re.sub(r'referencedObject="[^"]+"', 'referencedObject="c1r1"', BASE).encode(),
    "a result without template": BASE.replace(RESULT, "", 1).encode(),
    "half of a template": BASE.replace('<templateId root="1.3.6.1.4.1.19376.1.3.1.6"/>', "").encode(),
    "a matricule without key": BASE.replace("285076938314206", "2850769383142").encode(),
    "a matricule with another key": BASE.replace("285076938314206", "285076938314207").encode(),
}
STRICTER = {"a matricule with another key"}  # a warning of the tool; no such matricule leaves the hub
_BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
ENTITIES = {
    "a bomb": (f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{_BOMB}]>', "<title>&a8;"),
    "a bomb in an attribute": (f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{_BOMB}]>', '<title ID="&a8;">'),
    "a long one, often": (f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>', f'<title ID="{"&a;" * 10_000}">'),
    "a file": ('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "<title>&a;"),
    "a parameter": ('<!DOCTYPE x [<!ENTITY % a SYSTEM "file:///etc/passwd">%a;]>', "<title>"),
    "a DTD of elsewhere": ('<!DOCTYPE ClinicalDocument SYSTEM "http://127.0.0.1:9/x.dtd">', "<title>"),
    "a DOCTYPE alone": ("<!DOCTYPE ClinicalDocument>", "<title>"),
}


def gate() -> Gate:
    return Gate(checked_folders(CISIS) if TOOL.is_file() else ())


@pytest.mark.parametrize("name", ENTITIES)
def test_entities_are_refused_before_anything_reads_them(name: str) -> None:
    declared, used = ENTITIES[name]

    (checked,) = validate((declared + BODY.replace("<title>", used, 1)).encode(), "", gate(), "fr")

    assert [each.rule for each in checked.findings] == ["xml-malformed"]
    assert "DOCTYPE" in checked.findings[0].what


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_finding_says_what_and_how_to_remedy_it(lang: str) -> None:
    for document in DOCUMENTS.values():
        for part in validate(document, "", gate(), "fr" if lang == "fr" else "en"):
            assert all(each.what and each.remedy and len(each.what) < 2000 for each in part.findings)


if TOOL.is_file():

    def test_the_reference_tool_takes_and_refuses_the_same_documents(tmp_path: Path) -> None:
        for rank, document in enumerate(DOCUMENTS.values()):
            (tmp_path / f"{rank:03d}.xml").write_bytes(document)
        files = map(str, sorted(tmp_path.glob("*.xml")))
        done = subprocess.run(
            [sys.executable, str(TOOL), "--json", *files], capture_output=True, text=True, check=False
        )
        lines = [json.loads(line)["findings"] for line in done.stdout.splitlines()]
        theirs = {
            name: any(each["severity"] == "error" for each in found)
            for name, found in zip(DOCUMENTS, lines, strict=True)
        }

        ours = {
            name: any(each.level == "error" for part in validate(document, "", gate(), "fr") for each in part.findings)
            for name, document in DOCUMENTS.items()
        }

        assert {name for name in ours if ours[name] != theirs[name]} == STRICTER
