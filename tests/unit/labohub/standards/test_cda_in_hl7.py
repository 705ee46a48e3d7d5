"""Former profiles of the volet asked for less: what they do not say is no error."""

import pytest

from labohub.standards.er7 import read
from labohub.standards.hl7.cda_in_hl7 import INITIAL, read_transmission
from tests.support.ingest import relay_message


def without(message: bytes, *names: bytes) -> bytes:
    return b"".join(line + b"\r" for line in message.split(b"\r") if line and line[:3] not in names)


@pytest.mark.parametrize("profile", ["2.0", "1.2"])
def test_a_former_profile_needs_no_order_of_its_own(profile: str) -> None:
    message = without(relay_message(profile=f"{profile}^CISIS_CDA_HL7_V2"), b"ORC", b"OBR")
    transmission, errors = read_transmission(read(message), profile)
    assert errors == ()
    assert transmission is not None
    assert transmission.request == INITIAL


def test_the_current_profile_needs_it() -> None:
    message = without(relay_message(), b"ORC", b"OBR")
    transmission, errors = read_transmission(read(message), "2.1")
    assert transmission is None
    assert {error.reason for error in errors} == {"volet.order-missing", "volet.observation-missing"}


@pytest.mark.parametrize(("profile", "accepted"), [("2.1", False), ("2.0", True), ("1.2", True)])
def test_only_the_current_profile_names_what_is_replaced(profile: str, accepted: bool) -> None:
    message = relay_message(kind="MDM", request="replacement", profile=f"{profile}^CISIS_CDA_HL7_V2")
    transmission, _ = read_transmission(read(message), profile)
    assert (transmission is not None) is accepted
