"""Inputs that once broke a target, by target and by what was wrong. Each is run again by every test run."""

FINDINGS: dict[str, dict[str, bytes]] = {
    "frames": {},
    "message": {"a header of three letters": b"MSH\rABCDEFG"},
    "batch": {},
    "decision": {"a header of three letters": b"MSH\rABCDEFG"},
}
