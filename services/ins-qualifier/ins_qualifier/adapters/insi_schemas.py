"""Whether an answer keeps to the published schemas: noted, never a reason to refuse it.

Real answers stray from their own XSD. What a decision needs is checked by `read_answer`; this tells operations that
the other side changed.
"""

from pathlib import Path

from lxml import etree

from ins_qualifier.ports import Conformance, InsiMisconfigured
from labohub.errors import Refused
from labohub.standards.ins.insi_answer import RESULT_NS, SIRAM_NS
from labohub.standards.soap import read_envelope

_FOLDER = Path("wsdl/xsd")
_FILES = {
    f"{{{RESULT_NS}}}RESULTAT": _FOLDER / "ServiceIdentiteCertifiee/INSi_RESULTAT_INS.xsd",
    f"{{{SIRAM_NS}}}Erreur": _FOLDER / "schema_faultSOAP_V01_01.xsd",
}


class AnswerSchemas:
    """The official schemas of answers and faults; none when their folder is not configured."""

    def __init__(self, folder: Path | None) -> None:
        """Read the schemas. Raises: InsiMisconfigured when the folder does not hold them."""
        try:
            self._schemas = {} if folder is None else {tag: _schema(folder / file) for tag, file in _FILES.items()}
        except (OSError, etree.LxmlError):
            raise InsiMisconfigured("LABOHUB_INSI_DIR does not hold the INSi package (wsdl/xsd)") from None

    def judge(self, data: bytes) -> Conformance:
        """Return whether the result or the fault of an envelope is valid."""
        if not self._schemas:
            return Conformance.NOT_CHECKED
        try:
            envelope = read_envelope(data)
        except Refused:
            return Conformance.INVALID
        fault = envelope.fault
        part = envelope.body if fault is None else fault.detail
        if part is None or str(part.tag) not in self._schemas:
            return Conformance.INVALID
        return Conformance.VALID if self._schemas[str(part.tag)].validate(part) else Conformance.INVALID


def _schema(file: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.XMLSchema(etree.parse(str(file), parser))
