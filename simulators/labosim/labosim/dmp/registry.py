"""What the DMP holds: entries by entryUUID, their states, and what was submitted."""

import shutil
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

from pydantic import BaseModel

from labosim.dmp import metadata
from labosim.dmp.metadata import Entry, Lot
from labosim.dmp.rejections import Fault, RegistryError

APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"
DELETED = "urn:asip:ci-sis:2010:StatusType:Deleted"


class Submission(BaseModel):
    """A submission, as the control API lists it."""

    id: str
    operation: str  # TD2.1, RPLC, TD3.3c
    unique_id: str
    replaces: str  # uniqueId of the replaced document
    patient_id: str
    format_code: str
    sha256: str
    size_bytes: int
    status: str  # approved, deprecated or deleted


@dataclass(frozen=True)
class Held:
    """A registered document."""

    entry_uuid: str
    unique_id: str
    patient: str
    structure: str
    sha1: str
    status: str
    submission_id: str


class Registry:
    """The registry and repository. One lock: calls come from several threads. Bytes go to a temporary folder."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new()

    def _new(self) -> None:
        self._folder = Path(mkdtemp(prefix="labosim-dmp-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)  # at exit at the latest
        self._by_uuid: dict[str, Held] = {}
        self._by_unique: dict[str, str] = {}
        self._lots: set[str] = set()
        self.submissions: dict[str, Submission] = {}

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._cleanup()
            self._new()

    def close(self) -> None:
        """Remove the temporary folder."""
        self._cleanup()

    def path(self, submission_id: str, what: str) -> Path:
        """Return the file of a submission: soap or document."""
        return self._folder / f"{submission_id}.{what}"

    def register(self, lot: Lot, structure: str, soap: bytes) -> list[Submission]:
        """Register a lot, all or nothing; one submission is listed per document. Raises: RegistryError, Fault."""
        with self._lock:
            documents = [entry for entry in lot.entries if not entry.is_signature]
            self._refuse_known(lot)
            replaced = {
                document.local_id: [
                    self._replaced(target, document, structure)
                    for kind, source, target in lot.associations
                    if kind == metadata.RPLC and source == document.local_id
                ]
                for document in documents
            }
            self._lots.add(lot.unique_id)
            listed = []
            for document in documents:
                submission = self._list(document, replaced[document.local_id], soap)
                self._hold(document, structure, submission.id)
                listed.append(submission)
            for entry in lot.entries:
                if entry.is_signature:
                    self._hold(entry, structure, listed[0].id)
            for held in (each for targets in replaced.values() for each in targets):
                self._change(held, DEPRECATED)
            return listed

    def _list(self, document: Entry, replaced: list[Held], soap: bytes) -> Submission:
        submission = Submission(
            id=str(len(self.submissions) + 1),
            operation="RPLC" if replaced else "TD2.1",
            unique_id=document.unique_id,
            replaces=replaced[0].unique_id if replaced else "",
            patient_id=document.patient,
            format_code=document.format_code,
            sha256=sha256(document.content).hexdigest(),
            size_bytes=len(document.content),
            status="approved",
        )
        self._keep(submission, soap, document.content)
        return submission

    def find(self, wanted: Callable[[Held], bool]) -> list[Held]:
        """Return the documents that are not deleted."""
        with self._lock:
            return [held for held in self._by_uuid.values() if held.status != DELETED and wanted(held)]

    def delete(self, entry_uuid: str, lot_id: str, original: str, structure: str, soap: bytes) -> Submission:
        """Delete a document. Raises: RegistryError, Fault."""
        with self._lock:
            held = self._by_uuid.get(entry_uuid)
            if lot_id in self._lots:
                raise RegistryError("XDSDuplicateUniqueIdInRegistry", "lot déjà connu")
            if held is None or held.status == DELETED:
                raise RegistryError("UnresolvedReferenceException", "document inconnu")
            if held.status != original:
                raise RegistryError("XDSRegistryError", "OriginalStatus différent de l'état du document")
            if held.structure != structure:
                raise Fault("seule la structure auteur supprime", subcode="DMPAccessDeniedByRightsService")
            self._lots.add(lot_id)
            self._change(held, DELETED)
            former = self.submissions[held.submission_id]
            submission = former.model_copy(
                update={
                    "id": str(len(self.submissions) + 1),
                    "operation": "TD3.3c",
                    "replaces": "",
                    "status": "deleted",
                }
            )
            self._keep(submission, soap, self.path(held.submission_id, "document").read_bytes())
            return submission

    def _refuse_known(self, lot: Lot) -> None:
        for entry in lot.entries:
            known = self._by_uuid.get(self._by_unique.get(entry.unique_id, ""))
            if known is not None and known.sha1 != entry.sha1:
                raise RegistryError("XDSNonIdenticalHash", "document connu avec un autre contenu")
            if known is not None:
                raise RegistryError("XDSDuplicateUniqueIdInRegistry", "document déjà connu")
        if lot.unique_id in self._lots:
            raise RegistryError("XDSDuplicateUniqueIdInRegistry", "lot déjà connu")

    def _replaced(self, target: str, document: Entry, structure: str) -> Held:
        held = self._by_uuid.get(target)
        if held is None:
            raise RegistryError("UnresolvedReferenceException", "document à remplacer inconnu")
        if held.status != APPROVED:
            raise RegistryError("XDSRegistryDeprecatedDocumentError", "document à remplacer déjà remplacé ou supprimé")
        if held.patient != document.patient:
            raise RegistryError("XDSPatientIdDoesNotMatch", "document d'un autre patient")
        if held.structure != structure:
            raise Fault("seule la structure auteur remplace", subcode="DMPAccessDeniedByRightsService")
        return held

    def _hold(self, entry: Entry, structure: str, submission_id: str) -> None:
        held = Held(
            f"urn:uuid:{uuid4()}", entry.unique_id, entry.patient, structure, entry.sha1, APPROVED, submission_id
        )
        self._by_uuid[held.entry_uuid] = held
        self._by_unique[held.unique_id] = held.entry_uuid

    def _change(self, held: Held, status: str) -> None:
        self._by_uuid[held.entry_uuid] = replace(held, status=status)
        former = self.submissions[held.submission_id]
        word = "deprecated" if status == DEPRECATED else "deleted"
        self.submissions[held.submission_id] = former.model_copy(update={"status": word})

    def _keep(self, submission: Submission, soap: bytes, document: bytes) -> None:
        self.path(submission.id, "soap").write_bytes(soap)
        self.path(submission.id, "document").write_bytes(document)
        self.submissions[submission.id] = submission
