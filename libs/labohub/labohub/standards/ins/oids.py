"""The assigning authorities of the INS. Compare by equality: `…4.1` is a prefix of `…4.10`.

Source: ANS, OID des matricules INS (edition in docs/standards.md).
"""

INS_NIR = "1.2.250.1.213.1.4.8"
INS_NIA = "1.2.250.1.213.1.4.9"
INS_NIR_TEST = "1.2.250.1.213.1.4.10"
INS_NIR_DEMO = "1.2.250.1.213.1.4.11"
INS_C = frozenset({"1.2.250.1.213.1.4.2", "1.2.250.1.213.1.4.6", "1.2.250.1.213.1.4.7"})  # obsolete, never converted

PRODUCTION = frozenset({INS_NIR, INS_NIA})
OUTSIDE_PRODUCTION = frozenset({INS_NIR_TEST, INS_NIR_DEMO})

TEST_ENVIRONMENT = "test"  # any other environment counts as production: a spelling mistake must not open the door


def is_ins(oid: str) -> bool:
    """Return whether the authority assigns matricules INS, in any environment."""
    return oid in PRODUCTION or oid in OUTSIDE_PRODUCTION
