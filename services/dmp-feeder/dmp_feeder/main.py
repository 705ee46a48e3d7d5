"""Builds dmp-feeder; reads like a list."""

from functools import partial

from dmp_feeder.adapters.dmp import HttpDmp
from dmp_feeder.adapters.keys import load_signer, tls_context
from dmp_feeder.adapters.tables import DmpUnit, metadata
from dmp_feeder.core.channel import Channel
from dmp_feeder.core.filing import Rules
from dmp_feeder.core.lot import Installation
from dmp_feeder.handlers import oppose, planner
from dmp_feeder.settings import DmpFeederSettings
from dmp_feeder.workers.filing import Office, file_due
from dmp_feeder.workers.settling import Patience
from labohub.contracts.events import DocumentBuilt, FeedingOpposed
from labohub.runtime.run import main as run
from labohub.runtime.service import Platform, Service, Worker
from labohub.runtime.settings import check_production
from labohub.standards.vihf import Dialect, Software
from labohub.standards.xds import Coded, codes

NAME = "dmp-feeder"


def build(settings: DmpFeederSettings, platform: Platform) -> Service:
    """Return the service, ready to run. Raises: Misconfigured."""
    check_production(settings, platform.settings.environment, own=("oid_root", "source_oid", "lps_approval"))
    dmp = HttpDmp(settings, tls_context(settings))
    rules = Rules(
        accept_test_identities=platform.settings.environment != "production",
        accept_both_masks=settings.accept_both_masks,
    )
    office = Office(
        installation=installation_of(settings),
        blobs=platform.blobs,
        dmp=dmp,
        channel=Channel(),
        patience=Patience(
            settings.retry_first_seconds,
            settings.retry_cap_seconds,
            settings.generic_attempts,
            settings.channel_pause_seconds,
        ),
        clock=platform.clock,
        batch_size=settings.batch_size,
        lease_seconds=settings.lease_seconds,
    )
    return Service(
        name=NAME,
        database=platform.database(NAME, metadata),
        unit_type=DmpUnit,
        subscriptions={DocumentBuilt: planner(rules), FeedingOpposed: oppose},
        workers=(Worker("filing", partial(file_due, office=office), concurrency=settings.concurrency),),
        closing=(dmp.close,),
    )


def installation_of(settings: DmpFeederSettings) -> Installation:
    """Return who files, keys loaded. Raises: Misconfigured."""
    cachet = (settings.cachet_certificate, settings.cachet_key, settings.cachet_key_password)
    return Installation(
        source_oid=settings.source_oid,
        identifier_root=settings.oid_root,
        structure_id=settings.structure_id,
        sector=codes.find("facility", settings.sector_code) or Coded(settings.sector_code, "1.2.250.1.71.4.2.4", ""),
        software=Software(settings.lps_name, settings.lps_version, settings.lps_approval, settings.lps_id),
        dialect=Dialect(settings.vihf_version, settings.vihf_mode_attribute),
        authentication_class=settings.authentication_class,
        vihf_signer=load_signer(*cachet, settings.vihf_digest),
        lot_signer=load_signer(*cachet, settings.lot_digest),
    )


def main() -> None:
    """Run the service from the environment's settings."""
    run(DmpFeederSettings, build)
