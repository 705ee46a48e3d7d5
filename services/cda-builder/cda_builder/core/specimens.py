"""Specimens of the message (SPM) as those of the document."""

from cda_builder.core.context import Context
from cda_builder.core.people import professional
from labohub.contracts.laboratory import Battery, Code, Specimen
from labohub.standards.cda import Coded, builder
from labohub.standards.cda.tables import labels

_SPECIMEN_TYPES = "2.16.840.1.113883.18.311"
_SNOMED = "2.16.840.1.113883.6.96"


def specimens_of(battery: Battery, context: Context) -> tuple[builder.Specimen, ...]:
    """Return the specimens of a battery, each once, in the order of the message."""
    who = battery.collector
    collector = professional(who, context) if who and who.family_name else None
    return tuple(dict.fromkeys(_specimen(each, collector, context) for each in battery.specimens))


def _specimen(specimen: Specimen, collector: builder.Professional | None, context: Context) -> builder.Specimen:
    low, _, high = specimen.collected_at.partition("^")
    high = specimen.collected_until or high
    return builder.Specimen(
        id=context.local_id("specimen", specimen.identifier) if specimen.identifier else None,
        nature=specimen_nature(specimen.nature),
        collected_low=context.time(low) if high else "",
        collected_high=context.time(high or low),
        received_at=context.time(specimen.received_at),
        site=_site(specimen.body_site),
        method=(specimen.method.label or specimen.method.code) if specimen.method else "",
        volume=specimen.volume,
        collector=collector,
        remarks=tuple(dict.fromkeys(each for each in (*specimen.rejected_for, *specimen.conditions) if each.strip())),
    )


def specimen_nature(nature: Code) -> Coded:
    """Return the nature of a specimen: of the value set when it is in it, else in the sender's words."""
    known = labels("specimen").get(nature.code) if nature.system in ("", "HL70487") else None
    return Coded(nature.code, _SPECIMEN_TYPES, known) if known else Coded("", "", nature.label or nature.code)


def _site(site: Code | None) -> Coded | None:
    if site is None or not (site.code or site.label):
        return None
    if site.system in ("SCT", "SNM3") and site.code and site.label:
        return Coded(site.code, _SNOMED, site.label, "SNOMED CT")
    return Coded("", "", site.label or site.code)
