"""The folders of official rules, looked at before the service starts, and known by their contents."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from labohub.errors import Misconfigured

_NEEDED = ("infrastructure/cda/CDA_extended.xsd", "schematrons/profils/IHE.sch", "jeuxDeValeurs")


class RulesFolderWrong(Misconfigured):
    """LABOHUB_CISIS_DIR is set but does not hold the official rules in their layout."""

    code = "cda.rules-folder-wrong"


class RulesChanged(Misconfigured):
    """A folder of official rules is not the one that LABOHUB_CISIS_SHA256 names, or changed while the hub ran."""

    code = "cda.rules-changed"


@dataclass(frozen=True, slots=True)
class RulesFolder:
    """A folder and the SHA-256 of its contents."""

    path: Path
    sha256: str


def checked_folders(setting: Path | None, expected: str = "") -> tuple[RulesFolder, ...]:
    """Return the folders of a setting, absolute, in order; none without one.

    Args:
        setting: one folder, or several separated as in PATH.
        expected: the SHA-256 of each, in the same order, separated by commas or spaces; empty: any contents.
    Raises:
        RulesFolderWrong: not the layout of the official rules, or another number of folders than of digests.
        RulesChanged: other contents than expected.
    """
    paths = [Path(each).resolve() for each in str(setting or "").split(os.pathsep) if each.strip()]
    digests = expected.replace(",", " ").lower().split()
    if digests and len(digests) != len(paths):
        raise RulesFolderWrong("LABOHUB_CISIS_SHA256 does not name as many folders as LABOHUB_CISIS_DIR")
    for path in paths:
        if not all((path / each).exists() for each in _NEEDED):
            raise RulesFolderWrong("LABOHUB_CISIS_DIR does not hold the official rules")
    folders = tuple(RulesFolder(path, folder_digest(path)) for path in paths)
    if digests and digests != [each.sha256 for each in folders]:
        raise RulesChanged("LABOHUB_CISIS_DIR does not hold the rules that LABOHUB_CISIS_SHA256 names")
    return folders


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 of all names and contents of a folder: two installations that agree have the same rules."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
