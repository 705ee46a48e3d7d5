"""The laboratory and the doctors of the sample day. All invented; numbers of no one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doctor:
    """A professional by national number (RPPS, 11 digits)."""

    rpps: str
    family_name: str
    given_name: str
    address: str = ""

    @property
    def ps_idnat(self) -> str:
        """Return the number with its prefix."""
        return f"8{self.rpps}"


@dataclass(frozen=True, slots=True)
class Laboratory:
    """The laboratory that sends: `finess` is its site, `oid` the root of its own identifiers."""

    name: str
    finess: str
    oid: str
    application: str
    facility: str
    mailbox: str
    biologist: Doctor

    @property
    def struct_idnat(self) -> str:
        """Return the FINESS number with its prefix."""
        return f"1{self.finess}"


LABORATORY = Laboratory(
    name="LABORATOIRE DU GRAND CHENE",
    finess="999900017",
    oid="1.2.250.1.99999.7",
    application="SGL-CHENE",
    facility="LBM-GRAND-CHENE",
    mailbox="contact@grand-chene.mssante.fr",
    biologist=Doctor("99900000017", "ARMEL", "Solène"),
)

DOCTORS = (
    Doctor("99900000108", "VASSEUR", "Théo", "theo.vasseur@medecin.mssante.fr"),
    Doctor("99900000116", "LEMAIRE", "Ingrid", "ingrid.lemaire@medecin.mssante.fr"),
    Doctor("99900000124", "OUALI", "Samir", "samir.ouali@medecin.mssante.fr"),
    Doctor("99900000132", "PRIGENT", "Maud", "maud.prigent@ch-valdor.mssante.fr"),
)
