"""The page of standards names settings, modules and pages that exist."""

import re

from ingest_hl7.core.senders import Sender
from tests.support.manifests import ROOT, settings_names

PAGE = (ROOT / "docs/standards.md").read_text()


def test_its_settings_exist() -> None:
    named = set(re.findall(r"`((?:LABOHUB|INGEST_HL7|INS_QUALIFIER|CDA_BUILDER|MSS_SENDER|DMP_FEEDER)_[A-Z_]+)`", PAGE))
    assert named
    assert named <= settings_names()


def test_its_choices_of_a_sender_are_fields_of_a_sender() -> None:
    named = set(re.findall(r"\| sender `(\w+)` \|", PAGE))
    assert named
    assert named <= set(Sender.model_fields)


def test_its_modules_exist() -> None:
    library = ROOT / "libs/labohub/labohub"
    named = set(re.findall(r"`((?:standards|ingest_hl7|cda_builder|dmp_feeder|mss_sender)(?:/[\w*]+)*)`", PAGE))
    assert len(named) > 20
    for name in named:
        places = [library, *(ROOT / "services").glob("*/")]
        assert any([*place.glob(name), *place.glob(f"{name}.py")] for place in places), name


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
