"""Where a finding lies, in words: *chapitre 2 › examen 3 › intervalle de référence*."""

import re
from collections.abc import Mapping

_STEP = re.compile(r"(?:[\w.-]+:)?([\w.-]+|@[\w.-]+)(?:\[(\d+)\])?")
_LABELS: Mapping[str, tuple[str, str]] = {  # the element, in French and in English; others keep their names
    "recordTarget": ("patient", "patient"),
    "guardian": ("représentant du patient", "the patient's representative"),
    "author": ("auteur", "author"),
    "dataEnterer": ("opérateur de saisie", "data enterer"),
    "informant": ("informateur", "informant"),
    "custodian": ("structure qui conserve", "custodian"),
    "informationRecipient": ("destinataire", "recipient"),
    "legalAuthenticator": ("signataire", "signatory"),
    "authenticator": ("validateur", "validator"),
    "participant": ("intervenant", "participant"),
    "inFulfillmentOf": ("prescription", "order"),
    "documentationOf": ("acte documenté", "documented act"),
    "performer": ("laboratoire exécutant", "performing laboratory"),
    "relatedDocument": ("document remplacé", "replaced document"),
    "componentOf": ("prise en charge", "encounter"),
    "section": ("section", "section"),
    "entry": ("entrée", "entry"),
    "organizer": ("batterie", "battery"),
    "observation": ("résultat", "result"),
    "procedure": ("prélèvement", "specimen"),
    "observationMedia": ("image ou PDF", "image or PDF"),
    "referenceRange": ("intervalle de référence", "reference range"),
    "text": ("texte", "narrative"),
    "addr": ("adresse", "address"),
    "telecom": ("télécom", "telecom"),
    "name": ("nom", "name"),
    "birthTime": ("date de naissance", "date of birth"),
    "birthplace": ("lieu de naissance", "place of birth"),
    "administrativeGenderCode": ("sexe", "sex"),
    "effectiveTime": ("date", "date"),
    "templateId": ("modèle (templateId)", "template (templateId)"),
    "id": ("identifiant", "identifier"),
    "setId": ("identifiant du jeu (setId)", "set identifier (setId)"),
    "code": ("code", "code"),
    "value": ("valeur", "value"),
    "title": ("titre", "title"),
    "statusCode": ("statut", "status"),
    "interpretationCode": ("interprétation", "interpretation"),
    "nonXMLBody": ("PDF (niveau 1)", "PDF (level 1)"),
}
_SILENT = frozenset(  # they hold something, and say nothing by themselves
    [
        "ClinicalDocument",
        "structuredBody",
        "patientRole",
        "patient",
        "assignedEntity",
        "assignedAuthor",
        "assignedPerson",
        "assignedCustodian",
        "serviceEvent",
        "encompassingEncounter",
        "parentDocument",
        "observationRange",
        "associatedEntity",
        "act",
        "intendedRecipient",
        "relatedEntity",
        "healthCareFacility",
        "place",
    ]
)
_COUNTED = frozenset(
    [
        "section",
        "entry",
        "organizer",
        "observation",
        "procedure",
        "author",
        "participant",
        "authenticator",
        "documentationOf",
    ]
)
_RANKED = frozenset({"component", "entryRelationship"})  # their rank is that of what they hold


def place_in_words(path: str, lang: str) -> str:
    """Return a place for people; the document itself for the root."""
    words, rank = [], ""
    for name, number in _STEP.findall(path):
        if name in _RANKED:
            rank = number
        elif name in _SILENT:
            rank = ""
        else:
            label = _LABELS[name][lang == "en"] if name in _LABELS else name
            shown = rank or number
            told = shown not in ("", "1") or (shown and name in _COUNTED)
            words.append(f"{label} {shown}" if told else label)
            rank = ""
    return " › ".join(words) or ("le document" if lang == "fr" else "the document")
