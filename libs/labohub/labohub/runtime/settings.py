"""The settings that all services share. Read once, in `main`; a wrong one stops the start by its name."""

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, NonNegativeFloat, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from labohub.errors import Misconfigured

S = TypeVar("S", bound=BaseSettings)
TEST_ARCS = ("1.2.250.1.999.", "1.2.250.1.99999.")  # of the demonstration: registered to nobody


class SettingWrong(Misconfigured):
    """A setting is missing or cannot be used."""

    code = "settings.wrong"


class NotForProduction(Misconfigured):
    """A setting has, or was left to, a value of the demonstration; production needs the installation's own."""

    code = "settings.not-for-production"


class LabohubSettings(BaseSettings):
    """Where the log, the state and the documents are, and how the process shows itself."""

    model_config = SettingsConfigDict(
        env_prefix="LABOHUB_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    environment: Literal["production", "test"] = Field(
        "test", description="`production` refuses test identities and messages."
    )
    data_dir: Path = Field(Path("var/labohub"), description="Folder of the embedded log, state and documents.")
    bus_url: str = Field(
        "", description="Event log: `sqlite:///…` or `kafka://host:port`. Empty: SQLite in the data folder."
    )
    store_url: str = Field(
        "", description="State: `sqlite:///folder` or `postgresql://…`. Empty: SQLite in the data folder."
    )
    blobs_url: str = Field(
        "",
        description="Documents: `file:///folder` or `postgresql://…`. Empty: beside the state.",
    )
    blob_key: SecretStr = Field(SecretStr(""), description="Key of the documents: 32 bytes in base64.")
    blob_key_file: Path | None = Field(
        None, description="File that holds the key instead. In the test environment one is made."
    )
    http_host: str = Field("127.0.0.1", description="Address of the HTTP API and console.")
    http_port: int = Field(8080, description="Port of the HTTP API and console.")
    http_tls_certificate: Path | None = Field(
        None, description="Server certificate (PEM) of the HTTP port. Unset: plain HTTP."
    )
    http_tls_key: Path | None = Field(None, description="Its private key (PEM).")
    http_tls_client_ca: Path | None = Field(
        None, description="Authorities of callers' certificates: one that a sender's entry names stands for an API key."
    )
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector, e.g. `http://127.0.0.1:4318`. Empty: no export."
    )
    lag_seconds: NonNegativeFloat = Field(
        10.0, description="How often the metric `labohub_bus_lag_records` is measured; 0: never."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level of the log lines.")
    stop_grace_seconds: float = Field(10.0, description="How long a stop waits for what is under way.")

    def effective_bus_url(self) -> str:
        """Return the log's URL."""
        return self.bus_url or f"sqlite:///{self.data_dir.absolute() / 'bus.sqlite'}"

    def effective_store_url(self) -> str:
        """Return the store's URL."""
        return self.store_url or f"sqlite:///{self.data_dir.absolute() / 'store'}"

    def effective_blobs_url(self) -> str:
        """Return the documents' URL: beside the state, unless told otherwise."""
        if self.blobs_url:
            return self.blobs_url
        if self.store_url.startswith(("postgresql://", "postgres://")):
            return self.store_url
        return f"file://{self.data_dir.absolute() / 'blobs'}"

    def key(self) -> bytes:
        """Return the documents' key. In the test environment it is made and kept in the data folder when absent.

        Raises:
            SettingWrong: no key in production, or not 32 bytes in base64.
        """
        text = self.blob_key.get_secret_value()
        if not text and self.blob_key_file is not None:
            try:
                text = self.blob_key_file.read_text().strip()
            except OSError:
                raise SettingWrong("LABOHUB_BLOB_KEY_FILE cannot be read") from None
        if not text:
            if self.environment == "production":
                raise SettingWrong("LABOHUB_BLOB_KEY or LABOHUB_BLOB_KEY_FILE must be set in production")
            text = _test_key(self.data_dir / "blob.key")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise SettingWrong("LABOHUB_BLOB_KEY is not base64") from None
        if len(key) != 32:
            raise SettingWrong("LABOHUB_BLOB_KEY must be 32 bytes in base64")
        return key


def _test_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    text = base64.b64encode(os.urandom(32)).decode()
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return text


def read_settings(kind: type[S]) -> S:
    """Return the settings of a kind from the environment. Raises: SettingWrong with the setting's name."""
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        places = {str(item["loc"][0]) for item in error.errors(include_input=False) if item["loc"]}
        names = ", ".join(sorted(f"{prefix}{place}".upper() for place in places))
        raise SettingWrong(f"wrong or missing setting: {names}") from None


def check_production(
    settings: BaseSettings, environment: str, *, own: Sequence[str] = (), said: Sequence[str] = ()
) -> None:
    """Return when these settings may serve there: in production nothing of the demonstration is taken in silence.

    Args:
        own: fields that must be given, other than their default and than a test OID.
        said: fields that must be given, whatever their value.
    Raises:
        NotForProduction: with the settings' names, never their values.
    """
    if environment != "production":
        return
    fields = type(settings).model_fields
    wrong = [name for name in said if _is_missing(settings, name)]
    wrong += [
        name
        for name in own
        if _is_missing(settings, name)
        or getattr(settings, name) == fields[name].default
        or is_test_oid(str(getattr(settings, name)))
    ]
    if wrong:
        prefix = str(settings.model_config.get("env_prefix", ""))
        names = ", ".join(sorted(f"{prefix}{name}".upper() for name in wrong))
        raise NotForProduction(f"must be set to values of your own in production: {names}")


def is_test_oid(text: str) -> bool:
    """Return whether this is an identifier of the demonstration, that no organisation owns."""
    return f"{text}.".startswith(TEST_ARCS)


def _is_missing(settings: BaseSettings, name: str) -> bool:
    return name not in settings.model_fields_set or getattr(settings, name) in (None, "", SecretStr(""))
