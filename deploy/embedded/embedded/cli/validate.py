"""`labohub validate`: documents checked without a hub, each finding explained."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cda_builder.adapters.gate import Gate
from cda_builder.adapters.rules_folder import checked_folders
from cda_builder.adapters.validation import Checked, validate
from cda_builder.core.explain import LANGUAGES, Explained, Lang
from cda_builder.core.lint import levels_of
from cda_builder.settings import CdaBuilderSettings
from embedded import validate_hl7
from embedded.cli.files import messages_in
from labohub.errors import Misconfigured, Refused
from labohub.standards import er7
from labohub.standards.hl7.embedded import decode_base64

_HL7 = (b"MSH", b"FHS", b"BHS")
_BEFORE_HL7 = b"\x0b\r\n \xef\xbb\xbf"  # a frame, blank lines, a mark of byte order
_REMEDIES = {
    "fr": {
        "error": "Corriger à cet endroit dans le logiciel émetteur, puis renvoyer avec un nouvel identifiant (MSH-10).",
        "warning": "Le message est pris ; corriger à la source.",
    },
    "en": {
        "error": "Correct this place in the sending software, then send again under a new identifier (MSH-10).",
        "warning": "The message is taken; correct it at its source.",
    },
}
_SIGNS = {"error": "[red]✘[/]", "warning": "[yellow]![/]"}
_WORDS = {
    "fr": {
        "accepted": "message acceptable",
        "refused": "message à refuser",
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
        "accepted": "message to be accepted",
        "refused": "message to be refused",
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
    files: Annotated[list[Path], typer.Argument(help="CDA (level 1 or 3), XDM archive, HL7 messages.")],
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
        checked = [part for file in files for part in _checked(file.read_bytes(), str(file), gate, chosen)]
    except (Misconfigured, Refused) as error:
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


def _checked(data: bytes, name: str, gate: Gate, lang: Lang) -> Iterator[Checked]:
    """Yield what is said of a file; of HL7 messages, and of the documents that they carry."""
    if not data.lstrip(_BEFORE_HL7).startswith(_HL7):
        yield from validate(data, name, gate, lang)
        return
    found = [
        Explained(
            level=each.level,
            step="hl7",
            rule=each.code,
            what=each.text,
            where=f"message {each.message} › {each.place}",
            path=each.place,
            line=0,
            remedy=_REMEDIES[lang][each.level],
            message="",
        )
        for each in validate_hl7.explain(data, lang)
    ]
    refused = any(each.level == "error" for each in found)
    yield Checked(name, "hl7", "failed" if refused else "passed", "", "", "", tuple(found))
    for number, message in enumerate(messages_in(data), 1):
        for rank, document in enumerate(_documents(message), 1):
            yield from validate(document, f"{name}/{number}.{rank}", gate, lang)


def _documents(message: bytes) -> Iterator[bytes]:
    """Yield the CDA that a message carries; what cannot be read is told by the message's own findings."""
    try:
        segments = er7.read(message, fallback="iso8859-15").all("OBX")
    except Refused:
        return
    for each in segments:
        if each.field(2).strip().upper() == "ED" and each.component(5, 5):
            try:
                content = decode_base64(each.component(5, 5))
            except Refused:
                continue
            if b"ClinicalDocument" in content:
                yield content


def _show(checked: Checked, lang: Lang, out: Console, *, warnings: bool) -> None:
    words = _WORDS[lang]
    about = f" (CR-BIO {checked.volet})" if checked.volet else ""
    sha256 = f", {words['rules']} {checked.rules_sha256[:12]}" if checked.rules_sha256 else ""
    sign = "[green]✔[/]" if checked.conforms else "[red]✘[/]"
    out.print(f"{sign} ", end="")
    verdict = checked.conformance if checked.kind != "hl7" else "accepted" if checked.conforms else "refused"
    out.print(f"{checked.name}{about}{words['colon']}{words[verdict]}{sha256}", markup=False)
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
