"""The translated rules find what the plain official ones find: same family, same assertion, same place, same words.

Where the official rules lie beside the repository. `LABOHUB_MUTATIONS` says how many documents are broken (all, by
`make mutations`); what the slow, plain run said of each is kept under `var/`.
"""

import os

from cda_builder.adapters.official import OfficialRules
from labohub.standards import xml
from labohub.standards.cda.builder import build_cr_bio
from tests.support.cda import OFFICIAL_DOCUMENTS, PDF, model_of
from tests.support.laboratory_reports import REPORTS
from tests.support.mutations import CISIS, TOOL, mutations, plain_findings, translated, translated_findings

FULL = 480
WANTED = int(os.environ.get("LABOHUB_MUTATIONS") or 60)
SEED = 20260314

if TOOL.is_file():
    OFFICIAL = {each.stem: each.read_bytes() for each in sorted(OFFICIAL_DOCUMENTS.glob("*.xml"))}
    OURS = {f"ours, {name}": build_cr_bio(model_of(report), PDF) for name, report in REPORTS.items()}
    BASES = OFFICIAL | {name: OURS[name] for name in ("ours, ordinary", "ours, subcontracted", "ours, germs")}

    def _volet(name: str) -> str:
        return "" if "N1" in name else "2024.01"

    def test_the_official_samples_and_ours_get_equal_verdicts_under_each_version_of_the_volet() -> None:
        for volet in ("2021.01", "2023.01", "2024.01", ""):
            engine = translated(volet)
            for name, document in (OFFICIAL | (OURS if volet == "2024.01" else {})).items():
                assert translated_findings(engine, document) == plain_findings(document, volet), (name, volet)

    def test_documents_broken_in_one_place_get_equal_verdicts() -> None:
        compared = failing = 0
        for rank, (base, document) in enumerate(BASES.items()):
            engine = translated(_volet(base))
            share = WANTED // len(BASES) + (rank < WANTED % len(BASES))
            for name, broken in mutations(document, share, SEED + rank):
                expected = plain_findings(broken, _volet(base))
                assert translated_findings(engine, broken) == expected, f"{base}: {name}"
                compared += 1
                failing += bool(expected)

        print(f"{compared} broken documents, {failing} with findings, all verdicts equal")
        assert compared == WANTED
        assert failing > compared // 4

    def test_documents_that_make_rules_fail_get_equal_verdicts() -> None:
        """Values repeated, of another type, or without namespace: where plain rules have no value, ours have none."""
        document = OURS["ours, ordinary"].decode()
        failed = 0
        changes = (
            ("<birthTime ", '<birthTime xsi:type="nowhere:TS" '),
            ("<setId ", '<setId xsi:type="nowhere:II" '),
            ("<birthTime ", '<birthTime value="19850714"/><birthTime '),
            ("<addr ", "<addr><city>A</city><city>B</city></addr><addr "),
            ('xsi:type="PQ"', 'xsi:type="zz:PQ"'),
            ('unit="mmol/L"', 'unit=""'),
            ("<effectiveTime ", '<effectiveTime value="20260101"/><effectiveTime '),
        )
        for old, new in changes:
            assert old in document
            broken = document.replace(old, new, 1).replace(
                "<ClinicalDocument ", '<ClinicalDocument xmlns:zz="urn:z" ', 1
            )
            data = broken.encode()
            assert translated_findings(translated("2024.01"), data) == plain_findings(data, "2024.01"), new
            failed += any(test == "evaluation" for _, _, test, _, _ in translated_findings(translated("2024.01"), data))

        assert failed

    def test_every_rule_of_every_edition_is_translated_and_compiles_with_all_its_messages() -> None:
        compiled = 0
        for volet in ("2021.01", "2023.01", "2024.01"):
            for family in translated(volet).families:
                assert family.remainder is None
                for rule in (rule for pattern in family.patterns for rule in pattern.rules):
                    family.compiled(rule)
                    for number in range(len(rule.checks)):
                        family.compiled_message(rule, number)
                    for context in rule.contexts:
                        if context.links:  # the others are the document: nothing to test
                            family.condition(context)
                    compiled += 1

        assert compiled > 1300

    def test_the_schema_comes_first_and_a_version_without_rules_is_refused() -> None:
        rules = OfficialRules(CISIS)
        document = OURS["ours, ordinary"].decode()

        renamed = document.replace("<title>Compte", "<titel>Compte").replace(
            "biologiques</title>", "biologiques</titel>"
        )
        swapped = rules.check(xml.parse(renamed.encode())).findings[0]
        unknown = rules.check(xml.parse(document.replace('extension="2024.01"', 'extension="2031.01"', 1).encode()))

        assert swapped.step == "xsd"
        assert swapped.location == "/ClinicalDocument/titel"
        assert swapped.line == 2
        assert ("volet", "version", "error") in {(each.step, each.rule, each.level) for each in unknown.findings}
