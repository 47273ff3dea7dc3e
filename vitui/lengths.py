"""How long a recipe trains, from what is known of its data before anything is opened."""

from __future__ import annotations

from pathlib import Path

from engine.recipe import Recipe, RecipeError
from engine.recipe.splits import train_images
from engine.schedules import total_steps
from vitui.errors import UsageError
from vitui.preflight import dataset_status


def steps_per_epoch(home: Path, recipe: Recipe) -> int | None:
    """Optimiser updates in a pass over the training images; None where the size of the dataset is not known."""
    status = next((one for one in dataset_status(home) if one.name == recipe.data.dataset), None)
    if status is None or "train" not in status.splits:
        return None
    return max(1, train_images(recipe, status.splits) // recipe.train.batch_size)


def check_length(home: Path, recipe: Recipe) -> None:
    """Raises UsageError when warm-up and cool-down leave nothing of the run."""
    if (steps := steps_per_epoch(home, recipe)) is not None:
        try:
            total_steps(recipe, steps)
        except RecipeError as error:
            raise UsageError(str(error)) from None
