"""What a sender's entry allows: transactions, versions, stage, and who may speak for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_hl7.core.decision import Decision, Quarantined, Refusal, Silent
from ingest_hl7.core.intake import Policy, arrive, decide
from ingest_hl7.core.peer import Peer
from ingest_hl7.core.registry import Registry, Unknown
from ingest_hl7.core.senders import Sender, Stage, Transaction
from tests.support.ingest import relay_message, results_message

NOW = datetime(2026, 3, 12, tzinfo=UTC)


def decided(raw: bytes, *senders: Sender, peer: Peer | None = None, unknown: Unknown = Unknown.REFUSE) -> Decision:
    policy = Policy("test", frozenset("PT"), Registry(senders, unknown))
    return decide(arrive(raw, policy, NOW, peer=peer or Peer()), policy)[0]


def reasons(raw: bytes, *senders: Sender, **more: Any) -> tuple[str, list[str]]:
    decision = decided(raw, *senders, **more)
    return (decision.code, [each.reason for each in decision.findings]) if isinstance(decision, Refusal) else ("", [])


def kind(message_type: str, profile: str = "") -> bytes:
    return f"MSH|^~\\&|A|B|C|D|20260312||{message_type}|1|P|2.5.1|||||FRA|UNICODE UTF-8|||{profile}\r".encode()


@pytest.mark.parametrize(
    ("raw", "declared", "is_allowed"),
    [
        (results_message(), ["LAB-3"], True),
        (results_message(), ["LAB-36"], True),
        (results_message(), ["CDA"], False),
        (relay_message(), ["CDA"], True),
        (relay_message(), ["LAB-3"], False),
        (relay_message(kind="MDM"), ["LAB-3", "PAM"], False),
        (kind("OUL^R22^OUL_R22"), ["LAB-3"], True),
        (kind("OUL^R22^OUL_R22", "LAB-29^IHE"), ["LAB-3"], False),
        (kind("OUL^R23^OUL_R23"), ["LAB-3"], False),
        (kind("OML^O21^OML_O21"), ["LAB-35"], True),
        (kind("OML^O33^OML_O33"), ["LAB-35"], False),
        (kind("ADT^A08^ADT_A01"), ["LAB-3"], False),
    ],
)
def test_only_declared_transactions_enter(raw: bytes, declared: list[str], is_allowed: bool) -> None:
    sender = Sender(transactions=tuple(Transaction(each) for each in declared))
    _, found = reasons(raw, sender)
    assert ("hl7.transaction-not-declared" not in found) is is_allowed


def test_a_version_may_be_narrowed_and_the_letter_is_the_senders() -> None:
    assert reasons(results_message(), Sender(versions=("2.5",))) == ("AR", ["hl7.version-not-declared"])
    narrow = Sender(versions=("2.5",), rejects_as_ar=False)
    assert reasons(results_message(), narrow) == ("AE", ["hl7.version-not-declared"])
    assert reasons(results_message(), Sender(versions=("2.5", "2.5.1"))) == ("", [])


def test_a_sender_in_production_writes_p_and_real_numbers_even_in_a_test_installation() -> None:
    sender = Sender(stage=Stage.PRODUCTION)
    trial = results_message().replace(b"|P|2.5.1", b"|T|2.5.1")
    assert reasons(trial, Sender()) == ("", [])
    assert reasons(trial, sender) == ("AR", ["hl7.processing-id"])
    code, found = reasons(results_message(), sender)  # its INS is of the test authority
    assert code == "AE"
    assert found[0].startswith("ins.")


def test_a_peer_that_is_not_the_sender_it_names_is_refused() -> None:
    bound = Sender(application="SGL-REMPARTS", certificates=("CN=sgl.remparts",))
    assert reasons(results_message(), bound, peer=Peer("ab" * 32, "CN=sgl.remparts,O=LBM")) == ("", [])
    for peer in (Peer(), Peer("ab" * 32, "CN=sgl.autre"), Peer(entry="autre")):
        assert reasons(results_message(), bound, peer=peer) == ("AE", ["hl7.sender-not-proved"])


def test_an_unknown_sender_is_refused_or_held_as_the_installation_says() -> None:
    assert reasons(results_message()) == ("AE", ["hl7.sender-unknown"])
    assert isinstance(decided(results_message(), unknown=Unknown.QUARANTINE), Quarantined)
    assert isinstance(decided(kind("ACK^R01^ACK"), unknown=Unknown.QUARANTINE), Silent)
    assert isinstance(decided(b"no header", unknown=Unknown.QUARANTINE), Refusal)
