"""Widgets of the terminal app, and the pure code they draw with."""
