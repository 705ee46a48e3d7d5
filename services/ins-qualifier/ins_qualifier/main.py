"""The identity stage: consumes received reports, asks INSi, publishes what is certain and what is not."""

from functools import partial
from urllib.parse import urlsplit

from ins_qualifier.adapters import http, tables
from ins_qualifier.adapters.call_desk import CallDesk
from ins_qualifier.adapters.desk import Desk
from ins_qualifier.adapters.http_calls import call_routes
from ins_qualifier.adapters.identities import IdentityBook
from ins_qualifier.adapters.identity_desk import IdentityDesk
from ins_qualifier.adapters.insi import InsiClient
from ins_qualifier.adapters.insi_certificate import check_names
from ins_qualifier.adapters.insi_verification import verifier
from ins_qualifier.adapters.officer import Officer
from ins_qualifier.adapters.recall_desk import RecallDesk
from ins_qualifier.adapters.reverifications import Reverifications, Verifying
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.adapters.watch import watch
from ins_qualifier.core.keys import Keys
from ins_qualifier.core.subject import Referential
from ins_qualifier.handlers import Follower, keep_mail, keep_submission
from ins_qualifier.ports import InsiMisconfigured
from ins_qualifier.settings import InsQualifierSettings
from ins_qualifier.workers import IdentityChecks
from labohub.contracts.events import MailAccepted, MailUncertain, PatientCorrected, ReportReceived, SubmissionAccepted
from labohub.runtime import run
from labohub.runtime.service import Platform, Service, Worker
from labohub.runtime.settings import check_production
from labohub.store.blobs.cipher import Cipher

NAME = "ins-qualifier"
PRODUCTION_HOSTS = frozenset({"services-ps-tlsm.ameli.fr", "services-ps.ameli.fr"})
TEST_HOSTS = frozenset({"qualiflps-services-ps-tlsm.ameli.fr", "qualiflps.services-ps.ameli.fr"})


def build(settings: InsQualifierSettings, platform: Platform) -> Service:
    """Return the service. Raises: InsiMisconfigured, NotForProduction."""
    environment = platform.settings.environment
    _keep_environments_apart(settings, environment)
    check_production(settings, environment, own=("authorisation", "instance"), said=("insi_url", "issuer", "key_file"))
    if environment == "production":
        check_names(settings)
    insi = InsiClient(settings, platform.clock)
    keys = Keys(platform.settings.key())
    referential = Referential(settings.domains, keys)
    identities = IdentityBook(referential, Cipher(platform.settings.key()), environment, settings.plan_valid_hours)
    follower = Follower(referential, identities, environment)
    checks = IdentityChecks(
        insi=insi,
        identities=identities,
        blobs=platform.blobs,
        settings=settings,
        environment=environment,
        clock=platform.clock,
    )
    database = platform.database(NAME, tables.metadata)
    known = verifier(settings, environment, insi)
    desk = Desk(database, platform.blobs, identities, platform.clock)
    officer = Officer(database, identities, desk)
    return Service(
        name=NAME,
        database=database,
        unit_type=InsUnit,
        subscriptions={
            ReportReceived: follower.plan_check,
            PatientCorrected: follower.correct,
            MailAccepted: keep_mail,
            MailUncertain: keep_mail,
            SubmissionAccepted: keep_submission,
        },
        workers=[
            Worker("identity-checks", checks.run, concurrency=settings.workers),
            Worker("identity-verifications", Verifying(identities, known, checks.gate).run),
        ],
        routers=[
            http.worklist_routes(desk, officer, checks.gate),
            http.recall_routes(RecallDesk(database)),
            http.reverification_routes(Reverifications(database, is_available=bool(settings.verification_url))),
            call_routes(CallDesk(database, platform.blobs)),
            http.identity_routes(IdentityDesk(database, identities), officer),
        ],
        background=[partial(watch, desk, checks.gate, platform.clock)],
        closing=[insi.close, known.close],
    )


def _keep_environments_apart(settings: InsQualifierSettings, environment: str) -> None:
    host = urlsplit(settings.insi_url).hostname or ""
    wrong = TEST_HOSTS if environment == "production" else PRODUCTION_HOSTS
    if host in wrong:
        raise InsiMisconfigured(f"INS_QUALIFIER_INSI_URL is not an address for the {environment} environment")
    if environment == "production" and settings.certificate_file is None:
        raise InsiMisconfigured("INS_QUALIFIER_CERTIFICATE_FILE must be set in production")


def main() -> None:
    """Run this service alone."""
    run.main(InsQualifierSettings, build)
