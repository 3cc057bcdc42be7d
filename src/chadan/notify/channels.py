"""The channels a message can take. A channel nobody set up says so; it never pretends to have sent."""

from __future__ import annotations

import logging
import smtplib
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

from chadan.platform.errors import ChadanError

log = logging.getLogger(__name__)
TIMEOUT = 10
"""Seconds a mail server gets: somebody waits for the page."""


class NotConfigured(ChadanError):
    """The channel is not set up on this installation."""

    code = "notify_not_configured"
    status = 503


class NotSent(ChadanError):
    """The channel is set up, and did not take the message."""

    code = "notify_not_sent"
    status = 502


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: plain text, a subject where the channel has one."""

    subject: str
    text: str


class Notifier(Protocol):
    """A channel."""

    def ready(self) -> bool:
        """Whether it is set up; pages offer only what is."""

    def send(self, to: str, message: Message) -> None:
        """Sends now. Raises NotConfigured or NotSent."""


class Email:
    """Through Django's mail settings (CHADAN_EMAIL_URL). Without a mail server, mail is only written to files: not sent."""

    def ready(self) -> bool:
        """Whether there is a mail server."""
        return "filebased" not in settings.EMAIL_BACKEND

    def send(self, to: str, message: Message) -> None:
        """Sends one mail to `to`, an address that was checked. Raises NotConfigured or NotSent."""
        if not self.ready():
            raise NotConfigured(_("This shop cannot send e-mail."), hint=_("Save the order number instead."))
        try:
            EmailMessage(message.subject, message.text, to=[to], connection=get_connection(timeout=TIMEOUT)).send()
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail not sent", extra={"reason": type(error).__name__})
            raise NotSent(_("The e-mail could not be sent."), hint=_("Try again later.")) from error


class Sms:
    """Text messages: the interface is here, no provider is."""

    def ready(self) -> bool:
        """Never: there is no provider."""
        return False

    def send(self, to: str, message: Message) -> None:  # noqa: ARG002 - the channels' one signature
        """Raises NotConfigured."""
        raise NotConfigured(_("This shop cannot send text messages."), hint=_("Save the order number instead."))


CHANNELS: dict[str, Notifier] = {"email": Email(), "sms": Sms()}
