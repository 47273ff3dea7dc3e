"""Actions of the Launch screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action

ACTIONS: tuple[Action, ...] = ()
