"""What an event changes on the board. Plain values and functions."""
