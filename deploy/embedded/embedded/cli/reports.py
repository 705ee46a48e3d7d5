"""`labohub reports`, `report`, `dead`: what the console knows, in a terminal."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from embedded.cli.api import DEFAULT_URL, Api, Url

PIPE_WIDTH = 140
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
    table = _table("Received", "State", "Patient", "Control id", "Sender", "Path")
    for row in found:
        table.add_row(
            _when(row["received_at"]),
            _toned(STATE_TONES.get(row["state"], "waiting"), f"{row['state']} {row['code']}".strip()),
            row["patient"],
            row["control_id"],
            row["sender_application"],
            row["path"],
        )
    _console().print(table if found else "No report. Send one: labohub send FILE.hl7")


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
    show(_console(), found, client.get(f"/reports/{found['report_id']}/timeline"))


def show(console: Console, found: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """Print a report and its timeline, as the API gives them."""
    state = _toned(STATE_TONES.get(found["state"], "waiting"), found["state"])
    console.print(Text.assemble((found["control_id"], "bold"), "  ", state, "  ", found["patient"]))
    console.print(
        f"{found['sender_application']} · {found['sender_facility']} · {found['path']} · {found['report_id']}\n",
        style="dim",
    )
    table = _table("Time", "Δ", "Service", "Step", "Code", "Target")
    before: datetime | None = None
    for step in steps:
        at = _local(step["at"])
        table.add_row(
            f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}",
            "" if before is None else f"+{_duration((at - before).total_seconds())}",
            step["service"],
            _toned(step["outcome"], step["step"]),
            step["code"],
            step["target"],
        )
        before = at
    console.print(table)
    numbers = {message["message_id"]: message["control_id"] for message in found["messages"]}
    if found["destinations"]:
        console.print()
        wanted = _table("Message", "Outcome", "Code", "Destination")
        for item in found["destinations"]:
            tone = OUTCOME_TONES.get(item["outcome"], "waiting")
            outcome, target = _toned(tone, item["outcome"]), f"{item['target']} {item['name']}".strip()
            wanted.add_row(numbers.get(item["message_id"], ""), outcome, item["code"], target)
        console.print(wanted)


def dead(api: Url = DEFAULT_URL) -> None:
    """List the events that were set aside."""
    found = Api(api).get("/worklists/dead", limit=500)["items"]
    table = _table("Since", "Event · service", "Code", "Report")
    for item in found:
        table.add_row(_when(item["opened_at"]), item["target"], item["code"], item["report_id"])
    _console().print(table if found else "Nothing is set aside.")


def _table(*columns: str) -> Table:
    """Return a table without borders; only its last column may be folded."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != columns[-1], overflow="fold")
    return table


def _toned(tone: str, text: str) -> Text:
    sign, colour = TONES[tone]
    return Text(f"{sign} {text}", style=colour)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone()


def _when(text: str) -> str:
    at = _local(text)
    return at.strftime("%H:%M:%S" if at.date() == datetime.now().astimezone().date() else "%d/%m %H:%M")


def _console() -> Console:
    """Return the terminal; a pipe gets lines wide enough for every column."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 1 else f"{seconds:.1f} s"
