"""The service, put together. Reads like a list."""

from labohub.contracts.events import DocumentBuilt
from labohub.runtime import run
from labohub.runtime.service import Platform, Service, Worker
from mss_sender.adapters.collector import Collector
from mss_sender.adapters.http import routes
from mss_sender.adapters.imap import ImapMailbox
from mss_sender.adapters.laboratories_file import installation
from mss_sender.adapters.lps import MllpLps
from mss_sender.adapters.smtp import Operators, SmtpOperator
from mss_sender.adapters.tables import MssUnit, metadata
from mss_sender.handlers import planner
from mss_sender.settings import MssSenderSettings
from mss_sender.workers.composing import Composer
from mss_sender.workers.handover import HandOvers
from mss_sender.workers.integrating import Integrator
from mss_sender.workers.sending import Patience, Sender
from mss_sender.workers.sorting import Sorter

NAME = "mss-sender"


def build(settings: MssSenderSettings, platform: Platform) -> Service:
    """Return the service. Raises: Misconfigured when a certificate or address of the settings cannot be used."""
    settings.check(platform.settings.environment)
    installed = installation(settings)
    laboratories = installed.laboratories
    database = platform.database(NAME, metadata)
    units = database.units(MssUnit)
    blobs = platform.blobs
    operator = Operators({access.address: SmtpOperator(settings, access) for access in installed.senders})
    patience = Patience(
        lease=settings.lease_seconds,
        retry_first=settings.retry_first_seconds,
        retry_cap=settings.retry_cap_seconds,
        give_up_after=settings.give_up_after_seconds,
        halt=settings.halt_seconds,
        outage_pause=settings.outage_pause_seconds,
    )
    composer = Composer(blobs, laboratories, settings.cached_documents)
    sender = Sender(
        units=units,
        blobs=blobs,
        operator=operator,
        composer=composer,
        laboratories=laboratories,
        patience=patience,
        batch_size=settings.batch_size,
        max_mail_bytes=settings.max_mail_bytes,
    )
    sorter = Sorter(
        units,
        blobs,
        laboratories,
        batch_size=settings.batch_size,
        lease_seconds=settings.lease_seconds,
        hourly_limit=settings.replies_per_hour,
    )
    handovers = HandOvers(units, blobs, operator, laboratories, patience)
    integrator = Integrator(
        units=units,
        blobs=blobs,
        operator=operator,
        lps=MllpLps(settings.lps_timeout_seconds),
        laboratories=laboratories,
        patience=patience,
        production=platform.settings.environment == "production",
        profile=settings.mdn_profile,
    )
    collectors = [
        Collector(
            name=f"mss-returns-{rank}",
            alone=database.alone,
            units=units,
            blobs=blobs,
            mailbox=ImapMailbox(settings, access),
            clock=platform.clock,
            poll_seconds=settings.imap_poll_seconds,
        )
        for rank, access in enumerate(installed.readers, start=1)
    ]
    return Service(
        name=NAME,
        database=database,
        unit_type=MssUnit,
        subscriptions={DocumentBuilt: planner(laboratories)},
        workers=(
            Worker("send", sender.send_due, concurrency=2),
            Worker("sort", sorter.sort_due),
            Worker("hand-over", handovers.hand_over_due),
            Worker("integrate", integrator.integrate_due, concurrency=4),
        ),
        listeners=collectors if settings.imap_enabled else (),
        routers=(routes(database, blobs),),
        closing=(sender.close, operator.close),
    )


def main() -> None:
    """Run the service until SIGTERM."""
    run.main(MssSenderSettings, build)
