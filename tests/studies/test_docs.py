"""docs/study-file.md is what the definition of a study says, and its example and those of studies.md are studies."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from engine.recipe import presets
from vitui.studies.definition import Axis, ExtraVariant, Layout, Level, Sampled, Search, Study, Upstream, parse
from vitui.studies.plan import Shelf, variants_of

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_that_of_the_definition() -> None:
    written = (DOCS / "study-file.md").read_text(encoding="utf-8")
    assert written == runpy.run_path(str(DOCS / "study_file.py"))["page"](), "`uv run python docs/study_file.py`"


@pytest.mark.parametrize("model", [Study, ExtraVariant, Axis, Level, Search, Sampled, Upstream, Layout])
def test_every_key_is_documented(model: type[Study]) -> None:
    assert [name for name, field in model.model_fields.items() if not (field.description or "").endswith(".")] == []


@pytest.mark.parametrize("page", ["study-file.md", "studies.md"])
def test_examples_can_be_trained(page: str) -> None:
    found = re.findall(r"^```toml\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    for text in found:
        assert variants_of(parse(text, page), Shelf([presets.SHIPPED]))
