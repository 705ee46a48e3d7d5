"""Builds ingest-hl7; reads like a list."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest_hl7.adapters.access import Access
from ingest_hl7.adapters.answers_http import answer_routes
from ingest_hl7.adapters.api_keys import KeyRing
from ingest_hl7.adapters.conformance import Inspector
from ingest_hl7.adapters.drop_folder import DropFolder
from ingest_hl7.adapters.events_http import event_routes
from ingest_hl7.adapters.http import routes
from ingest_hl7.adapters.intake import Doors, Intake
from ingest_hl7.adapters.journal import Journal
from ingest_hl7.adapters.messages_http import message_routes
from ingest_hl7.adapters.mllp import MllpListener
from ingest_hl7.adapters.quarantine import Quarantine
from ingest_hl7.adapters.quarantine_http import quarantine_routes
from ingest_hl7.adapters.sender_book import SenderBook
from ingest_hl7.adapters.senders_file import stranger
from ingest_hl7.adapters.senders_http import senders_routes
from ingest_hl7.adapters.sgl_desk import SglDesk
from ingest_hl7.adapters.source import MllpSource
from ingest_hl7.adapters.tables import TableUnit, metadata
from ingest_hl7.adapters.tls import tls_context
from ingest_hl7.adapters.webhooks import HttpReceiver
from ingest_hl7.adapters.webhooks_http import webhook_routes
from ingest_hl7.adapters.wire import Wire
from ingest_hl7.adapters.wire_http import wire_routes
from ingest_hl7.core.intake import Policy
from ingest_hl7.core.returns import Us
from ingest_hl7.handlers import Outcomes
from ingest_hl7.settings import IngestSettings
from ingest_hl7.workers import Patience, ReturnCarrier, WebhookCarrier, WebhookPatience
from labohub.contracts import events
from labohub.errors import Misconfigured
from labohub.runtime.service import Handler, Listener, Platform, Service, Worker

NAME = "ingest-hl7"
DAY_SECONDS = 86_400
LEASE_MARGIN_SECONDS = 20.0  # beyond the time-out of one delivery


class ZoneUnknown(Misconfigured):
    """INGEST_HL7_TIMEZONE is not the name of a zone."""

    code = "ingest.timezone-unknown"


def build(settings: IngestSettings, platform: Platform) -> Service:
    """Return the service. Raises: Misconfigured."""
    zone = _zone(settings.timezone)
    environment = platform.settings.environment
    database = platform.database(NAME, metadata)
    book = SenderBook(settings, environment, platform.clock)
    outcomes = Outcomes(Us(settings.application, settings.facility), zone, book.registry)
    policy = Policy(environment, settings.accepted_processing_ids(environment), book.registry)
    units = database.units(TableUnit)
    inspector = Inspector(units, platform.blobs, book.registry, settings)
    journal = Journal(zone, outcomes)
    doors = Doors(policy, platform.blobs, units, journal, platform.clock, zone, inspector.notice, platform.courtesy)
    intake = Intake(doors)
    quarantine = Quarantine(intake, doors, outcomes, stranger(settings))
    ring = KeyRing(settings.api_keys, platform.clock)
    access = Access(ring, book.registry, units, platform.clock, required=environment == "production")
    desk = SglDesk(units, book.registry, outcomes)
    wire = Wire(settings, platform.clock)
    receiver = HttpReceiver(settings)
    news = WebhookCarrier(receiver, book.registry, _webhook_patience(settings))
    carrier = ReturnCarrier(MllpSource(settings.answers_timeout_seconds), _patience(settings))
    return Service(
        name=NAME,
        database=database,
        unit_type=TableUnit,
        subscriptions=subscriptions(outcomes),
        workers=[Worker("answers", carrier.run, concurrency=1), Worker("webhooks", news.run)],
        listeners=[*_listeners(settings, intake, wire), *_folders(settings, intake, book, platform), book],
        routers=[
            wire_routes(wire, access),
            routes(intake, access, book.registry, settings.max_frame_bytes),
            answer_routes(access, database),
            event_routes(desk, access, database, platform.blobs),
            webhook_routes(access, book.registry, database),
            senders_routes(access, book),
            message_routes(access, inspector, database, platform.blobs),
            quarantine_routes(access, quarantine, database),
        ],
        background=[book.follow, inspector.follow],
        closing=[inspector.close, receiver.close],
        facts=book.facts,
    )


def subscriptions(outcomes: Outcomes) -> Mapping[type[events.Event], Handler]:
    """Return what is listened to: every outcome of a request."""
    return {
        events.IdentityUnresolved: outcomes.stop,
        events.DocumentRefused: outcomes.stop,
        events.MailAccepted: outcomes.mail_accepted,
        events.MailDelivered: outcomes.mail_delivered,
        events.MailBounced: outcomes.mail_bounced,
        events.MailUncertain: outcomes.mail_uncertain,
        events.MailRead: outcomes.mail_read,
        events.SubmissionAccepted: outcomes.submission_accepted,
        events.SubmissionRefused: outcomes.submission_refused,
    }


def _listeners(settings: IngestSettings, intake: Intake, wire: Wire) -> list[Listener]:
    listeners: list[Listener] = []
    if settings.mllp_port >= 0:
        listeners.append(MllpListener("mllp", settings.mllp_port, intake, settings, wire=wire))
    if settings.mllp_release_2_port >= 0:
        port = settings.mllp_release_2_port
        listeners.append(MllpListener("mllp-r2", port, intake, settings, wire=wire, commits=True))
    context = tls_context(settings)
    if context is not None:
        listeners.append(MllpListener("mllps", settings.mllp_tls_port, intake, settings, wire=wire, context=context))
    return listeners


def _folders(settings: IngestSettings, intake: Intake, book: SenderBook, platform: Platform) -> list[Listener]:
    if settings.drop_folder is None:
        return []
    return [DropFolder(settings.drop_folder, intake.take, book.registry, settings, platform.clock)]


def _patience(settings: IngestSettings) -> Patience:
    return Patience(
        lease_seconds=settings.answers_timeout_seconds + LEASE_MARGIN_SECONDS,
        first_seconds=settings.answers_retry_first_seconds,
        cap_seconds=settings.answers_retry_cap_seconds,
        max_attempts=settings.answers_max_attempts,
    )


def _webhook_patience(settings: IngestSettings) -> WebhookPatience:
    return WebhookPatience(
        lease_seconds=settings.webhooks_timeout_seconds + LEASE_MARGIN_SECONDS,
        first_seconds=settings.webhooks_retry_first_seconds,
        cap_seconds=settings.webhooks_retry_cap_seconds,
        give_up_seconds=settings.webhooks_give_up_days * DAY_SECONDS,
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ZoneUnknown("INGEST_HL7_TIMEZONE is not a time zone") from None


def main() -> None:
    """Run the service alone."""
    from labohub.runtime.run import main as run

    run(IngestSettings, build)
