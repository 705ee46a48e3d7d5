"""Identity, merges and consent told by the hospital, through the real processes: reports on their way follow."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from labosim.day.people import DOCTORS
from labosim.sgl.sender import Ack, Sender
from tests.support.hostile import Request, request
from tests.support.hub import Installation, until
from tests.support.pam import adt_message, zfa
from tests.support.world import QUICK, Z01, Z02, World

pytestmark = pytest.mark.slow

NUMBERS = count(1)
FACILITY = "LBM-GRAND-CHENE"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with Installation(tmp_path_factory.mktemp("pam"), QUICK) as running:
        yield World(running)


def pid_of(one: Request) -> str:
    """Return the PID of a request whose mistakes are undone."""
    message = replace(one, edits=(), reliability="VALI", with_ins=True).er7.decode()
    return next(line for line in message.split("\r") if line.startswith("PID|"))


def tell(world: World, event: str, *segments: str, patient: str) -> None:
    """Send an ADT, which is accepted."""
    number = next(NUMBERS)
    message = adt_message(
        event, f"ADT-{number}", *segments, patient=patient, facility=FACILITY,
        recorded_at=f"20260402{8 + number // 60:02d}{number % 60:02d}00",
    )  # fmt: skip

    async def send() -> Ack:
        async with Sender("127.0.0.1", world.installation.mllp) as sender:
            return await sender.send(message)

    assert asyncio.run(send()).code == "AA"


def reaches(world: World, one: Request, state: str) -> dict[str, Any]:
    """Return a message once it has this terminal state."""

    def there() -> dict[str, Any] | None:
        found = world.message(one)
        return found if found["is_settled"] and found["state"] == state else None

    return until(there, 60, f"{one.control_id} {state}")  # type: ignore[no-any-return]


def misnamed() -> Request:
    """Return a request whose PID has a birth name that INSi does not know; its document is right."""
    one = request()
    name = one.person.birth_name.encode()
    return replace(one, edits=((b"||" + name + b"^", b"||ERREUR-DE-SAISIE^"),))


def test_a_corrected_name_lets_a_blocked_report_go(world: World) -> None:
    one = misnamed()
    assert world.accept(one)[0]["state"] == "stopped"
    world.assert_nothing_left(one)

    tell(world, "A31", patient=pid_of(one))

    reaches(world, one, "delivered")
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)
    assert "patient.corrected" in [step["step"] for step in world.steps(one)]


def test_a_merge_gives_a_blocked_report_the_surviving_identity(world: World) -> None:
    one = misnamed()
    assert world.accept(one)[0]["state"] == "stopped"
    old = one.local_id
    survivor = pid_of(one).replace(f"~{old}^^^", f"~SURVIT{old}^^^")

    tell(world, "A40", f"MRG|{old}^^^{FACILITY}&999900017&N^PI", patient=survivor)

    reaches(world, one, "delivered")
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)


def test_a_doubt_told_after_the_report_left_is_a_recall(world: World) -> None:
    one = request()
    assert world.accept(one)[0]["state"] == "delivered"

    tell(world, "A31", patient=pid_of(one).replace(f"||{one.person.birth_name}^", "||TOUT-AUTRE^"))

    def recalled() -> list[dict[str, Any]]:
        return [each for each in world.worklist("recalls") if each["control_id"] == one.control_id]

    (item,) = until(recalled, 30, "recalled")
    assert item["code"] == "ins.changed-after-qualification"
    assert (len(world.submissions(one)), len(world.mails(one))) == (1, 1)


def test_an_opposition_told_before_keeps_reports_from_the_dmp_until_it_is_lifted(world: World) -> None:
    one = request()
    tell(world, "A01", zfa("IO", "20260401080000"), patient=pid_of(one))
    assert world.accept(one)[0]["state"] == "partly-delivered"
    world.wait_zams(one, (Z01, "N", ""), (Z02, "Y", DOCTORS[0].address))
    assert (len(world.submissions(one)), len(world.mails(one))) == (0, 1)

    tell(world, "A31", zfa("INO", "20260402080000"), patient=pid_of(one))
    later = one.next_version()
    assert world.accept(later)[0]["state"] == "delivered"
    assert len(world.submissions(later)) == 1


def test_an_opposition_told_on_the_way_holds_back_what_the_dmp_has_not_taken(world: World) -> None:
    world.installation.order(service="dmp", kind="outage")
    one, other = request(), request()
    assert [ack.code for ack in world.send(one, other)] == ["AA", "AA"]
    for each in (one, other):
        until(lambda each=each: world.mails(each), 60, "mailed")  # type: ignore[misc]
        until(lambda each=each: "document.built" in [step["step"] for step in world.steps(each)], 30, "built")  # type: ignore[misc]

    tell(world, "A31", zfa("IO"), patient=pid_of(one))
    world.clear_faults()

    ended = reaches(world, one, "partly-delivered")
    assert ended["code"] == "dmp.opposed"
    reaches(world, other, "delivered")
    assert (len(world.submissions(one)), len(world.submissions(other))) == (0, 1)
    world.wait_zams(one, (Z01, "N", ""), (Z02, "Y", DOCTORS[0].address))
    assert "feeding.opposed" in [step["step"] for step in world.steps(one)]


def test_nothing_of_a_patient_is_logged(world: World) -> None:
    logs = world.installation.logs()
    assert "ERREUR-DE-SAISIE" not in logs
    assert "TOUT-AUTRE" not in logs
    for one, _ in world.sent:
        assert one.person.matricule not in logs
