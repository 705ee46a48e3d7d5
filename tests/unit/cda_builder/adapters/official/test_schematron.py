"""Schematron, on small schemas of our own: what ISO says, rule by rule, the same by translation and by Saxon."""

from pathlib import Path

import pytest
from lxml import etree

from cda_builder.adapters.official.compiler import active_patterns
from cda_builder.adapters.official.engine import Engine
from cda_builder.adapters.official.family import Family
from cda_builder.adapters.official.saxon import Stylesheet
from cda_builder.adapters.official.schema import RulesUnreadable, read_schema
from cda_builder.adapters.official.xpath.tree import Document

HEAD = '<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2"><ns prefix="c" uri="urn:c"/>'

Found = list[tuple[str, str, str]]


def written(folder: Path, body: str, head: str = HEAD) -> Path:
    path = folder / "rules.sch"
    path.write_text(f"{head}{body}</schema>", encoding="utf-8")
    return path


def by_saxon(path: Path, root: etree._Element) -> Found:
    schema = read_schema(path)
    found = Stylesheet(schema, active_patterns(schema), path).check(root)
    assert found is not None
    return [(role, place.replace("Q{urn:c}", ""), message) for _, role, place, message in found]


def check(folder: Path, body: str, document: str) -> Found:
    """Return (role, place, message) of all findings on a document in namespace urn:c, the same by both engines."""
    path = written(folder, body)
    root = etree.fromstring(document.replace("<a", '<a xmlns="urn:c"', 1))
    family = Family("own", path, folder)
    assert family.remainder is None
    (hits,) = Engine([family]).check(Document(root))
    assert hits is not None
    found = [(rule.checks[n].role, node.path(), rule.message(n, node)) for rule, n, node in hits]
    assert sorted(found) == sorted(by_saxon(path, root))
    return found


def test_an_assertion_speaks_when_false_and_a_report_when_true(tmp_path: Path) -> None:
    body = """<pattern><rule context="c:b"><assert test="@x" role="Error">no x in <name/></assert>
      <report test="@y" role="warning">y is <value-of select="@y"/></report></rule></pattern>"""

    assert check(tmp_path, body, '<a><b x="1"/><b y="2"/></a>') == [
        ("error", "/a[1]/b[2]", "no x in b"),
        ("warning", "/a[1]/b[2]", "y is 2"),
    ]


def test_the_first_rule_that_matches_wins_within_a_pattern_only(tmp_path: Path) -> None:
    body = """<pattern><rule context="c:b[@x]"><report test="true()">one</report></rule>
      <rule context="c:b"><report test="true()">two</report></rule></pattern>
      <pattern><rule context="*"><report test="self::c:b">three</report></rule></pattern>"""

    findings = check(tmp_path, body, '<a><b x="1"/><b/></a>')
    assert sorted(message for _, _, message in findings) == ["one", "three", "three", "two"]


def test_nodes_inside_a_matched_node_are_tried_too(tmp_path: Path) -> None:
    body = '<pattern><rule context="c:b"><report test="true()">b</report></rule></pattern>'

    assert len(check(tmp_path, body, "<a><b><b><b/></b></b></a>")) == 3


def test_what_is_not_translated_is_left_to_saxon(tmp_path: Path) -> None:
    body = """<pattern id="one"><rule context="@x"><report test=". = '2'">two</report></rule></pattern>
      <pattern id="two"><rule context="c:b"><report test="@x">x</report></rule></pattern>"""
    family = Family("own", written(tmp_path, body), tmp_path)

    assert [pattern.name for pattern in family.patterns] == ["two"]
    assert family.remainder is not None
    found = family.remainder.check(etree.fromstring('<a xmlns="urn:c" x="1"><b x="2"/></a>'))
    assert found == [("one", "", "/Q{urn:c}a[1]/Q{urn:c}b[1]/@x", "two")]


def test_templates_of_another_namespace_are_elements_as_others(tmp_path: Path) -> None:
    body = """<pattern><rule context="*[c:templateId/@root = '1.2']"><report test="@y">y</report></rule></pattern>"""
    document = '<a><b y="1"><templateId root="1.2"/><b><templateId root="1.3"/><templateId root="1.2"/></b></b></a>'

    assert check(tmp_path, body, document) == [("", "/a[1]/b[1]", "y")]


def test_variables_of_schema_and_rule_are_known_in_order(tmp_path: Path) -> None:
    body = """<let name="limit" value="2"/><pattern><rule context="c:b"><let name="n" value="number(@n)"/>
      <let name="m" value="$n + 1"/><assert test="$m le $limit">too much</assert></rule></pattern>"""

    findings = check(tmp_path, body, '<a><b n="1"/><b n="2"/></a>')
    assert findings == [("", "/a[1]/b[2]", "too much")]


def test_abstract_patterns_and_rules_are_worked_in(tmp_path: Path) -> None:
    body = """<pattern abstract="true" id="has"><rule context="$where"><assert test="$what">no $what</assert></rule>
      </pattern><pattern is-a="has" id="p"><param name="where" value="c:b"/><param name="what" value="@x"/></pattern>
      <pattern><rule abstract="true" id="r"><assert test="@z">no z</assert></rule>
      <rule context="c:d"><extends rule="r"/></rule></pattern>"""

    findings = check(tmp_path, body, "<a><b/><d/></a>")
    assert [message for _, _, message in findings] == ["no @x", "no z"]


