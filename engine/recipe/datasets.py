"""The catalogue: datasets known by name, with everything that can be said before a byte is fetched. Stdlib only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remote:
    """One file on a server: where, its MD5 as its publisher gives it, its size in bytes."""

    url: str
    md5: str
    bytes: int

    @property
    def filename(self) -> str:
        """Last part of the URL."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class DatasetSpec:
    """One known dataset. Mean and std are of the training images, for each channel, on the scale 0 to 1."""

    name: str
    title: str
    classes: tuple[str, ...]
    """Class names in the order of their numbers; empty where they come with the files (see `class_count`)."""
    channels: int
    size: tuple[int, int] | None
    """Height and width in px; None: pictures of many sizes, packed at `pack_size` unless the user says otherwise."""
    splits: dict[str, int]
    """Split -> number of images."""
    mean: tuple[float, ...]
    """Published; empty: computed from the training images when they are packed."""
    std: tuple[float, ...]
    licence: str
    files: tuple[Remote, ...] = field(default=())
    """What is downloaded; empty where the user must get it himself."""
    unnamed: int = 0
    """Number of classes whose names come with the files."""
    pack_size: int = 0
    """Side in px that pictures of many sizes are packed at by default."""
    page: str = ""
    """Where a dataset is to be had that cannot be downloaded without asking somebody."""
    embedded: bool = False
    """Whether it comes with the program."""

    @property
    def class_count(self) -> int:
        """Number of classes."""
        return len(self.classes) or self.unnamed

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(file.url for file in self.files)

    @property
    def download_mb(self) -> float:
        """Size of the download in megabytes (10^6 bytes); 0 where there is none."""
        return round(sum(file.bytes for file in self.files) / 1e6, 1)

    @property
    def remedy(self) -> str:
        """The command that gets it."""
        return f"vitui data add {self.name}" + ("" if self.files or self.embedded else " --from PATH")


_DIGITS = DatasetSpec(
    name="digits",
    title="Handwritten digits",
    classes=tuple("0123456789"),
    channels=1,
    size=(8, 8),
    # scikit-learn's 1,797 images, a stratified fifth of them held out once and for all (engine.data.sources.digits).
    splits={"train": 1437, "test": 360},
    mean=(0.3047,),
    std=(0.3757,),
    licence="CC BY 4.0 (UCI Optical Recognition of Handwritten Digits, Alpaydin and Kaynak, 1998)",
    embedded=True,
)

_FASHION = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"

