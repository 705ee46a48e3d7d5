"""The message profiles we receive, as tables: order of segments, required fields, lengths. PRT and Z segments included.

General parsers drop PRT (2.7) and Z segments from 2.5 messages, take the second order of an OML for a prior result, and
apply lengths that the profiles lifted: here is what they do not see.

Source: HL7 v2.5.1 chapters 3, 4, 7, 9; IHE LTW, ILW and PAM-FR 2.11; CI-SIS volet "Transmission d'un document CDA-R2 en
HL7v2" 2.1 (editions in docs/standards.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from labohub.standards import er7
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.cda_in_hl7 import profile_of
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.structure import Grammar

_PATIENT = "PID [PD1] [{NTE}] [{NK1}] [PV1 [PV2]]"
_TIMING = "[{TQ1 [{TQ2}]}]"
_PRIOR = f"[{{ [PID [PD1]] [PV1 [PV2]] [{{AL1}}] {{ [ORC] OBR [{{NTE}}] {_TIMING} {{OBX [{{NTE}}]}} }} }}]"
_ORDERED = f"[ OBR [TCD] [{{NTE}}] [CTD] [{{DG1}}] [{{OBX [TCD] [{{NTE}}]}}] %s {_PRIOR} ] [{{FT1}}] [{{CTI}}] [BLG]"
_OML_HEAD = f"MSH [{{SFT}}] [{{NTE}}] [{_PATIENT} [{{IN1 [IN2] [IN3]}}] [GT1] [{{AL1}}]]"
_OUL_HEAD = "MSH [{SFT}] [NTE] [PID [PD1] [{NTE}]] [PV1 [PV2]]"
_RESULT = "[{OBX [TCD] [{SID}] [{NTE}]}] [{CTI}]"
_DOCUMENT = "OBX {PRT} [{NTE}] {OBX [{NTE}]}"
_FRENCH = "[ZBE] [ZFA] [ZFP] [ZFV] [ZFM] [ZFD] [ZFS]"

_SYNTAXES = {
    "CDA-ORU": f"MSH [{{SFT}}] {_PATIENT} ORC OBR [{{NTE}}] {_TIMING} [CTD] {_DOCUMENT}",
    "CDA-MDM-2.0": f"MSH [{{SFT}}] [{{UAC}}] EVN PID PV1 [ORC {_TIMING} OBR [{{NTE}}]] TXA {_DOCUMENT}",
    "CDA-MDM": f"MSH [{{SFT}}] [{{UAC}}] EVN PID PV1 ORC {_TIMING} OBR [{{NTE}}] TXA {_DOCUMENT}",
    "ORU_R01": (
        f"MSH [{{SFT}}] {_PATIENT} {{ ORC OBR [{{NTE}}] [{{PRT}}] {_TIMING} [CTD] [{{OBX [{{PRT}}] [{{NTE}}]}}]"
        " [{FT1}] [{CTI}] [{SPM [{OBX}]}] } [DSC]"
    ),
    "OUL_R22": f"{_OUL_HEAD} {{ SPM [{{OBX}}] [{{SAC [INV]}}] {{ OBR [ORC] [{{NTE}}] {_TIMING} {_RESULT} }} }} [DSC]",
    "OUL_R23": f"{_OUL_HEAD} {{ SPM [{{OBX}}] {{ SAC [INV] {{ OBR [ORC] [{{NTE}}] {_TIMING} {_RESULT} }} }} }} [DSC]",
    "OUL_R24": (f"{_OUL_HEAD} {{ OBR [ORC] [{{NTE}}] {_TIMING} [{{SPM [{{OBX}}] [{{SAC [INV]}}]}}] {_RESULT} }} [DSC]"),
    "OML_O21": f"{_OML_HEAD} {{ ORC {_TIMING} {_ORDERED % '[{SPM [{OBX}] [{SAC [{OBX}]}]}]'} }}",
    "OML_O33": f"{_OML_HEAD} {{ SPM [{{OBX}}] [{{SAC}}] {{ ORC {_TIMING} {_ORDERED % ''} }} }}",
    "OML_O35": f"{_OML_HEAD} {{ SPM [{{OBX}}] {{ SAC {{ ORC {_TIMING} {_ORDERED % ''} }} }} }}",
    "ADT": (
        f"MSH [{{SFT}}] EVN PID [PD1] [{{ROL}}] [{{NK1}}] PV1 [PV2] {_FRENCH} [{{ROL}}] [{{DB1}}] [{{OBX}}] [{{AL1}}]"
        " [{DG1}] [DRG] [{PR1 [{ROL}]}] [{GT1}] [{IN1 [IN2] [{IN3}] [{ROL}]}] [ACC] [UB1] [UB2] [PDA]"
    ),
    "ADT_A39": "MSH [{SFT}] EVN { PID [PD1] MRG [PV1] }",
    "ADT_A43": "MSH [{SFT}] EVN { PID [PD1] MRG }",
}

_MSH = (3, 4, 7, 9, 10, 11, 12)
_REQUIRED: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "CDA": {
        "MSH": (*_MSH, 5, 6, 17, 18, 21),
        "PID": (3, 5, 7, 8),
        "ORC": (1,),
        "OBR": (4,),
        "OBX": (2, 3, 5, 11),
        "PRT": (2, 4),
        "TXA": (2, 12),
    },
    "ORU": {"MSH": _MSH, "PID": (3, 5), "ORC": (1,), "OBR": (4, 25), "OBX": (3, 11), "SPM": (4,)},
    "OUL": {"MSH": _MSH, "PID": (3, 5), "OBR": (4,), "OBX": (3, 11), "SPM": (4,)},
    "OML": {"MSH": _MSH, "PID": (3, 5), "ORC": (1,), "OBR": (4,), "OBX": (3, 11), "SPM": (4,)},
    "ADT": {"MSH": _MSH, "EVN": (2,), "PID": (3, 5, 8), "PV1": (2,), "MRG": (1,)},
}
_LENGTHS = {  # of components, as the French profiles widened them: field, component, characters
    "PID": ((3, 1, 128), (5, 1, 194), (5, 2, 194), (5, 3, 194), (18, 1, 128)),
    "MRG": ((1, 1, 128),),
    "ORC": ((2, 1, 199), (3, 1, 199), (4, 1, 199), (12, 1, 199)),
    "OBR": ((2, 1, 199), (3, 1, 199), (16, 1, 199)),
    "OBX": ((16, 1, 199), (23, 10, 64)),
    "PRT": ((5, 1, 199), (8, 10, 64)),
}
_CODED = {"OBR": (4,), "OBX": (3,)}
LEAST_METADATA = 10  # OBX after the documents, in the volet


@dataclass(frozen=True, slots=True)
class Profile:
    """One message profile."""

    name: str
    family: str
    required: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    has_systems: bool = True  # a code needs its system


def profile_for(message: Message) -> Profile | None:
    """Return the profile a message claims by MSH-9 and MSH-21; None for one we have no table of."""
    header = er7.read_header(message.raw)
    if header is None:
        return None
    kind, event = header.component(9, 1).upper(), header.component(9, 2).upper()
    edition = profile_of(header)
    if kind in ("ORU", "MDM") and edition is not None:
        name = "CDA-MDM-2.0" if kind == "MDM" and edition != "2.1" else f"CDA-{kind}"
        return Profile(name, "CDA", _REQUIRED["CDA"], has_systems=edition != "1.2")
    name = f"{kind}_{event}"
    if kind == "ADT":
        name = {"A40": "ADT_A39", "A47": "ADT_A43", "A43": "ADT_A43"}.get(event, "ADT")
    return Profile(name, kind, _REQUIRED[kind]) if name in _SYNTAXES and kind in _REQUIRED else None


def examine(message: Message, profile: Profile) -> list[Finding]:
    """Return what departs from the profile, in the order of the message. Texts hold no value of it."""
    grammar = _grammar(profile.name)
    known = [segment for segment in message if segment.name in grammar.names or not segment.name.startswith("Z")]
    found = []
    for fault in grammar.faults([segment.name for segment in known]):
        expected = ", ".join(fault.expected) or "la fin du message"
        place = known[min(fault.index, len(known) - 1)].location
        if not fault.name:
            text = f"Le message s'arrête trop tôt ; attendu : {expected}."
        elif fault.is_gap:
            text = f"Avant le segment {fault.name} il manque : {expected}."
        else:
            text = f"Le segment {fault.name} n'a pas sa place ici."
        code = "profile.segment-missing" if fault.is_gap else "profile.segment-unexpected"
        found.append(Finding("100", place, code, text))
    for segment in message:
        found += _fields(segment, profile)
    if profile.family == "CDA":
        found += _metadata(message)
    return found


@lru_cache(maxsize=len(_SYNTAXES))
def _grammar(name: str) -> Grammar:
    return Grammar(_SYNTAXES[name])


def _fields(segment: Segment, profile: Profile) -> list[Finding]:
    place = segment.location
    found = [
        Finding("101", f"{place}^{number}", "profile.field-missing", f"{segment.name}-{number} est requis.")
        for number in profile.required.get(segment.name, ())
        if not segment.field(number)
    ]
    for number, position, limit in _LENGTHS.get(segment.name, ()):
        for repetition in range(1, len(segment.repetitions(number)) + 1):
            if len(segment.component(number, position, repetition)) > limit:
                where = f"{place}^{number}^{repetition}^{position}"
                found.append(Finding("102", where, "profile.too-long", f"Plus de {limit} caractères."))
    for number in _CODED.get(segment.name, ()) if profile.has_systems else ():
        if segment.component(number, 1) and not segment.component(number, 3):
            text = "Code sans système de codage (composante 3)."
            found.append(Finding("101", f"{place}^{number}^1^3", "profile.code-without-system", text, severity="W"))
    return found


def _metadata(message: Message) -> list[Finding]:
    observations = message.all("OBX")
    count = sum(1 for obx in observations if obx.field(2).upper() != "ED")
    if not observations or count >= LEAST_METADATA:
        return []
    text = f"Moins de {LEAST_METADATA} OBX de métadonnées."
    return [Finding("198", observations[-1].location, "profile.metadata-missing", text)]
