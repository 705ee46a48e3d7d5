"""The hub in one process, and the command `labohub`."""
