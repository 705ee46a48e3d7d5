"""Abstract syntaxes as automata, and the profiles' tables."""

from itertools import product

import pytest

from labohub.standards import er7
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.profiles import examine, profile_for
from labohub.standards.hl7.structure import Fault, Grammar
from tests.support.ingest import SB, pid, rct, relay_message, results_message


def follows(syntax: str, names: str) -> bool:
    return not Grammar(syntax).faults(names.split())


@pytest.mark.parametrize(
    ("syntax", "names", "is_right"),
    [
        ("MSH PID", "MSH PID", True),
        ("MSH PID", "MSH", False),
        ("MSH [PID]", "MSH", True),
        ("MSH {OBX}", "MSH", False),
        ("MSH {OBX}", "MSH OBX OBX OBX", True),
        ("MSH [{OBX [{NTE}]}]", "MSH OBX NTE NTE OBX OBX NTE", True),
        ("MSH [{OBX [{NTE}]}]", "MSH NTE OBX", False),
        ("MSH { [ORC] OBR [{OBX}] }", "MSH OBR OBX ORC OBR OBR", True),
        ("MSH { [ORC] OBR [{OBX}] }", "MSH ORC ORC", False),
        ("MSH [[[PID]]]", "MSH PID", True),
        ("MSH [{ [PID] { OBR } }]", "MSH OBR OBR PID OBR", True),
    ],
)
def test_a_syntax_says_which_segments_follow(syntax: str, names: str, is_right: bool) -> None:
    assert follows(syntax, names) is is_right


def test_an_automaton_agrees_with_a_regular_expression_on_every_short_message() -> None:
    import re

    grammar = Grammar("MSH [PID [PVA]] { [ORC] OBR [{OBX [{NTE}]}] [SPM] }")
    letters = {"PID": "P", "PVA": "V", "ORC": "C", "OBR": "R", "OBX": "X", "NTE": "N", "SPM": "S"}
    expression = re.compile(r"M(PV?)?(C?R(XN*)*S?)+")
    for length in range(5):
        for names in product(letters, repeat=length):
            word = "M" + "".join(letters[name] for name in names)
            assert (not grammar.faults(["MSH", *names])) is (expression.fullmatch(word) is not None), word


def test_a_gap_is_told_once_and_a_stranger_is_passed_over() -> None:
    grammar = Grammar("MSH PID ORC OBR {OBX}")
    assert grammar.faults(["MSH", "PID", "OBX", "OBX"]) == [Fault(2, "OBX", ("ORC",), is_gap=True)]
    assert grammar.faults(["MSH", "PID", "ORC", "OBR", "PID", "OBX"]) == [Fault(4, "PID", ("OBX",), is_gap=False)]
    assert grammar.faults(["MSH", "PID", "ORC", "OBR"]) == [Fault(4, "", ("OBX",), is_gap=True)]


@pytest.mark.parametrize("syntax", ["MSH [PID", "MSH PID]", "MSH {PID]", "MSH [{PID]}"])
def test_brackets_must_pair(syntax: str) -> None:
    with pytest.raises(ValueError, match="brackets"):
        Grammar(syntax)


def test_a_grammar_reads_ten_thousand_segments_in_linear_time() -> None:
    grammar = Grammar("MSH [{ [PID] { [ORC] OBR [{NTE}] [{OBX [{NTE}]}] } }]")
    assert grammar.faults(["MSH", *["ORC", "OBR", "NTE", "OBX", "NTE"] * 2000]) == []
    assert len(grammar.faults(["MSH", *["ZZZ"] * 2000])) == 2000


def examined(raw: bytes) -> tuple[str, list[Finding]]:
    message = er7.read(raw, fallback="iso8859-15")
    profile = profile_for(message)
    assert profile is not None
    return profile.name, examine(message, profile)


def header(kind: str, version: str = "2.5.1", profile: str = "") -> str:
    return f"MSH|^~\\&|A|B|C|D|20260312093500||{kind}|1|P|{version}|||||FRA|UNICODE UTF-8|||{profile}"


