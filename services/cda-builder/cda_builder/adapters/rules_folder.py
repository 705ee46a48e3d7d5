"""The folder of official rules, looked at before the service starts."""

from pathlib import Path

from labohub.errors import Misconfigured

_NEEDED = ("infrastructure/cda/CDA_extended.xsd", "schematrons/profils/IHE.sch", "jeuxDeValeurs")


class RulesFolderWrong(Misconfigured):
    """LABOHUB_CISIS_DIR is set but does not hold the official rules in their layout."""

    code = "cda.rules-folder-wrong"


def checked_folder(folder: Path | None) -> Path | None:
    """Return the folder, absolute; None without one. Raises: RulesFolderWrong."""
    if folder is None or not str(folder):
        return None
    if not all((folder / each).exists() for each in _NEEDED):
        raise RulesFolderWrong("LABOHUB_CISIS_DIR does not hold the official rules")
    return folder.resolve()
