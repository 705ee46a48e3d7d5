"""XDS.b metadata of the DMP and of MSSanté archives: model, transformation from a CDA, ebRIM, messages. No I/O."""

from labohub.standards.xds.ebrim import registry_objects
from labohub.standards.xds.model import (
    Author,
    DocumentEntry,
    Replacement,
    SourcePatient,
    Submission,
    SubmissionSet,
)
from labohub.standards.xds.transform import author_of, from_cda, person_of
from labohub.standards.xds.values import Coded, Cx, MetadataMalformed, Xcn, Xon, to_utc, xds_time

__all__ = [
    "Author",
    "Coded",
    "Cx",
    "DocumentEntry",
    "MetadataMalformed",
    "Replacement",
    "SourcePatient",
    "Submission",
    "SubmissionSet",
    "Xcn",
    "Xon",
    "author_of",
    "from_cda",
    "person_of",
    "registry_objects",
    "to_utc",
    "xds_time",
]
