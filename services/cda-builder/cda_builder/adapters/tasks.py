"""The heavy work itself, as functions that a thread or a worker process runs."""

import base64
from functools import cache
from pathlib import Path

from lxml import etree

from cda_builder.adapters.images import with_web_images
from cda_builder.adapters.official import OfficialRules
from cda_builder.adapters.pdf import render_narrative, render_report
from cda_builder.adapters.pdf.fonts import register
from cda_builder.core.facts import facts_of
from cda_builder.core.lint import lint
from cda_builder.core.relay import check_patient
from cda_builder.core.report import cr_bio
from cda_builder.core.verdict import Verdict
from cda_builder.ports import Made, Order
from labohub.contracts.values import Identity
from labohub.standards import xml
from labohub.standards.cda import Header, embedded_pdf, read_header
from labohub.standards.cda.builder import build_cr_bio, build_level_1
from labohub.standards.cda.tables import rows


def structure(order: Order, rules: Path | None) -> Made:
    """Return the document built from results, its PDF (the laboratory's own where it sent one) and its verdict."""
    model = cr_bio(
        order.report,
        with_web_images(order.results),
        order.identity,
        order.profile,
        order.numbering,
        catalogue=order.catalogue,
    )
    pdf = base64.b64decode(model.copy.data) if model.copy else render_report(model)
    document = build_cr_bio(model, pdf) if model.chapters else build_level_1(model, pdf)
    root = xml.parse(document)
    header = read_header(root)
    return Made(document, facts_of(header), pdf, verdict_of(root, header, rules))


def examine(document: bytes, identity: Identity, rules: Path | None) -> Made:
    """Return what a relayed document is. Its PDF is the one it holds, byte for byte, else one of its narrative."""
    root = xml.parse(document)
    header = read_header(root)
    check_patient(header, identity)
    verdict = verdict_of(root, header, rules)
    pdf = embedded_pdf(root)
    if pdf is None and verdict.conforms:
        pdf = render_narrative(root, header)
    return Made(document, facts_of(header), pdf or b"", verdict)


def verdict_of(root: etree._Element, header: Header, rules: Path | None) -> Verdict:
    """Return the verdict of the official rules, where they are installed, and of the hub's own checks."""
    own = lint(root, header)
    if rules is None:
        return Verdict(False, own)
    official = official_rules(rules).check(root)
    return Verdict(True, (*official.findings, *own), official.rules_sha256, official.volet)


def warm(rules: Path | None) -> None:
    """Return when this process has read all it needs: fonts, tables, official rules. Raises: Misconfigured."""
    register()
    for table in ("interpretation", "specimen", "ucum_usual", "unit_spelling", "chapters"):
        rows(table)
    if rules is not None:
        official_rules(rules).warm()


@cache
def official_rules(folder: Path) -> OfficialRules:
    """Return the rules of a folder, compiled once in this process. Raises: Misconfigured."""
    return OfficialRules(folder)
