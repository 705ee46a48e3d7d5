"""The identity stage: consumes received reports, asks INSi, publishes what is certain and what is not."""

from functools import partial
from urllib.parse import urlsplit

from ins_qualifier.adapters import http, tables
from ins_qualifier.adapters.http import Desk
from ins_qualifier.adapters.insi import InsiClient
from ins_qualifier.adapters.insi_certificate import check_names
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.adapters.watch import watch
from ins_qualifier.handlers import follower, plan_check
from ins_qualifier.ports import InsiMisconfigured
from ins_qualifier.settings import InsQualifierSettings
from ins_qualifier.workers import IdentityChecks
from labohub.contracts.events import PatientCorrected, ReportReceived
from labohub.runtime import run
from labohub.runtime.service import Platform, Service, Worker
from labohub.runtime.settings import check_production

NAME = "ins-qualifier"
PRODUCTION_HOSTS = frozenset({"services-ps-tlsm.ameli.fr", "services-ps.ameli.fr"})
TEST_HOSTS = frozenset({"qualiflps-services-ps-tlsm.ameli.fr", "qualiflps.services-ps.ameli.fr"})


def build(settings: InsQualifierSettings, platform: Platform) -> Service:
    """Return the service. Raises: InsiMisconfigured, NotForProduction."""
    environment = platform.settings.environment
    _keep_environments_apart(settings, environment)
    check_production(settings, environment, own=("authorisation", "instance"), said=("insi_url", "issuer", "key_file"))
    insi = InsiClient(settings, platform.clock)
    checks = IdentityChecks(
        insi=insi, blobs=platform.blobs, settings=settings, environment=environment, clock=platform.clock
    )
    database = platform.database(NAME, tables.metadata)
    desk = Desk(database, platform.blobs)
    return Service(
        name=NAME,
        database=database,
        unit_type=InsUnit,
        subscriptions={ReportReceived: plan_check, PatientCorrected: follower(environment)},
        workers=[Worker("identity-checks", checks.run, concurrency=settings.workers)],
        routers=[http.router(desk, checks.gate)],
        background=[partial(watch, desk, checks.gate, platform.clock)],
        closing=[insi.close],
    )


def _keep_environments_apart(settings: InsQualifierSettings, environment: str) -> None:
    host = urlsplit(settings.insi_url).hostname or ""
    wrong = TEST_HOSTS if environment == "production" else PRODUCTION_HOSTS
    if host in wrong:
        raise InsiMisconfigured(f"INS_QUALIFIER_INSI_URL is not an address for the {environment} environment")
    if environment == "production" and settings.certificate_file is None:
        raise InsiMisconfigured("INS_QUALIFIER_CERTIFICATE_FILE must be set in production")
    if environment == "production":
        check_names(settings)


def main() -> None:
    """Run this service alone."""
    run.main(InsQualifierSettings, build)
