"""A light MSSanté operator: SMTP submission with delivery notices, and IMAP over the same mailboxes."""

from labosim.mss.simulator import MssSimulator, routes

__all__ = ["MssSimulator", "routes"]
