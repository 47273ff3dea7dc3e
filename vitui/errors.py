"""What can go wrong in words a user can act on. The CLI prints the message and exits with `exit_code`."""

from __future__ import annotations


class VitError(Exception):
    """Base: one sentence that says what, where and what to do."""

    exit_code = 1


class UsageError(VitError):
    """The request itself is wrong or cannot work here."""

    exit_code = 2


class NotFound(VitError):
    """No such run, preset or dataset."""

    exit_code = 3


class Busy(VitError):
    """Somebody else holds what is needed, or the thing is in the wrong state for it."""

    exit_code = 4
