"""A laboratory's SGL: sends messages over MLLP, keeps the business acknowledgements it gets back."""

from labosim.sgl.sender import Ack, Sender, send, send_all
from labosim.sgl.simulator import SglSimulator, routes

__all__ = ["Ack", "Sender", "SglSimulator", "routes", "send", "send_all"]
