"""Settings of cda-builder, read once."""

from pathlib import Path

from pydantic import AliasChoices, Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from cda_builder.core.laboratory import LaboratoryProfile
from labohub.runtime.settings import NotForProduction, is_test_oid


class CdaBuilderSettings(BaseSettings):
    """The laboratories whose reports are built, and the rules that documents must pass."""

    model_config = SettingsConfigDict(
        env_prefix="CDA_BUILDER_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    laboratory: LaboratoryProfile = Field(
        LaboratoryProfile(),
        description="JSON: the laboratory of every sender that `laboratories` does not name (README of the service).",
    )
    laboratories: dict[str, LaboratoryProfile] = Field(
        {}, description="JSON: laboratories by sending facility (MSH-4, first component)."
    )
    cisis_dir: Path | None = Field(
        None,
        validation_alias=AliasChoices("LABOHUB_CISIS_DIR", "CDA_BUILDER_CISIS_DIR"),
        description="Also `LABOHUB_CISIS_DIR`: folder of the official rules, or several, separated as in PATH: the "
        "first that knows the version of a document checks it. Empty: only the hub's own checks run, events say "
        "`not-configured`, and production does not start.",
    )
    cisis_sha256: str = Field(
        "",
        validation_alias=AliasChoices("LABOHUB_CISIS_SHA256", "CDA_BUILDER_CISIS_SHA256"),
        description="Also `LABOHUB_CISIS_SHA256`: what each folder of official rules must be, in their order (the "
        "conformance reports name it). Other contents stop the start. Empty: any.",
    )
    lint_levels: dict[str, str] = Field(
        {},
        description='JSON: the level of the hub\'s own rules where it is not the usual one: `{"reference": "block"}`, '
        "`warn` (README of the service). Official errors always block.",
    )
    loinc_dir: Path | None = Field(
        None,
        description="Folder of official lists of LOINC codes (value sets, XML): catalogues are checked against them.",
    )
    read_pdf: bool = Field(
        False,
        description="Also read the text of each PDF, and warn when it does not name the patient: 30 to 130 ms of CPU.",
    )
    processes: NonNegativeInt = Field(
        1, description="Workers that build and check; 0: a thread, when no official rules are set."
    )
    task_timeout_seconds: PositiveFloat = Field(60, description="Limit for one document.")
    batch_size: PositiveInt = Field(16, description="Documents under way at once.")
    lease_seconds: PositiveFloat = Field(300, description="Longer than a batch of the slowest documents.")
    retry_first_seconds: PositiveFloat = Field(5, description="Wait before the first new attempt.")
    retry_cap_seconds: PositiveFloat = Field(600, description="Longest wait between attempts.")

    def check(self, environment: str) -> None:
        """Return when these settings may serve there: production checks every document by the official rules.

        Raises:
            NotForProduction: no folder of official rules, or an OID of the demonstration.
        """
        if environment != "production":
            return
        wrong = [] if self.cisis_dir is not None else ["LABOHUB_CISIS_DIR"]
        if is_test_oid(self.laboratory.oid_root):
            wrong.append("CDA_BUILDER_LABORATORY (oid_root)")
        if any(is_test_oid(profile.oid_root) for profile in self.laboratories.values()):
            wrong.append("CDA_BUILDER_LABORATORIES (oid_root)")
        if wrong:
            raise NotForProduction(f"must be set to values of your own in production: {', '.join(wrong)}")
