"""What the services of Labohub share, in rooms that depend on one another in one direction only.

``runtime -> bus, store -> contracts -> standards -> errors``; `make layers` checks it.
"""
