"""The file of laboratories: who sends for whom, and what stops the start."""

from pathlib import Path

import pytest

from labohub.contracts.values import Sender
from labohub.errors import Misconfigured
from mss_sender.adapters.laboratories_file import LaboratoriesUnusable, installation
from mss_sender.settings import MailboxMalformed, MssSenderSettings

NORTH = """
[[laboratory]]
name = "Nord"
bal_applicative = "nord.app@labo.mssante.fr"
bal_organisationnelle = "nord@labo.mssante.fr"
senders = ["SGL-NORD|*", "*|LABO_LENS"]
reads_organisational = true
[laboratory.sites]
LILLE = "lille@labo.mssante.fr"
"""


def settings(tmp_path: Path, text: str) -> MssSenderSettings:
    file = tmp_path / "laboratories.toml"
    file.write_text(text)
    return MssSenderSettings(laboratories_file=file)


@pytest.mark.parametrize(
    ("application", "facility", "box"),
    [
        ("SGL-NORD", "LILLE", "lille@labo.mssante.fr"),
        ("SGL-NORD", "AUTRE", "nord@labo.mssante.fr"),
        ("SGL", "LABO_LENS", "nord@labo.mssante.fr"),
        ("SGL", "LABO", "labo.retours@labo-demo.mssante.fr"),
    ],
)
def test_a_report_belongs_to_the_laboratory_and_site_of_its_sender(
    tmp_path: Path, application: str, facility: str, box: str
) -> None:
    sender = Sender(application=application, facility=facility)
    assert installation(settings(tmp_path, NORTH)).laboratories.of(sender).answers_box(sender) == box


def test_every_mailbox_that_is_to_be_read_is_read(tmp_path: Path) -> None:
    installed = installation(settings(tmp_path, NORTH))
    assert [access.address for access in installed.readers] == [
        "labo.app@labo-demo.mssante.fr",
        "nord.app@labo.mssante.fr",
        "nord@labo.mssante.fr",
        "lille@labo.mssante.fr",
    ]
    assert [access.acts_as for access in installed.readers[1:]] == ["", *(a.address for a in installed.readers[2:])]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("no toml [", LaboratoriesUnusable),
        (NORTH.replace("senders", "sender"), LaboratoriesUnusable),
        (NORTH.replace("nord.app@labo", "labo.app@labo-demo"), LaboratoriesUnusable),
        (NORTH.replace("lille@labo.mssante.fr", "lille@gmail.com"), MailboxMalformed),
        (NORTH.replace('"nord@labo.mssante.fr"', '"nord"'), MailboxMalformed),
    ],
)
def test_a_wrong_file_stops_the_start(tmp_path: Path, text: str, error: type[Misconfigured]) -> None:
    with pytest.raises(error):
        installation(settings(tmp_path, text))


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(LaboratoriesUnusable):
        installation(MssSenderSettings(laboratories_file=tmp_path / "no.toml"))
