"""Results late, withdrawn, technical, of another patient, through the real processes: what the DMP and readers get."""

import asyncio
from collections.abc import Iterator

import pytest

from labosim.day.people import DOCTORS, LABORATORY
from labosim.day.relay import pid
from labosim.identities import TestIdentity, generated_identity
from labosim.sgl.sender import Sender
from tests.support import cda_reader
from tests.support.hub import Installation
from tests.support.ltw_corpus.draft import DOCTOR, NA, Draft, K, battery, msh, order, result, specimen
from tests.support.world import QUICK

pytestmark = pytest.mark.slow
EARLY, NOON, LATE, NIGHT = ("20260502090000", "20260502120000", "20260502150000", "20260502210000")
_DOCTOR = DOCTORS[0]
_XCN = DOCTOR.replace("99700001037^HALLEGOT^Corentin", f"{_DOCTOR.rpps}^{_DOCTOR.family_name}^{_DOCTOR.given_name}")
Said = list[tuple[str, str, str]]  # version, analyte, value


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("results"), QUICK) as running:
        yield running


class Story:
    """A demand of one patient, told step by step."""

    def __init__(self, hub: Installation, number: int) -> None:
        self.hub, self.demand = hub, f"E{number}"
        self.person = generated_identity(7000 + number)
        self._steps = 0

    def message(
        self,
        *observations: str,
        at: str,
        status: str = "F",
        person: TestIdentity | None = None,
        kind: str = "ORU^R01^ORU_R01",
    ) -> Draft:
        self._steps += 1
        who = person or self.person
        head = msh(f"{self.demand}-{self._steps}", kind, at, LABORATORY.application)
        local = f"CH{who.birth_name.removeprefix('TEST-')}"
        obr, orc = battery(self.demand, 1, "IONO^Ionogramme^99ARD", status, at), order(self.demand, 1, at)
        tube = specimen(1, f"T{self.demand}")
        first = (tube, obr, orc) if kind.startswith("OUL") else (orc, obr)
        last = () if kind.startswith("OUL") else (tube,)
        lines = (head, pid(who, local, LABORATORY), "PV1|1|N", *first, *observations, *last)
        message = Draft(tuple(line.replace(DOCTOR, _XCN) for line in lines))
        return message.put("MSH[1]-4", LABORATORY.facility).put("MSH[1]-5", "LABOHUB").put("MSH[1]-6", "PFI")

    def send(self, *messages: Draft) -> list[str]:
        """Return MSA-1 of each."""

        async def all_of_them() -> list[str]:
            async with Sender("127.0.0.1", self.hub.mllp) as sender:
                return [(await sender.send(each.raw())).code for each in messages]

        return asyncio.run(all_of_them())

    def filed(self, person: TestIdentity | None = None) -> Said:
        """Return what each document of a person in the DMP says, oldest first."""
        accepted = self.hub.api("/reconciliation")["accepted"]
        self.hub.wait_settled(accepted, 90)
        said = []
        for line in self.hub.sim("/dmp/submissions"):
            if (person or self.person).matricule not in line["patient_id"]:
                continue
            reading = cda_reader.read(self.hub.sim(f"/dmp/submissions/{line['id']}/document"))
            said += [(reading.version, fact.name, fact.value) for fact in reading.facts]
        return said


def na(value: str, status: str = "F") -> str:
    return result(1, "NM", NA, value, "mmol/L", status=status)


def k(value: str, status: str = "F") -> str:
    return result(2, "NM", K, value, "mmol/L", status=status)


def test_partial_final_corrected_and_a_late_final(hub: Installation) -> None:
    story = Story(hub, 1)
    partial, final = (
        story.message(na("139"), k("", "I"), at=EARLY, status="P"),
        story.message(na("139"), k("5.20"), at=NOON),
    )
    fixed, late = (
        story.message(na("141", "C"), k("5.20"), at=LATE, status="C"),
        story.message(na("139"), k("5.20"), at=NOON),
    )
    assert story.send(partial, final, fixed, late, partial) == ["AA"] * 5
    assert story.filed() == [
        ("1", "Sodium", "139"), ("1", "Potassium", "5.20"), ("2", "Sodium", "141"), ("2", "Potassium", "5.20"),
    ]  # fmt: skip


def test_a_withdrawn_result_leaves_the_document_and_does_not_come_back(hub: Installation) -> None:
    story = Story(hub, 2)
    final = story.message(na("139"), k("5.20"), at=NOON)
    wrong = story.message(na("139", "W"), k("5.20"), at=LATE, status="C")
    again = story.message(na("139"), k("5.20"), at=NIGHT)
    assert story.send(final, wrong, again) == ["AA"] * 3
    assert story.filed() == [("1", "Sodium", "139"), ("1", "Potassium", "5.20"), ("2", "Potassium", "5.20")]


def test_a_number_of_another_patient_files_nothing_for_either(hub: Installation) -> None:
    story = Story(hub, 3)
    stranger = generated_identity(7900)
    assert story.send(story.message(na("139"), at=NOON)) == ["AA"]
    other = story.message(na("151", "C"), at=LATE, status="C", person=stranger)
    assert story.send(other.put("ORC[1]-4", "AUTRE^DPI")) == ["AA"]
    assert story.filed() == [("1", "Sodium", "139")]
    assert story.filed(stranger) == []


def test_a_correction_that_names_no_demand_replaces_its_document(hub: Installation) -> None:
    story = Story(hub, 4)
    fixed = story.message(na("141", "C"), at=LATE, status="C")
    assert story.send(story.message(na("139"), at=NOON), fixed.put("ORC[1]-4", "")) == ["AA"] * 2
    assert story.filed() == [("1", "Sodium", "139"), ("2", "Sodium", "141")]
    operations = [
        each["operation"] for each in hub.sim("/dmp/submissions") if story.person.matricule in each["patient_id"]
    ]
    assert operations == ["TD2.1", "RPLC"]


def test_what_is_not_verified_or_technical_is_filed_nowhere(hub: Installation) -> None:
    story = Story(hub, 5)
    technical = story.message(na("139"), at=NOON, kind="OUL^R22^OUL_R22").put("MSH[1]-21", "LAB-29^IHE")
    unverified = story.message(na("139", "R"), at=NOON, status="R")
    unmatched = story.message(na("139", "R"), at=LATE)
    assert story.send(technical, unverified, unmatched) == ["AA"] * 3
    assert story.filed() == []


def test_an_identity_that_is_not_validated_gives_the_dmp_nothing(hub: Installation) -> None:
    story = Story(hub, 6)
    doubtful = story.message(na("139"), at=NOON).put("PID[1]-32", "PROV")
    assert story.send(doubtful) == ["AA"]
    assert story.filed() == []
    assert story.person.matricule in doubtful.get("PID[1]-3")
