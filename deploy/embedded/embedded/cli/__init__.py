"""What the command `labohub` asks of a running hub, from outside."""

import typer

from embedded.cli import api_key, catalogue, doctor, reports, send, validate

app = typer.Typer(name="labohub", no_args_is_help=True, add_completion=False, help="The laboratory reports' hub.")
app.command("send")(send.send)
app.command("reports")(reports.reports)
app.command("report")(reports.report)
app.command("dead")(reports.dead)
app.command("doctor")(doctor.doctor)
app.command("validate")(validate.command)
app.add_typer(api_key.keys, name="api-key")
app.add_typer(catalogue.app)

__all__ = ["app"]
