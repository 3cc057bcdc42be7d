"""Why an order of a batch is left as it is, in words. Codes are what rows and the API carry."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

REASONS: dict[str, Promise] = {
    "not_found": gettext_lazy("There is no such order among yours."),
    "has_tag": gettext_lazy("It has the tag already."),
    "no_tag": gettext_lazy("It does not have the tag."),
    "unpaid": gettext_lazy("It is unpaid."),
    "cancelled": gettext_lazy("It is cancelled."),
    "delivered": gettext_lazy("It is delivered already."),
    "failed": gettext_lazy("Its delivery failed: try it again first."),
    "after_sale": gettext_lazy("An after-sales case is open."),
    "refunded": gettext_lazy("Its money has gone back."),
    "refunding": gettext_lazy("A refund is on its way."),
    "needs_cards": gettext_lazy("Its cards have to be typed in, order by order."),
    "paid_elsewhere": gettext_lazy("It was paid outside this site and is refunded there."),
    "amount_changed": gettext_lazy("What it holds has changed since the preview."),
    "changed_since": gettext_lazy("It was changed since, so it stays as it is."),
    "tag_gone": gettext_lazy("The tag does not exist any more."),
    "busy": gettext_lazy("Somebody else worked on it the whole time. Try this order alone."),
    "internal": gettext_lazy("An internal error, which has been logged. Try this order alone."),
}


def reason_text(reason: str) -> str:
    """A stored reason in the reader's language: a code of REASONS, or words."""
    known = REASONS.get(reason)
    return str(known) if known is not None else _(reason) if reason else ""
