"""The heavy work itself, as functions that a thread or a worker process runs."""

import base64
import gc
import multiprocessing

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.images import with_web_images
from cda_builder.adapters.pdf import render_narrative, render_report
from cda_builder.adapters.pdf.fonts import register
from cda_builder.adapters.validation import Checked, validate
from cda_builder.core.explain import Lang
from cda_builder.core.facts import facts_of
from cda_builder.core.relay import check_patient
from cda_builder.core.report import cr_bio
from cda_builder.ports import Made, Order
from labohub.contracts.values import Identity
from labohub.standards import xml
from labohub.standards.cda import embedded_pdf, read_header
from labohub.standards.cda.builder import build_cr_bio, build_level_1
from labohub.standards.cda.presentation import self_presenting
from labohub.standards.cda.tables import rows

_COLLECT_AFTER = 50_000  # objects: a document of 200 results has half of that, and lets go of them itself


def structure(order: Order, gate: Gate) -> Made:
    """Return the document built from results, its PDF (the laboratory's own where it sent one) and its verdict."""
    model = cr_bio(
        order.report,
        with_web_images(order.results),
        order.identity,
        order.profile,
        order.numbering,
        catalogue=order.catalogue,
    )
    theme = order.profile.theme
    pdf = base64.b64decode(model.copy.data) if model.copy else render_report(model, theme)
    document = build_cr_bio(model, pdf) if model.chapters else build_level_1(model, pdf)
    own = order.profile.self_presenting and bool(model.chapters)
    document = self_presenting(document, theme) if own else document
    root = xml.parse(document)
    header = read_header(root)
    return Made(document, facts_of(header), pdf, gate.verdict(root, header), own)


def examine(document: bytes, identity: Identity, gate: Gate) -> Made:
    """Return what a relayed document is. Its PDF is the one it holds, byte for byte, else one of its narrative."""
    root = xml.parse(document)
    header = read_header(root)
    check_patient(header, identity)
    verdict = gate.verdict(root, header)
    pdf = embedded_pdf(root)
    if pdf is None and verdict.conforms:
        pdf = render_narrative(root, header)
    return Made(document, facts_of(header), pdf or b"", verdict)


def validated(data: bytes, lang: Lang, gate: Gate) -> list[Checked]:
    """Return what is wrong with a document or an archive, explained."""
    return validate(data, "", gate, lang)


def warm(gate: Gate) -> None:
    """Return when this process has read all it needs: fonts, tables, official rules. Raises: Misconfigured."""
    register()
    for table in ("interpretation", "specimen", "ucum_usual", "unit_spelling", "chapters"):
        rows(table)
    gate.warm()
    if multiprocessing.parent_process() is not None:  # the rules live as long as a worker: nothing to look for there
        gc.collect()
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
