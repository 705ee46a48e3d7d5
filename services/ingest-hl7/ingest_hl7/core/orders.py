"""Orders (OML) as the hub takes them: it records them, and answers each with the code its ORC-1 calls for.

The hub performs nothing: an accepted order is a recorded one. It later tells who prescribed, who gets a copy, what
the clinician said, and which exams of a demand are still to come. MSA speaks of the message, ORC-1 of each order.
Source: HL7 table 0119 and ORL^O22/O34/O36; IHE PaLM LAB-1, 2, 4 and ILW LAB-35.
"""

from collections.abc import Mapping
from dataclasses import replace

from ingest_hl7.core import checks, identity
from ingest_hl7.core.decision import Ordered, Refusal, Verdict
from ingest_hl7.core.observations import codes, plain_text
from ingest_hl7.core.order import KnownOrder, Order, OrderState, number_key, person_key
from ingest_hl7.core.results import read_person
from ingest_hl7.core.senders import Sender
from labohub.contracts.codec import derived_id
from labohub.contracts.laboratory import Code
from labohub.contracts.values import Patient
from labohub.standards.er7 import Message
from labohub.standards.hl7.patient import read_patient
from labohub.standards.hl7.results import OrderGroup, group_orders

NEW = frozenset(("NW", "RO", "SN", "XO"))
REFUSALS = {"CA": "UC", "RP": "UM", "XO": "UX"}  # to ORC-1, the answer that says no; UA for all others
_ACCEPTED = {"NW": "OK", "CA": "CR", "RP": "RQ", "XO": "XR", "SN": "NA"}
_TOLERATED = frozenset(("SC", "OC", "RU", "RO", "RE", "PA", "CH", "OK"))  # told to us: taken note of
_STATES = {"CA": OrderState.CANCELLED, "OC": OrderState.CANCELLED, "RP": OrderState.REPLACED, "RU": OrderState.REPLACED}
_STATUSES = {"CR": "CA", "UA": "CA", "NA": "SC"}  # ORC-5 of an answer, where the answer itself says it


def decide(message: Message, sender: Sender, environment: str) -> Ordered | Refusal:
    """Return the orders of an OML, or why the message is refused."""
    grouped = group_orders(message)
    errors = checks.check_orders(message, grouped)
    facts = read_patient(message)
    if facts is None:
        return Refusal("AE", errors)
    patient, ins_errors, warnings = identity.to_patient(facts, environment=environment, policy=sender.ins_policy)
    if errors or ins_errors:
        return Refusal("AE", checks.in_order(message, (*errors, *ins_errors)))
    header = message.header
    us = (header.component(3, 1), header.component(4, 1))
    return Ordered(
        orders=tuple(_order(group, patient, us) for group in grouped.orders),
        groups=tuple(grouped.orders),
        patient=grouped.patients[0],
        event=header.component(9, 2).upper(),
        person=person_key(patient),
        warnings=(*checks.charset_warnings(message), *warnings),
    )


def judge(ordered: Ordered, known: Mapping[str, KnownOrder], receiver: str) -> Ordered:
    """Return the orders with the answer to each.

    Args:
        known: the orders already recorded, by key.
        receiver: our name, as the namespace of the numbers we give (LAB-2).
    """
    verdicts: list[Verdict] = []
    replaced = ""  # the answer to the last RP: what a RO behind it follows
    for order, group in zip(ordered.orders, ordered.groups, strict=True):
        verdict = _judge(order, group, known.get(order.key), ordered.person)
        if order.control == "RP":
            replaced = verdict.control
        elif order.control == "RO" and replaced:
            verdict = Verdict("RO") if replaced == "RQ" else Verdict("UA", "CA", _NOT_REPLACED)
        if verdict.control == "NA":
            number = order.placer_number or f"LH{derived_id('placer', order.key).replace('-', '')[:14].upper()}"
            verdict = replace(
                verdict, placer=group.orc.field(2) if group.orc and group.orc.field(2) else f"{number}^{receiver}"
            )
        verdicts.append(verdict)
    return replace(ordered, verdicts=tuple(verdicts))


def state_after(order: Order, verdict: Verdict, known: KnownOrder | None) -> OrderState | None:
    """Return the state to record; None when the order was refused."""
    if verdict.control in ("UA", *REFUSALS.values()):
        return None
    before = known.state if known else OrderState.ORDERED
    if order.control in ("NW", "RO", "SN"):
        return OrderState.ORDERED if before in (OrderState.CANCELLED, OrderState.REPLACED) else before
    return _STATES.get(order.control, before)


def _judge(order: Order, group: OrderGroup, known: KnownOrder | None, person: str) -> Verdict:
    no = REFUSALS.get(order.control, "UA")
    if order.control not in _ACCEPTED and order.control not in _TOLERATED:
        return Verdict("UA", "CA", ("CTRL", "Code de commande (ORC-1) non pris en charge"))
    if known is not None and known.person != person:
        return Verdict(no, "", ("PAT", "Numéro déjà connu pour un autre patient"))
    if order.control in NEW and group.obr is None:
        return Verdict(no, "CA", ("OBR", "Examen (OBR) absent"))
    if order.control in REFUSALS and known is not None and known.state == OrderState.RESULTED:
        return Verdict(no, "CM", ("RES", "Résultats déjà reçus pour cette demande"))
    answer = _ACCEPTED.get(order.control, "OK")
    return Verdict(answer, _STATUSES.get(answer, order.status))


def _order(group: OrderGroup, patient: Patient, sender: tuple[str, str]) -> Order:
    orc, obr = group.orc, group.obr
    assert orc is not None  # checked
    local, loinc = codes(obr, 4) if obr else (None, None)
    placer = number_key(orc, 2, sender) or (number_key(obr, 2, sender) if obr else "")
    filler = number_key(orc, 3, sender) or (number_key(obr, 3, sender) if obr else "")
    ordered = read_person(orc, 12)
    copies = [read_person(obr, 28, at + 1) for at in range(len(obr.repetitions(28)))] if obr else []
    return Order(
        key=placer or f"filler\x1f{filler}",
        group_key=number_key(orc, 4, sender),
        control=group.control,
        placer_number=group.text(2),
        filler_number=group.text(3),
        code=local or loinc or Code(code=""),
        loinc=loinc,
        status=orc.component(5, 1),
        prescribed_at=orc.component(37, 1) or orc.component(9, 1),
        prescriber=ordered or (read_person(obr, 16) if obr else None),
        copies_to=tuple(person for person in copies if person is not None),
        clinical_information=plain_text(obr, obr.field(13)) if obr else "",
        matricule=patient.ins.matricule if patient.ins else "",
        birth_name=patient.traits.birth_name,
        birth_date=patient.traits.birth_date,
        sex=patient.traits.sex if patient.traits.sex in ("M", "F") else "",
    )


_NOT_REPLACED = ("RP", "La demande à remplacer ne l'est pas")
