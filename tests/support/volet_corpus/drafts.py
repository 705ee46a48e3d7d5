"""Drafts of messages of the volet CDA-in-HL7: one full base per kind, changed by named edits.

The base uses all that the volet has (local number and INS, stay, timing, notes, four participations, both mail texts),
so that an edit is the only thing that differs. It shares no code with the reader under test.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

from labohub.standards.ins.matricule import with_key

MATRICULE = with_key("1790463113027")
STRANGER = with_key("2651233063014")
OID = "1.2.250.1.213.1.4.10"
DOCUMENT, SECOND, FORMER, FORMER_SECOND = (f"1.2.250.1.99998.4.{end}" for end in (20, 21, 10, 11))
DOCTOR = "yves.talbot@test-ci-sis.mssante.fr"
DESK = "secretariat@labo-vauban.test-ci-sis.mssante.fr"
PATIENT_BOX = f"{MATRICULE}@patient.mssante.fr"
ROWS = {
    "MASQUE_PS": "N",
    "INVISIBLE_PATIENT": "N",
    "INVISIBLE_REP_LEGAUX": "N",
    "CONNEXION_SECRETE": "N",
    "MODIF_CONF_CODE": "N",
    "DESTDMP": "Y",
    "DESTMSSANTEPS": "Y",
    "DESTMSSANTEPAT": "Y",
    "ACK_RECEPTION": "Y",
    "ACK_LECTURE_MSS": "N",
}
TEXTS = {"CORPSMAIL_PS": "Cher confrère,", "CORPSMAIL_PATIENT": "Bonjour,"}
REQUESTS = {"initial": ("NW", "F", "T02"), "replacement": ("RO", "C", "T10"), "deletion": ("CA", "D", "T04")}
PROFILES = {"2.1": "2.1^CISIS_CDA_HL7_V2", "2.0": "2.0^CISIS_CDA_HL7_V2", "1.2": "1.2^CISIS_CDA_HL7_V1"}
SB = (
    "PRT||UC||SB^Send by^participation|899700001234^ROUX^Lise^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS|||"
    "LABO VAUBAN^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^990001234"
)
RCT = (
    "PRT||UC||RCT^Result Copies To^participation|99700004321^TALBOT^Yves^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^"
    f"RPPS||||||||||^^X.400^{DOCTOR}"
)
PAT = f"PRT||UC||RCT^Result Copies To^participation|||||||||||^^X.400^{PATIENT_BOX}"
REPLY = f"PRT||UC||REPLY^Reply To^participation|||||||||||^^X.400^{DESK}"

UF = "PRT||UC||RCT^^participation||||Biologie^^^^^990005678^UF^^^3435|||||||^^X.400^uf3435@ght.mssante.fr"
FINEG = (
    "PRT||UC||RCT^^participation||||CLINIQUE DES PINS^^^^^ASIP-SANTE- ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^990007777"
    "|||||||^NET^X.400^pins@ght.mssante.fr"
)
APP = "PRT||UC||RCT^^participation||||||DPI-7^^1.2.250.1.99998.8^ISO|||||^^X.400^dpi@ght.mssante.fr"
DEVICE = (
    "PRT||UC||SB^Send By^HL70912||||LABO VAUBAN^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^IDNST^^^1990001234||"
    "SGL-VAUBAN-1"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """The header of a CDA to write, with an empty body."""

    root: str = DOCUMENT
    extension: str = ""
    replaces: str = ""
    level: str = "N3"
    matricule: str = MATRICULE
    family: str = "LECOQ"
    given: str = "BRUNO"
    birth: str = "19790412"
    sex: str = "M"
    encoding: str = "UTF-8"
    declaration: bool = True

    def data(self) -> bytes:
        """Return the bytes of the document."""
        more = f' extension="{self.extension}"' if self.extension else ""
        ins = f'<id root="{OID}" extension="{self.matricule}"/>' if self.matricule else ""
        parent, _, parent_extension = self.replaces.partition("^")
        ext = f' extension="{parent_extension}"' if parent_extension else ""
        related = (
            f'<relatedDocument typeCode="RPLC"><parentDocument><id root="{parent}"{ext}/></parentDocument>'
            "</relatedDocument>"
        )
        body = (
            "<structuredBody/>"
            if self.level == "N3"
            else '<nonXMLBody><text mediaType="application/pdf"/></nonXMLBody>'
        )
        return (
            (f'<?xml version="1.0" encoding="{self.encoding}"?>\n' if self.declaration else "")
            + f'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="{self.root}"{more}/>'
            '<code code="11502-2" codeSystem="2.16.840.1.113883.6.1"/><title>Compte rendu vérifié</title>'
            '<effectiveTime value="20260402101500+0200"/><confidentialityCode code="N"/><languageCode code="fr-FR"/>'
            '<setId root="1.2.250.1.99998.4.1"/><versionNumber value="1"/><recordTarget><patientRole>'
            f'{ins}<id root="1.2.250.1.99998.7" extension="L-55"/><patient><name>'
            f'<given>{self.given}</given><given qualifier="BR">{self.given}</given>'
            f'<family qualifier="BR">{self.family}</family></name><administrativeGenderCode code="{self.sex}"/>'
            f'<birthTime value="{self.birth}"/></patient></patientRole></recordTarget>'
            f"{related if self.replaces else ''}<component>{body}</component></ClinicalDocument>"
        ).encode(self.encoding)


def b64(data: bytes | str) -> str:
    """Return the base64 of bytes, or of a text in UTF-8."""
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


def papers(request: str, *levels: str) -> tuple[Paper, ...]:
    """Return coherent documents for a request, of these levels."""
    replaced = (FORMER, FORMER_SECOND) if request == "replacement" else ("", "")
    return tuple(
        Paper(root, replaces=former, level=level)
        for root, former, level in zip((DOCUMENT, SECOND), replaced, levels, strict=False)
    )


def draft(
    *edits: str,
    kind: str = "ORU",
    request: str = "initial",
    profile: str = "2.1",
    documents: tuple[Paper | bytes, ...] = (),
    charset: str = "UNICODE UTF-8",
    number: str = "VAUBAN-77",
    after: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return a message. An edit is one of

    `PID1.3=value` a field of the nth segment of a name; `DESTDMP=N` the value of a row; `DESTDMP.3=x` another field of
    its OBX; `-PV1`, `-PRT2`, `-DESTDMP` without it; `+PRT2:segment` a segment after it.
    """
    control, status, event = REQUESTS[request]
    is_mdm = kind == "MDM"
    text, coded, version = ("text", "CWE", "2.6") if is_mdm else ("TEXT", "CE", "2.5")
    carried = documents or papers(request, "N3")
    first = carried[0] if isinstance(carried[0], Paper) else Paper()
    contents = [b64(each.data() if isinstance(each, Paper) else each) for each in carried]
    obx = [
        f"OBX|{at}|ED|11502-2^CR d'examens biologiques^LN||^{text}^XML^Base64^{content}||||||{status}"
        for at, content in enumerate(contents, 1)
    ]
    unique_id = f"{first.extension}^^{first.root}^ISO" if first.extension else first.root
    lines = [
        f"MSH|^~\\&|SGL^VAUBAN^L|LABO-VAUBAN^990001234^N|PFI-X|ORG-X|20260402101700||"
        f"{f'MDM^{event}^MDM_T02' if is_mdm else 'ORU^R01^ORU_R01'}|{number}|P|{version}|||||FRA|{charset}|||"
        f"{PROFILES.get(profile, profile)}",
        *(["EVN||20260402101700||||20260402101500"] if is_mdm else []),
        f"PID|||L-55^^^LABO-VAUBAN&990001234&N^PI~{MATRICULE}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS||"
        "LECOQ^BRUNO^BRUNO PAUL^^^^L~LECOQ-MEIER^BRUNO^^^^^D||19790412|M|||^^^^^^BDL^^63113|||||||D-2026-9||||||||||||"
        "|N|VALI",
        "PV1|1|O|||||||||||||||||V-981^^^LABO-VAUBAN&990001234&N^VN",
        f"ORC|{control}",
        "OBR|1|||11502-2^CR d'examens biologiques^LN",
        "NTE|1|L|sans objet",
        "TQ1|1",
        *([f"TXA|1|11502-2|TEXT|||||||||{unique_id}|{first.replaces}||||AU"] if is_mdm else []),
        obx[0],
        *(SB, RCT, PAT, REPLY),
        *obx[1:],
        *(
            f"OBX|{at}|{coded}|{code}^libellé^MetaDMPMSS||{value}^^expandedYes-NoIndicator||||||F"
            for at, (code, value) in enumerate(ROWS.items(), len(obx) + 1)
        ),
        *(
            f"OBX|{at}|ED|{code}^libellé^MetaDMPMSS||^{text}^^Base64^{b64(words)}||||||F"
            for at, (code, words) in enumerate(TEXTS.items(), len(obx) + 11)
        ),
    ]
    for edit in edits:
        _edit(lines, edit)
    codec = "iso8859-15" if charset.startswith("8859") else "utf-8"
    return after("".join(line + "\r" for line in lines).encode(codec))


