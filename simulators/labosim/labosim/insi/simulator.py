"""The INSi simulator: its port, its answers, what it keeps, and its part of the control API."""

import asyncio
import os
import time
from collections import deque
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from labosim.faults import Fault, Faults
from labosim.https import PEER_SUBJECT, HttpsServer
from labosim.identities import PUBLIC
from labosim.insi import answers
from labosim.insi.checks import BY_CARD, BY_TRAITS, Checker
from labosim.insi.faults import CutResponse, Rejected, envelope, known
from labosim.insi.people import InsiCall, Person
from labosim.insi.questions import CardQuestion, Question
from labosim.insi.register import Register
from labosim.insi.verification import Verification
from labosim.pki import Pki

AUTHORISATION = "LABOHUB-TEST-0001"  # the IDAM number of the demonstration
KEPT_CALLS = 50_000
SOAP_TYPE = "application/soap+xml; charset=utf-8"


class InsiSimulator:
    """Answers searches by traits and by card over HTTPS with mutual TLS, on any path; verifications on their own.

    Fault kinds of service `insi`: `outage` (HTTP 503), `slow` (waits `delay_seconds`, then answers), `fault` (SOAP
    fault of `code`), `garbage` (an HTML page), `cut` (the connection ends inside the answer), and the flaws of an
    answer: `wrong-key`, `no-key`, `no-names`, `no-place`, `disordered`.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        pki: Pki,
        faults: Faults,
        latency_seconds: float = 0.0,
        oid: str = "",
        unknown_is_fault: bool = False,
        schemas: Path | None = None,
        authorisation: str = AUTHORISATION,
    ) -> None:
        """Prepare the simulator.

        Args:
            oid: authority of every answer; empty for the identity's own.
            unknown_is_fault: an unknown identity gives siram_40/insi_102 instead of 01, as where editors qualify.
            schemas: folder with the official `wsdl/`; None takes LABOHUB_INSI_DIR, or no schema.
            authorisation: the IDAM number of the one software it knows.
        """
        folder = os.environ.get("LABOHUB_INSI_DIR", "")
        self._checker = Checker(authorisation, schemas or (Path(folder) if folder else None))
        self._faults = faults
        self.latency_seconds = latency_seconds
        self._oid, self._unknown_is_fault = oid, unknown_is_fault
        self.register = Register(PUBLIC)
        self._changes: list[Person] = []
        self.calls: deque[InsiCall] = deque(maxlen=KEPT_CALLS)
        self._count = 0
        self._injected: dict[tuple[str, str], bytes] = {}
        verification = Verification(lambda: self.register)
        app = Starlette(routes=[*verification.routes(), Route("/{path:path}", self._serve, methods=["POST"])])
        self._server = HttpsServer(app, host=host, port=port, pki=pki, certificate="insi-server")

    @property
    def url(self) -> str:
        """Return the address to configure in a client."""
        return f"{self._server.url}/lps"

    @property
    def port(self) -> int:
        """Return the port, once started."""
        return self._server.port

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()

    async def stop(self) -> None:
        """Accept no more calls: a client's connection is refused."""
        await self._server.stop()

    def reset(self) -> None:
        """Forget the calls, the prepared answers and all that was told of people."""
        self.calls.clear()
        self._injected.clear()
        self._changes.clear()
        self.register = Register(PUBLIC)

    def tell(self, person: Person) -> None:
        """Know a person, at once or after some calls."""
        if person.after_calls > 0:
            self._changes.append(person)
            return
        identity = person.identity()
        self.register.add(identity)
        if person.holder:
            self.register.enrol(person.holder, identity, person.rank)

    def inject(self, birth_name: str, given_name: str, answer: bytes) -> None:
        """Answer the searches of this name with a prepared envelope."""
        self._injected[birth_name, given_name] = answer

    async def _serve(self, request: Request) -> Response:
        started = time.perf_counter()
        data = await request.body()
        fault = self._faults.active("insi")
        delay = self.latency_seconds + (fault.delay_seconds if fault and fault.kind == "slow" else 0.0)
        if delay:
            await asyncio.sleep(delay)
        status, outcome, answer, media_type = self._answer(request, data, fault)
        self._count += 1
        elapsed_ms = round((time.perf_counter() - started) * 1000, 3)
        operation = BY_CARD if BY_CARD in request.headers.get("content-type", "") else BY_TRAITS
        cut = fault is not None and fault.kind == "cut"
        outcome = "cut" if cut else outcome
        self.calls.append(InsiCall(id=str(self._count), operation=operation, outcome=outcome, elapsed_ms=elapsed_ms))
        self._let_time_pass()
        return CutResponse(answer, status) if cut else Response(answer, status, media_type=media_type)

    def _let_time_pass(self) -> None:
        """Make the changes whose calls are over."""
        waiting = [person.model_copy(update={"after_calls": person.after_calls - 1}) for person in self._changes]
        self._changes = [person for person in waiting if person.after_calls > 0]
        for person in waiting:
            if person.after_calls <= 0:
                self.tell(person)

    def _answer(self, request: Request, data: bytes, fault: Fault | None) -> tuple[int, str, bytes, str]:
        """Return the HTTP status, the outcome, the body and its type."""
        kind = fault.kind if fault else ""
        if kind == "outage":
            return 503, kind, b"Service Unavailable", "text/plain"
        if kind == "garbage":
            return 200, kind, b"<html><body>Maintenance</body></html>", "text/html"
        message_id = ""
        try:
            message_id, question = self._checker.question(
                data, request.headers.get("content-type", ""), request.scope.get(PEER_SUBJECT, {})
            )
            if fault and kind == "fault":
                raise Rejected(fault.code or "desir_1020", "injected")
        except Rejected as error:
            return 500, error.code, envelope(known(error.code), error.text, message_id), SOAP_TYPE
        code, answer = self._result(question, kind if kind in answers.FLAWS else "")
        if code == "01" and self._unknown_is_fault:
            unknown = "insi_101" if isinstance(question, CardQuestion) else "insi_102"
            return 500, unknown, envelope(known(unknown), "recherche", message_id), SOAP_TYPE
        return 200, code, answer, SOAP_TYPE

    def _result(self, question: Question | CardQuestion, flaw: str) -> tuple[str, bytes]:
        if isinstance(question, CardQuestion):
            return answers.result(self.register.find_by_card(question), oid=self._oid, flaw=flaw)
        prepared = self._injected.get((question.birth_name, question.given_name))
        if prepared is not None:
            return "injected", prepared
        return answers.result(self.register.find(question), oid=self._oid, flaw=flaw)
