#!/usr/bin/env python3
"""Programs of other people, for the tests, fetched by Maven and run from one source file each.

HAPI and Apache Camel send by MLLP; veraPDF judges PDF/A-1b.

    peers.py fetch                                   only fetch the artifacts
    peers.py send HapiSender 127.0.0.1 2575 FILE…    send files; one line per answer
    peers.py pdf FILE…                               one line per file: its path, `valid` or the first failures

Standard library alone. Needs a Java development kit (17 or later) and, for the first run, Maven.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
JARS = HERE / "target" / "lib"
SENDERS = ("HapiSender", "CamelSender")


class Missing(Exception):
    """What is not there, or could not be fetched."""


def fetch() -> None:
    """Copy the artifacts of pom.xml into target/lib, unless they are there.

    Raises: Missing.
    """
    wanted = hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()
    done = HERE / "target" / "lib.sha256"
    done.parent.mkdir(exist_ok=True)
    with (HERE / "target" / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_text() == wanted:
            return
        maven = shutil.which("mvn")
        if maven is None:
            raise Missing("Maven (mvn) is not installed")
        shutil.rmtree(JARS, ignore_errors=True)
        command = [maven, "-q", "-B", "-ntp", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={JARS}", "-DincludeScope=runtime"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Missing(f"Maven could not fetch the artifacts\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
        done.write_text(wanted)


def command(sender: str, host: str, port: int, *files: Path) -> list[str]:
    """Return the command that sends files and prints a line per answer.

    Raises: Missing: no Java.
    """
    return _java(sender, host, str(port), *map(str, files))


def pdf_command(*files: Path) -> list[str]:
    """Return the command that judges PDF files and prints a line per file.

    Raises: Missing: no Java.
    """
    return _java("PdfJudge", *map(str, files))


def _java(program: str, *arguments: str) -> list[str]:
    java = shutil.which("java")
    if java is None:
        raise Missing("Java (17 or later) is not installed")
    options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"]
    return [java, *options, "-cp", f"{JARS}/*", str(HERE / f"{program}.java"), *arguments]


def main(arguments: list[str]) -> int:
    """Return the exit code."""
    try:
        fetch()
        if arguments[:1] == ["send"] and len(arguments) > 4 and arguments[1] in SENDERS:
            sender, host, port, *files = arguments[1:]
            return subprocess.run(command(sender, host, int(port), *map(Path, files)), check=False).returncode
        if arguments[:1] == ["pdf"] and len(arguments) > 1:
            return subprocess.run(pdf_command(*map(Path, arguments[1:])), check=False).returncode
    except Missing as error:
        print(f"peers: {error}", file=sys.stderr)
        return 1
    if arguments != ["fetch"]:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
