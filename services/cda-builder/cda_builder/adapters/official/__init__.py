"""The official rules of the CI-SIS, read from the folder that the installation configures."""

from cda_builder.adapters.official.rules import OfficialRules

__all__ = ["OfficialRules"]
