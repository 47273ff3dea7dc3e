"""The panes of the Run screen, as pure functions: a view in, styled lines out."""
