"""What is published: one module or package per standard, bytes in, values out. No clock, no randomness, no I/O."""
