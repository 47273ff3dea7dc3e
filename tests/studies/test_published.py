"""The published tables of the source documents, typed a second time here, against what the shipped studies show."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from engine.recipe import presets
from vitui.studies import definition
from vitui.studies.plan import Shelf, variants_of
from vitui.studies.published import NOTHING, PublishedTable, published
from vitui.studies.variants import Variant

SHELF = Shelf([presets.SHIPPED])


@cache
def planned(name: str) -> tuple[definition.Study, tuple[Variant, ...]]:
    study = definition.parse((definition.SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), name)
    return study, variants_of(study, SHELF, (), name)


@cache
def shown(name: str) -> PublishedTable:
    return published(*planned(name))


def grid(text: str) -> list[list[str]]:
    """Rows of cells between bars."""
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]


def number(cell: str) -> float | None:
    """What a cell says, as a number in the unit of a reference; None for an outcome."""
    if ":" in cell:
        minutes, seconds = cell.split(":")
        return 60 * int(minutes) + int(seconds)
    scale = {"M": 1e6, "G": 1e9, " MB": 1e6, " GB": 1e9}
    unit = next((unit for unit in (" MB", " GB", "M", "G") if cell.endswith(unit)), "")
    try:
        return float(cell.removesuffix(unit).replace("−", "-")) * scale.get(unit, 1)
    except ValueError:
        return None


def compare(made: PublishedTable, label: str, headings: list[str], cells: list[str]) -> int:
    """Every cell of a row against the one under that heading; the number of those that hold something."""
    columns = [column.heading for column in made.columns]
    (row,) = [row for row in made.rows if row.label == label]
    for heading, cell in zip(headings, cells, strict=True):
        found = row.cells[columns.index(heading)]
        assert found.text == cell, (label, heading)
        assert found.value == pytest.approx(number(cell), rel=1e-9) and bool(found.source) == (cell != "–")
    return sum(cell != "–" for cell in cells)


def whole(made: PublishedTable) -> int:
    """How many cells of a table hold something."""
    return sum(cell != NOTHING for row in made.rows for cell in row.cells)


# -- 2.4, 2.5 --------------------------------------------------------------------------------------------------------

# Paper, its draft, reproduction (a second run of DeiT), acc@5 of both, img/s on an RTX 3070, checkpoint, time per epoch.
TIN = """
ViT-L            | 86.43 | 86.31 | 86.52 | –     | 95.82 | –     | 31.5 | 1.13 GB | 22:56
CaiT-S36         | 86.74 | 86.64 | 86.66 | –     | 96.61 | –     | 24.0 | 781 MB  | 23:10
DeiT-B distilled | 87.29 | 87.35 | 82.52 | 82.05 | 94.16 | 94.02 | 83.1 | 330 MB  | 9:20
Swin-L           | 91.35 | 91.34 | 91.32 | –     | 98.04 | –     | 36.0 | 761 MB  | 20:30
"""
TIN_COLUMNS = [
    "top-1 (published)", "top-1 (draft)", "top-1 (reproduction)", "top-1 (reproduction, second run)",
    "top-5 (reproduction)", "top-5 (reproduction, second run)", "throughput (published)", "checkpoint (reproduction)",
    "time per epoch (reproduction)",
]  # fmt: skip
# What the draft quotes of ImageNet-1k, CIFAR-100 and CIFAR-10; for CaiT of M36, and of S36 from its authors.
UPSTREAM = """
ViT-L            | 87.08 | 94.04 | 99.38 | –     | –     | –     | –
CaiT-S36         | –     | –     | –     | 86.05 | 93.10 | 99.40 | 85.4
DeiT-B distilled | 85.43 | 91.40 | 99.20 | –     | –     | –     | –
Swin-L           | 87.15 | –     | –     | –     | –     | –     | –
"""
UPSTREAM_COLUMNS = [
    *(f"{data} top-1 (draft{label})" for label in ("", ", CaiT-M36") for data in ("ImageNet", "CIFAR-100", "CIFAR-10")),
    "ImageNet top-1 (published)",
]
# Parameters and multiply-adds of the paper.
SIZES = """
ViT-L            | 304M | 190.7G
CaiT-S36         | 68M  | 48.0G
DeiT-B distilled | 87M  | 55.5G
Swin-L           | 196M | 103.9G
"""
# Reproduction, paper.
ABLATION = """
Default (no RandAugment)             | 91.32 | 91.35
Add RandAugment                      | 91.01 | 91.34
Remove random erasing                | 91.03 | 91.28
Add simple random crop               | –     | 91.26
Remove stochastic depth              | –     | 91.25
Remove label smoothing               | 91.20 | 91.25
Replace RandAugment with AutoAugment | –     | 91.25
Remove Mixup                         | 91.14 | 91.11
Add random resized crop              | –     | 91.06
Remove CutMix                        | 91.28 | 91.04
Add model EMA                        | –     | 90.83
"""
OPTIMIZERS = """
AdamW                      | 91.35
SGD with Nesterov momentum | 91.21
SGD                        | 91.10
"""
MICROBATCH = """
DeiT-B distilled, micro-batch 32  | 81.79 | 93.84
DeiT-B distilled, micro-batch 64  | 82.05 | 94.02
DeiT-B distilled, micro-batch 128 | 82.11 | 93.91
"""


@pytest.mark.parametrize(
    ("study", "parts"),
    [
        ("tin-models", [
            (TIN, TIN_COLUMNS), (UPSTREAM, UPSTREAM_COLUMNS), (SIZES, ["parameters (published)", "MACs (published)"])
        ]),
        ("tin-ablation", [(ABLATION, ["top-1 (reproduction)", "top-1 (published)"])]),
        ("tin-optimizers", [(OPTIMIZERS, ["top-1 (published)"])]),
        ("tin-microbatch", [(MICROBATCH, ["top-1 (reproduction)", "top-5 (reproduction)"])]),
    ],
)  # fmt: skip
def test_tables_of_tiny_imagenet(study: str, parts: list[tuple[str, list[str]]]) -> None:
    made = shown(study)
    held = sum(compare(made, label, headings, cells) for text, headings in parts for label, *cells in grid(text))
    assert held == whole(made)
    assert [row.label for row in made.rows] == [label for label, *_ in grid(parts[0][0])]


# -- 3.8 -------------------------------------------------------------------------------------------------------------

COMPACT = """
ViT-Lite-7/4 | 200  | 91.38 | 69.75 | 3.717M | 0.239G
ViT-Lite-6/4 | 200  | 90.94 | 69.20 | 3.191M | 0.205G
CVT-7/4      | 200  | 92.43 | 73.01 | 3.717M | 0.236G
CVT-6/4      | 200  | 92.58 | 72.25 | 3.190M | 0.202G
CCT-2/3x2    | 200  | 89.17 | 66.90 | 0.284M | 0.033G
CCT-4/3x2    | 200  | 91.45 | 70.46 | 0.482M | 0.046G
CCT-6/3x2    | 200  | 93.56 | 74.47 | 3.327M | 0.241G
CCT-7/3x2    | 200  | 93.83 | 74.92 | 3.853M | 0.275G
CCT-7/3x1    | 200  | 94.78 | 77.05 | 3.760M | 0.947G
CCT-6/3x1    | 200  | 94.81 | 76.71 | 3.168M | 0.813G
CCT-6/3x1    | 500  | 95.29 | 77.31 | 3.168M | 0.813G
CCT-7/3x1    | 300  | 96.53 | 80.92 | –      | –
CCT-7/3x1 sine | 1500 | 97.48 | 82.72 | –    | –
CCT-7/3x1 sine | 5000 | 98.00 | 82.87 | –    | –
"""
QUOTED = """
CVT-7/4      | 94.01 | 76.49
CCT-7/3x2    | 95.04 | 77.72
ViT-Lite-7/4 | –     | 73.94
"""
LARGE = """
CCT-7/7x2 on Flowers-102, from scratch             | 97.19 | –      | –      | –     | –     | –
CCT-14/7x2 on Flowers-102 at 384 px, from ImageNet | 99.76 | –      | –      | –     | –     | –
CCT-14/7x2 on ImageNet                             | 80.67 | 22.36M | 5.11G  | –     | –     | –
CCT-14/7x2 on ImageNet at 384 px                   | 82.71 | 22.51M | 15.02G | 77.91 | 86.8M | 17.6G
"""


def test_tables_of_compact_transformers() -> None:
    made, held = shown("compact-cifar"), 0
    both = [f"{data}: top-1 (published)" for data in ("CIFAR-10", "CIFAR-100")]
    for model, epochs, *cells in grid(COMPACT):
        held += compare(made, f"{model}, {epochs} epochs", [*both, "parameters (published)", "MACs (published)"], cells)
    for model, *cells in grid(QUOTED):
        headings = [heading.replace("published", "published, quoted") for heading in both]
        held += compare(made, f"{model}, 300 epochs (quoted)", headings, cells)
    assert held == whole(made) == 28 + 22 + 5
    large = shown("compact-large")
    vit = [f"{title} (published, ViT-B/16)" for title in ("ImageNet top-1", "parameters", "MACs")]
    own = [f"{title} (published)" for title in ("top-1", "parameters", "MACs")]
    assert sum(compare(large, label, [*own, *vit], cells) for label, *cells in grid(LARGE)) == whole(large)


# -- 4.7, 4.8 --------------------------------------------------------------------------------------------------------

# Columns none, light1, light2, medium1, medium2, strong1, strong2; then best with regularisation less best without.
HEAT = {
    "i1k300": """
