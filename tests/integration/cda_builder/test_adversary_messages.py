"""Three hundred result messages by the whole road: intake, document, gate; what they say is read again, apart.

Each gives a document that the gate accepts and that shows every word of the message, or the refusal its maker expects.
"""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.rules_folder import checked_folders
from cda_builder.adapters.tasks import structure
from cda_builder.core.versions import Numbering
from cda_builder.ports import Made as Document
from cda_builder.ports import Order
from ingest_hl7.core.decision import Archived, Refusal, Structured
from ingest_hl7.core.senders import Sender
from labohub.contracts.laboratory import Professional
from labohub.contracts.values import Identity, IdentityStatus
from labohub.errors import Refused
from tests.support.cda import CISIS, PROFILE
from tests.support.document_corpus import CORPUS, KEPT, LEAVES, REFUSED
from tests.support.hl7_words import said_words, words
from tests.support.ltw_corpus.door import decided

TOOL = CISIS.parent / "tools" / "cisis-validate"
SENDER = Sender(
    application="*",
    facility="*",
    to_patient=True,
    report_policy="partial",
    whole_report_codes=("11502-2",),
    biologist=Professional(
        identifier="10000000017", identifier_type="RPPS", family_name="KERADEC", given_name="Yannick"
    ),
)
NOT_IN_THE_REPORT = {  # what the message says and the report does not, each with its reason
    "ST hexadecimal": "the other reader takes bytes of UTF-8 for characters",
    "ST control": "no document holds control characters",
    "ST tab and feed": "no document holds control characters",
    "ST lone backslash": "the other reader drops what it cannot decode",
    "FT charset": "the other reader drops what it cannot decode",
    "XCN": "the number of a person is not printed",
    "final with a pending one": "pending in a final battery: its sender's mistake, who is warned",
    "whole report beside results": "the laboratory's own report is the copy",
}
_H = "{urn:hl7-org:v3}"


@cache
def _gate() -> Gate:
    return Gate(checked_folders(CISIS) if TOOL.is_file() else ())


def sent(name: str) -> tuple[str, str, Document | None]:
    """Return how the road of a message ends, with the code or reason of what stopped it, and its document."""
    decision = decided(CORPUS[name].raw, SENDER)[0]
    if isinstance(decision, Refusal):
        return REFUSED, decision.findings[0].reason, None
    if not isinstance(decision, Structured) or decision.results is None:
        return KEPT, decision.reason if isinstance(decision, Archived) else "", None
    patient = decision.report.patient
    identity = Identity(
        status=IdentityStatus.QUALIFIEE, traits=patient.traits, ins=patient.ins, local_ids=patient.local_ids
    )
    order = Order(decision.report, decision.results, identity, PROFILE, Numbering(1))
    try:
        made = structure(order, _gate())
    except Refused as error:
        return REFUSED, error.code, None
    if not made.verdict.conforms:
        return REFUSED, "cda.not-conformant", made
    return LEAVES, "", made


def narrative(document: bytes) -> str:
    """Return the words of all sections."""
    root = etree.fromstring(document, etree.XMLParser(huge_tree=True))
    texts = [" ".join(map(str, each.itertext())) for each in root.iterfind(f".//{_H}section/{_H}text")]
    return " ".join(texts)


@pytest.mark.parametrize("name", CORPUS)
def test_a_message_gives_a_document_that_says_all_of_it_or_the_refusal_it_deserves(name: str) -> None:
    end, code, made = sent(name)

    assert end == CORPUS[name].end, code
    if end == REFUSED:
        assert code == CORPUS[name].code
    if end == LEAVES:
        assert made is not None
        assert [each.message for each in made.verdict.findings if each.rule != "pdf-cut"] == []
        shown = f" {' '.join(words(narrative(made.document)))} "
        absent = [" ".join(said) for _, said in said_words(CORPUS[name].raw) if f" {' '.join(said)} " not in shown]
        assert bool([each for each in absent if each]) == (name in NOT_IN_THE_REPORT), absent


if TOOL.is_file():

    def test_the_reference_tool_has_no_remark_on_any_of_the_documents(tmp_path: Path) -> None:
        for rank, name in enumerate(CORPUS):
            end, _, made = sent(name)
            if end == LEAVES and made is not None:
                (tmp_path / f"{rank:03d}.xml").write_bytes(made.document)
        files = sorted(tmp_path.glob("*.xml"))
        done = subprocess.run(
            [sys.executable, str(TOOL), "--strict", "--json", *map(str, files)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        verdicts = [json.loads(line) for line in done.stdout.splitlines()]

        assert len(verdicts) == len(files) >= 280
        assert [(each["file"], found["message"]) for each in verdicts for found in each["findings"]] == []
