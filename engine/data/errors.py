"""The one error of this package."""


class DataError(ValueError):
    """Something about a dataset or its files is wrong. `str()` is one sentence: what, where, and what to do."""