R+Ti/16  | 69 73 73 72 70 71 68 | 71 70 67 65 63 62 61 | −2
Ti/16    | 72 76 75 75 74 72 71 | 71 72 68 65 63 63 62 | −4
S/32     | 64 71 76 76 76 74 74 | 70 72 72 71 71 69 68 | −4
S/16     | 71 77 79 81 82 80 80 | 76 79 80 79 79 77 77 | −2
B/32     | 63 70 73 75 76 75 76 | 69 74 77 77 78 77 77 | +2
R26+S/32 | 72 76 78 79 80 80 80 | 75 78 81 82 82 81 81 | +2
B/16     | 70 76 79 79 81 80 80 | 76 79 81 82 83 82 82 | +2
L/16     | 69 76 77 78 78 76 76 | 74 78 78 78 79 77 77 | 0
R50+L/32 | 70 75 76 77 77 76 76 | 75 78 78 78 79 77 77 | +2
""",
    "i21k30": """
R+Ti/16  | 36 35 33 32 31 30 29 | 33 31 28 27 26 25 24 | −3
Ti/16    | 38 37 35 34 33 32 31 | 34 32 29 27 26 25 25 | −4
S/32     | 40 39 38 37 36 35 34 | 37 34 33 32 31 30 29 | −3
S/16     | 44 43 43 42 41 40 39 | 42 40 39 38 37 35 35 | −2
B/32     | 43 42 43 42 41 40 40 | 42 40 40 38 38 36 36 | −1
R26+S/32 | 45 45 43 43 42 41 41 | 44 44 42 41 40 40 39 | −1
B/16     | 46 47 47 46 46 45 44 | 46 45 45 44 43 42 41 | −1
L/16     | 45 48 49 49 49 48 47 | 48 48 48 47 46 45 45 | −1
R50+L/32 | 45 47 48 48 48 47 47 | 48 48 48 47 47 45 46 | 0
""",
    "i21k300": """
