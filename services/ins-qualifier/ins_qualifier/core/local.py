"""The local checks of a patient, before INSi is asked: attributes, traits, alphabet, date, sex, matricule."""

from dataclasses import dataclass

from ins_qualifier.core.decision import Finding
from labohub.contracts.values import Patient
from labohub.standards.ins import dates, matricule, names
from labohub.standards.ins.dates import Flag
from labohub.standards.ins.matricule import Outcome
from labohub.standards.ins.names import Field, NameRefused
from labohub.standards.ins.traits import StrictTraits

NO_CALL_ATTRIBUTES = frozenset(  # PID-32, table 0445 extended by PAM-FR
    (
        *("DOUT", "DOUTE", "FICT", "FICTI", "ANOM", "CACH"),  # nobody's identity, or not to be named; two spellings
        *("USUR", "COLP", "COLV", "DESA", "INVA"),  # usurped, two people in one, put out of use
    )
)
CONTROLLED = frozenset({"VALI", "QUAL"})  # QUAL is read as VALI with an INS
NOT_CONTROLLED = frozenset({"PROV", "RECUP"})


@dataclass(frozen=True, slots=True)
class Detail:
    """One reason for the worklist: the trait it is about and a stable code. Never a value."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class LocalCheck:
    """What the message alone says. `traits` are in INSi's alphabet, and complete when INSi may be asked."""

    findings: tuple[Finding, ...]
    details: tuple[Detail, ...]
    controlled: bool  # axis C, on the sender's word
    traits: StrictTraits

    @property
    def given_names(self) -> str:
        """Return the list to search with; the first name alone when no list came."""
        return self.traits.given_names or self.traits.first_given_name


def check_patient(patient: Patient, *, environment: str) -> LocalCheck:
    """Return the findings on a patient as received."""
    found: list[tuple[Finding, Detail]] = []
    reliability = frozenset(patient.reliability)
    for attribute in sorted(reliability & NO_CALL_ATTRIBUTES):
        found.append((Finding.ATTRIBUTE, Detail("reliability", attribute)))
    traits = _traits(patient, found)
    found.extend(_matricule(patient, reliability, environment))
    return LocalCheck(
        findings=tuple(dict.fromkeys(finding for finding, _ in found)),
        details=tuple(detail for _, detail in found),
        controlled=bool(reliability & CONTROLLED) and not reliability & NOT_CONTROLLED,
        traits=traits,
    )


def _traits(patient: Patient, found: list[tuple[Finding, Detail]]) -> StrictTraits:
    traits = patient.traits
    born = dates.from_pid_7(traits.birth_date)
    if not traits.birth_date:
        found.append((Finding.INCOMPLETE, Detail("birth_date", "EMPTY")))
    elif born.flag is Flag.REJECT:
        found.append((Finding.DATE_UNUSABLE, Detail("birth_date", born.reason)))
    if traits.sex not in ("M", "F"):
        found.append((Finding.SEX_UNUSABLE, Detail("sex", "NOT_M_NOR_F" if traits.sex else "EMPTY")))

    def name(subject: str, value: str, field: Field) -> str:
        try:
            return names.normalise(value, field)
        except NameRefused as error:
            finding = Finding.INCOMPLETE if error.reason == "EMPTY" else Finding.NAME_REFUSED
            found.append((finding, Detail(subject, error.reason)))
            return ""

    birth_name = name("birth_name", traits.birth_name, Field.BIRTH_NAME)
    given_names = name("given_names", traits.given_names, Field.GIVEN_NAMES) if traits.given_names.strip() else ""
    first = traits.first_given_name
    first = name("first_given_name", first, Field.GIVEN_NAMES) if first.strip() or not given_names else ""
    return StrictTraits(
        birth_name=birth_name,
        given_names=given_names,
        sex=traits.sex,
        birth_date=born.text,
        birth_place=traits.birth_place,
        first_given_name=first,
    )


def _matricule(patient: Patient, reliability: frozenset[str], environment: str) -> list[tuple[Finding, Detail]]:
    if patient.ins is None:
        return []
    verdict = matricule.check(patient.ins.matricule, patient.ins.oid, environment=environment)
    if verdict.outcome is Outcome.REJECT:
        return [(Finding.MATRICULE_REJECTED, Detail("matricule", verdict.reason))]
    if verdict.outcome is Outcome.REVIEW:
        return [(Finding.MATRICULE_REVIEW, Detail("matricule", verdict.reason))]
    if reliability & NOT_CONTROLLED:
        return [(Finding.CONTRADICTORY, Detail("reliability", "INS_NOT_VALIDATED"))]
    return []
