"""The sequencer that gives events their place in the log, and consumers that read it."""

from chadan.eventlog.health import Lag, lag

__all__ = ["Lag", "lag"]
