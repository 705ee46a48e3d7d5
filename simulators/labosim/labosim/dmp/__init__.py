"""The DMP on loopback: mutual TLS, SOAP and MTOM, signatures and metadata checked strictly, faults on demand."""

from labosim.dmp.simulator import DmpSimulator, routes

__all__ = ["DmpSimulator", "routes"]