OBR, ORC, OBX, SPM = "OBR|1|P1|F1|GLU^Glucose^L", "ORC|NW|P1|F1", "OBX|1|NM|GLU^Glucose^L||5.2||||||F", "SPM|1|1||SER"
RIGHT = {
    "OUL_R22": (header("OUL^R22^OUL_R22"), pid(), SPM, "SAC|||1", OBR, "ORC|SC|P1|F1", OBX, "NTE|1||x", OBR, OBX),
    "OUL_R23": (header("OUL^R23^OUL_R23"), SPM, "SAC|||1", "INV|1", OBR, OBX),
    "OUL_R24": (header("OUL^R24^OUL_R24"), pid(), OBR, "ORC|SC|P1|F1", SPM, "SAC|||1", OBX, "TCD|1"),
    "OML_O21": (header("OML^O21^OML_O21"), pid(), "PV1|1|N", ORC, "TQ1|1", OBR, SPM, ORC, OBR, ORC, OBR),
    "OML_O33": (header("OML^O33^OML_O33"), pid(), SPM, ORC, OBR, ORC, OBR, SPM, ORC, OBR),
    "OML_O35": (header("OML^O35^OML_O35"), pid(), SPM, "SAC|||1", ORC, OBR, "SAC|||2", ORC, OBR),
    "ADT": (header("ADT^A08^ADT_A01", "2.5^FRA^2.11"), "EVN||20260312", pid(), "PV1|1|N", "ZBE|1", "ZFA|1", "ZFD|1"),
    "ADT_A39": (header("ADT^A40^ADT_A39", "2.5"), "EVN||20260312", pid(), "MRG|1^^^A", pid(), "MRG|2^^^A"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_message_that_follows_its_profile_has_nothing_to_say(name: str) -> None:
    assert examined("\r".join((*RIGHT[name], "")).encode()) == (name, [])


def test_reports_and_documents_follow_theirs() -> None:
    assert examined(results_message()) == ("ORU_R01", [])
    assert examined(relay_message()) == ("CDA-ORU", [])
    assert examined(relay_message(kind="MDM")) == ("CDA-MDM", [])


def test_orc_after_obr_is_for_oul_alone() -> None:
    swapped = "\r".join((header("ORU^R01^ORU_R01"), pid(), OBR + "|" * 21 + "F", "ORC|SC|P1|F1", OBX, "")).encode()
    assert examined(swapped)[1][0].reason == "profile.segment-missing"


def test_a_document_needs_its_participants_and_its_metadata() -> None:
    _, found = examined(relay_message(prts=()))
    assert [(each.reason, each.location) for each in found] == [("profile.segment-missing", "OBX^2")]
    assert "PRT" in found[0].text
    _, found = examined(relay_message(flags={"MASQUE_PS": ""}))
    assert [each.reason for each in found] == ["profile.metadata-missing"]


def test_participants_have_a_place_of_their_own() -> None:
    message = relay_message(prts=(SB, rct())).decode()
    moved = message.replace(SB + "\r", "").replace("\rORC|", f"\r{SB}\rORC|")
    assert [each.reason for each in examined(moved.encode())[1]] == ["profile.segment-unexpected"]


def test_segments_of_the_senders_own_are_passed_over_anywhere() -> None:
    text = results_message().decode().replace("\rOBX|", "\rZXX|1|anything\rOBX|")
    assert examined(text.encode()) == ("ORU_R01", [])


def test_no_text_holds_anything_of_the_message() -> None:
    wrong = (
        results_message()
        .decode()
        .replace("R000451", "X" * 200)
        .replace("IONO^Ionogramme sanguin^99REM", "IONO^Ionogramme sanguin")
    )
    _, found = examined(wrong.replace("\rORC|", "\rNTE|1||KERMADEC\rNK1|KERMADEC\rORC|").encode())
    assert {"profile.too-long", "profile.code-without-system"} <= {each.reason for each in found}
    assert not any("KERMADEC" in each.text or "XX" in each.text for each in found)