_FASHION_MNIST = DatasetSpec(
    name="fashion-mnist",
    title="Fashion-MNIST",
    classes=(
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    channels=1,
    size=(28, 28),
    splits={"train": 60_000, "test": 10_000},
    mean=(0.2860,),
    std=(0.3530,),
    licence="MIT (Zalando SE, 2017)",
    files=(
        Remote(_FASHION + "train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
        Remote(_FASHION + "train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", 29_515),
        Remote(_FASHION + "t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", 4_422_102),
        Remote(_FASHION + "t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", 5_148),
    ),
)  # fmt: skip

_TORONTO = "https://www.cs.toronto.edu/~kriz/"
_CIFAR_LICENCE = "none stated (Krizhevsky, 2009: free to use with citation)"

_CIFAR10 = DatasetSpec(
    name="cifar10",
    title="CIFAR-10",
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    channels=3,
    size=(32, 32),
    splits={"train": 50_000, "test": 10_000},
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    licence=_CIFAR_LICENCE,
    files=(Remote(_TORONTO + "cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", 170_498_071),),
)

_CIFAR100 = DatasetSpec(
    name="cifar100",
    title="CIFAR-100",
    classes=tuple(
        """apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
        castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
        elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster
        man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck
        pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
        skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger
        tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm""".split()  # noqa: SIM905
    ),
    channels=3,
    size=(32, 32),
    splits={"train": 50_000, "test": 10_000},
    mean=(0.5071, 0.4867, 0.4408),
    std=(0.2675, 0.2565, 0.2761),
    licence=_CIFAR_LICENCE,
    files=(Remote(_TORONTO + "cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", 169_001_437),),
)

# torchvision's mirror of Yann LeCun's files, with the MD5 sums torchvision checks.
_MNIST_MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"

_MNIST = DatasetSpec(
    name="mnist",
    title="MNIST",
    classes=tuple("0123456789"),
    channels=1,
    size=(28, 28),
    splits={"train": 60_000, "test": 10_000},
    mean=(0.1307,),
    std=(0.3081,),
    licence="CC BY-SA 3.0 (LeCun, Cortes and Burges, 1998)",
    files=(
        Remote(_MNIST_MIRROR + "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9_912_422),
        Remote(_MNIST_MIRROR + "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28_881),
        Remote(_MNIST_MIRROR + "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1_648_877),
        Remote(_MNIST_MIRROR + "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4_542),
    ),
)

_TINY_IMAGENET = DatasetSpec(
    name="tiny-imagenet",
    title="Tiny ImageNet",
    classes=(),
    unnamed=200,
    channels=3,
    size=(64, 64),
    # The published test pictures have no labels, so results are reported on val.
    splits={"train": 100_000, "val": 10_000},
    mean=(),
    std=(),
    licence="ImageNet terms: research and teaching only (Stanford CS231n, 2015)",
    files=(
        Remote("http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de", 248_100_043),
    ),
)

_VGG = "https://www.robots.ox.ac.uk/~vgg/data/"

_FLOWERS_102 = DatasetSpec(
    name="flowers-102",
    title="Oxford 102 Flower",
    classes=(),
    unnamed=102,
    channels=3,
    size=None,
    # The shorter side of the originals is 500 px or a little more.
    pack_size=512,
    splits={"train": 1_020, "val": 1_020, "test": 6_149},
    # As in the Compact Transformers' configs (configs/pretrained and configs/finetuned, flowers102).
    mean=(0.4353, 0.3773, 0.2872),
    std=(0.2966, 0.2455, 0.2698),
    licence="none stated (Nilsback and Zisserman, 2008)",
    files=(
        Remote(_VGG + "flowers/102/102flowers.tgz", "52808999861908f626f3c1f4e79d11fa", 344_862_509),
        Remote(_VGG + "flowers/102/imagelabels.mat", "e0620be6f572b9609742df49c70aed4d", 502),
        Remote(_VGG + "flowers/102/setid.mat", "a5357ecc9cb78c4bef273ce3793fc85c", 14_989),
    ),
)

_PETS = DatasetSpec(
    name="pets",
    title="Oxford-IIIT Pets",
    classes=(),
    unnamed=37,
    channels=3,
    size=None,
    pack_size=448,
    splits={"train": 3_680, "test": 3_669},
    mean=(),
    std=(),
    licence="CC BY-SA 4.0 (Parkhi, Vedaldi, Zisserman and Jawahar, 2012)",
    files=(
        Remote(_VGG + "pets/data/images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c", 791_918_971),
        Remote(_VGG + "pets/data/annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f", 19_173_078),
    ),
)

_RESISC45 = DatasetSpec(
    name="resisc45",
    title="NWPU-RESISC45",
    classes=(),
    unnamed=45,
    channels=3,
    size=(256, 256),
    # No official split: 60, 20 and 20 per cent of every class (engine.data.resisc45).
    splits={"train": 18_900, "val": 6_300, "test": 6_300},
    mean=(),
    std=(),
    licence="none stated (Cheng, Han and Lu, 2017: free for research)",
    page="https://gcheng-nwpu.github.io (NWPU-RESISC45.rar, unpacked)",
)

_KITTI_DISTANCE = DatasetSpec(
    name="kitti-distance",
    title="KITTI, distance of the closest vehicle",
    classes=("below 8 m", "8 to 20 m", "above 20 m", "no vehicle"),
    channels=3,
    size=None,
    pack_size=448,
    # By drive, as tensorflow_datasets' kitti splits the 7,481 labelled pictures (engine.data.kitti).
    splits={"train": 6_347, "val": 423, "test": 711},
    mean=(),
    std=(),
    licence="CC BY-NC-SA 3.0 (Geiger, Lenz and Urtasun, 2012)",
    page="https://www.cvlibs.net/datasets/kitti/eval_object.php (data_object_image_2.zip, data_object_label_2.zip and "
    "devkit_object.zip, unpacked into one folder)",
)

# torchvision's constants, of ImageNet-1k's training images.
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_IMAGENET = DatasetSpec(
    name="imagenet",
    title="ImageNet-1k",
    classes=(),
    unnamed=1000,
    channels=3,
    size=None,
    pack_size=256,
    splits={"train": 1_281_167, "val": 50_000},
    mean=_IMAGENET_MEAN,
    std=_IMAGENET_STD,
    licence="ImageNet terms: research and teaching only (Russakovsky et al., 2015)",
    page="https://image-net.org/download.php (train and val of ILSVRC2012, unpacked)",
)

_IMAGENETV2 = DatasetSpec(
    name="imagenetv2",
    title="ImageNetV2, matched frequency",
    classes=(),
    unnamed=1000,
    channels=3,
    size=None,
    pack_size=256,
    # For judging ImageNet models alone: there is nothing to train on.
    splits={"test": 10_000},
    mean=_IMAGENET_MEAN,
    std=_IMAGENET_STD,
    licence="MIT (Recht, Roelofs, Schmidt and Shankar, 2019)",
    page="https://huggingface.co/datasets/vaishaal/ImageNetV2 (imagenetv2-matched-frequency.tar.gz)",
)

_ALL = (
    _DIGITS, _MNIST, _FASHION_MNIST, _CIFAR10, _CIFAR100, _TINY_IMAGENET, _FLOWERS_102, _PETS, _RESISC45,
    _KITTI_DISTANCE, _IMAGENET, _IMAGENETV2,
)  # fmt: skip


def known() -> dict[str, DatasetSpec]:
    """Every catalogue entry by name, in the order they are shown."""
    return {spec.name: spec for spec in _ALL}


def get(name: str) -> DatasetSpec:
    """One catalogue entry. Raises KeyError for a name the catalogue does not have."""
    return known()[name]


FACTORY = re.compile(r"(hfds|tfds|torch)/\S+")
"""What timm's dataset factory knows by name: Hugging Face's, TensorFlow's and torchvision's datasets."""


def is_factory_name(text: str) -> bool:
    """Whether `text` names a dataset for timm's factory. What is on this machine is a path, whatever its name."""
    return FACTORY.fullmatch(text) is not None and not os.path.exists(text)
