"""The sequencer that gives events their place in the log, and consumers that read it."""
