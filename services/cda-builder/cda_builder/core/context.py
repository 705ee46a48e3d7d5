"""What all parts of one report share: the laboratory, its numberings, its zone, its catalogue."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cda_builder.core import numbers
from cda_builder.core.catalogue import Catalogue, Exam
from cda_builder.core.laboratory import LaboratoryProfile
from cda_builder.core.times import cda_time
from labohub.contracts.laboratory import Code
from labohub.standards.cda import Id


@dataclass(frozen=True, slots=True)
class Context:
    """What is known before any result is read."""

    profile: LaboratoryProfile
    laboratory: Id
    zone: ZoneInfo
    catalogue: Catalogue = field(default_factory=Catalogue)

    def time(self, written: str) -> str:
        """Return an HL7 time as a CDA time."""
        return cda_time(written, self.zone)

    def local_root(self, kind: str, name: str = "") -> str:
        """Return the OID of one of the laboratory's numberings or code tables."""
        return numbers.local_root(self.profile.oid_root, self.laboratory.extension, kind, name)

    def local_id(self, kind: str, value: str) -> Id:
        """Return a number of the laboratory, qualified."""
        return Id(self.local_root(kind), value)

    def code_system(self, name: str) -> str:
        """Return the OID of a code table that the sender names."""
        return self.local_root("code", name)

    def exam(self, code: Code | None) -> Exam | None:
        """Return what the laboratory's catalogue says of a local code."""
        return self.catalogue.find(code.system, code.code) if code is not None else None
