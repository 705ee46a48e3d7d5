"""The téléservice INSi on loopback: mutual TLS, the published SOAP shapes, test identities, faults on demand."""

from labosim.insi.simulator import InsiSimulator, routes

__all__ = ["InsiSimulator", "routes"]
