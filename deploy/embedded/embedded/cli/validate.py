"""`labohub validate`: documents checked without a hub, each finding explained."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.rules_folder import checked_folders
from cda_builder.adapters.validation import Checked, validate
from cda_builder.core.explain import LANGUAGES, Lang
from cda_builder.core.lint import levels_of
from cda_builder.settings import CdaBuilderSettings
from labohub.errors import Misconfigured

_SIGNS = {"error": "[red]✘[/]", "warning": "[yellow]![/]"}
_WORDS = {
    "fr": {
        "passed": "conforme",
        "failed": "non conforme",
        "not-configured": "aucune erreur, règles officielles non installées",
        "line": "ligne",
        "remedy": "Remède",
        "official": "Message d'origine",
        "rules": "règles",
        "colon": " : ",
    },
    "en": {
        "passed": "conforms",
        "failed": "does not conform",
        "not-configured": "no error, official rules not installed",
        "line": "line",
        "remedy": "Remedy",
        "official": "Original message",
        "rules": "rules",
        "colon": ": ",
    },
}


def command(
    files: Annotated[list[Path], typer.Argument(help="CDA (level 1 or 3), or XDM archive.")],
    lang: Annotated[str, typer.Option(help="Language of the explanations: fr or en.")] = "fr",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    rules: Annotated[
        str, typer.Option(envvar="LABOHUB_CISIS_DIR", help="Folder of the official rules; several as in PATH.")
    ] = "",
    warnings: Annotated[bool, typer.Option(help="Say warnings too.")] = True,
) -> None:
    """Check documents as the hub's gate does, and explain what is wrong, where, and the remedy.

    Exits 0 when no error was found, 1 when a document has one, 2 when a file or the rules cannot be read.
    """
    out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
    if lang not in LANGUAGES:
        err.print("labohub: --lang fr, or en")
        raise typer.Exit(2)
    chosen: Lang = "en" if lang == "en" else "fr"
    try:
        settings = CdaBuilderSettings()
        folders = checked_folders(Path(rules) if rules else None, settings.cisis_sha256 if rules else "")
        gate = Gate(folders, levels_of(settings.lint_levels))
        checked = [part for file in files for part in validate(file.read_bytes(), str(file), gate, chosen)]
    except Misconfigured as error:
        err.print(f"labohub: {error.code}: {error}", markup=False)
        raise typer.Exit(2) from None
    except OSError as error:
        err.print(f"labohub: {error.filename}: {os.strerror(error.errno or 0)}", markup=False)
        raise typer.Exit(2) from None
    if as_json:
        conforms = all(each.conforms for each in checked)
        documents = [each.as_json() for each in checked]
        print(json.dumps({"conforms": conforms, "documents": documents}, ensure_ascii=False, indent=2))
    else:
        for each in checked:
            _show(each, chosen, out, warnings=warnings)
    raise typer.Exit(0 if all(each.conforms for each in checked) else 1)


def _show(checked: Checked, lang: Lang, out: Console, *, warnings: bool) -> None:
    words = _WORDS[lang]
    about = f" (CR-BIO {checked.volet})" if checked.volet else ""
    sha256 = f", {words['rules']} {checked.rules_sha256[:12]}" if checked.rules_sha256 else ""
    sign = "[green]✔[/]" if checked.conforms else "[red]✘[/]"
    out.print(f"{sign} ", end="")
    out.print(f"{checked.name}{about}{words['colon']}{words[checked.conformance]}{sha256}", markup=False)
    if checked.note:
        out.print(f"  {checked.note}", markup=False)
    for each in checked.findings:
        if each.level != "error" and not warnings:
            continue
        line = f" ({words['line']} {each.line})" if each.line else ""
        out.print(f"  {_SIGNS[each.level]} ", end="")
        out.print(f"{each.where}{line}{words['colon']}{each.what}", markup=False)
        out.print(f"      {words['remedy']}{words['colon']}{each.remedy}", markup=False)
        out.print(f"      {each.step}/{each.rule} {each.path}", markup=False, style="dim")
        if each.step != "lint" and each.message not in each.what:
            out.print(f"      {words['official']}{words['colon']}{each.message}", markup=False, style="dim")
