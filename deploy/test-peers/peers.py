#!/usr/bin/env python3
"""Programs of other people, for the tests, fetched by Maven and run from one source file each.

HAPI and Apache Camel send by MLLP; veraPDF judges PDF/A-1b.

    peers.py fetch                                   only fetch the artifacts
    peers.py send HapiSender 127.0.0.1 2575 FILE…    send files; one line per answer
    peers.py pdf FILE…                               one line per file: its path, `valid` or the first failures

Standard library alone. Needs a Java development kit (17 or later) and, for the first run, Maven.
"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import maven  # noqa: E402

JARS = HERE / "target" / "lib"
SENDERS = ("HapiSender", "CamelSender")


class Missing(Exception):
    """What is not there, or could not be fetched."""


def fetch() -> None:
    """Copy the artifacts of pom.xml into target/lib, unless they are there.

    Raises: Missing.
    """
    try:
        maven.fetch(HERE)
    except maven.CannotFetch as error:
        raise Missing(str(error)) from None


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
