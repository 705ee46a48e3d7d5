"""The two ways the DMP says no: a SOAP fault (who are you?), a registry error (what is this?)."""


class Fault(Exception):
    """A SOAP fault, HTTP 500. `code` is Sender or Receiver; the text names no patient."""

    def __init__(self, text: str, *, subcode: str = "", code: str = "Sender") -> None:
        super().__init__(text)
        self.code, self.subcode, self.text = code, subcode, text


class RegistryError(Exception):
    """A RegistryResponse Failure with one error."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text
