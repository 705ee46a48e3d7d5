"""Result messages of the shared samples, where they are present: read, built, judged by the reference tool."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from cda_builder.adapters.pdf import render_report
from cda_builder.core.errors import CdaNoResult
from cda_builder.core.report import cr_bio
from cda_builder.core.versions import Numbering
from ingest_hl7.core.decision import Receipt, Structured
from ingest_hl7.core.senders import Sender
from ingest_hl7.core.structuring import decide
from labohub.contracts.values import Identity, IdentityStatus
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.er7 import read
from tests.support.cda import CISIS, PROFILE

MESSAGES = sorted((CISIS.parent / "data" / "hl7" / "ltw").glob("*ORU_R01*.hl7"))
TOOL = CISIS.parent / "tools" / "cisis-validate"
SENDER = Sender(application="*", facility="*", to_patient=True)


def decided(raw: bytes) -> Structured | None:
    """Return the report that a message makes, if it makes one."""
    receipt = Receipt("m-1", "key", datetime(2026, 3, 18, 10, 20, tzinfo=UTC))
    decision = decide(read(raw), receipt, SENDER, "test")
    return decision if isinstance(decision, Structured) else None


def built(decision: Structured) -> bytes:
    """Return the document, as if INSi had confirmed the identity."""
    patient = decision.report.patient
    identity = Identity(
        status=IdentityStatus.QUALIFIEE if patient.ins else IdentityStatus.PROVISOIRE,
        traits=patient.traits,
        ins=patient.ins,
        local_ids=patient.local_ids,
    )
    model = cr_bio(decision.report, decision.results, identity, PROFILE, Numbering(1))
    return build_cr_bio(model, render_report(model))


if MESSAGES:

    def test_every_ordinary_result_message_gives_a_document_without_any_remark(tmp_path: Path) -> None:
        files = []
        for message in MESSAGES:
            for number, part in enumerate(message.read_bytes().split(b"MSH|")[1:]):
                decision = decided(b"MSH|" + part.split(b"BTS|")[0])
                if decision is None or not decision.report.patient.ins:
                    continue  # kept by the intake, or without an identity to qualify
                try:
                    document = built(decision)
                except CdaNoResult:
                    assert message.name.startswith("21_")  # everything in it was withdrawn
                    continue
                files.append(tmp_path / f"{message.stem}-{number}.xml")
                files[-1].write_bytes(document)

        done = subprocess.run(
            [sys.executable, str(TOOL), "--strict", "--json", *map(str, files)],
            capture_output=True,
            text=True,
            check=False,
        )

        verdicts = {Path(each["file"]).stem: each["findings"] for each in map(json.loads, done.stdout.splitlines())}
        assert len(verdicts) >= 12
        assert {name: findings for name, findings in verdicts.items() if findings} == {}
