"""A wrong setting stops the start by its name, never its value."""

from pathlib import Path

import pytest

from labohub.runtime.settings import LabohubSettings, SettingWrong, read_settings


def test_a_wrong_setting_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABOHUB_HTTP_PORT", "s3cret")
    with pytest.raises(SettingWrong) as caught:
        read_settings(LabohubSettings)
    assert "LABOHUB_HTTP_PORT" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_production_does_not_start_without_a_key_for_the_documents(tmp_path: Path) -> None:
    with pytest.raises(SettingWrong):
        LabohubSettings(environment="production", data_dir=tmp_path).key()


def test_the_test_environment_makes_a_key_once(tmp_path: Path) -> None:
    settings = LabohubSettings(environment="test", data_dir=tmp_path)
    key = settings.key()
    assert len(key) == 32
    assert settings.key() == key
    assert (tmp_path / "blob.key").stat().st_mode & 0o077 == 0


def test_documents_follow_the_state_onto_postgresql(tmp_path: Path) -> None:
    settings = LabohubSettings(data_dir=tmp_path, store_url="postgresql://db/labohub")
    assert settings.effective_blobs_url() == "postgresql://db/labohub"
    assert LabohubSettings(data_dir=tmp_path).effective_blobs_url() == f"file://{tmp_path}/blobs"


@pytest.mark.parametrize("text", ["not base64!", "c2hvcnQ="])
def test_a_key_that_is_not_32_bytes_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingWrong) as caught:
        LabohubSettings(data_dir=tmp_path, blob_key=text).key()
    assert text not in str(caught.value)
