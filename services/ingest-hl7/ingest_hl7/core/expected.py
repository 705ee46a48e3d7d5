"""What recorded orders tell of the results that answer them, and which of them are still to come."""

from collections.abc import Sequence

from ingest_hl7.core.order import Order, number_key
from labohub.contracts.codec import derived_id
from labohub.contracts.laboratory import Battery, LaboratoryReport
from labohub.contracts.values import Sender as SenderName
from labohub.standards.hl7.results import OrderGroup


def with_orders(state: LaboratoryReport, orders: list[Order]) -> LaboratoryReport:
    """Return the demand with what its orders say and its results do not: prescriber, copies, clinical information."""
    if not orders:
        return state
    prescriber = state.prescriber or next((each.prescriber for each in orders if each.prescriber), None)
    copies = {each.identifier: each for each in (*((prescriber,) if prescriber else ()), *state.copies_to)}
    if len(copies) <= 1:
        copies |= {person.identifier: person for each in orders for person in each.copies_to if person.identifier}
    by_number = {each.placer_number: each for each in orders if each.placer_number}
    return state.model_copy(
        update={
            "prescriber": prescriber,
            "prescribed_at": state.prescribed_at
            or next((each.prescribed_at for each in orders if each.prescribed_at), ""),
            "copies_to": tuple(copies.values()),
            "batteries": tuple(_informed(each, by_number.get(each.placer_number)) for each in state.batteries),
        }
    )


def _informed(battery: Battery, order: Order | None) -> Battery:
    if order is None or battery.clinical_information or not order.clinical_information:
        return battery
    return battery.model_copy(update={"clinical_information": order.clinical_information})


def missing(state: LaboratoryReport, orders: Sequence[tuple[Order, bool]]) -> list[str]:
    """Return the numbers of the demand's orders that no battery answers yet, of those a laboratory still expects."""
    groups = {each.group_number for each in state.batteries if each.group_number}
    told = {each.placer_number for each in state.batteries if each.placer_number}
    if not any(order.placer_number in told for order, _ in orders):
        return []  # its laboratory does not repeat the prescriber's numbers: nothing can be expected by them
    return [
        order.placer_number
        for order, awaited in orders
        if awaited and order.group_key.split("\x1f")[0] in groups and order.placer_number not in {"", *told}
    ]


def order_keys(groups: list[OrderGroup], name: SenderName) -> frozenset[str]:
    """Return the keys under which orders of these results may be recorded."""
    sender = (name.application, name.facility)
    keys = set()
    for each in groups:
        for segment, numbers in ((each.orc, (2, 4)), (each.obr, (2,))):
            keys |= {number_key(segment, number, sender) for number in numbers} if segment is not None else set()
    return frozenset(keys - {""})


def filler_keys(groups: list[OrderGroup], name: SenderName) -> tuple[str, ...]:
    """Return the key of each battery's filler number, within its sender; "" for a battery without."""
    sender = (name.application, name.facility)
    numbers = [
        (group.obr and number_key(group.obr, 3, sender)) or (group.orc and number_key(group.orc, 3, sender)) or ""
        for group in groups
    ]
    return tuple(derived_id("filler", *sender, number) if number else "" for number in numbers)
