"""The hub between its simulators, as the tests of the rules see it: what was sent, what left, what was told."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from labosim.day.people import LABORATORY
from labosim.sgl.sender import Ack, Sender
from tests.support.hostile import Request, decoded
from tests.support.hub import Installation, until

STRICT = replace(LABORATORY, application="SGL-STRICT")
SUBCONTRACTOR = replace(LABORATORY, application="SGL-SOUS-TRAITANT")
SENDERS = f"""
[[sender]]
application = "*"
facility = "*"

[[sender]]
application = "{STRICT.application}"
facility = "{STRICT.facility}"
matrix = "strict"

[[sender]]
application = "{SUBCONTRACTOR.application}"
facility = "{SUBCONTRACTOR.facility}"
role = "subcontractor"
"""
QUICK = {
    "INS_QUALIFIER_RETRY_FIRST_SECONDS": "0.2",
    "INS_QUALIFIER_PAUSE_SECONDS": "0.3",
    "INS_QUALIFIER_LONGEST_PAUSE_SECONDS": "0.5",
    "DMP_FEEDER_RETRY_FIRST_SECONDS": "0.2",
    "DMP_FEEDER_RETRY_CAP_SECONDS": "0.5",
    "MSS_SENDER_RETRY_FIRST_SECONDS": "0.3",
    "MSS_SENDER_RETRY_CAP_SECONDS": "0.5",
    "MSS_SENDER_OUTAGE_PAUSE_SECONDS": "0.3",
    "MSS_SENDER_IMAP_POLL_SECONDS": "1",
}
Z01, Z02, Z03 = ("ZAM^Z01^ZAM_Z01", "ZAM^Z02^ZAM_Z01", "ZAM^Z03^ZAM_Z01")


@dataclass
class World:
    """The hub between its simulators, and what was sent to it."""

    installation: Installation
    sent: list[tuple[Request, Ack]] = field(default_factory=list)
    _mails: dict[str, bytes] = field(default_factory=dict)

    def send(self, *requests: Request) -> list[Ack]:
        """Return the acknowledgements."""

        async def all_of_them() -> list[Ack]:
            async with Sender("127.0.0.1", self.installation.mllp) as sender:
                return [await sender.send(each.er7) for each in requests]

        acks = asyncio.run(all_of_them())
        self.sent += zip(requests, acks, strict=True)
        return acks

    def accept(self, *requests: Request) -> list[dict[str, Any]]:
        """Send what must be accepted, and return where each message ended."""
        assert [ack.code for ack in self.send(*requests)] == ["AA"] * len(requests)
        return [self.end(each) for each in requests]

    def refuse(self, one: Request) -> Ack:
        """Send what must be refused at the door, and return why."""
        (ack,) = self.send(one)
        assert (ack.code, bool(ack.error)) == ("AE", True)
        self.assert_nothing_left(one)
        return ack

    def worklist(self, name: str) -> list[dict[str, Any]]:
        """Return what waits for a person."""
        return list(self.installation.api(f"/worklists/{name}", limit=500)["items"])

    def resolve(self, one: Request) -> None:
        """Let the identity officer ask for another check of what the worklist shows."""
        (item,) = [each for each in self.worklist("identity") if each["control_id"] == one.control_id]
        address = f"http://127.0.0.1:{self.installation.http}/api/v1/worklists/identity"
        decision = {"decision": "retry", "operator": "officer-1"}
        answer = httpx.post(f"{address}/{item['id']}/resolve", json=decision)
        assert answer.status_code == 202, answer.text

    def report_id(self, one: Request) -> str:
        """Return the report of a message; empty while the console does not know it."""
        found = self.installation.api("/reports", control_id=one.control_id)["items"]
        return str(found[0]["report_id"]) if found else ""

    def message(self, one: Request) -> dict[str, Any]:
        """Return what the console says of a message."""
        report_id = until(lambda: self.report_id(one), 30, f"{one.control_id} known")
        messages = self.installation.api(f"/reports/{report_id}")["messages"]
        (found,) = [each for each in messages if each["control_id"] == one.control_id]
        return dict(found)

    def end(self, one: Request) -> dict[str, Any]:
        """Return a message once it has its terminal state."""

        def settled() -> dict[str, Any] | None:
            found = self.message(one)
            return found if found["is_settled"] else None

        return until(settled, 60, f"{one.control_id} settled")  # type: ignore[no-any-return]

    def steps(self, one: Request) -> list[dict[str, Any]]:
        """Return the timeline of a message."""
        message = self.message(one)
        steps = self.installation.api(f"/reports/{self.report_id(one)}/timeline")
        return [step for step in steps if step["message_id"] == message["message_id"]]

    def submissions(self, one: Request) -> list[dict[str, Any]]:
        """Return what the DMP got of a document."""
        return [each for each in self.installation.sim("/dmp/submissions") if each["unique_id"] == one.document_id]

    def all_mails(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return every mail the operator took, with its content in clear."""
        lines = self.installation.sim("/mss/mails")
        for line in lines:
            if line["id"] not in self._mails:
                self._mails[line["id"]] = decoded(self.installation.sim(f"/mss/mails/{line['id']}"))
        return [(line, self._mails[line["id"]]) for line in lines]

    def mails(self, one: Request) -> list[dict[str, Any]]:
        """Return the mails that carry a document, byte for byte."""
        document = one.document
        return [line for line, content in self.all_mails() if document in content]

    def zams(self, one: Request) -> list[tuple[str, str, str]]:
        """Return type, Y or N, and address of what the source was told about a message."""
        told = []
        for message in self.installation.sim("/sgl/messages"):
            segments = [line.split("|") for line in message["er7"].split("\r")]
            first, *others = [each for each in segments if each[0] == "OBX"]
            if first[4] == one.control_id:
                told.append((message["message_type"], first[5][:1], others[0][5].split("^")[3] if others else ""))
        return sorted(told)

    def wait_zams(self, one: Request, *expected: tuple[str, str, str]) -> None:
        """Return when the source was told exactly this."""
        until(lambda: len(self.zams(one)) >= len(expected), 30, f"{expected} told")
        assert self.zams(one) == sorted(expected)

    def assert_nothing_left(self, one: Request) -> None:
        """Fail when anything of a request reached the DMP or a mailbox."""
        matricules = {one.person.matricule.encode(), one.in_document.matricule.encode()}
        assert self.submissions(one) == []
        for submission in self.installation.sim("/dmp/submissions"):
            assert submission["patient_id"].partition("^")[0].encode() not in matricules
        for line, content in self.all_mails():
            assert one.person.birth_name not in line["subject"]
            assert not any(each in content for each in matricules)

    def clear_faults(self) -> None:
        """End all faults."""
        httpx.delete(f"http://127.0.0.1:{self.installation.ports.control}/sim/faults").raise_for_status()