def test_includes_are_followed_whatever_the_case_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "Part.sch").write_text(
        '<pattern xmlns="http://purl.oclc.org/dsdl/schematron"><rule context="c:b">'
        '<report test="true()">in</report></rule></pattern>'
    )

    assert check(tmp_path, '<include href="SUB/part.sch"/>', "<a><b/></a>")[0][2] == "in"


def test_only_the_patterns_of_the_default_phase_run(tmp_path: Path) -> None:
    head = HEAD.replace("<schema ", '<schema defaultPhase="p" ')
    body = """<phase id="p"><active pattern="one"/></phase>
        <pattern id="one"><rule context="c:b"><report test="true()">one</report></rule></pattern>
        <pattern id="two"><rule context="c:b"><report test="true()">two</report></rule></pattern>"""

    family = Family("own", written(tmp_path, body, head), tmp_path)
    assert [pattern.name for pattern in family.patterns] == ["one"]


@pytest.mark.parametrize(
    "body",
    [
        '<include href="nowhere.sch"/>',
        '<pattern is-a="nobody" id="x"/>',
        '<pattern><rule context="c:b"><extends rule="nobody"/></rule></pattern>',
    ],
)
def test_what_is_missing_stops_the_compilation(tmp_path: Path, body: str) -> None:
    with pytest.raises(RulesUnreadable):
        check(tmp_path, body, "<a/>")


def test_the_place_of_a_rule_is_read_from_its_whole_path(tmp_path: Path) -> None:
    body = """<pattern><rule context="/c:a/c:b/c:d"><report test="true()">straight</report></rule></pattern>
      <pattern><rule context="c:b[@x]//c:d[not(@y)]"><report test="true()">below</report></rule></pattern>
      <pattern><rule context="//c:d | c:b/*"><report test="true()">either</report></rule></pattern>
      <pattern><rule context="/"><report test="count(//c:d) > 2">many</report></rule></pattern>"""

    found = check(tmp_path, body, '<a><b x="1"><e><d/><d y="1"/></e></b><b><d/></b></a>')

    assert sorted(message for _, _, message in found) == [*["below"], *["either"] * 4, "many", "straight"]


def test_a_rule_without_value_fails_its_family_alone(tmp_path: Path) -> None:
    root = etree.fromstring('<a xmlns="urn:c"><b/><b/></a>')
    bad = '<pattern><rule context="c:a"><assert test="string-length(c:b) = 0">b</assert></rule></pattern>'
    good = '<pattern><rule context="c:a"><report test="c:b">has b</report></rule></pattern>'
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    families = [
        Family("bad", written(tmp_path / "bad", bad), tmp_path),
        Family("good", written(tmp_path / "good", good), tmp_path),
    ]

    failed, found = Engine(families).check(Document(root))

    assert failed is None
    assert found is not None
    assert len(found) == 1
    schema = read_schema(tmp_path / "bad" / "rules.sch")
    assert Stylesheet(schema, active_patterns(schema), tmp_path / "bad" / "rules.sch").check(root) is None


def test_value_sets_are_read_below_the_folder_of_rules_only(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "set.xml").write_text('<set><c code="A"/><c code="B"/></set>')
    (tmp_path / "outside.xml").write_text('<set><c code="C"/></set>')
    body = """<pattern><let name="set" value="'set.xml'"/><rule context="c:b"><let name="x" value="@x"/>
      <assert test="document($set)//c[@code = $x]">not in the set</assert></rule></pattern>"""

    assert [place for _, place, _ in check(tmp_path / "rules", body, '<a><b x="A"/><b x="C"/></a>')] == ["/a[1]/b[2]"]
    outside = written(tmp_path / "rules", body.replace("set.xml", "../outside.xml"))
    root = etree.fromstring('<a xmlns="urn:c"><b x="C"/></a>')
    assert Engine([Family("own", outside, tmp_path / "rules")]).check(Document(root)) == [None]


def test_variables_hold_single_values_chosen_by_a_condition_as_well_as_lists(tmp_path: Path) -> None:
    body = """<pattern><rule context="c:b"><let name="word" value="if (@x) then 'long' else 'l'"/>
      <let name="number" value="string-length($word)"/><let name="all" value="if (@x) then @x else ()"/>
      <let name="truth" value="@x = '1'"/>
      <report test="$number = 4 and $word = 'long' and $truth">long <value-of select="$word"/></report>
      <assert test="exists($all) or not($truth)">never</assert>
      <report test="empty($all)">none</report></rule></pattern>"""

    found = check(tmp_path, body, '<a><b x="1"/><b/></a>')

    assert [message for _, _, message in found] == ["long long", "none"]


def test_a_document_too_deep_cannot_be_evaluated(tmp_path: Path) -> None:
    body = '<pattern><rule context="c:b"><report test="@x">x</report></rule></pattern>'
    root = etree.fromstring(f'<a xmlns="urn:c">{"<b>" * 400}{"</b>" * 400}</a>', etree.XMLParser(huge_tree=True))

    assert Engine([Family("own", written(tmp_path, body), tmp_path)]).check(Document(root)) == [None]
