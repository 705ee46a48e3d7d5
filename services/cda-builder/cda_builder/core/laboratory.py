"""What the installation knows of a laboratory, for what messages do not say."""

from pydantic import BaseModel, ConfigDict


class Signatory(BaseModel):
    """A biologist: national identifier (RPPS), name, title (DR, PR…) and specialty (J01)."""

    model_config = ConfigDict(frozen=True)

    identifier: str
    family_name: str
    given_name: str = ""
    title: str = ""
    specialty: str = "G15_10/SM03"


class LaboratoryProfile(BaseModel):
    """A laboratory by its sending facility. What the message says comes first, but for the name and the address.

    `oid_root` is the laboratory's own OID arc; without one, identifiers are made under 2.25 (UUID) and stay unique.
    """

    model_config = ConfigDict(frozen=True)

    identifier: str = ""  # Struct_IdNat: 1 + FINESS; a bare FINESS is accepted
    name: str = ""
    address: tuple[str, ...] = ()
    telecoms: tuple[str, ...] = ()  # with scheme: tel:, mailto:
    mentions: tuple[str, ...] = ()  # accreditation and legal mentions, printed on the PDF
    practice_setting: str = "AMBULATOIRE"  # J04
    facility_type: str = "SA25"  # J02
    oid_root: str = ""
    zone: str = "Europe/Paris"  # of times that come without offset
    default_chapter: str = "26436-6"
    biologist: Signatory | None = None
