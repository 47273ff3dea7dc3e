"""The catalogue: datasets known by name, with everything that can be said before a byte is fetched. Stdlib only."""

from __future__ import annotations

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
    channels: int
    size: tuple[int, int]
    """Height and width in px."""
    splits: dict[str, int]
    """Split -> number of images."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    licence: str
    files: tuple[Remote, ...] = field(default=())
    """What is downloaded; empty where the data comes with the program."""

    @property
    def embedded(self) -> bool:
        """Whether it needs no download."""
        return not self.files

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(file.url for file in self.files)

    @property
    def download_mb(self) -> float:
        """Size of the download in megabytes (10^6 bytes)."""
        return round(sum(file.bytes for file in self.files) / 1e6, 1)


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

_ALL = (_DIGITS, _FASHION_MNIST, _CIFAR10, _CIFAR100)


def known() -> dict[str, DatasetSpec]:
    """Every catalogue entry by name, in the order they are shown."""
    return {spec.name: spec for spec in _ALL}


def get(name: str) -> DatasetSpec:
    """One catalogue entry. Raises KeyError for a name the catalogue does not have."""
    return known()[name]
