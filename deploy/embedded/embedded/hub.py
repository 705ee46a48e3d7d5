"""All services in one process: the same `build` functions as when each runs alone."""

import sys
from collections.abc import Callable, Sequence

import uvloop

import cda_builder.main
import console.main
import dmp_feeder.main
import ingest_hl7.main
import ins_qualifier.main
import mss_sender.main
from cda_builder.settings import CdaBuilderSettings
from console.settings import ConsoleSettings
from dmp_feeder.settings import DmpFeederSettings
from ingest_hl7.settings import IngestSettings
from ins_qualifier.settings import InsQualifierSettings
from labohub.errors import Misconfigured, Unavailable
from labohub.runtime.run import Hub, serve
from labohub.runtime.service import Platform, Service
from labohub.runtime.settings import read_settings
from mss_sender.settings import MssSenderSettings

BUILDERS: dict[str, Callable[[Platform], Service]] = {  # in the order a report travels
    "ingest-hl7": lambda platform: ingest_hl7.main.build(read_settings(IngestSettings), platform),
    "ins-qualifier": lambda platform: ins_qualifier.main.build(read_settings(InsQualifierSettings), platform),
    "cda-builder": lambda platform: cda_builder.main.build(read_settings(CdaBuilderSettings), platform),
    "mss-sender": lambda platform: mss_sender.main.build(read_settings(MssSenderSettings), platform),
    "dmp-feeder": lambda platform: dmp_feeder.main.build(read_settings(DmpFeederSettings), platform),
    "console": lambda platform: console.main.build(read_settings(ConsoleSettings), platform),
}


def run(services: Sequence[str] = tuple(BUILDERS)) -> int:
    """Run these services until SIGTERM or Ctrl-C. Return the exit code: 2 when the installation is wrong."""
    try:
        uvloop.run(serve([BUILDERS[name] for name in services], describe))
    except (Misconfigured, Unavailable) as error:
        print(f"labohub: {error.code}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


def describe(hub: Hub) -> str:
    """Return where the hub listens, as `name=port` words."""
    places = {listener.name: getattr(listener, "port", None) for listener in hub.listeners}
    words = [f"{name}={port}" for name, port in places.items() if port]
    return " ".join([*words, f"http={hub.http.port}"])
