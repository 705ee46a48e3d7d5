"""`labohub reports`, `report`, `dead`: what the console knows, in a terminal."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from embedded.cli.api import DEFAULT_URL, Api, Url

TONES = {"ok": ("✔", "green"), "waiting": ("…", "yellow"), "warning": ("!", "yellow"), "error": ("✘", "red")}
STATE_TONES = {
    "delivered": "ok", "archived": "ok", "partly-delivered": "warning", "failed": "error", "stopped": "error",
    "refused": "error", "waiting-identity": "waiting",
}  # fmt: skip
OUTCOME_TONES = {
    "delivered": "ok", "read": "ok", "answered": "ok", "bounced": "error", "refused": "error", "read-failed": "error",
    "uncertain": "warning",
}  # fmt: skip


def reports(
    text: Annotated[str, typer.Argument(help="Control id, order number or report.")] = "",
    status: Annotated[str, typer.Option(help="A state, in-progress or attention.")] = "",
    sender: Annotated[str, typer.Option(help="MSH-3 or MSH-4.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    api: Url = DEFAULT_URL,
) -> None:
    """List the newest reports."""
    found = Api(api).get("/reports", q=text, status=status, sender=sender, limit=limit)["items"]
    table = Table("Received", "State", "Patient", "Control id", "Sender", "Path", "Report", box=None)
    for row in found:
        table.add_row(
            _local(row["received_at"]).strftime("%d/%m %H:%M:%S"),
            _toned(STATE_TONES.get(row["state"], "waiting"), f"{row['state']} {row['code']}".strip()),
            row["patient"],
            row["control_id"],
            f"{row['sender_application']} · {row['sender_facility']}",
            row["path"],
            row["report_id"],
        )
    Console(highlight=False).print(table if found else "No report. Send one: labohub send FILE.hl7")


def report(
    report_id: Annotated[str, typer.Argument(help="Report, control id or order number.")] = "",
    last: Annotated[bool, typer.Option("--last", help="The report that was received last.")] = False,
    api: Url = DEFAULT_URL,
) -> None:
    """Show one report: where it went, and every step of its way."""
    client = Api(api)
    if last or not report_id:
        found = client.get("/reports/last")
    else:
        matches = client.get("/reports", q=report_id, limit=2)["items"]
        if not matches:
            Console(stderr=True).print("labohub: console.report-unknown: no such report", markup=False)
            raise typer.Exit(1)
        found = client.get(f"/reports/{matches[0]['report_id']}")
    show(Console(highlight=False), found, client.get(f"/reports/{found['report_id']}/timeline"))


def show(console: Console, found: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """Print a report and its timeline, as the API gives them."""
    state = _toned(STATE_TONES.get(found["state"], "waiting"), found["state"])
    console.print(Text.assemble((found["control_id"], "bold"), "  ", state, "  ", found["patient"]))
    console.print(
        f"{found['sender_application']} · {found['sender_facility']} · {found['path']} · {found['report_id']}\n",
        style="dim",
    )
    table = Table("Time", "Δ", "Service", "Step", "Target", "Code", box=None)
    before: datetime | None = None
    for step in steps:
        at = _local(step["at"])
        table.add_row(
            f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}",
            "" if before is None else f"+{_duration((at - before).total_seconds())}",
            step["service"],
            _toned(step["outcome"], step["step"]),
            step["target"],
            step["code"],
        )
        before = at
    console.print(table)
    if found["destinations"]:
        console.print()
        wanted = Table("Destination", "Outcome", "Code", box=None)
        for item in found["destinations"]:
            tone = OUTCOME_TONES.get(item["outcome"], "waiting")
            wanted.add_row(f"{item['target']} {item['name']}".strip(), _toned(tone, item["outcome"]), item["code"])
        console.print(wanted)


def dead(api: Url = DEFAULT_URL) -> None:
    """List the events that were set aside."""
    found = Api(api).get("/worklists/dead", limit=500)["items"]
    table = Table("Since", "Event · service", "Code", "Report", box=None)
    for item in found:
        table.add_row(
            _local(item["opened_at"]).strftime("%d/%m %H:%M:%S"), item["target"], item["code"], item["report_id"]
        )
    Console(highlight=False).print(table if found else "Nothing is set aside.")


def _toned(tone: str, text: str) -> Text:
    sign, colour = TONES[tone]
    return Text(f"{sign} {text}", style=colour)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 1 else f"{seconds:.1f} s"
