"""Most of what the official rules find is explained by the catalogue, where they lie beside the repository."""

from cda_builder.adapters.official import OfficialRules
from cda_builder.core.explain import explain
from labohub.standards import xml
from tests.support.cda import OFFICIAL_DOCUMENTS
from tests.support.mutations import CISIS, mutations

if CISIS.is_dir():

    def test_nine_findings_of_ten_have_words_of_their_own() -> None:
        rules = OfficialRules(CISIS)
        findings = [
            finding
            for path in sorted(OFFICIAL_DOCUMENTS.glob("*.xml"))
            for _, broken in mutations(path.read_bytes(), 60, seed=7)
            for finding in rules.check(xml.parse(broken)).findings
        ]

        generic = [each for each in findings if each.message and each.message in explain(each, "fr").what]

        assert len(findings) > 100
        assert len(generic) < len(findings) / 10
        assert all(each.line for each in findings)
        assert all(explain(each, "en").remedy for each in findings)
