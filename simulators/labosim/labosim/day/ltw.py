"""ORU^R01 of IHE LTW (LAB-3): raw results, for which the hub builds the report."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from labosim.day.exams import Exam, reference_range
from labosim.day.people import LABORATORY, Doctor, Laboratory
from labosim.day.relay import pid
from labosim.identities import TestIdentity

_PS = "ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO"
_SYSTEM = "99CHENE"


def ltw_message(
    *,
    control_id: str,
    sent_at: datetime,
    person: TestIdentity,
    exams: Sequence[Exam],
    prescriber: Doctor,
    local_id: str,
    order_number: str,
    file_number: str,
    reliability: str = "VALI",
    with_ins: bool = True,
    status: str = "F",
    processing_id: str = "P",
    laboratory: Laboratory = LABORATORY,
) -> bytes:
    """Return an ORU^R01 with one ORC/OBR group per panel; `status` P makes it partial."""
    taken, analysed = sent_at - timedelta(hours=3), sent_at - timedelta(minutes=40)

    def xcn(doctor: Doctor) -> str:
        return f"{doctor.rpps}^{doctor.family_name}^{doctor.given_name}^^^^^^{_PS}^D^^^RPPS"

    def ei(number: str, system: str) -> str:
        return f"{number}^{system}^{laboratory.oid}.3^ISO"

    lines = [
        f"MSH|^~\\&|{laboratory.application}|{laboratory.facility}|LABOHUB|PFI|{sent_at:%Y%m%d%H%M%S%z}||ORU^R01^ORU_R01"
        f"|{control_id}|{processing_id}|2.5.1|||||FRA|UNICODE UTF-8|fr",
        pid(person, local_id, laboratory, reliability=reliability, with_ins=with_ins),
        "PV1|1|N",
    ]
    for number, exam in enumerate(exams, 1):
        placer, filler = ei(f"{order_number}-{number:02d}", "PRESC"), ei(f"{file_number}-{number:02d}", "SGL-CHENE")
        panel = exam.panel
        lines.append(
            f"ORC|SC|{placer}|{filler}|{ei(order_number, 'PRESC')}|{'CM' if status == 'F' else 'A'}||||"
            f"{sent_at:%Y%m%d%H%M%S}|||{xcn(prescriber)}"
        )
        lines.append(
            f"OBR|{number}|{placer}|{filler}|{panel.local}^{panel.name}^{_SYSTEM}|||{taken:%Y%m%d%H%M%S}|||||||||"
            f"{xcn(prescriber)}||||||{sent_at:%Y%m%d%H%M%S}||{panel.section}|{status}"
        )
        for position, figure in enumerate(exam.figures, 1):
            analyte = figure.analyte
            code = f"{analyte.local}^{analyte.name}^{_SYSTEM}^{analyte.loinc}^{analyte.label}^LN"
            lines.append(
                f"OBX|{position}|NM|{code}||{figure.text}|{analyte.unit}^{analyte.unit}^UCUM|{reference_range(analyte)}"
                f"|{figure.flag}|||{status}|||{taken:%Y%m%d%H%M%S}||{xcn(laboratory.biologist)}|||{analysed:%Y%m%d%H%M%S}"
            )
        nature, name = panel.specimen
        lines.append(
            f"SPM|1|^{file_number}-{nature}&SGL-CHENE&{laboratory.oid}.4&ISO||{nature}^{name}^HL70487|||||||"
            f"P^Patient^HL70369||||||{taken:%Y%m%d%H%M%S}|{taken + timedelta(minutes=35):%Y%m%d%H%M%S}"
        )
    return "".join(f"{line}\r" for line in lines).encode()
