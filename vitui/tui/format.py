"""Numbers as short text, as `vitui.display` has them."""

from vitui.display import accuracy, nonfinite, number, rate, short_device

__all__ = ["accuracy", "nonfinite", "number", "rate", "short_device"]
