"""Every answer of the DMP has its verdict."""

import pytest

from dmp_feeder.core.verdicts import MAX_LABEL_CHARACTERS, Kind, judge, judge_fault
from labohub.standards.soap import SoapFault
from labohub.standards.xds.answers import RegistryAnswer, RegistryError


def failure(*codes: str, context: str = "texte") -> RegistryAnswer:
    return RegistryAnswer("Failure", tuple(RegistryError(code, context, is_warning=False) for code in codes))


LATER = ("XDSRepositoryBusy", "XDSRegistryBusy", "XDSRepositoryOutOfResources", "XDSRegistryOutOfResources",
         "XDSRegistryNotAvailable")  # fmt: skip
FINAL = ("XDSNonIdenticalHash", "XDSRegistryDuplicateUniqueIdInMessage", "XDSRepositoryDuplicateUniqueIdInMessage",
         "XDSMissingDocument", "XDSMissingDocumentMetadata", "XDSRepositoryMetadataError", "XDSRegistryMetadataError",
         "XDSDocumentUniqueIdError", "XDSNonIdenticalSize", "XDSPatientIdDoesNotMatch", "XDSUnknownPatientId",
         "DMPAccessDeniedByRightsService", "DMPClosed", "DMPNeverHeardOf", "XDSNeverHeardOf")  # fmt: skip


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, Kind.LATER) for code in LATER),
        *((code, Kind.FINAL) for code in FINAL),
        ("XDSRegistryError", Kind.FEW),
        ("XDSRepositoryError", Kind.FEW),
        ("XDSDuplicateUniqueIdInRegistry", Kind.DUPLICATE),
        ("XDSRegistryDeprecatedDocumentError", Kind.TARGET),
        ("UnresolvedReferenceException", Kind.TARGET),
        ("DMPInvalidCertificate", Kind.CHANNEL),
    ],
)
def test_a_registry_error_has_its_verdict(code: str, kind: Kind) -> None:
    verdict = judge(failure(code))
    assert (verdict.kind, verdict.dmp_code, verdict.label) == (kind, code, "texte")
    assert verdict.code.startswith("dmp.")


def test_success_is_done_with_its_warnings_kept() -> None:
    warning = RegistryError("XDSExtraMetadataNotSaved", "slot", is_warning=True)
    verdict = judge(RegistryAnswer("Success", (warning,)))
    assert (verdict.kind, verdict.label) == (Kind.DONE, "XDSExtraMetadataNotSaved")
    assert judge(RegistryAnswer("PartialSuccess")).kind is Kind.DONE


def test_a_warning_before_the_error_does_not_decide() -> None:
    warning = RegistryError("XDSExtraMetadataNotSaved", "slot", is_warning=True)
    answer = RegistryAnswer("Failure", (warning, *failure("XDSRepositoryBusy").errors))
    assert judge(answer).kind is Kind.LATER


def test_a_failure_without_a_reason_is_tried_a_few_times() -> None:
    assert judge(RegistryAnswer("Failure")).kind is Kind.FEW


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (SoapFault("Sender", "DMPInvalidCertificate", "x", None), Kind.CHANNEL, "dmp.certificate"),
        (SoapFault("Sender", "DMPNeverHeardOf", "x", None), Kind.FINAL, "dmp.refused"),
        (SoapFault("Sender", "", "Structure introuvable ou Inactive", None), Kind.FINAL, "dmp.habilitation"),
        (SoapFault("Sender", "", "Erreur d'authentification de la personne morale", None), Kind.FINAL,
         "dmp.habilitation"),
        (SoapFault("Sender", "", "PS et Structure non liés", None), Kind.FINAL, "dmp.habilitation"),
        (SoapFault("Receiver", "", "panne", None), Kind.FEW, "dmp.fault"),
        (SoapFault("Sender", "", "Aucune spécialité dans le VIHF", None), Kind.FINAL, "dmp.fault"),
    ],
)  # fmt: skip
def test_a_fault_has_its_verdict(fault: SoapFault, kind: Kind, code: str) -> None:
    verdict = judge_fault(fault)
    assert (verdict.kind, verdict.code) == (kind, code)


def test_a_long_text_is_cut() -> None:
    assert len(judge(failure("XDSRegistryError", context="long  " * 100)).label) == MAX_LABEL_CHARACTERS
