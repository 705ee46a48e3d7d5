"""Artifacts that a pom.xml pins, copied beside it by Maven. Standard library alone."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path


class CannotFetch(Exception):
    """Maven is not there, or did not get the artifacts."""


def fetch(folder: Path) -> None:
    """Copy the artifacts of a folder's pom.xml into its target/lib, unless they are there.

    Raises: CannotFetch.
    """
    pom, target = folder / "pom.xml", folder / "target"
    jars, done = target / "lib", target / "lib.sha256"
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    target.mkdir(exist_ok=True)
    with (target / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_text() == wanted:
            return
        maven = shutil.which("mvn")
        if maven is None:
            raise CannotFetch("Maven (mvn) is not installed")
        shutil.rmtree(jars, ignore_errors=True)
        command = [maven, "-q", "-B", "-ntp", "-f", str(pom), "dependency:copy-dependencies"]
        command += [f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise CannotFetch(f"Maven could not fetch the artifacts\n{made.stdout[-2000:]}{made.stderr[-2000:]}")
        done.write_text(wanted)
