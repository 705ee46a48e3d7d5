"""Settings from the environment, and the folder of official rules looked at before the start."""

from pathlib import Path

import pytest

from cda_builder.adapters.rules_folder import RulesFolderWrong, checked_folder
from cda_builder.settings import CdaBuilderSettings


def test_laboratories_are_read_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDA_BUILDER_LABORATORY", '{"name": "LBM", "oid_root": "1.2.3"}')
    monkeypatch.setenv("CDA_BUILDER_LABORATORIES", '{"NORD": {"name": "LBM Nord", "zone": "Indian/Reunion"}}')
    monkeypatch.setenv("LABOHUB_CISIS_DIR", str(tmp_path))

    settings = CdaBuilderSettings()

    assert settings.laboratory.oid_root == "1.2.3"
    assert settings.laboratories["NORD"].zone == "Indian/Reunion"
    assert settings.cisis_dir == tmp_path


def test_no_folder_means_no_official_rules() -> None:
    assert checked_folder(CdaBuilderSettings().cisis_dir) is None


def test_a_folder_that_is_not_the_official_rules_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(RulesFolderWrong):
        checked_folder(tmp_path)
