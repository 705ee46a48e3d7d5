"""`labohub validate` on HL7: what the hub would answer, and what departs from the profile, without a hub."""

import pytest

from embedded.cli.files import NoMessage
from embedded.validate_hl7 import ERROR, WARNING, explain
from labohub.standards.mllp import write_frame
from tests.support.ingest import pid, relay_message, results_message


def test_a_right_message_has_nothing_to_say() -> None:
    right = relay_message(flags={"DESTDMP": "N"}), relay_message(kind="MDM"), results_message()
    assert not [each for raw in right for each in explain(raw) if each.level == ERROR or "profile." in each.code]


def test_what_would_be_refused_is_an_error_in_either_language() -> None:
    wrong = results_message(value="quatre")
    [french] = [each for each in explain(wrong) if each.level == ERROR]
    [english] = [each for each in explain(wrong, "en") if each.level == ERROR]
    assert (french.code, french.place) == (english.code, english.place) == ("ltw.not-a-number", "OBX^1^5")
    assert french.text != english.text
    assert "quatre" not in french.text + english.text


def test_each_message_of_a_file_is_named_by_its_place() -> None:
    data = write_frame(relay_message("1")) + write_frame(results_message("2", value="x"))
    assert {each.message for each in explain(data) if each.level == ERROR} == {2}


def test_a_departure_the_hub_forgives_is_a_warning() -> None:
    text = results_message().decode().replace("\rOBX|2|", "\rPD1|1\rOBX|2|")
    assert ("profile.segment-unexpected", WARNING) in {(each.code, each.level) for each in explain(text.encode())}


def test_a_real_number_is_not_refused_for_being_real() -> None:
    real = relay_message(patient=pid(oid="1.2.250.1.213.1.4.8"))
    assert not [each for each in explain(real) if each.code.startswith("ins.") and each.level == ERROR]


def test_a_file_without_message_is_said_so() -> None:
    with pytest.raises(NoMessage):
        explain(b"bonjour")
