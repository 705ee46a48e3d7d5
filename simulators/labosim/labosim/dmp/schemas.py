"""The official XSDs, when a folder is given: that of whole envelopes, that of ITI-41 bodies."""

import base64
import copy
import threading
from pathlib import Path
from typing import Any

from lxml import etree

from labosim.dmp.metadata import XDS, XOP
from labosim.dmp.package import Received
from labosim.dmp.rejections import Fault, RegistryError


class Schemas:
    """Validates messages; does nothing without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._envelope = _load(folder / "envelope-driver.xsd", folder) if folder else None
        self._body = _load(folder / "dmp/schema/IHE/XDS.b_DocumentRepository.xsd", folder) if folder else None

    def check(self, received: Received) -> None:
        """Validate an envelope and its body, attachments put back in. Raises: Fault, RegistryError."""
        if self._envelope is None or self._body is None:
            return
        with self._lock:  # a compiled schema keeps the errors of the last document
            if not self._envelope.validate(received.root):
                raise Fault("enveloppe non conforme au schéma")
            if etree.QName(received.body).namespace != XDS:
                return
            whole = copy.deepcopy(received.body)
            for document in whole.iterfind(f"{{{XDS}}}Document"):
                include = document.find(f"{{{XOP}}}Include")
                if include is not None:
                    document.remove(include)
                    content = received.attachments.get(include.get("href", "")[4:], b"")
                    document.text = base64.b64encode(content).decode()
            if not self._body.validate(whole):
                raise RegistryError("XDSRepositoryMetadataError", "métadonnées non conformes au schéma")


def _load(path: Path, folder: Path) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Beside(folder))
    return etree.XMLSchema(etree.parse(str(path), parser))


class _Beside(etree.Resolver):
    """Answers what the schemas would fetch from the network with the copies of the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resolve(self, url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]
        """Return the local copy of a published schema."""
        if url.startswith("http:"):
            name = url.rpartition("/")[2]
            place = "sig" if name == "xmldsig-core-schema.xsd" else "soap"
            return self.resolve_filename(str(self._folder / place / name), context)  # type: ignore[attr-defined]
        return None
