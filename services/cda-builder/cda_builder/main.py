"""The service, put together. Reads like a list."""

from cda_builder.adapters import catalogue_http, validate_http
from cda_builder.adapters.gate import Gate
from cda_builder.adapters.pdf.look import check_logos
from cda_builder.adapters.rules_folder import checked_folders
from cda_builder.adapters.tables import CdaUnit, metadata
from cda_builder.adapters.value_sets import official_labels
from cda_builder.adapters.workshop import ProcessWorkshop
from cda_builder.core.lint import levels_of
from cda_builder.handlers import plan_document
from cda_builder.settings import CdaBuilderSettings
from cda_builder.workers import Builder, profiles_by_facility
from labohub.contracts.events import IdentityQualified
from labohub.runtime import run
from labohub.runtime.service import Platform, Service, Worker

NAME = "cda-builder"


def build(settings: CdaBuilderSettings, platform: Platform) -> Service:
    """Return the service. Raises: Misconfigured."""
    settings.check(platform.settings.environment)
    profiles = profiles_by_facility(settings.laboratory, settings.laboratories)
    check_logos(profile.theme for profile in profiles.values())
    folders = checked_folders(settings.cisis_dir, settings.cisis_sha256)
    gate = Gate(folders, levels_of(settings.lint_levels), settings.read_pdf)
    workshop = ProcessWorkshop(settings.processes, gate, settings.task_timeout_seconds)
    builder = Builder(
        blobs=platform.blobs,
        workshop=workshop,
        profiles=profiles,
        batch_size=settings.batch_size,
        lease_seconds=settings.lease_seconds,
        retry_first_seconds=settings.retry_first_seconds,
        retry_cap_seconds=settings.retry_cap_seconds,
    )
    database = platform.database(NAME, metadata)
    return Service(
        name=NAME,
        database=database,
        unit_type=CdaUnit,
        subscriptions={IdentityQualified: plan_document},
        workers=(Worker("build", builder.build_due),),
        listeners=(workshop,),  # started before the outside comes in: the rules are compiled by then
        closing=(workshop.close,),
        routers=(catalogue_http.routes(database, official_labels(settings.loinc_dir)), validate_http.routes(workshop)),
    )


def main() -> None:
    """Run the service until SIGTERM."""
    run.main(CdaBuilderSettings, build)
