"""Structured logs: one JSON object a line, without secrets, cards or full phone numbers."""

from __future__ import annotations

import json
import logging
import logging.config
import re
from datetime import UTC, datetime

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "server_time", "taskName"}
_SECRETS = (
    (re.compile(r"cd_live_[A-Za-z0-9_-]+"), "cd_live_***"),
    (re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)"), r"\1****\2"),
    (re.compile(r"(?i)\b(password|secret|token|card|sign)=[^&\s\"]+"), r"\1=***"),
)

_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def scrub(text: str) -> str:
    """The text with API keys, phone numbers and secret parameters masked."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; extra fields become keys."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": scrub(record.getMessage()),
        }
        for key, value in vars(record).items():
            if key not in _STANDARD:
                line[key] = scrub(value) if isinstance(value, str) else value
        if record.exc_info:
            line["error"] = scrub(self.formatException(record.exc_info))
        return _encode(line)


def logging_config(level: str) -> None:
    """Sends every log to stderr as JSON lines from `level` up."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.request": {"level": "ERROR"},
                "procrastinate": {"level": "WARNING"},
                "asyncio": {"level": "WARNING"},
            },
        }
    )
