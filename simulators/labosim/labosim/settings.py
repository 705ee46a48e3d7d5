"""Settings of the test bench: ports on loopback."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SimulatorSettings(BaseSettings):
    """Prefix `LABOSIM_`. Port 0 takes a free one."""

    model_config = SettingsConfigDict(env_prefix="LABOSIM_", frozen=True)

    host: str = Field("127.0.0.1", description="Address of every simulator.")
    folder: Path = Field(Path("var/labosim"), description="Folder of the test certificates.")
    control_port: int = Field(8090, description="Port of the control API.")
    insi_port: int = Field(8091, description="Port of the téléservice INSi (SOAP, mutual TLS).")
    dmp_port: int = Field(8092, description="Port of the DMP (SOAP, mutual TLS).")
    smtp_port: int = Field(2525, description="Port of the MSSanté operator's SMTP.")
    imap_port: int = Field(2143, description="Port of the MSSanté operator's IMAP.")
    webhook_secret: str = Field(
        "whsec_bGFib3NpbS1vbmx5LW9mLXRoZS10ZXN0LWJlbmNoLS0=",
        description="Secret with which the SGL checks the webhooks it receives on the control port.",
    )
    sgl_port: int = Field(2580, description="Port where the SGL receives its business acknowledgements (MLLP).")
