"""Actions of the Devices screen."""

from __future__ import annotations

from vitui.tui.actions.base import Action, action

ACTIONS: tuple[Action, ...] = (
    action("devices.open", "enter", "enter", "open", "Open the run under the cursor", "devices", "Devices", 2),
    action("devices.hold", "h", "h", "hold/release", "Keep a waiting run from being started, or let it", "devices",
       "Queue", 3),
    action("devices.later", "J shift+down", "J", "later", "Move a waiting run down the queue", "devices", "Queue", 5),
    action("devices.sooner", "K shift+up", "K", "sooner", "Move a waiting run up the queue", "devices", "Queue", 4),
    action("devices.next", "T", "T", "next", "Put a waiting run first in the queue", "devices", "Queue", 8),
    action("devices.last", "B", "B", "last", "Put a waiting run last in the queue", "devices", "Queue", 9),
    action("devices.stop", "x", "x", "stop", "Stop the run; a waiting one leaves the queue",
       "devices", "Queue", 6),
    action("devices.unpause", "u", "u", "unpause", "Let a paused queue start runs again", "devices",
       "Queue", 7),
    action("devices.wake-worker", "w", "w", "worker", "See to it that a worker serves the queue", "devices",
       "Queue", 12),
    action("devices.log", "l", "l", "log", "Show or hide what the worker has said", "devices", "Devices", 10),
)  # fmt: skip
