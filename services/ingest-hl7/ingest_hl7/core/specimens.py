"""A specimen (SPM) and its containers (SAC) as a value of ours."""

from collections.abc import Iterator

from ingest_hl7.core.observations import codes, plain_text, text_of
from labohub.contracts.laboratory import Code, Specimen
from labohub.standards.er7 import Segment
from labohub.standards.hl7.results import SpecimenGroup

_INDICES = ((32, "Indice d'hémolyse"), (34, "Indice de lipémie"), (36, "Indice d'ictère"))  # SAC, value then unit


def read_specimen(group: SpecimenGroup) -> Specimen:
    """Return a specimen. Its number is the laboratory's, else the collector's, else that of its container."""
    spm = group.spm
    container = next((sac.component(3, 1) for sac in group.containers if sac.component(3, 1)), "")
    return Specimen(
        identifier=spm.subcomponent(2, 2, 1) or spm.subcomponent(2, 1, 1) or container,
        nature=_coded(spm, 4) or Code(code=""),
        collected_at=spm.component(17, 1),
        collected_until=spm.component(17, 2),
        received_at=spm.component(18, 1),
        body_site=_coded(spm, 8) or _coded(spm, 10),
        method=_coded(spm, 7),
        volume=_volume(spm),
        role=spm.component(11, 1),
        rejected_for=_labels(spm, 21),
        conditions=tuple(_remarks(group)),
    )


def _remarks(group: SpecimenGroup) -> Iterator[str]:
    """Yield what a reader of the results must know of the specimen, in words."""
    spm = group.spm
    yield from _labels(spm, 24)
    for container in group.containers:
        yield from _indices(container)
    if spm.field(8) and spm.field(10):
        yield from (f"Site de recueil : {label}" for label in _labels(spm, 10))
    yield from (f"Additif : {label}" for label in _labels(spm, 6))
    yield from filter(None, (text_of(spm, part) for part in spm.repetitions(14)))
    for note in group.notes:
        yield " ".join(plain_text(note, part) for part in note.repetitions(3))


def _coded(segment: Segment, number: int) -> Code | None:
    local, loinc = codes(segment, number)
    return local or loinc


def _labels(segment: Segment, number: int) -> tuple[str, ...]:
    pairs = (codes(segment, number, at + 1) for at in range(len(segment.repetitions(number))))
    chosen = (local or loinc for local, loinc in pairs)
    return tuple(code.label or code.code for code in chosen if code is not None)


def _volume(spm: Segment) -> str:
    amount = spm.component(12, 1)
    unit = spm.subcomponent(12, 2, 2) or spm.subcomponent(12, 2, 1)
    return f"{amount} {unit}".strip() if amount else ""


def _indices(sac: Segment) -> tuple[str, ...]:
    """Return the indices of haemolysis, lipaemia and icterus (SAC-32 to 37), with their units as written."""
    found = []
    for number, name in _INDICES:
        if sac.component(number, 1):
            unit = sac.component(number + 1, 2) or sac.component(number + 1, 1)
            shown = "" if unit.startswith("{") else f" {unit}"
            found.append(f"{name} : {sac.component(number, 1)}{shown}".rstrip())
    return tuple(found)
