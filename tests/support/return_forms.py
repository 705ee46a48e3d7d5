"""Return mails as servers, mail clients and people write them: one builder per form, composed here, no file.

`OUR_ID` and `ENVELOPE` are those of the mail they speak of; `DOCTOR` or `PATIENT` is its recipient.
"""

import base64
import quopri
from dataclasses import dataclass

from tests.support.mss import MATRICULE

OUR_ID, ENVELOPE = "<m.t@labo-demo.mssante.fr>", "m.t"
DOCTOR, PATIENT = "adam.hoda@medecin-demo.mssante.fr", f"{MATRICULE}@patient.mssante.fr"
BOX = "labo.app@labo-demo.mssante.fr"
HEAD = f"From: {BOX}\r\nTo: {DOCTOR}\r\nMessage-ID: {OUR_ID}\r\nSubject: XDM/1.0/DDM+CR DURAND ELODIE\r\n"


@dataclass(frozen=True)
class Case:
    """One return: `told` is what it says of our mail, as (event, code); None when it says nothing."""

    name: str
    raw: bytes
    kind: str
    told: tuple[str, str] | None = None
    to_patient: bool = False

    @property
    def is_human(self) -> bool:
        return self.kind in ("reply", "patient_reply", "human")


def mail(head: str, body: str = "Bonjour", *, coding: str = "8bit", charset: str = "utf-8") -> bytes:
    """Return a mail of one text part."""
    encoded = body.encode(charset)
    if coding == "quoted-printable":
        encoded = quopri.encodestring(encoded)
    if coding == "base64":
        encoded = base64.encodebytes(encoded)
    kind = f'Content-Type: text/plain; charset="{charset}"\r\nContent-Transfer-Encoding: {coding}\r\n'
    return (head + kind + "\r\n").encode() + encoded + b"\r\n"


def multipart(head: str, kind: str, *parts: tuple[str, str]) -> bytes:
    """Return a mail of several parts: (content type and more header lines, body)."""
    text = "".join(f"--b0\r\nContent-Type: {content}\r\n\r\n{body}\r\n" for content, body in parts)
    return f'{head}MIME-Version: 1.0\r\nContent-Type: {kind}; boundary="b0"\r\n\r\n{text}--b0--\r\n'.encode()
