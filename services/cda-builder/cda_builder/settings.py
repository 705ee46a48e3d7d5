"""Settings of cda-builder, read once."""

from pathlib import Path

from pydantic import AliasChoices, Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from cda_builder.core.laboratory import LaboratoryProfile


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
        description="Also `LABOHUB_CISIS_DIR`: folder of the official rules. Empty: only the hub's own checks run, and "
        "events say `not-configured`.",
    )
    processes: NonNegativeInt = Field(
        1, description="Workers that build and check; 0: a thread, when no official rules are set."
    )
    task_timeout_seconds: PositiveFloat = Field(60, description="Limit for one document.")
    batch_size: PositiveInt = Field(16, description="Documents under way at once.")
    lease_seconds: PositiveFloat = Field(300, description="Longer than a batch of the slowest documents.")
    retry_first_seconds: PositiveFloat = Field(5, description="Wait before the first new attempt.")
    retry_cap_seconds: PositiveFloat = Field(600, description="Longest wait between attempts.")
