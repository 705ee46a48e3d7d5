"""Settings of the console, read once in `main`."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConsoleSettings(BaseSettings):
    """Prefix `CONSOLE_`."""

    model_config = SettingsConfigDict(
        env_prefix="CONSOLE_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    language: Literal["fr", "en"] = Field("fr", description="Language of the pages until the reader chooses.")
    page_rows: int = Field(50, ge=10, le=500, description="Rows of a page of a list.")
    time_zone: str = Field("Europe/Paris", description="Time zone of the pages; the API speaks UTC.")
    live_poll_seconds: float = Field(2.0, gt=0, description="How often pages learn of another process's commits.")
