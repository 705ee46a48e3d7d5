"""Findings in plain words: what is wrong, where, and the remedy, in French or in English."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from cda_builder.core.places import place_in_words
from cda_builder.core.verdict import ERROR, Finding, Verdict

Lang = Literal["fr", "en"]
LANGUAGES: tuple[Lang, ...] = ("fr", "en")

_FALLBACK: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "fr": {
        "": ("Le document ne suit pas une règle officielle : {message}", "Corriger ce que dit le message officiel."),
        "xsd": ("Le document ne suit pas le schéma CDA : {message}", "Corriger selon le message du schéma."),
        "evaluation": (
            "Une règle officielle n'a pas pu être évaluée sur ce document.",
            "Chercher un élément répété ou une valeur d'un autre type : la règle en attend un seul.",
        ),
        "version": (
            "Il n'y a pas de règles officielles pour la version du volet que le document déclare.",
            "Corriger l'extension du templateId 1.2.250.1.213.1.1.1.55, ou installer les règles de cette version.",
        ),
    },
    "en": {
        "": ("The document does not follow an official rule: {message}", "Correct what the official message says."),
        "xsd": ("The document does not follow the CDA schema: {message}", "Correct as the schema's message says."),
        "evaluation": (
            "An official rule could not be evaluated on this document.",
            "Look for an element that is repeated, or a value of another type: the rule expects one.",
        ),
        "version": (
            "There are no official rules for the version of the volet that the document declares.",
            "Correct the extension of the templateId 1.2.250.1.213.1.1.1.55, or install the rules of that version.",
        ),
    },
}
NOT_CONFIGURED: Mapping[str, str] = {
    "fr": "Les règles officielles ne sont pas installées (LABOHUB_CISIS_DIR) : seuls les contrôles du hub ont parlé. "
    "Un document sans erreur ici n'est pas déclaré conforme.",
    "en": "The official rules are not installed (LABOHUB_CISIS_DIR): the hub's own checks alone spoke. "
    "A document without errors here is not said to conform.",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """One finding in plain words, with the official message beside them."""

    level: str
    step: str
    rule: str
    what: str
    where: str
    path: str
    line: int
    remedy: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return asdict(self)


def explained(verdict: Verdict, lang: Lang) -> list[Explained]:
    """Return all findings of a verdict in plain words, errors first, in the order of the document."""
    ordered = sorted(verdict.findings, key=lambda each: (each.level != ERROR, each.line))
    return [explain(each, lang) for each in ordered]


def explain(finding: Finding, lang: Lang) -> Explained:
    """Return one finding in plain words."""
    what, remedy, values = _entry(finding, lang)
    return Explained(
        level=finding.level,
        step=finding.step,
        rule=finding.rule,
        what=_filled(what, values),
        where=place_in_words(finding.location, lang),
        path=finding.location,
        line=finding.line,
        remedy=_filled(remedy, values),
        message=finding.message,
    )


def _entry(finding: Finding, lang: Lang) -> tuple[str, str, Mapping[str, str]]:
    known = _own().get(finding.rule) if finding.step == "lint" else None
    if known is not None:
        return known[lang][0], known[lang][1], {}
    for step, pattern, texts in _official():
        if step not in ("", finding.step) or finding.rule in _FALLBACK[lang]:
            continue
        match = pattern.search(f"[{finding.rule}] {finding.message}")
        if match is not None:
            return texts[lang][0], texts[lang][1], {k: v or "" for k, v in match.groupdict().items()}
    what, remedy = _FALLBACK[lang].get(finding.rule) or _FALLBACK[lang].get(finding.step) or _FALLBACK[lang][""]
    return what, remedy, {"message": finding.message}


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with what its entry found in the message, and one space between words."""
    return " ".join(text.format_map(values).split()).replace(" .", ".") if "{" in text else text


@cache
def _own() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    return _table("lint.toml")


@cache
def _official() -> tuple[tuple[str, re.Pattern[str], Mapping[str, tuple[str, str]]], ...]:
    return tuple(_entries(_table("official.toml")["entry"]))


def _entries(entries: Any) -> Iterator[tuple[str, re.Pattern[str], Mapping[str, tuple[str, str]]]]:
    for each in entries:
        yield each.get("step", ""), re.compile(each["match"], re.DOTALL), {lang: each[lang] for lang in LANGUAGES}


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads((files("cda_builder.core.explanations") / name).read_text(encoding="utf-8"))
