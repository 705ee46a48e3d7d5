"""People, structures and places of the header."""

from lxml import etree

from labohub.standards.cda.builder.model import Laboratory, Professional
from labohub.standards.cda.builder.xml import add, add_code, add_id
from labohub.standards.cda.facts import Person


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
        organization = add_laboratory(add(parent, "representedOrganization"), laboratory)
        if industry:
            add_code(organization, laboratory.industry, "standardIndustryClassCode")


def add_laboratory(parent: etree._Element, laboratory: Laboratory) -> etree._Element:
    """Return `parent` with the laboratory's id, name, telecoms and address written into it."""
    add_id(parent, laboratory.id)
    add(parent, "name", laboratory.name)
    add_telecoms(parent, laboratory.telecoms)
    add_address(parent, laboratory.address)
    return parent
