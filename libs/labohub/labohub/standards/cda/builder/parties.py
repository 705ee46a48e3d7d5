"""People, structures and places of the header."""

from lxml import etree

from labohub.standards.cda.builder.model import Laboratory, Professional, Subcontractor
from labohub.standards.cda.builder.xml import add, add_code, add_id, add_templates
from labohub.standards.cda.facts import Coded, Person

_AMBULATORY = Coded("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire")


def add_name(parent: etree._Element, person: Person) -> None:
    """Write the name of a professional: family, at most one given, prefix and suffix of their value sets."""
    name = add(parent, "name")
    if person.prefix:
        add(name, "prefix", person.prefix)
    if person.given:
        add(name, "given", person.given)
    add(name, "family", person.family)
    if person.suffix:
        add(name, "suffix", person.suffix)


def add_address(parent: etree._Element, lines: tuple[str, ...]) -> None:
    """Write an address by lines; not available when there is none."""
    if not lines:
        add(parent, "addr", nullFlavor="NAV")
        return
    address = add(parent, "addr")
    for line in lines:
        add(address, "streetAddressLine", line)


def add_telecoms(parent: etree._Element, telecoms: tuple[str, ...]) -> None:
    """Write telecoms with their scheme; not available when there is none."""
    if not telecoms:
        add(parent, "telecom", nullFlavor="NAV")
    for value in telecoms:
        add(parent, "telecom", value=value, use="WP")


def add_professional(
    parent: etree._Element, who: Professional, laboratory: Laboratory | None, *, industry: bool = False
) -> None:
    """Write the content of an assigned entity or author: id, code, address, person and structure."""
    add_id(parent, who.id)
    if who.code:
        add_code(parent, who.code)
    add_address(parent, laboratory.address if laboratory else ())
    add_telecoms(parent, who.telecoms or (laboratory.telecoms if laboratory else ()))
    add_name(add(parent, "assignedPerson"), who.person)
    if laboratory:
        organization = add_laboratory(add(parent, "representedOrganization"), laboratory, accredited=industry)
        if industry:
            add_code(organization, laboratory.industry, "standardIndustryClassCode")


def add_laboratory(parent: etree._Element, laboratory: Laboratory, *, accredited: bool = False) -> etree._Element:
    """Return `parent` with the laboratory's id, name, telecoms and address written into it."""
    add_id(parent, laboratory.id)
    if accredited and laboratory.accreditation:
        add_id(parent, laboratory.accreditation)
    add(parent, "name", laboratory.name)
    add_telecoms(parent, laboratory.telecoms)
    add_address(parent, laboratory.address)
    return parent


def add_performer(parent: etree._Element, laboratory: Subcontractor, time: str) -> None:
    """Write another laboratory that performed an exam; what is not told of it is masked."""
    performer = add(parent, "performer", typeCode="PRF")
    add_templates(performer, "1.3.6.1.4.1.19376.1.3.3.1.7", "1.2.250.1.213.1.1.3.23")
    at = laboratory.time or time
    if at:
        add(add(performer, "time"), "high", value=at)
    else:
        add(performer, "time", nullFlavor="NA")
    entity = add(performer, "assignedEntity")
    director = laboratory.director
    add_id(entity, director.id if director else None)
    if director:
        add(entity, "addr", nullFlavor="MSK")
        add(entity, "telecom", nullFlavor="MSK")
        add_name(add(entity, "assignedPerson"), director.person)
    organization = add(entity, "representedOrganization")
    add_id(organization, laboratory.id)
    add(organization, "name", laboratory.name)
    add(organization, "telecom", nullFlavor="MSK")
    if laboratory.address:
        add_address(organization, laboratory.address)
    else:
        add(organization, "addr", nullFlavor="MSK")
    add_code(organization, laboratory.industry or _AMBULATORY, "standardIndustryClassCode")
