"""The patterns that are not translated, run by Saxon: none in the rules of 2025, and then nothing of it is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonApiError, PySaxonProcessor

from cda_builder.adapters.official.compiler import compile_patterns
from cda_builder.adapters.official.schema import RulesUnreadable

Found = tuple[str, str, str, str]  # pattern, role, place, message


class Stylesheet:
    """Patterns of one schema, compiled."""

    def __init__(self, schema: etree._Element, patterns: Sequence[etree._Element], path: Path) -> None:
        """Compile. Raises: RulesUnreadable."""
        self._saxon = PySaxonProcessor(license=False)
        text = compile_patterns(schema, patterns, path).decode()
        try:
            self._sheet: Any = self._saxon.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
        except PySaxonApiError:
            raise RulesUnreadable(f"the official rules do not compile: {path.name}") from None

    def check(self, document: etree._Element) -> list[Found] | None:
        """Return what the patterns find; None when one of them has no value."""
        text = etree.tostring(document, encoding="unicode", with_tail=False)
        try:
            result = self._sheet.transform_to_string(xdm_node=self._saxon.parse_xml(xml_text=text))
        except PySaxonApiError:
            return None
        found = etree.fromstring(result.encode(), etree.XMLParser(huge_tree=True, no_network=True))
        return [
            (each.get("pattern", ""), each.get("role", ""), each.get("at", "/"), " ".join((each.text or "").split()))
            for each in found
        ]
