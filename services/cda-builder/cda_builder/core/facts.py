"""The header of a document as the facts that later stages use."""

from labohub.contracts.values import DocumentFacts
from labohub.standards.cda import Header


def facts_of(header: Header) -> DocumentFacts:
    """Return the facts of a header. Times keep the document's text."""
    act, replaced = header.main_act, header.replaces
    return DocumentFacts(
        unique_id=header.id.oid,
        set_id=header.set_id.oid if header.set_id else "",
        version_number=header.version_number,
        code=header.code.code,
        code_system=header.code.system,
        code_label=header.code.label,
        title=header.title,
        effective_time=header.effective_time,
        confidentiality_code=header.confidentiality.code,
        language_code=header.language or "fr-FR",
        level=header.level,
        template_ids=tuple(each.oid for each in header.template_ids),
        replaces=replaced.oid if replaced else "",
        act_started_at=act.low if act else "",
        act_stopped_at=act.high if act else "",
        order_number=header.order_ids[0].extension if header.order_ids else "",
    )