def _edit(lines: list[str], edit: str) -> None:
    if edit.startswith("-"):
        for at in reversed(_places(lines, edit[1:])):
            del lines[at]
    elif edit.startswith("+"):
        place, _, segment = edit[1:].partition(":")
        lines.insert(_places(lines, place)[-1] + 1, segment)
    else:
        place, _, value = edit.partition("=")
        name, _, position = place.partition(".")
        is_row = re.fullmatch(r"[A-Z][A-Z0-9]{2}\d+", name) is None
        (at,) = _places(lines, name)
        fields = lines[at].split("|")
        index = int(position or 5) - (fields[0] == "MSH")
        fields += [""] * (index + 1 - len(fields))
        fields[index] = f"{value}^^expandedYes-NoIndicator" if is_row and not position and value else value
        lines[at] = "|".join(fields)


def _places(lines: list[str], name: str) -> list[int]:
    """Return where segments are: `PRT2` the second, `PRT` all of them, `DESTDMP` the OBX of that row."""
    if match := re.fullmatch(r"([A-Z][A-Z0-9]{2})(\d*)", name):
        found = [at for at, line in enumerate(lines) if line[:3] == match[1]]
        found = [found[int(match[2]) - 1]] if match[2] else found
    else:
        found = [at for at, line in enumerate(lines) if line.startswith("OBX|") and f"|{name}^" in line]
    assert found, name
    return found
