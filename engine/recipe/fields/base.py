"""What every section of a recipe shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Auto = Literal["auto"]
Probability = Annotated[float, Field(ge=0, le=1)]
Scalar = bool | int | float | str
OptionValue = Scalar | list[int] | list[float] | list[str]


class Section(BaseModel):
    """Base of every part of a recipe: closed, immutable, documented."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True, allow_inf_nan=False
    )
