"""Labels of axes."""

from __future__ import annotations

from vitui.tui.widgets import axes


def test_labels_of_a_small_range_of_large_values_tell_them_apart() -> None:
    assert axes.labels([999_970.0, 999_980.0, 1_000_000.0, 1_000_010.0]) == [
        "9.9997e5", "9.9998e5", "1e6", "1.00001e6",
    ]  # fmt: skip
    assert axes.labels([0.0, 2e6, 4e6]) == ["0", "2e6", "4e6"] and axes.labels([1e-5, 2e-5]) == ["1e-5", "2e-5"]
