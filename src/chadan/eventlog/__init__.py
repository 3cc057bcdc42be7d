"""The sequencer that gives events their place in the log, and consumers that read it."""

from chadan.eventlog.health import LATE, Failure, Lag, failures, lag

__all__ = ["LATE", "Failure", "Lag", "failures", "lag"]
