"""Official lists of LOINC codes, from a folder of value sets as ANS publishes them (IHE SVS, XML)."""

from pathlib import Path
from typing import Final

from lxml import etree

from labohub.errors import Misconfigured
from labohub.standards import xml
from labohub.standards.cda.names import LOINC
from labohub.standards.xml import XmlMalformed

_MAX_BYTES: Final = 64 * 1024 * 1024  # the largest list of codes has some tens of thousands of them


class ValueSetsUnreadable(Misconfigured):
    """The folder of official lists does not exist, or holds a file that is no value set."""

    code = "cda.value-sets-unreadable"


def official_labels(folder: Path | None) -> dict[str, str]:
    """Return the labels of the LOINC codes in force, of all value sets of a folder; none without folder.

    Raises:
        ValueSetsUnreadable: see the class.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ValueSetsUnreadable("no such folder")
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.xml")):
        found.update(_concepts(path))
    return found


def _concepts(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueSetsUnreadable(f"{path.name} is too large")
        root = xml.parse(path.read_bytes())
    except (OSError, XmlMalformed):
        raise ValueSetsUnreadable(f"{path.name} cannot be read") from None
    concepts = (each for each in root.iter(etree.Element) if etree.QName(each).localname == "Concept")
    return {
        each.get("code", ""): each.get("displayName", "")
        for each in concepts
        if each.get("codeSystem") == LOINC and not each.get("dateFin")
    }
