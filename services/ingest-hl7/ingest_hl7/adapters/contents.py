"""What is kept of a decision beside the message: what later stages read."""

from pydantic import TypeAdapter

from ingest_hl7.core.decision import Decision, Ordered, Relayed, Structured
from ingest_hl7.core.order import Order
from ingest_hl7.core.policies import is_whole
from labohub.contracts.laboratory import LaboratoryReport

HL7_MEDIA_TYPE = "application/hl7-v2"
RESULTS_MEDIA_TYPE = "application/json"
CDA_MEDIA_TYPE = "text/xml"
ORDERS = TypeAdapter(tuple[Order, ...])


def content(decision: Decision) -> list[tuple[bytes, str]]:
    """Return what later stages will read: the CDA as received, or the results."""
    if isinstance(decision, Relayed):
        return [(document.content, CDA_MEDIA_TYPE) for document in decision.documents]
    if isinstance(decision, Structured):
        return [(each.model_dump_json().encode(), RESULTS_MEDIA_TYPE) for each in _kept(decision)]
    if isinstance(decision, Ordered):
        return [(ORDERS.dump_json(decision.orders), RESULTS_MEDIA_TYPE)]
    return []


def _kept(decision: Structured) -> list[LaboratoryReport]:
    """Return what leaves, then what is known of the demand; one when they say the same."""
    results, state = decision.results, decision.state
    if results is None:
        return [state]
    return [results] if is_whole(state, results) else [results, state]
