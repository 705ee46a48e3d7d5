"""`labohub catalogue import`, `labohub catalogue coverage`: the laboratory's own codes and their LOINC codes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from embedded.cli.api import DEFAULT_URL, Api, Url

app = typer.Typer(name="catalogue", no_args_is_help=True, help="The laboratory's catalogue of exams.")
Facility = Annotated[str, typer.Option(help="Sending facility (MSH-4), when each has its own.")]
SHOWN = 20


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: one exam a line, with headings.")],
    facility: Facility = "",
    force: Annotated[bool, typer.Option("--force", help="Import all the same, without what is wrong.")] = False,
    api: Url = DEFAULT_URL,
) -> None:
    """Put a catalogue in the place of the last one. Exit 1 when something in it is wrong and nothing was imported."""
    answer = Api(api).post("/catalogue", file.read_bytes(), "text/csv", facility=facility, force=force)
    console = Console()
    for problem in answer.get("problems", []):
        console.print(
            f"line {problem['line']} {problem['code']}: {problem['level']}: {problem['what']}",
            markup=False,
            highlight=False,
        )
    if answer.get("edition") is None:
        console.print(f"Not imported: {answer.get('errors', answer.get('code', ''))} errors.")
        raise typer.Exit(1)
    console.print(f"{answer['exams']} exams imported, edition {answer['edition']}.")


@app.command()
def coverage(facility: Facility = "", api: Url = DEFAULT_URL) -> None:
    """Show how much of the results leaves with a LOINC code, and the most frequent codes without one."""
    found = Api(api).get("/catalogue/coverage", facility=facility)
    console = Console()
    console.print(
        f"{found['results']} results: {found['covered_fraction']:.1%} with LOINC "
        f"({found['by_message']} from messages, {found['by_catalogue']} from the catalogue)."
    )
    if found["uncovered"]:
        table = Table("Code", "Label", "Unit", "Results", "", title="Without LOINC")
        for each in found["uncovered"][:SHOWN]:
            note = "known, none" if each["known"] else "to map"
            table.add_row(each["code"], each["label"], each["unit"], str(each["results"]), note)
        console.print(table)
    for each in found["conflicts"][:SHOWN]:
        console.print(
            f"{each['code']} {each['label']}: {each['field']} {each['message']} in {each['results']} results, "
            f"{each['catalogue']} in the catalogue",
            markup=False,
        )
