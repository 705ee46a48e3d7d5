"""`python -m labosim` is `labosim`."""

from labosim.main import main

main()
