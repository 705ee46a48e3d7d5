"""Settings of cda-builder, read once."""

from pathlib import Path

from pydantic import AliasChoices, Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from cda_builder.core.laboratory import LaboratoryProfile


class CdaBuilderSettings(BaseSettings):
    """The laboratories whose reports are built, and the rules that documents must pass."""

    model_config = SettingsConfigDict(
        env_prefix="CDA_BUILDER_", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    laboratory: LaboratoryProfile = LaboratoryProfile()  # JSON; for every sender that `laboratories` does not name
    laboratories: dict[str, LaboratoryProfile] = {}  # JSON, by sending facility (MSH-4, first component)
    cisis_dir: Path | None = Field(  # folder of the official rules; None: only the hub's own checks run, and it is said
        None, validation_alias=AliasChoices("LABOHUB_CISIS_DIR", "CDA_BUILDER_CISIS_DIR")
    )
    processes: NonNegativeInt = 1  # workers for building and checking; 0: a thread, when no official rules are set
    task_timeout_seconds: PositiveFloat = 60
    batch_size: PositiveInt = 16
    lease_seconds: PositiveFloat = 300  # longer than a batch of the slowest documents
    retry_first_seconds: PositiveFloat = 5
    retry_cap_seconds: PositiveFloat = 600
