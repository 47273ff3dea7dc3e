"""What can be wrong with a model, in one sentence with a remedy."""


class ModelError(ValueError):
    """Unknown model, unsupported argument, or weights that do not fit."""
