"""Settings of ins-qualifier, read once."""

from pathlib import Path

from pydantic import PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from labohub.standards.ins.insi_request import Software


class InsQualifierSettings(BaseSettings):
    """How to reach INSi, in whose name, and with which patience."""

    model_config = SettingsConfigDict(
        env_prefix="INS_QUALIFIER_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    insi_url: str = "https://127.0.0.1:8091/lps"
    ca_file: Path | None = None  # who signs INSi's certificate; None: the system's
    certificate_file: Path | None = None  # software certificate, CN INSI-AUTO
    key_file: Path | None = None
    issuer: str = "1999900017"  # OU of the certificate
    authorisation: str = "LABOHUB-TEST-0001"  # number given by the CNDA (IDAM)
    software_name: str = "labohub"
    software_version: str = "0.1.0"
    instance: str = "6f1d6a56-8b8e-4c77-9a44-2f6f3c1f0001"  # UUID of this installation: make your own, keep it

    connect_timeout_seconds: PositiveFloat = 10
    call_timeout_seconds: PositiveFloat = 30
    connections: PositiveInt = 64
    workers: PositiveInt = 4  # batches under way
    batch_size: PositiveInt = 16  # calls at once in each
    lease_seconds: PositiveFloat = 120  # some calls with all their timeouts; a repeated search does no harm

    retry_first_seconds: PositiveFloat = 2
    retry_cap_seconds: PositiveFloat = 4 * 3600
    give_up_after_seconds: PositiveFloat = 48 * 3600  # then a person sees the report
    failures_to_pause: PositiveInt = 5  # in a row
    pause_seconds: PositiveFloat = 10  # then one call probes
    longest_pause_seconds: PositiveFloat = 60  # of one report while INSi is away
    misconfigured_pause_seconds: PositiveFloat = 60

    def software(self) -> Software:
        """Return how this installation names itself to INSi."""
        return Software(
            issuer=self.issuer,
            authorisation=self.authorisation,
            version=self.software_version,
            instance=self.instance,
            name=f"urn:lps:{self.software_name}:{self.software_version}",
        )
