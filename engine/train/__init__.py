"""The training run: loop, evaluation, checkpoints, averages."""
