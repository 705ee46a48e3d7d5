"""The DMP simulator: its port, its answers, what it keeps, and its part of the control API."""

import asyncio
import os
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse
from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from labosim.dmp import answers, metadata
from labosim.dmp.documents import check_documents
from labosim.dmp.package import Received, receive
from labosim.dmp.registry import DELETED, Registry, Submission
from labosim.dmp.rejections import Fault, RegistryError
from labosim.dmp.schemas import Schemas
from labosim.dmp.vihf import VihfChecker, Vouched
from labosim.faults import Fault as Injected
from labosim.faults import Faults
from labosim.https import PEER_SUBJECT, HttpsServer
from labosim.pki import Pki

BASE = "/si-dmp-server/v2/services"
PROVIDE = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b"
QUERY = "urn:ihe:iti:2007:RegistryStoredQuery"
UPDATE = "urn:ihe:iti:2010:UpdateDocumentSet"
ANSWERS = {PROVIDE: PROVIDE + "Response", QUERY: QUERY + "Response", UPDATE: UPDATE + "-Response"}
GET_DOCUMENTS = "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"
_QUERY_NS = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
_LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
SOAP_TYPE = "application/soap+xml; charset=UTF-8"


class DmpSimulator:
    """Takes feedings (ITI-41), answers GetDocuments (ITI-18) and deletes (ITI-57), as strictly as the DMP.

    Fault kinds of service `dmp`: `outage` (HTTP 503), `slow` (waits `delay_seconds`, then answers), `fault`
    (RegistryResponse Failure of `code`, e.g. XDSRepositoryBusy, DMPClosed), `soap-fault` (SOAP fault of subcode
    `code`), `garbage` (an HTML page), `silent` (does all that is asked, then answers 504), `warning` (takes the lot
    with a warning of `code`).
    """

    def __init__(self, *, host: str, port: int, pki: Pki, faults: Faults, schemas: Path | None = None) -> None:
        """Prepare the simulator. `schemas`: folder of the official XSDs; None takes LABOHUB_XDS_DIR, or none."""
        folder = os.environ.get("LABOHUB_XDS_DIR", "")
        self._faults = faults
        self._vihf = VihfChecker(pki)
        self._schemas = Schemas(schemas or (Path(folder) if folder else None))
        self.registry = Registry()
        routes = [Route(f"{BASE}/{{service}}", self._serve, methods=["POST"])]
        self._server = HttpsServer(Starlette(routes=routes), host=host, port=port, pki=pki, certificate="dmp-server")

    @property
    def port(self) -> int:
        """Return the port, once started."""
        return self._server.port

    def url(self, service: str) -> str:
        """Return the address of a service: repository or registry."""
        return f"{self._server.url}{BASE}/{service}"

    async def start(self) -> None:
        """Accept calls."""
        await self._server.start()

    async def stop(self) -> None:
        """Accept no more calls: a client's connection is refused. What was registered stays."""
        await self._server.stop()

    def reset(self) -> None:
        """Forget everything."""
        self.registry.reset()

    async def _serve(self, request: Request) -> Response:
        data = await request.body()
        fault = self._faults.active("dmp")
        kind = fault.kind if fault else ""
        if fault and kind == "slow":
            await asyncio.sleep(fault.delay_seconds)
        if kind == "outage":
            return Response(b"Service Unavailable", 503, media_type="text/plain")
        if kind == "garbage":
            return Response(b"<html><body>Maintenance</body></html>", 200, media_type="text/html")
        service = request.path_params["service"]
        subject = request.scope.get(PEER_SUBJECT, {})
        content_type = request.headers.get("content-type", "")
        status, body = await asyncio.to_thread(self.answer, service, content_type, data, subject, fault)
        if kind == "silent":
            return Response(b"Gateway Timeout", 504, media_type="text/plain")
        return Response(body, status, media_type=SOAP_TYPE)

    def answer(
        self, service: str, content_type: str, data: bytes, subject: dict[str, str], injected: Injected | None = None
    ) -> tuple[int, bytes]:
        """Return the HTTP status and the envelope that a request gets; `subject` is the client certificate's."""
        action = PROVIDE if service == "repository" else UPDATE if UPDATE in content_type else QUERY
        message_id = ""
        try:
            if service not in ("repository", "registry"):
                raise Fault("service inconnu")
            received = receive(
                content_type, data, action=action, path=f"{BASE}/{service}", mtom=service == "repository"
            )
            message_id = received.message_id
            vouched = self._vihf.check(received.assertion, subject)
            self._schemas.check(received)
            if injected and injected.kind == "soap-fault":
                raise Fault("défaut injecté", subcode=injected.code)
            if injected and injected.kind == "fault":
                raise RegistryError(injected.code or "XDSRepositoryError", "erreur injectée")
            body = self._perform(action, received, vouched, injected)
        except Fault as error:
            text = answers.fault(error.code, error.subcode, error.text)
            return 500, answers.envelope(answers.FAULT_ACTION, message_id, text)
        except RegistryError as error:
            write = answers.failed_query if action == QUERY else answers.failure
            return 200, answers.envelope(ANSWERS[action], message_id, write(error.code, error.text))
        return 200, answers.envelope(ANSWERS[action], message_id, body)

    def _perform(self, action: str, received: Received, vouched: Vouched, injected: Injected | None) -> str:
        if action == PROVIDE:
            lot = metadata.read_lot(received.body, received.attachments)
            if lot.patient != vouched.patient:
                raise Fault("le patient du VIHF n'est pas celui du lot")
            check_documents(lot, vouched.structure, self._vihf)
            self.registry.register(lot, vouched.structure, received.soap)
            return answers.success(injected.code if injected and injected.kind == "warning" else "")
        if action == QUERY:
            return self._find(received.body, vouched)
        return self._delete(received, vouched)

    def _find(self, body: etree._Element, vouched: Vouched) -> str:
        query = body.find(f"{metadata.R}AdhocQuery")
        if body.tag != f"{{{_QUERY_NS}}}AdhocQueryRequest" or query is None or query.get("id") != GET_DOCUMENTS:
            raise RegistryError("XDSUnknownStoredQuery", "seule GetDocuments est servie en authentification indirecte")
        wanted = metadata.slot(query, "$XDSDocumentEntryUniqueId")[0]
        if not (wanted.startswith("('") and wanted.endswith("')")):
            raise RegistryError("XDSStoredQueryParamNumber", "$XDSDocumentEntryUniqueId attendu")
        unique_id = wanted[2:-2]
        found = self.registry.find(lambda held: held.unique_id == unique_id and held.patient == vouched.patient)
        return answers.references([held.entry_uuid for held in found])

    def _delete(self, received: Received, vouched: Vouched) -> str:
        objects = received.body.find(f"{metadata.R}RegistryObjectList")
        if received.body.tag != f"{{{_LCM}}}SubmitObjectsRequest" or objects is None:
            raise RegistryError("XDSRegistryMetadataError", "SubmitObjectsRequest attendu")
        lot_id, patient, set_id = metadata.read_set(objects)
        if patient != vouched.patient:
            raise Fault("le patient du VIHF n'est pas celui du lot")
        associations = objects.findall(f"{metadata.R}Association")
        if len(associations) != 1 or associations[0].get("associationType") != metadata.UPDATE_STATUS:
            raise RegistryError("XDSRegistryMetadataError", "une association UpdateAvailabilityStatus attendue")
        association = associations[0]
        new_status = metadata.slot(association, "NewStatus")[0]
        if association.get("sourceObject") != set_id or new_status != DELETED:
            raise RegistryError("XDSRegistryMetadataError", "seule la suppression est permise")
        original = metadata.slot(association, "OriginalStatus")[0]
        target = association.get("targetObject", "")
        self.registry.delete(target, lot_id, original, vouched.structure, received.soap)
        return answers.success()


def routes(simulator: DmpSimulator) -> APIRouter:
    """Return the DMP's part of the control API."""
    router = APIRouter(prefix="/sim/dmp", tags=["dmp"])

    @router.get("/submissions")
    async def submissions() -> list[Submission]:
        """Return what was submitted, oldest first."""
        return list(simulator.registry.submissions.values())

    @router.get("/submissions/{submission_id}/soap")
    async def soap(submission_id: str) -> FileResponse:
        """Return the SOAP part of the request, as received."""
        return FileResponse(_path(submission_id, "soap"), media_type="application/soap+xml")

    @router.get("/submissions/{submission_id}/document")
    async def document(submission_id: str) -> FileResponse:
        """Return the document's bytes, as received."""
        return FileResponse(_path(submission_id, "document"), media_type="text/xml")

    def _path(submission_id: str, what: str) -> Path:
        if submission_id not in simulator.registry.submissions:
            raise HTTPException(404)
        return simulator.registry.path(submission_id, what)

    return router
