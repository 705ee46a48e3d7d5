"""The envelope of an answer, as published or as real ones stray from it."""

from xml.sax.saxutils import escape

from labosim.identities import TestIdentity

_LABELS = {"00": "OK", "01": "Aucune identite trouvee", "02": "Plusieurs identites trouvees"}


FLAWS = ("wrong-key", "no-key", "no-names", "no-place", "disordered")  # what a real answer was seen, or may be, to lack


def result(found: list[TestIdentity], *, oid: str = "", flaw: str = "") -> tuple[str, bytes]:
    """Return the code of an answer and its envelope. `oid` replaces the authority of the identity; `flaw`: of FLAWS."""
    code = "00" if len(found) == 1 else "02" if found else "01"
    person = _individual(found[0], oid, flaw) if len(found) == 1 else ""
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


def _individual(identity: TestIdentity, oid: str, flaw: str) -> str:
    born = identity.birth_date
    active = identity.matricule
    if flaw == "wrong-key":
        active = f"{active[:13]}{int(active[13:]) % 97 + 1:02d}"
    former = "".join(f"<INSHISTO>{_number(number, identity.oid)}</INSHISTO>" for number in identity.former)
    names = "" if flaw == "no-names" else f"<ListePrenom>{escape(identity.given_names)}</ListePrenom>"
    place = "" if flaw == "no-place" else f"<LieuNaissance>{identity.birth_place}</LieuNaissance>"
    return (
        f"<INDIVIDU><INSACTIF>{_number(active, oid or identity.oid, flaw)}</INSACTIF>{former}<TIQ>"
        f"<NomNaissance>{escape(identity.birth_name)}</NomNaissance>{names}<Sexe>{identity.sex}</Sexe>"
        f"<DateNaissance>{born[:4]}-{born[4:6]}-{born[6:]}</DateNaissance>{place}</TIQ></INDIVIDU>"
    )


def _number(matricule: str, oid: str, flaw: str = "") -> str:
    key = "" if flaw == "no-key" else f"<Cle>{matricule[13:]}</Cle>"
    parts = [f"<IdIndividu><NumIdentifiant>{matricule[:13]}</NumIdentifiant>{key}</IdIndividu>", f"<OID>{oid}</OID>"]
    if flaw == "disordered":
        parts.insert(0, "<DateDeb>2019-03-01</DateDeb>")
    return "".join(parts)
