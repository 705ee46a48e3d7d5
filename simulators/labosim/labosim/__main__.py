"""`python -m labosim`."""

from labosim.main import main

if __name__ == "__main__":
    main()
