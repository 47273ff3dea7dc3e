"""Actions of the Devices screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action

ACTIONS: tuple[Action, ...] = ()
