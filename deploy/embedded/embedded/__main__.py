"""`python -m embedded` is `labohub`."""

from embedded.main import main

main()
