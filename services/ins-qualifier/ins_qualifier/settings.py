"""Settings of ins-qualifier, read once."""

from pathlib import Path

from pydantic import AliasChoices, Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

from ins_qualifier.core.domains import Domain
from labohub.standards.ins.insi_context import Software

CALLS_OF_A_CHECK = 6  # at most, in one visit


class InsQualifierSettings(BaseSettings):
    """How to reach INSi, in whose name, and with which patience."""

    model_config = SettingsConfigDict(
        env_prefix="INS_QUALIFIER_",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
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

    verification_url: str = Field(
        "",
        description="Where a test bench verifies known identities, in a form of its own: the WSDL of WS_INS3 to "
        "WS_INS5 is not published. Empty: identities are not verified. Production does not start with it.",
    )
    insi_dir: Path | None = Field(
        None,
        validation_alias=AliasChoices("LABOHUB_INSI_DIR", "INS_QUALIFIER_INSI_DIR"),
        description="Also `LABOHUB_INSI_DIR`: folder of the official INSi package (`wsdl/xsd`). Answers are then "
        "compared with its schemas, and each call's trace says whether they keep to them.",
    )

    connect_timeout_seconds: PositiveFloat = 10
    call_timeout_seconds: PositiveFloat = 30
    connections: PositiveInt = 64
    calls_per_second: PositiveFloat = 500  # of this process: share what you are granted among replicas
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

    def checks_at_once(self) -> int:
        """Return how many checks one batch takes: all of them can take their turns within half of the lease."""
        turns = self.calls_per_second * self.lease_seconds / 2
        return max(1, min(self.batch_size, int(turns / CALLS_OF_A_CHECK / self.workers)))

    domains: tuple[Domain, ...] = ()  # JSON; a sender that none names has a domain of its own, and controls documents
    plan_valid_hours: PositiveFloat = 24  # what INSi answered for the same traits of one domain is not asked again

    def software(self) -> Software:
        """Return how this installation names itself to INSi."""
        return Software(
            issuer=self.issuer,
            authorisation=self.authorisation,
            version=self.software_version,
            instance=self.instance,
            name=f"urn:lps:{self.software_name}:{self.software_version}",
        )
