"""What can go wrong with an export."""

from __future__ import annotations

from chadan.platform.errors import ChadanError


class ExportTooLarge(ChadanError):
    """The role may not take that many rows at once."""

    code = "export_too_large"
    status = 422


class ExportGone(ChadanError):
    """The file is no longer kept."""

    code = "export_gone"
    status = 410


class ExportCancelled(ChadanError):
    """Somebody cancelled it while it was being written."""

    code = "export_cancelled"
    status = 409


class ExportFailed(ChadanError):
    """The file could not be written; the reason is one sentence for the user."""

    code = "export_failed"
    status = 500
