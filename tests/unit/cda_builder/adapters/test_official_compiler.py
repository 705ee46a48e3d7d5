"""The Schematron engine, on small schemas of our own: what ISO Schematron says, rule by rule."""

from pathlib import Path

import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from cda_builder.adapters.official.compiler import compile_schema
from cda_builder.adapters.official.contexts import candidates
from cda_builder.adapters.official.schema import SCH, RulesUnreadable, read_schema

HEAD = '<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"><ns prefix="c" uri="urn:c"/>'


@pytest.fixture(scope="module")
def saxon() -> PySaxonProcessor:
    return PySaxonProcessor(license=False)


def check(saxon: PySaxonProcessor, folder: Path, body: str, document: str) -> list[tuple[str, str, str]]:
    """Return (role, place, message) of all findings of a schema on a document in namespace urn:c."""
    path = folder / "rules.sch"
    path.write_text(f"{HEAD}{body}</schema>", encoding="utf-8")
    sheet = compile_schema(read_schema(path), path).decode()
    executable = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_text=sheet)
    node = saxon.parse_xml(xml_text=document.replace("<a", '<a xmlns="urn:c"', 1))
    findings = etree.fromstring(executable.transform_to_string(xdm_node=node).encode())
    return [
        (each.get("role", ""), each.get("at", "").replace("Q{urn:c}", ""), " ".join((each.text or "").split()))
        for each in findings
    ]


def test_an_assertion_speaks_when_false_and_a_report_when_true(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = """<pattern><rule context="c:b"><assert test="@x" role="Error">no x in <name/></assert>
      <report test="@y" role="warning">y is <value-of select="@y"/></report></rule></pattern>"""

    assert check(saxon, tmp_path, body, '<a><b x="1"/><b y="2"/></a>') == [
        ("error", "/a[1]/b[2]", "no x in b"),
        ("warning", "/a[1]/b[2]", "y is 2"),
    ]


def test_the_first_rule_that_matches_wins_within_a_pattern_only(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = """<pattern><rule context="c:b[@x]"><report test="true()">one</report></rule>
      <rule context="c:b"><report test="true()">two</report></rule></pattern>
      <pattern><rule context="*"><report test="self::c:b">three</report></rule></pattern>"""

    findings = check(saxon, tmp_path, body, '<a><b x="1"/><b/></a>')
    assert [message for _, _, message in findings] == ["one", "two", "three", "three"]


def test_nodes_inside_a_matched_node_are_tried_too(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = '<pattern><rule context="c:b"><report test="true()">b</report></rule></pattern>'

    assert len(check(saxon, tmp_path, body, "<a><b><b><b/></b></b></a>")) == 3


def test_attributes_may_be_a_context(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = '<pattern><rule context="@x"><report test=". = \'2\'">two</report></rule></pattern>'

    assert check(saxon, tmp_path, body, '<a x="1"><b x="2"/></a>') == [("", "/a[1]/b[1]/@x", "two")]


def test_templates_are_found_by_key(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = """<pattern><rule context="*[c:templateId/@root = '1.2']"><report test="@y">y</report></rule></pattern>"""
    document = '<a><b y="1"><templateId root="1.2"/><b><templateId root="1.3"/><templateId root="1.2"/></b></b></a>'

    assert check(saxon, tmp_path, body, document) == [("", "/a[1]/b[1]", "y")]


def test_variables_of_schema_and_rule_are_known_in_order(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = """<let name="limit" value="2"/><pattern><rule context="c:b"><let name="n" value="number(@n)"/>
      <let name="m" value="$n + 1"/><assert test="$m le $limit">too much</assert></rule></pattern>"""

    findings = check(saxon, tmp_path, body, '<a><b n="1"/><b n="2"/></a>')
    assert findings == [("", "/a[1]/b[2]", "too much")]


def test_abstract_patterns_and_rules_are_worked_in(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    body = """<pattern abstract="true" id="has"><rule context="$where"><assert test="$what">no $what</assert></rule>
      </pattern><pattern is-a="has" id="p"><param name="where" value="c:b"/><param name="what" value="@x"/></pattern>
      <pattern><rule abstract="true" id="r"><assert test="@z">no z</assert></rule>
      <rule context="c:d"><extends rule="r"/></rule></pattern>"""

    findings = check(saxon, tmp_path, body, "<a><b/><d/></a>")
    assert [message for _, _, message in findings] == ["no @x", "no z"]


def test_includes_are_followed_whatever_the_case_of_their_names(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "Part.sch").write_text(
        '<pattern xmlns="http://purl.oclc.org/dsdl/schematron"><rule context="c:b">'
        '<report test="true()">in</report></rule></pattern>'
    )

    assert check(saxon, tmp_path, '<include href="SUB/part.sch"/>', "<a><b/></a>")[0][2] == "in"


def test_only_the_patterns_of_the_default_phase_run(saxon: PySaxonProcessor, tmp_path: Path) -> None:
    path = tmp_path / "rules.sch"
    head = HEAD.replace("<schema ", '<schema defaultPhase="p" ')
    path.write_text(
        f"""{head}<phase id="p"><active pattern="one"/></phase>
        <pattern id="one"><rule context="c:b"><report test="true()">one</report></rule></pattern>
        <pattern id="two"><rule context="c:b"><report test="true()">two</report></rule></pattern></schema>"""
    )
    sheet = compile_schema(read_schema(path), path)

    assert b">one " in sheet.replace(b"text> one", b">one ")
    assert b" two " not in sheet


@pytest.mark.parametrize(
    "body",
    [
        '<include href="nowhere.sch"/>',
        '<pattern is-a="nobody" id="x"/>',
        '<pattern><rule context="c:b"><extends rule="nobody"/></rule></pattern>',
    ],
)
def test_what_is_missing_stops_the_compilation(saxon: PySaxonProcessor, tmp_path: Path, body: str) -> None:
    with pytest.raises(RulesUnreadable):
        check(saxon, tmp_path, body, "<a/>")


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("c:b", "//c:b"),
        ("c:a/c:b[@x = 'a|b/c'] | c:d", "//c:b | //c:d"),
        ("*[c:templateId/@root='1.2']", "key('labohub-by-template', '1.2')"),
        ("*[c:templateId/@root='1.2' or @x]", "//*"),
        ("c:a/*[not(c:b)]", "//c:a/*"),
        ("c:a//*", "//*"),
        ("*", "//*"),
        ("c:b/@x", None),
        ("/", None),
        ("text()", None),
        ("c:a/descendant::c:b", None),
    ],
)
def test_the_elements_a_rule_can_match_are_known_or_all_are_tried(context: str, expected: str | None) -> None:
    pattern = etree.Element(f"{SCH}pattern")
    etree.SubElement(pattern, f"{SCH}rule", context=context)

    assert candidates(pattern) == expected
