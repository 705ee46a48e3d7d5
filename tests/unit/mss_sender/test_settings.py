"""Settings that would harm stop the start, by name and never by value."""

import pytest

from labohub.errors import Misconfigured
from mss_sender.settings import MailboxMalformed, MssSenderSettings, Unprotected


def test_the_default_settings_serve_the_demonstration() -> None:
    settings = MssSenderSettings()
    settings.check("test")
    assert settings.laboratory().domain == "labo-demo.mssante.fr"


@pytest.mark.parametrize("door", ["smtp_tls", "imap_tls"])
def test_production_asks_for_tls(door: str) -> None:
    settings = MssSenderSettings.model_validate({door: "none"})
    settings.check("test")
    with pytest.raises(Unprotected):
        settings.check("production")


@pytest.mark.parametrize("box", ["labo@gmail.com", "labo", "", "a b@x.mssante.fr"])
def test_a_mailbox_outside_the_liste_blanche_stops_the_start_without_being_quoted(box: str) -> None:
    with pytest.raises(MailboxMalformed) as caught:
        MssSenderSettings(bal_applicative=box).laboratory()
    assert isinstance(caught.value, Misconfigured)
    assert "gmail" not in str(caught.value)


def test_the_liste_blanche_is_read_with_or_without_leading_dot() -> None:
    settings = MssSenderSettings(
        allowed_domains=(".Hopital.fr", "mssante.fr"), bal_organisationnelle="labo@sous.hopital.fr"
    )
    assert settings.laboratory().allows("x@hopital.fr")
