"""The control API of the test bench: what was received, faults on demand, reset."""

from labosim.control.app import application

__all__ = ["application"]
