"""Expressions without value: the dynamic and type errors of XPath 2.0."""

from typing import NoReturn


class EvaluationFailed(Exception):
    """An expression has no value for this document: the standard's dynamic and type errors."""


def fail(reason: str = "no value") -> NoReturn:
    """Raise the error of an expression without value."""
    raise EvaluationFailed(reason)
