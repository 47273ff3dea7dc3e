"""What can be wrong with a model, in one sentence with a remedy."""

from engine.errors import ModelError

__all__ = ["ModelError"]
