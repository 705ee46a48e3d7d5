"""Our state to INSi and back."""

from ins_qualifier.workers.checks import IdentityChecks

__all__ = ["IdentityChecks"]
