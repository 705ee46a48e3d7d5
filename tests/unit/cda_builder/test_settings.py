"""Settings from the environment, and the folder of official rules looked at before the start."""

import os
from pathlib import Path

import pytest

from cda_builder.adapters.gate import official_rules
from cda_builder.adapters.rules_folder import (
    RulesChanged,
    RulesFolder,
    RulesFolderWrong,
    checked_folders,
    folder_digest,
)
from cda_builder.core.lint import LintLevelWrong, levels_of
from cda_builder.settings import CdaBuilderSettings

XSD = '<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="x"/></schema>'


def test_laboratories_are_read_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDA_BUILDER_LABORATORY", '{"name": "LBM", "oid_root": "1.2.3"}')
    monkeypatch.setenv("CDA_BUILDER_LABORATORIES", '{"NORD": {"name": "LBM Nord", "zone": "Indian/Reunion"}}')
    monkeypatch.setenv("LABOHUB_CISIS_DIR", str(tmp_path))

    settings = CdaBuilderSettings()

    assert settings.laboratory.oid_root == "1.2.3"
    assert settings.laboratories["NORD"].zone == "Indian/Reunion"
    assert settings.cisis_dir == tmp_path


def test_no_folder_means_no_official_rules() -> None:
    assert checked_folders(CdaBuilderSettings().cisis_dir) == ()


def test_a_folder_that_is_not_the_official_rules_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(RulesFolderWrong):
        checked_folders(tmp_path)


def rules_folder(folder: Path, rule: str = "<x/>") -> Path:
    for name in ("infrastructure/cda/CDA_extended.xsd", "schematrons/profils/IHE.sch", "jeuxDeValeurs/a.xml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(rule)
    return folder


def test_a_folder_of_rules_is_known_by_its_contents(tmp_path: Path) -> None:
    first, second = rules_folder(tmp_path / "2025"), rules_folder(tmp_path / "2026", "<y/>")
    both = Path(f"{first}{os.pathsep}{second}")
    digests = [folder_digest(first), folder_digest(second)]

    assert [each.sha256 for each in checked_folders(both, ", ".join(digests))] == digests
    assert checked_folders(first, digests[0].upper())[0].path == first
    with pytest.raises(RulesChanged):
        checked_folders(both, ",".join(reversed(digests)))
    with pytest.raises(RulesFolderWrong):
        checked_folders(both, digests[0])
    (first / "schematrons" / "profils" / "IHE.sch").write_text("<z/>")
    with pytest.raises(RulesChanged):
        checked_folders(first, digests[0])


def test_rules_that_change_while_the_hub_runs_are_not_trusted(tmp_path: Path) -> None:
    if_it_stood = RulesFolder(rules_folder(tmp_path, XSD), "0" * 64)

    with pytest.raises(RulesChanged):
        official_rules(if_it_stood)


def test_the_levels_of_own_rules_are_settings_but_those_that_protect_the_patient_always_block() -> None:
    levels = levels_of({"reference": "block", "pdf-cut": "warn", "ins-key": "block", "id-extension": "warn"})

    assert (levels["reference"], levels["id-extension"], levels["ins-key"]) == ("error", "warning", "error")
    for wrong in ({"ins-key": "warn"}, {"nothing": "warn"}, {"reference": "off"}):
        with pytest.raises(LintLevelWrong):
            levels_of(wrong)