R+Ti/16  | 39 38 37 36 35 34 33 | 36 34 32 31 30 29 28 | −3
Ti/16    | 41 41 40 39 37 37 36 | 38 36 34 33 32 31 29 | −4
S/32     | 43 43 43 42 42 41 40 | 41 40 39 38 36 36 35 | −2
S/16     | 46 47 47 47 46 45 45 | 45 45 43 43 42 41 40 | −2
B/32     | 42 46 48 47 47 47 46 | 45 46 46 45 44 44 43 | −2
R26+S/32 | 46 48 48 47 47 46 46 | 48 48 46 46 45 44 43 | 0
B/16     | 43 48 50 51 50 50 50 | 47 49 49 49 48 48 48 | −1
L/16     | 43 46 49 49 51 51 51 | 46 48 51 51 51 51 51 | 0
R50+L/32 | 42 46 47 49 51 50 51 | 46 48 51 51 51 51 51 | +1
""",
}
LEVELS = ["none", "light1", "light2", "medium1", "medium2", "strong1", "strong2"]
# 224 px: img/s, upstream of i1k300, i1k300, i21k30, i21k300; 384 px: img/s, the three, i21k chosen by V2, JFT-300M.
TRANSFER = """
L/16     | 228  | 75.72 | 74.01 | 82.05 | 83.98 | 50   | 77.21 | 84.48 | 85.59 | 87.08 | 87.12
B/16     | 659  | 79.84 | 78.73 | 80.42 | 83.96 | 138  | 81.63 | 83.46 | 85.49 | 86.15 | 84.15
S/16     | 1508 | 79.00 | 77.51 | 76.04 | 80.46 | 300  | 80.70 | 80.22 | 83.73 | 83.15 | –
R50+L/32 | 1047 | 76.84 | 74.17 | 80.26 | 82.74 | 327  | 76.71 | 83.19 | 85.99 | 86.21 | –
R26+S/32 | 1814 | 79.61 | 78.20 | 77.42 | 80.81 | 560  | 81.55 | 81.11 | 83.85 | 83.80 | –
Ti/16    | 3097 | 72.59 | 69.56 | 68.89 | 73.75 | 610  | 74.64 | 74.20 | 78.22 | 77.83 | –
B/32     | 3597 | 74.42 | 71.38 | 72.24 | 79.13 | 955  | 76.60 | 78.65 | 83.59 | 83.59 | 80.73
S/32     | 8342 | 72.07 | 69.19 | 68.49 | 73.47 | 2154 | 75.65 | 75.74 | 79.58 | 80.01 | –
R+Ti/16  | 9371 | 70.13 | 67.30 | 65.65 | 69.69 | 2426 | 73.48 | 71.97 | 75.40 | 75.33 | –
"""
TRANSFER_COLUMNS = [
    "224 px: throughput (published)", "upstream top-1 (published, i1k300)",
    *(f"224 px: top-1 (published, {data})" for data in ("i1k300", "i21k30", "i21k300")),
    "384 px: throughput (published)",
    *(f"384 px: top-1 (published, {data})" for data in ("i1k300", "i21k30", "i21k300", "i21k chosen by V2", "JFT-300M")),
]  # fmt: skip


@pytest.mark.parametrize("data", HEAT)
def test_the_heat_maps_of_augreg(data: str) -> None:
    made, held = shown(f"augreg-{data}"), 0
    headings = [
        f"{reg}, {level}: top-1 (published)" for reg in ("no regularisation", "regularisation 0.1") for level in LEVELS
    ]
    for model, without, with_, gain in grid(HEAT[data]):
        cells = [*without.split(), *with_.split(), gain]
        held += compare(made, model, [*headings, "gain (published, reg − noreg)"], cells)
    beside = [column for column in made.columns if column.label == "Table 6" or column.metric == "upstream_top1"]
    assert held == 9 * 15 == whole(made) - {"i1k300": 9, "i21k30": 0, "i21k300": 3}[data]
    assert [row.label for row in made.rows] == [model for model, *_ in grid(HEAT[data])]
    assert len(beside) == {"i1k300": 1, "i21k30": 0, "i21k300": 3}[data]


def test_the_transfer_table_of_augreg() -> None:
    made = shown("augreg-transfer")
    held = sum(compare(made, model, TRANSFER_COLUMNS, cells) for model, *cells in grid(TRANSFER))
    assert held == whole(made) and len(made.columns) == len(TRANSFER_COLUMNS)
    grids = shown("augreg-i1k300")
    for model, _, upstream, *_ in grid(TRANSFER):  # the same column beside the grid it is the best of
        compare(grids, model, ["upstream top-1 (published)"], [upstream])


# -- 5.6 -------------------------------------------------------------------------------------------------------------

# Notebook, paper, parameters in millions, img/s. Planned and running rows have parameters alone.
DEIT = """
Deit-Ti LN              | 72.56                       | 72.2 | 5     | 2536.5
Deit-S LN               | 80.47                       | 79.8 | 22    | 940.4
Deit-B LN               | 78.74                       | 81.8 | 86.6  | 292.3
Deit-L LN               | 77.83                       | –    | 153.2 | –
Deit-B bn_relu6         | 79.26                       | –    | 86.6  | –
Deit-L bn_relu6         | NaN at epoch 35             | –    | 153.2 | –
Deit-B bn_wn            | 78.77                       | –    | 86.7  | –
Deit-L bn_wn            | –                           | –    | 153.3 | –
Deit-L bn_wn, batch 128 | NaN at epoch 12             | –    | –     | –
Deit-L bn_wn, batch 32  | trains; no number, it was running | – | –  | –
Deit-B bn_wn_relu6      | 80.25                       | –    | 86.7  | –
Deit-B ln_bn_wn         | NaN at epoch 234, best 80.7 | –    | 86.7  | –
Deit-B ln_bn_relu6      | NaN at epoch 8              | –    | 86.7  | –
Deit-B ln_bn_wn_relu6   | NaN at epoch 172, best 77.65 | –   | 86.7  | –
Deit-T ln_bn_wn         | 69.87                       | –    | 5.7   | –
Deit-T ln_bn_wn_relu6   | 69.16                       | –    | 5.7   | –
Deit-S ln_bn_wn         | 78.76                       | –    | 22.1  | –
Deit-S ln_bn_wn_relu6   | 78.24                       | –    | 22.1  | –
Swin-T LN               | –                           | 81.3 | –     | –
Swin-T bn_wn_relu6      | 80.75                       | –    | 28.3  | –
Swin-S bn_wn_relu6      | –                           | –    | 49.7  | –
Deit-T bn_relu6         | –                           | –    | 5.7   | –
Deit-T bn_wn            | –                           | –    | 5.7   | –
Deit-T bn_wn_relu6      | –                           | –    | 5.7   | –
Deit-S bn_relu6         | –                           | –    | 22.1  | –
Deit-S bn_wn            | –                           | –    | 22.1  | –
Deit-S bn_wn_relu6      | –                           | –    | 22.1  | –
Swin-T bn_relu6         | –                           | –    | 28.3  | –
Swin-T bn_wn            | –                           | –    | 28.3  | –
Swin-S bn_relu6         | –                           | –    | 49.6  | –
Swin-S bn_wn            | –                           | –    | 49.7  | –
"""
# Beside it: the row of detection and segmentation, Swin-S from its authors, an unofficial BN-ViT.
DEIT_MORE = """
Swin-T LN               | –     | 95.6 | 50.5 | 43.5 | 46.1
Deit-Ti LN              | 71.89 | –    | –    | –    | –
Deit-T bn               | 68.70 | –    | –    | –    | –
Deit-T bn, also in MLPs | 69.04 | –    | –    | –    | –
"""


def test_the_notebook_on_deit_and_swin() -> None:
    made, held = shown("deit-bn"), 0
    headings = [
        "top-1 (published, notebook)", "top-1 (published)", "parameters (published)", "throughput (published)"
    ]  # fmt: skip
    for label, result, paper, params, speed in grid(DEIT):
        millions = params if params == "–" else f"{params}M"
        held += compare(made, label, headings, [result, paper, millions, speed])
    more = ["top-1 (reproduction)", "top-5 (published)", "COCO box AP (published)", "COCO mask AP (published)",
            "ADE20k mIoU (published)"]  # fmt: skip
    held += sum(compare(made, label, more, cells) for label, *cells in grid(DEIT_MORE))
    held += compare(made, "Swin-S LN", ["top-1 (published)"], ["83.2"])
    assert held == whole(made)
    assert {column.heading for column in made.columns} == {*headings, *more}


# -- 6.6 -------------------------------------------------------------------------------------------------------------

# CIFAR-10 LN, LN* (ImageNet-21k), BN, GN, Rescale; CIFAR-100 likewise. Best test accuracy, minutes on an RTX 3090.
NORMS = """
B_16 acc | 69.7  | 98.4  | 66.5  | 65.1  | 65.2  | 43.5  | 91.9  | 38.7  | 38.2  | 36.1
B_16 min | 171.1 | 170.6 | 181.1 | 185.1 | 165.9 | 168.8 | 167.7 | 177.5 | 181.4 | 162.6
B_32 acc | 67.6  | 98.4  | 67.1  | 65.5  | 66.1  | 42.8  | 91.0  | 39.9  | 40.0  | 37.8
B_32 min | 68.5  | 67.7  | 68.6  | 73.0  | 66.7  | 68.4  | 65.6  | 68.7  | 73.1  | 67.5
L_16 acc | 66.3  | 99.0  | 63.0  | 60.8  | 62.9  | 40.2  | 93.2  | 34.5  | 31.6  | 34.6
L_16 min | 306.2 | 308.2 | 326.4 | 330.9 | 295.0 | 303.9 | 298.8 | 320.5 | 326.7 | 295.6
L_32 acc | 67.5  | 98.9  | 67.4  | 65.6  | 65.4  | 42.7  | 92.2  | 40.6  | 39.6  | 37.6
L_32 min | 146.2 | 144.3 | 152.5 | 163.3 | 145.8 | 144.6 | 143.4 | 150.2 | 160.5 | 143.6
"""


def test_the_norms_on_cifar() -> None:
    made, held = shown("norm-cifar"), 0
    titles = {"acc": "top-1 (published)", "min": "training time (published)"}
    for head, *cells in grid(NORMS):
        model, what = head.split()
        headings = [
            f"{data}, {norm}: {titles[what]}"
            for data in ("CIFAR-10", "CIFAR-100")
            for norm in ("LN", "LN*", "BN", "GN", "Rescale")
        ]
        held += compare(made, model, headings, cells)
    assert held == whole(made) == 80
    assert (made.down, made.across) == (("model",), ("dataset", "norm"))
    assert {column.unit for column in made.columns} == {"%", "min"}


# -- the studies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(definition.SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_study_plans_and_says_what_it_is(path: Path) -> None:
    study, variants = planned(path.stem)
    assert definition.NAME.fullmatch(path.stem) and study.title and study.description and study.question
    assert study.upstream or (variants and len({variant.label for variant in variants}) == len(variants))
    assert not study.axis or len(variants) > 1


def test_the_shipped_studies_have_the_runs_of_their_tables() -> None:
    counts = {
        "tin-models": 4, "tin-ablation": 11, "tin-optimizers": 3, "tin-microbatch": 3, "compact-cifar": 34,
        "augreg-i1k300": 252, "augreg-i21k30": 252, "augreg-i21k300": 252, "augreg-transfer": 18, "norm-cifar": 40,
    }  # fmt: skip
    assert {name: len(planned(name)[1]) for name in counts} == counts
    for name in counts:
        variants = planned(name)[1]
        assert len({variant.fingerprint for variant in variants}) == len(variants), name
