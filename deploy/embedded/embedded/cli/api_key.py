"""`labohub api-key new`: a key for a laboratory's system. It is shown once; its hash goes into the file of the keys."""

import hashlib
import secrets
from typing import Annotated

import typer

PREFIX = "lbh_"
SECRET_BYTES = 32
SCOPES = ("hl7", "events", "read", "operate")

keys = typer.Typer(no_args_is_help=True, help="API keys of the laboratories' systems.")


@keys.callback()
def about() -> None:
    """API keys of the laboratories' systems."""


@keys.command()
def new(
    name: Annotated[str, typer.Option(help="Name of the key, for logs and audit.")],
    application: Annotated[str, typer.Option(help="MSH-3 in whose name it speaks; * for any.")],
    facility: Annotated[str, typer.Option(help="MSH-4 in whose name it speaks; * for any.")],
    scope: Annotated[list[str] | None, typer.Option(help="hl7, events, read, operate; repeat it.")] = None,
    not_after: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD (UTC).")] = "",
) -> None:
    """Make a key. Prints it once, on standard output, and the entry for INGEST_HL7_API_KEYS below it."""
    scopes = scope or ["hl7", "events", "read"]
    if wrong := [each for each in scopes if each not in SCOPES]:
        raise typer.BadParameter(f"no such scope: {', '.join(wrong)}", param_hint="--scope")
    key = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    print(key)
    print()
    print("# for the file of INGEST_HL7_API_KEYS; the key above is not kept anywhere")
    print("[[key]]")
    print(f"id = {_quoted(name)}")
    print(f'sha256 = "{hashlib.sha256(key.encode()).hexdigest()}"')
    print(f"scopes = [{', '.join(_quoted(each) for each in scopes)}]")
    print(f"senders = [{{application = {_quoted(application)}, facility = {_quoted(facility)}}}]")
    if not_after:
        print(f"not_after = {not_after}")


def _quoted(text: str) -> str:
    """Return a TOML basic string."""
    if any(ord(each) < 32 for each in text):
        raise typer.BadParameter("control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
