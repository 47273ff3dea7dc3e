"""What can be wrong with a model. Here, as importing `engine.models` loads timm, which whoever catches it may not."""


class ModelError(ValueError):
    """Unknown model, unsupported argument, or weights that do not fit. `str()` is one sentence with a remedy."""
