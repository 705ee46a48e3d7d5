"""The téléservice INSi on loopback: mutual TLS, the published SOAP shapes, test identities, faults on demand."""

from labosim.insi.control import routes
from labosim.insi.simulator import InsiSimulator

__all__ = ["InsiSimulator", "routes"]
