"""Oxford 102 Flower as published: ``jpg/image_00001.jpg`` and on, ``imagelabels.mat``, ``setid.mat``.

Classes are the publisher's numbers 1 to 102. Its own splits: 10 pictures of each class in train (trnid) and in val
(valid), the rest in test (tstid).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.data.build import Progress, Source, quiet
from engine.data.errors import DataError
from engine.data.pack import Labels
from engine.data.pictures import Listing, picture_source, some

_LABELS, _SPLITS = "imagelabels.mat", "setid.mat"
_KEYS = {"train": "trnid", "val": "valid", "test": "tstid"}

# In the order of the numbers, as https://www.robots.ox.ac.uk/~vgg/data/flowers/102/categories.html shows them.
_TITLES = tuple(
    """pink primrose, hard-leaved pocket orchid, canterbury bells, sweet pea, english marigold, tiger lily,
    moon orchid, bird of paradise, monkshood, globe thistle, snapdragon, colt's foot, king protea, spear thistle,
    yellow iris, globe-flower, purple coneflower, peruvian lily, balloon flower, giant white arum lily, fire lily,
    pincushion flower, fritillary, red ginger, grape hyacinth, corn poppy, prince of wales feathers, stemless gentian,
    artichoke, sweet william, carnation, garden phlox, love in the mist, mexican aster, alpine sea holly,
    ruby-lipped cattleya, cape flower, great masterwort, siam tulip, lenten rose, barbeton daisy, daffodil, sword lily,
    poinsettia, bolero deep blue, wallflower, marigold, buttercup, oxeye daisy, common dandelion, petunia, wild pansy,
    primula, sunflower, pelargonium, bishop of llandaff, gaura, geranium, orange dahlia, pink-yellow dahlia,
    cautleya spicata, japanese anemone, black-eyed susan, silverbush, californian poppy, osteospermum, spring crocus,
    bearded iris, windflower, tree poppy, gazania, azalea, water lily, rose, thorn apple, morning glory,
    passion flower, lotus, toad lily, anthurium, frangipani, clematis, hibiscus, columbine, desert-rose, tree mallow,
    magnolia, cyclamen, watercress, canna lily, hippeastrum, bee balm, ball moss, foxglove, bougainvillea, camellia,
    mallow, mexican petunia, bromelia, blanket flower, trumpet creeper, blackberry lily""".replace("\n    ", " ").split(
        ", "
    )
)


def is_flowers(path: Path) -> bool:
    """Whether `path` has one of the two label files."""
    return (path / _LABELS).is_file() or (path / _SPLITS).is_file()


def read_flowers(path: Path, size: int | None = None, progress: Progress = quiet) -> Source:
    """A Source of the pictures in `path`/jpg; `size` in px.

    Raises DataError: a label file missing or torn, splits of pictures without label, missing pictures, and what
    `picture_source` raises.
    """
    labels = _matrix(path / _LABELS, "labels")
    classes = max(1, int(labels.max(initial=0)))
    listing: Listing = {}
    for split, key in _KEYS.items():
        ids = np.sort(_matrix(path / _SPLITS, key))
        if ids.min(initial=1) < 1 or ids.max(initial=1) > len(labels) or labels[ids - 1].min(initial=1) < 1:
            raise DataError(f"{path / _SPLITS} names pictures that {_LABELS} has no label for; fetch both again")
        files = [(path / "jpg" / f"image_{number:05d}.jpg", int(labels[number - 1]) - 1) for number in ids]
        if missing := [file.name for file, _ in files if not file.is_file()]:
            raise DataError(f"{path / 'jpg'} lacks {some(missing)}; unpack 102flowers.tgz there")
        listing[split] = files
    titles = _TITLES if classes == len(_TITLES) else ()
    return picture_source(path, [str(n) for n in range(1, classes + 1)], listing, size, progress, titles=titles)


def _matrix(path: Path, key: str) -> Labels:
    """One row vector of whole numbers of a MATLAB 5 file."""
    from scipy.io import loadmat

    if not path.is_file():
        raise DataError(f"{path} is missing; fetch it from where the pictures come from")
    try:
        matrix = loadmat(path, variable_names=[key])[key]
        return np.asarray(matrix).reshape(-1).astype(np.int64, casting="unsafe")
    except Exception as error:
        # A torn file can raise nearly anything while it is read.
        raise DataError(f"{path} holds no matrix {key} that can be read ({error}); fetch it again") from None
