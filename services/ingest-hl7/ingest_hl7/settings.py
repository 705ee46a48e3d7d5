"""The settings of ingest-hl7 (`INGEST_HL7_…`)."""

from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """Where to listen, whom to hear, how to answer."""

    model_config = SettingsConfigDict(
        env_prefix="INGEST_HL7_", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    mllp_host: str = Field("127.0.0.1", description="Address of the MLLP listeners.")
    mllp_port: int = Field(2575, description="Port of the plain MLLP listener; 0 takes a free one, -1 disables it.")
    mllp_tls_port: int = Field(2576, description="Port of the MLLP/TLS listener; it needs the three files below.")
    mllp_release_2_port: int = Field(
        -1, description="Port of a listener of MLLP release 2 (commit blocks); 0 takes a free one, -1 disables it."
    )
    tls_certificate: Path | None = Field(None, description="Server certificate (PEM) of MLLP/TLS.")
    tls_key: Path | None = Field(None, description="Private key (PEM) of MLLP/TLS.")
    tls_client_ca: Path | None = Field(
        None, description="Authorities whose client certificates are accepted (IHE ATNA)."
    )
    max_frame_bytes: PositiveInt = Field(
        32 * 1024 * 1024, description="Largest message; beyond, the connection closes."
    )
    max_connections: PositiveInt = Field(512, description="Connections at once, over all listeners.")
    max_connections_per_address: PositiveInt = Field(256, description="Connections at once from one address.")
    max_noise_bytes: PositiveInt = Field(
        1024 * 1024, description="Bytes outside messages, in a row, before the connection closes."
    )
    max_buffered_bytes: PositiveInt = Field(
        256 * 1024 * 1024, description="Bytes of unfinished messages at once, over all connections."
    )
    idle_timeout_seconds: PositiveFloat = Field(86_400.0, description="Silence between messages before closing.")
    frame_timeout_seconds: PositiveFloat = Field(30.0, description="Silence inside a message before closing.")
    whole_frame_timeout_seconds: PositiveFloat = Field(
        120.0, description="Time for one message to come whole, however steadily its bytes trickle."
    )
    answer_timeout_seconds: PositiveFloat = Field(30.0, description="How long a peer may leave our answer unread.")
    end_without_cr: bool = Field(False, description="Accept FS alone as end of block (old senders).")

    senders: Path | None = Field(
        None,
        description="TOML file of the senders, or a folder of such files. Unset: the demo's, in the test environment.",
    )
    senders_check_seconds: PositiveFloat = Field(2.0, description="How often a change of the senders' files is seen.")
    unknown_sender: Literal["", "accept", "refuse", "quarantine"] = Field(
        "",
        description="Senders not in the file: `accept`, `refuse` or `quarantine`."
        " Empty: accepted in the test environment, refused in production.",
    )
    drop_folder: Path | None = Field(None, description="Folder in which senders drop files. Unset: none.")
    drop_poll_seconds: PositiveFloat = Field(1.0, description="How often the drop folder is looked at.")
    drop_quiet_seconds: float = Field(2.0, ge=0, description="A file unchanged for so long is complete.")
    drop_stalled_seconds: float = Field(
        60.0, ge=0, description="A file that looks cut is refused once nobody has written to it for so long."
    )
    drop_end_required: bool = Field(
        True, description="Refuse a file whose last line is not ended: it may be cut. False: take it once stalled."
    )
    drop_max_bytes: PositiveInt = Field(64 * 1024 * 1024, description="Largest file of the drop folder.")
    api_keys: Path | None = Field(
        None,
        description="TOML file of the API keys (`labohub api-key new`). Unset: no key, in the test environment only.",
    )
    conformance_percent: int = Field(
        0, ge=0, le=100, description="Messages examined as they come, in a process apart; all of a sender on trial."
    )
    conformance_queue: PositiveInt = Field(1000, description="Messages waiting to be examined; beyond, left out.")
    conformance_timeout_seconds: PositiveFloat = Field(30.0, description="Longest examination of one message.")
    processing_ids: str = Field("", description="MSH-11 accepted, e.g. `P`. Empty: `P` in production, `P,T` in test.")
    timezone: str = Field("Europe/Paris", description="Zone in which answers are dated.")
    application: str = Field("LABOHUB", description="MSH-3 of the messages the hub sends.")
    facility: str = Field("PFI", description="MSH-4 of the messages the hub sends.")

    answers_host: str = Field("", description="Where ZAM go when the sender's entry says nothing. Empty: nowhere.")
    answers_port: int = Field(2580, description="Port of the above.")
    answers_timeout_seconds: PositiveFloat = Field(10.0, description="Connecting, and waiting for an acknowledgement.")
    answers_retry_first_seconds: PositiveFloat = Field(
        2.0, description="First wait before sending a ZAM again; doubled."
    )
    answers_retry_cap_seconds: PositiveFloat = Field(300.0, description="Longest such wait.")
    answers_max_attempts: PositiveInt = Field(50, description="Attempts before a ZAM is given up.")

    webhooks_timeout_seconds: PositiveFloat = Field(10.0, description="Connecting to a webhook, and its answer.")
    webhooks_ca: Path | None = Field(None, description="Authorities of the webhooks' servers. Unset: the system's.")
    webhooks_retry_first_seconds: PositiveFloat = Field(5.0, description="First wait before a webhook again; doubled.")
    webhooks_retry_cap_seconds: PositiveFloat = Field(3600.0, description="Longest such wait.")
    webhooks_give_up_days: PositiveFloat = Field(3.0, description="After so many days a delivery is given up.")

    def accepted_processing_ids(self, environment: str) -> frozenset[str]:
        """Return the values of MSH-11 that may enter. D is never among the defaults."""
        text = self.processing_ids or ("P" if environment == "production" else "P,T")
        return frozenset(part.strip() for part in text.split(",") if part.strip())
