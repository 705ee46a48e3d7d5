"""Which identity answers a question, and the envelope that says it."""

from collections.abc import Iterable
from typing import NamedTuple
from xml.sax.saxutils import escape

from labosim.identities import TestIdentity, generated_from

_LABELS = {"00": "OK", "01": "Aucune identite trouvee", "02": "Plusieurs identites trouvees"}


class Question(NamedTuple):
    """A search by traits, as asked. The date is YYYY-MM-DD; an absent birth place is empty."""

    birth_name: str
    given_name: str
    sex: str
    birth_date: str
    birth_place: str


class Register:
    """The identities that INSi knows, found by birth name, sex and date; first names and place narrow the choice."""

    def __init__(self, identities: Iterable[TestIdentity]) -> None:
        self._by_name: dict[str, list[TestIdentity]] = {}
        for identity in identities:
            self.add(identity)

    def add(self, identity: TestIdentity) -> None:
        """Make one more person known. The generated ones all are."""
        self._by_name.setdefault(identity.birth_name, []).append(identity)

    def find(self, question: Question) -> list[TestIdentity]:
        """Return who answers to these traits."""
        generated = generated_from(question.birth_name)
        known = [*self._by_name.get(question.birth_name, []), *([generated] if generated else [])]
        return [
            identity
            for identity in known
            if (identity.sex, identity.birth_date) == (question.sex, question.birth_date.replace("-", ""))
            and _answers(identity.given_names, question.given_name)
            and question.birth_place in ("", identity.birth_place)
        ]


def result(found: list[TestIdentity], *, oid: str = "", wrong_key: bool = False) -> tuple[str, bytes]:
    """Return the code of an answer and its envelope. `oid` replaces the authority of the identity."""
    code = "00" if len(found) == 1 else "02" if found else "01"
    person = _individual(found[0], oid, wrong_key) if len(found) == 1 else ""
    return code, envelope(code, person)


def envelope(code: str, person: str = "") -> bytes:
    """Return a result's envelope, with the service's mix of prefixes."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Header/><env:Body>'
        '<RESULTAT xmlns="http://www.cnamts.fr/INSiResultat" xmlns:ns1="http://www.cnamts.fr/INSiRecSans">'
        f"<CR><CodeCR>{code}</CodeCR><LibelleCR>{_LABELS[code]}</LibelleCR></CR>{person}</RESULTAT></env:Body></soap:Envelope>"
    ).encode()


def _individual(identity: TestIdentity, oid: str, wrong_key: bool) -> str:
    born = identity.birth_date
    active = identity.matricule
    if wrong_key:
        active = f"{active[:13]}{int(active[13:]) % 97 + 1:02d}"
    former = "".join(f"<INSHISTO>{_number(number, identity.oid)}</INSHISTO>" for number in identity.former)
    return (
        f"<INDIVIDU><INSACTIF>{_number(active, oid or identity.oid)}</INSACTIF>{former}<TIQ>"
        f"<NomNaissance>{escape(identity.birth_name)}</NomNaissance>"
        f"<ListePrenom>{escape(identity.given_names)}</ListePrenom><Sexe>{identity.sex}</Sexe>"
        f"<DateNaissance>{born[:4]}-{born[4:6]}-{born[6:]}</DateNaissance>"
        f"<LieuNaissance>{identity.birth_place}</LieuNaissance></TIQ></INDIVIDU>"
    )


def _number(matricule: str, oid: str) -> str:
    return (
        f"<IdIndividu><NumIdentifiant>{matricule[:13]}</NumIdentifiant><Cle>{matricule[13:]}</Cle></IdIndividu>"
        f"<OID>{oid}</OID>"
    )


def _answers(names: str, asked: str) -> bool:
    """True for one name of the list, or for several that begin it. Composite names are one, hyphen or not."""
    words, wanted = names.replace("-", " ").split(), asked.replace("-", " ").split()
    whole_names = [name.replace("-", " ") for name in names.split()]
    return words[: len(wanted)] == wanted or " ".join(wanted) in whole_names
