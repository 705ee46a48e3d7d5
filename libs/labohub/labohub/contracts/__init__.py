"""What services say to each other: values, events, topics and the envelope. No I/O."""
