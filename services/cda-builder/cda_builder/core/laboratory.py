"""What the installation knows of a laboratory, for what messages do not say."""

import re
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from labohub.standards.cda.presentation import ACCENT, Theme, ThemeRefused
from labohub.standards.cda.tables import labels

_OID: Final = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)
_TABLES: Final = {
    "default_chapter": "chapters",
    "practice_setting": "practice_setting",
    "facility_type": "facility_type",
}


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
    mentions: tuple[str, ...] = ()  # accreditation and legal mentions, printed and said in the document
    accreditation: str = ""  # COFRAC number, e.g. 8-0000
    automatic_validation: str = ""  # what to say of results without validator (OBX-16); "": nothing is said
    practice_setting: str = "AMBULATOIRE"  # J04
    facility_type: str = "SA25"  # J02
    oid_root: str = ""
    zone: str = "Europe/Paris"  # of times that come without offset
    default_chapter: str = "26436-6"
    biologist: Signatory | None = None
    volet: Literal["2024.01", "2023.01", "2021.01"] = "2024.01"  # edition of CR-BIO to write
    sub_chapters: bool = False  # one per battery, in each chapter
    pdf_only: Literal["level-1", "refuse"] = "level-1"  # when a PDF came without any result
    pdf_copy: Literal["laboratory", "hub"] = "laboratory"  # whose PDF is the copy, when the message brought one
    prints_clinical_information: bool = True
    isolate_codes: tuple[str, ...] = ()  # local codes of "organism identified", beside the LOINC ones
    susceptibility: Literal["", "EUCAST"] = ""  # standard of antibiograms whose method does not say it
    accent: str = ACCENT  # colour of names and titles, #rrggbb, dark enough to be read on white
    logo: str = ""  # data:image/png;base64,…
    self_presenting: bool = False  # the document inside its own stylesheet; 2021.01 alone has this form

    @model_validator(mode="after")
    def _can_be_shown(self) -> Self:
        try:
            Theme(self.accent, self.logo)
        except ThemeRefused as error:
            raise ValueError(str(error)) from None
        if self.self_presenting and self.volet != "2021.01":
            raise ValueError("self_presenting: only with volet 2021.01")
        return self

    @property
    def theme(self) -> Theme:
        """Return the look of the laboratory's documents; its mentions are in each of them."""
        return Theme(self.accent, self.logo)

    @field_validator("oid_root")
    @classmethod
    def _is_oid(cls, value: str) -> str:
        if value and not _OID.fullmatch(value):
            raise ValueError("no OID")
        return value

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no time zone") from None
        return value

    @field_validator("default_chapter", "practice_setting", "facility_type")
    @classmethod
    def _is_of_its_table(cls, value: str, info: ValidationInfo) -> str:
        if value not in labels(_TABLES[info.field_name or ""]):
            raise ValueError("not in its value set")
        return value
