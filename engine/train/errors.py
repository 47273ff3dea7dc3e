"""What can be wrong with a checkpoint, in one sentence with a remedy."""


class CheckpointError(ValueError):
    """A checkpoint that is missing, of another run, or written by another version of this program."""


class DamagedError(CheckpointError):
    """A checkpoint whose bytes are not what was written."""
