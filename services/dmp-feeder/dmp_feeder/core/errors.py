"""Why a document does not go to the DMP, said before anything is sent."""

from typing import ClassVar

from labohub.errors import Refused


class FilingRefused(Refused):
    """The document cannot be filed as it is. Root of the refusals below."""

    code = "dmp.filing-refused"
    label: ClassVar[str] = ""  # what the source is told beside the code


class IdentityNotQualified(FilingRefused):
    """The DMP is fed for a qualified identity only."""

    code = "dmp.identity-not-qualified"


class FeedingIsOpposed(FilingRefused):
    """The patient opposes the feeding of his DMP."""

    code = "dmp.opposed"
    label = "Opposition du patient à l'alimentation du DMP"


class FictitiousIdentity(FilingRefused):
    """A matricule of test or demonstration does not go to the production DMP."""

    code = "dmp.test-identity"


class DocumentIdMalformed(FilingRefused):
    """The document's id is not a plain OID: the DMP takes no extension."""

    code = "dmp.document-id"


class DocumentSuperseded(FilingRefused):
    """A document comes, or comes again, after what replaces or deletes it: it would undo the correction."""

    code = "dmp.superseded"


class DocumentIdReused(FilingRefused):
    """A document with this id, and other bytes, was already filed."""

    code = "dmp.document-id-reused"


class MasksContradict(FilingRefused):
    """Masked from professionals and hidden from the patient at once: nobody could read it."""

    code = "dmp.masks-contradict"


class SecretConnectionOff(FilingRefused):
    """A secret connection is asked for, and this installation does not have the minors' functions."""

    code = "dmp.secret-connection-off"


class PatientMismatch(FilingRefused):
    """The document's patient is not the qualified one."""

    code = "dmp.patient-mismatch"


class MetadataIncomplete(FilingRefused):
    """The document's header lacks what the DMP requires."""

    code = "dmp.metadata-incomplete"


class StructureMismatch(FilingRefused):
    """No author of the document belongs to the structure that files it."""

    code = "dmp.author-structure"


class NothingToDelete(FilingRefused):
    """The DMP does not hold the document to delete."""

    code = "dmp.document-not-found"
