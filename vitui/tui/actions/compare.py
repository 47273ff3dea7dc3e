"""Actions of the Compare screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action

ACTIONS: tuple[Action, ...] = ()
