"""Why a report becomes no document."""

from labohub.contracts.values import BlobRef
from labohub.errors import Refused


class CdaAttachmentUnreadable(Refused):
    """An object that came with the results (picture, PDF, text) cannot be read as what it is said to be."""

    code = "cda.attachment-unreadable"


class CdaNoResult(Refused):
    """No result of the message may be published: nothing validated in it."""

    code = "cda.no-result"


class CdaBiologistMissing(Refused):
    """Nobody signs: the message names no biologist and none is configured for the laboratory."""

    code = "cda.biologist-missing"


class CdaLaboratoryMissing(Refused):
    """The laboratory has no identifier: neither in the message nor in the settings."""

    code = "cda.laboratory-missing"


class CdaIdentityIncomplete(Refused):
    """A trait without which no CR-BIO can be written is missing: birth name, given name or birth date."""

    code = "cda.identity-incomplete"


class CdaDocumentMissing(Refused):
    """The report holds neither a document nor results."""

    code = "cda.document-missing"


class CdaOtherPatient(Refused):
    """The document names another patient than the message."""

    code = "cda.other-patient"


class CdaInsNotQualified(Refused):
    """The document carries a matricule although the identity is not qualified."""

    code = "cda.ins-not-qualified"


class CdaNotConformant(Refused):
    """The document fails the schema, the official rules or the hub's own; the conformance report says where."""

    code = "cda.not-conformant"

    def __init__(self, message: str, report: BlobRef) -> None:
        super().__init__(message)
        self.report = report
