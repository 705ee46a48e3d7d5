"""Mails per second through mss-sender, from planned rows to the operator's answer. One JSON line per run.

`python -m tests.bench.bench_mail [--documents N] [--recipients N] [--kb N] [--operator postfix|simulator] [--profile]`
"""

import argparse
import asyncio
import base64
import cProfile
import json
import os
import platform
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from labohub.contracts.events import MailAccepted
from labosim.faults import Faults
from labosim.mss import MssSimulator
from labosim.pki import Pki
from tests.support.mail_servers import MailServers
from tests.support.mss import cda, close_bench, doctor, document_built, open_bench, pki, sender_settings


async def send_all(smtp_port: int, documents: int, recipients: int, kilobytes: int, folder: Path) -> dict[str, float]:
    """Return the figures of one run: seconds and CPU of the sending alone, planning excluded."""
    settings = sender_settings(pki(), smtp_port=smtp_port, imap_enabled=False)
    bench = await open_bench(folder, settings)
    boxes = [doctor(f"medecin{n}@medecin-demo.mssante.fr") for n in range(recipients)]
    pdf = os.urandom(kilobytes * 1024 * 2 // 5)
    size = 0
    for number in range(documents):
        unique_id = f"1.2.250.1.999.7.{number + 1}"
        weight = base64.b64encode(os.urandom(kilobytes * 1024 * 3 // 4))  # as a PDF inside a report: it does not shrink
        content = cda(unique_id).replace(b"<structuredBody>", b"<structuredBody><!--%s-->" % weight)
        size = len(content)
        refs = await bench.document(content, pdf)
        await bench.handle(
            document_built(*boxes, unique_id=unique_id, message=unique_id, report=f"report-{number}", **refs)
        )
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    while any(await asyncio.gather(bench.work("send"), bench.work("send"))):
        pass
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    accepted = [event for event in await bench.told() if isinstance(event, MailAccepted) and event.evidence]
    mail_bytes = sum(event.evidence.size_bytes for event in accepted if event.evidence) // max(len(accepted), 1)
    await close_bench(bench)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "mails": len(accepted),
        "seconds": round(seconds, 3),
        "mails_per_second": round(len(accepted) / seconds, 1),
        "cpu_ms_per_mail": round(cpu / max(len(accepted), 1) * 1000, 2),
        "report_bytes": size,
        "mail_bytes": mail_bytes,
    }


@contextmanager
def operator(kind: str) -> Iterator[int]:
    """Give the submission port of an operator in processes of its own."""
    if kind == "postfix":
        servers = MailServers(pki())
        try:
            servers.start()
            yield servers.smtp_port
        finally:
            servers.remove()
        return
    command = [sys.executable, "-m", "tests.bench.bench_mail", "--serve", str(pki().folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


async def serve(folder: Path) -> None:
    """Run the simulator until the parent ends it."""
    simulator = MssSimulator(pki=Pki(folder), faults=Faults(), smtp_port=0, imap_port=0, auto_read=False, keep=500)
    await simulator.start()
    print(simulator.smtp_port, flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=200)
    parser.add_argument("--recipients", type=int, default=3)
    parser.add_argument("--kb", type=int, default=200)
    parser.add_argument("--operator", choices=("postfix", "simulator"), default="simulator")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--serve", type=Path)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    with operator(options.operator) as port, tempfile.TemporaryDirectory() as folder:
        run = send_all(port, options.documents, options.recipients, options.kb, Path(folder))
        profiler = cProfile.Profile()
        figures = profiler.runcall(uvloop.run, run) if options.profile else uvloop.run(run)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "machine": platform.machine()}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    line = {
        "bench": "mail",
        "operator": options.operator,
        "recipients": options.recipients,
        **figures,
        **machine,
        "at": at,
    }
    print(json.dumps(line))
    if options.profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
