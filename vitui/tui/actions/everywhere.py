"""Actions that every screen has."""

from __future__ import annotations

from vitui.tui.actions.base import action

SCREENS = "runs launch run compare devices studies study scoreboard"

ACTIONS = (
    action("app.go-runs", "1", "1", "runs", "Every run", SCREENS, "Everywhere", 20),
    action("app.go-launch", "2", "2", "launch", "Pick a preset, flip toggles, launch", SCREENS, "Everywhere", 21),
    action("app.go-compare", "3", "3", "compare", "The runs chosen for comparison", SCREENS, "Everywhere", 22),
    action("app.go-devices", "4", "4", "devices", "Devices, queue, worker", SCREENS, "Everywhere", 23),
    action("app.go-studies", "5", "5", "studies", "Studies: plan, queue, table, heat map, curves", SCREENS,
       "Everywhere", 24),
    action("app.go-scoreboard", "6", "6", "scoreboard", "Published results beside your own", SCREENS, "Everywhere", 25),
    action("move.down", "j down", "j", "down", "Down", SCREENS, "Moving", palette=False),
    action("move.up", "k up", "k", "up", "Up", SCREENS, "Moving", palette=False),
    action("move.half-down", "ctrl+d", "ctrl+d", "half page down", "Half a page down", SCREENS, "Moving",
       palette=False),
    action("move.half-up", "ctrl+u", "ctrl+u", "half page up", "Half a page up", SCREENS, "Moving", palette=False),
    action("move.page-down", "pagedown", "pgdn", "page down", "A page down", SCREENS, "Moving", palette=False),
    action("move.page-up", "pageup", "pgup", "page up", "A page up", SCREENS, "Moving", palette=False),
    action("move.top", "g home", "g", "top", "To the first line", SCREENS, "Moving", palette=False),
    action("move.bottom", "G end", "G", "bottom", "To the last line", SCREENS, "Moving", palette=False),
    action("app.back", "escape backspace", "esc", "back", "Back: close what is open, leave the screen", SCREENS,
       "Everywhere", palette=False),
    action("app.jump", "ctrl+o", "ctrl+o", "jump", "Letters on what can be chosen; type one to go there", SCREENS,
       "Everywhere", 26, palette=False),
    action("app.help", "question_mark f1", "?", "help", "Search all keys here; enter carries one out", SCREENS,
       "Everywhere", 4, palette=False),
    action("app.palette", "colon ctrl+p", ":", "commands", "What can be done now, runs by name, themes", SCREENS,
       "Everywhere", 14, palette=False),
    action("app.leave", "q", "q", "quit", "Quit, ctrl+c as well; training goes on", SCREENS,
       "Everywhere", 1),
)  # fmt: skip
