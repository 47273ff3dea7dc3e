"""Actions of the Launch screen."""

from __future__ import annotations

from vitui.tui.actions.base import action

ACTIONS = (
    action("launch.launch", "ctrl+l f5", "ctrl+l", "launch", "Launch one run, or queue one for each seed", "launch",
       "Launch", 2),
    action("launch.choose", "enter", "enter", "choose", "Take the preset, flip the toggle, edit the value", "launch",
       "Launch", 3, at_once=True),
    action("launch.flip", "space", "space", "flip", "Flip a toggle or a flag, fold a heading", "launch", "Launch", 6),
    action("launch.next-pane", "tab", "tab", "pane", "Presets, toggles, fields, run, preview", "launch", "Launch", 5),
    action("launch.previous-pane", "shift+tab", "shift+tab", "pane before", "The pane before", "launch", "Launch"),
    action("launch.search", "slash", "/", "search", "Search presets, toggles or fields as you type", "launch",
       "Launch", 7, at_once=True),
    action("launch.next-value", "right l", "right", "next value", "Next of the values to choose from; open a heading",
       "launch", "Launch"),
    action("launch.previous-value", "left h", "left", "value before", "The value before; fold a heading", "launch",
       "Launch"),
    action("launch.reset", "u delete", "u", "reset", "Set back to what the preset says", "launch", "Launch", 9),
    action("launch.undo", "U", "U", "undo", "Take the last change back", "launch", "Launch", 12),
    action("launch.start-over", "ctrl+n", "ctrl+n", "start over", "The unchanged preset again", "launch", "Launch"),
    action("launch.changed-only", "c", "c", "changed", "Only what differs from the preset, or everything", "launch",
       "Launch", 10),
    action("launch.fold-all", "f", "f", "fold all", "Fold all families of presets, or open them", "launch", "Launch"),
    action("launch.info", "i", "i", "about", "Description and published numbers of the preset", "launch", "Launch", 11),
    action("launch.copy", "y", "y", "copy", "Copy the `vitui run` command", "launch", "Launch", 8),
)  # fmt: skip
