"""The settings of dmp-feeder. Real addresses and numbers come from the DMP's parameter file: none is a constant."""

from pathlib import Path
from typing import Literal

from pydantic import AnyHttpUrl, Field, NonNegativeInt, PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DmpFeederSettings(BaseSettings):
    """Where the DMP is, who we are, and how patient we are."""

    model_config = SettingsConfigDict(
        env_prefix="DMP_FEEDER_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    repository_url: AnyHttpUrl = Field(description="Address of the `repository` service (ITI-41).")
    registry_url: AnyHttpUrl = Field(description="Address of the `registry` service (ITI-18, ITI-57).")
    ca_file: Path = Field(description="Authorities that vouch for the DMP's servers, PEM.")
    auth_certificate: Path = Field(description="ORG_AUTH_CLI certificate with its chain, PEM: opens TLS.")
    auth_key: Path = Field(description="Its private key, PEM.")
    auth_key_password: SecretStr = Field(SecretStr(""), description="Password of that key, if any.")
    cachet_certificate: Path = Field(description="ORG_SIGN certificate with its chain, PEM: signs VIHF and lots.")
    cachet_key: Path = Field(description="Its private key, PEM.")
    cachet_key_password: SecretStr = Field(SecretStr(""), description="Password of that key, if any.")
    structure_id: str = Field(
        "",
        description="Struct_IdNat that files, e.g. `1` and FINESS. Empty: the structure of each document's author, "
        "for a certificate of the legal entity that is declared for all its sites.",
    )
    sector_code: str = Field("SA25", description="Secteur_Activite when a document does not say it (JDV_J61).")
    oid_root: str = Field(
        "1.2.250.1.999.1.1", pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$", max_length=24,
        description="Root of the identifiers of lots and signatures; 24 characters at most.",
    )  # fmt: skip
    source_oid: str = Field("1.2.250.1.999.1.1", description="OID of this installation (sourceId).")
    lps_name: str = Field("labohub", description="LPS_Nom, as approved.")
    lps_version: str = Field("0.1.0", description="LPS_Version, as approved.")
    lps_approval: str = Field("NON-HOMOLOGUE", description="LPS_ID_HOMOLOGATION_DMP.")
    lps_id: str = Field("", description="LPS_ID, optional.")
    vihf_version: str = Field("3.0", description="VIHF_Version: 3.0 in all samples, 4.0 in one table.")
    vihf_mode_attribute: Literal["Authentification_Mode", "Authentification_mode"] = Field(
        "Authentification_Mode", description="Spelling of the attribute: official documents differ."
    )
    authentication_class: str = Field(
        "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified", description="AuthnContextClassRef of automatic feeding."
    )
    vihf_digest: Literal["sha256", "sha1"] = Field("sha256", description="Digest of the VIHF's signature.")
    lot_digest: Literal["sha1", "sha256"] = Field(
        "sha1", description="Digest of the lot's signature: SHA-1 in the official sample code."
    )
    accept_both_masks: bool = Field(False, description="The DMP's switch `cumul-invisible_patient-masque_ps`.")
    batch_size: PositiveInt = Field(8, description="Documents taken at once by one worker.")
    concurrency: PositiveInt = Field(2, description="Workers.")
    connect_timeout_seconds: PositiveFloat = Field(5.0, description="Longest wait for a connection.")
    answer_timeout_seconds: PositiveFloat = Field(30.0, description="Longest wait for an answer.")
    lease_seconds: PositiveFloat = Field(
        45.0,
        description="How long a document stays with a worker that gives no sign. Too short is safe: the same lot is "
        "sent twice and the DMP recognises it.",
    )
    retry_first_seconds: PositiveFloat = Field(2.0, description="Wait after the first failure; doubled each time.")
    retry_cap_seconds: PositiveFloat = Field(60.0, description="Longest wait between two attempts.")
    generic_attempts: NonNegativeInt = Field(5, description="Attempts after an error without a known cause.")
    channel_pause_seconds: PositiveFloat = Field(600.0, description="Pause when the DMP refuses our certificate.")
