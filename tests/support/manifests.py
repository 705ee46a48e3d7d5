"""What deployment files may speak of: services, settings, metrics."""

from pathlib import Path
from typing import Any

import yaml
from prometheus_client import REGISTRY
from pydantic import AliasChoices

from embedded.generate import SETTINGS
from embedded.hub import BUILDERS

ROOT = Path(__file__).resolve().parents[2]
SERVICES = tuple(BUILDERS)


def settings_names() -> frozenset[str]:
    """Return the environment variable of every setting."""
    names: set[str] = set()
    for _, kind in SETTINGS:
        prefix = str(kind.model_config.get("env_prefix", ""))
        for name, field in kind.model_fields.items():
            alias = field.validation_alias
            names |= (
                {str(choice) for choice in alias.choices}
                if isinstance(alias, AliasChoices)
                else {f"{prefix}{name}".upper()}
            )
    return frozenset(names)


def required_names() -> frozenset[str]:
    """Return the settings without which a service does not start, in whatever environment."""
    return frozenset(
        f"{kind.model_config.get('env_prefix', '')}{name}".upper()
        for _, kind in SETTINGS
        for name, field in kind.model_fields.items()
        if field.is_required()
    )


def metrics() -> dict[str, frozenset[str]]:
    """Return each sample's name of every metric in the code, with its labels."""
    samples: dict[str, frozenset[str]] = {}
    for name, collector in REGISTRY._names_to_collectors.items():
        labels = frozenset(getattr(collector, "_labelnames", ()))
        samples[name] = labels | {"le"} if name.endswith("_bucket") else labels
    return samples


def read_yaml(path: Path) -> list[Any]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text()))


def read_environment(path: Path) -> dict[str, str]:
    """Return the settings of an environment file; the same name twice is an error."""
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            assert name not in found, name
            found[name] = value
    return found
