"""Datasets: the digits, idx files, folders of images, noise, and what they refuse."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda.vision.datasets import (
    MNIST,
    DatasetFolder,
    Digits,
    FakeData,
    FashionMNIST,
    ImageFolder,
    VisionDataset,
)
from taeda.vision.datasets.folder import find_classes, make_dataset
from taeda.vision.datasets.mnist import read_idx
from taeda.vision.transforms import Compose, Lambda, ToTensor


def idx(array):
    """Encode an array of bytes as an idx file."""
    return (
        struct.pack(">BBBB", 0, 0, 8, array.ndim)
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def pictures(n=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), rng.integers(0, 10, n, dtype=np.uint8)


@pytest.fixture
def mnist(tmp_path):
    """Write a small MNIST: training files plain, test files compressed."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    images, labels = pictures()
    (raw / "train-images-idx3-ubyte").write_bytes(idx(images))
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images[:2])))
    (raw / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels[:2])))
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    for name, colour, n in (("dog", (255, 0, 0), 2), ("cat", (0, 255, 0), 1)):
        (tmp_path / name / "more").mkdir(parents=True)
        for i in range(n):
            Image.new("RGB", (4, 3), colour).save(tmp_path / name / f"{i}.png")
    Image.new("L", (4, 3), 9).save(tmp_path / "dog" / "more" / "z.PNG")
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    (tmp_path / "readme.txt").write_text("no class")
    return tmp_path


def test_digits_are_split_into_fixed_stratified_parts():
    train, test, everything = Digits(), Digits(train=False), Digits(train=None)
    assert (len(train), len(test), len(everything)) == (1442, 355, 1797)
    assert all(33 < int((test.targets == digit).sum()) < 37 for digit in range(10))
    seen = {tuple(row) for row in train.data.reshape(-1, 64).tolist()}
    assert not any(tuple(row) in seen for row in test.data.reshape(-1, 64).tolist())
    assert taeda.equal(Digits(train=False).data, test.data)


def test_digits_are_pil_images_scaled_to_bytes():
    everything = Digits(train=None)
    image, digit = everything[0]
    assert (image.mode, image.size, digit) == ("L", (8, 8), 0)
    # The first row of the source is 0 0 5 13 9 1 0 0 of 16.
    assert np.asarray(image)[0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    assert int(everything.data.max()) == 255
    tensor, label = Digits(transform=ToTensor(), target_transform=str)[3]
    assert tuple(tensor.shape) == (1, 8, 8)
    assert tensor.dtype == taeda.float32
    assert label == "3"
    assert everything.class_to_idx["7"] == 7


def test_mnist_reads_plain_and_compressed_files(mnist):
    images, labels = pictures()
    train, test = MNIST(mnist), MNIST(mnist, train=False, transform=ToTensor())
    assert train.data.tolist() == images.tolist()
    assert train.targets.tolist() == labels.tolist()
    assert train.targets.dtype == taeda.int64
    image, label = train[4]
    assert (np.asarray(image) == images[4]).all()
    assert (image.mode, label) == ("L", int(labels[4]))
    assert len(test) == 2
    assert tuple(test[1][0].shape) == (1, 28, 28)
    assert train.classes[3] == "3 - three"


def test_mnist_finds_files_in_root_itself(mnist):
    assert len(MNIST(mnist / "MNIST" / "raw")) == 5


def test_mnist_prints_as_torchvisions(mnist):
    assert repr(MNIST(mnist, transform=ToTensor())) == (
        f"Dataset MNIST\n    Number of datapoints: 5\n    Root location: {mnist}\n    Split: Train\n"
        "    StandardTransform\nTransform: ToTensor()"
    )


def test_mnist_that_is_not_there_says_where_it_looked(tmp_path):
    with pytest.raises(
        RuntimeError, match=r"Dataset not found.*train-images-idx3-ubyte.*download=True"
    ) as caught:
        MNIST(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_fashion_mnist_has_a_folder_and_classes_of_its_own(mnist):
    with pytest.raises(RuntimeError, match="FashionMNIST"):
        FashionMNIST(mnist)
    assert FashionMNIST.classes[9] == "Ankle boot"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: b"", "not an idx file"),
        (lambda data: b"PK\x03\x04" + data[4:], "not an idx file: it starts with 504b0304"),
        (lambda data: data[:10], "cut short in its header"),
        (lambda data: data[:-1], r"should hold 3920 bytes for shape \(5, 28, 28\), but holds 3919"),
        (lambda data: data + b"x", "but holds more"),
        (lambda data: data[:4] + b"\xff" * 12 + data[16:], "should hold"),
    ],
)
def test_a_damaged_idx_file_is_named(mnist, damage, words):
    path = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=words) as caught:
        MNIST(mnist)
    assert "train-images-idx3-ubyte" in str(caught.value)


def test_a_cut_gzip_file_is_named(mnist):
    path = mnist / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="damaged gzip file"):
        MNIST(mnist, train=False)


def test_images_and_labels_must_belong_together(mnist):
    raw = mnist / "MNIST" / "raw"
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(np.zeros(3, np.uint8)))
    with pytest.raises(ValueError, match="5 images but 3 labels"):
        MNIST(mnist)
    (raw / "train-labels-idx1-ubyte").write_bytes(idx(np.full(5, 12, np.uint8)))
    with pytest.raises(ValueError, match="labels should be below 10, got 12"):
        MNIST(mnist)


def test_a_class_of_ones_own_in_the_form_of_mnist_has_labels_of_its_own(mnist):
    class Kana(MNIST):
        pass

    (mnist / "MNIST").rename(mnist / "Kana")
    (mnist / "Kana" / "raw" / "train-labels-idx1-ubyte").write_bytes(idx(np.array([0, 48, 12, 9, 10], np.uint8)))
    assert Kana(mnist).targets.tolist() == [0, 48, 12, 9, 10] and Kana(mnist)[1][1] == 48


def test_idx_files_of_other_types(tmp_path):
    path = tmp_path / "x"
    values = np.array([1.5, -2.0], ">f4")
    path.write_bytes(struct.pack(">BBBBI", 0, 0, 13, 1, 2) + values.tobytes())
    assert read_idx(path).tolist() == [1.5, -2.0]
    assert read_idx(path).dtype == np.float32


def test_image_folder_numbers_classes_by_name_and_sorts_files(folder):
    data = ImageFolder(folder)
    assert data.classes == ["cat", "dog"]
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    assert data.targets == [0, 1, 1, 1]
    assert [path[len(str(folder)) + 1 :] for path, _ in data.imgs] == [
        "cat/0.png",
        "dog/0.png",
        "dog/1.png",
        "dog/more/z.PNG",
    ]
    image, target = data[1]
    assert (image.mode, image.size, image.getpixel((0, 0)), target) == ("RGB", (4, 3), (255, 0, 0), 1)
    assert data[3][0].getpixel((0, 0)) == (9, 9, 9)


def test_a_corrupt_image_is_named(folder):
    path = folder / "cat" / "0.png"
    whole = path.read_bytes()
    data = ImageFolder(folder)
    for damaged in (b"", b"not an image", whole[:40], whole[:-30]):
        path.write_bytes(damaged)
        with pytest.raises(OSError, match="cannot read the image") as caught:
            data[0]
        assert str(path) in str(caught.value)


def test_an_image_of_absurd_size_is_refused(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8)
    with pytest.raises(OSError, match=r"is refused: .*exceeds limit of 8 pixels"):
        ImageFolder(folder)[0]


def test_folders_without_classes_or_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder"):
        ImageFolder(tmp_path)
    with pytest.raises(FileNotFoundError):
        ImageFolder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"no valid file for the classes empty. Supported extensions are: .jpg"
    ):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 0


def test_dataset_folder_takes_any_loader(folder):
    data = DatasetFolder(folder, loader=lambda path: path[-9:], extensions=(".txt",), allow_empty=True)
    assert list(data[0]) == ["notes.txt", 1]
    chosen = ImageFolder(folder, is_valid_file=lambda path: path.endswith("0.png"))
    assert len(chosen) == 2


def test_make_dataset_refuses(folder):
    with pytest.raises(ValueError, match="cannot be None or not None at the same time"):
        make_dataset(folder)
    with pytest.raises(ValueError, match="at least one entry"):
        make_dataset(folder, {}, (".png",))
    assert find_classes(folder)[0] == ["cat", "dog"]


def test_fake_data_is_the_same_every_time_and_disturbs_no_generator():
    taeda.manual_seed(3)
    before = taeda.get_rng_state()
    data = FakeData(size=4, image_size=(3, 8, 6), num_classes=7, transform=ToTensor())
    image, target = data[2]
    again, same = data[2]
    assert taeda.equal(image, again)
    assert target == same
    assert 0 <= target < 7
    assert tuple(image.shape) == (3, 8, 6)
    assert not taeda.equal(image, data[1][0])
    assert taeda.equal(before, taeda.get_rng_state())
    assert len(list(data)) == 4
    with pytest.raises(IndexError, match="index 4 out of range"):
        data[4]


def test_fake_images_are_torchvisions():
    image, target = FakeData(8, (3, 32, 32))[1]
    assert target == 9
    # What torchvision 0.28 gives on x86.
    assert np.asarray(image)[:2, :3].tolist() == [[[123, 227, 186], [65, 243, 0], [90, 211, 168]], [[223, 102, 187], [238, 101, 37], [40, 134, 155]]]


def test_transforms_of_the_pair_exclude_the_single_ones():
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform"):
        VisionDataset(transforms=lambda x, y: (x, y), transform=abs)


def test_nested_transforms_print_indented():
    data = Digits(transform=Compose([ToTensor(), Lambda(abs)]), target_transform=Lambda(str))
    assert repr(data) == (
        "Dataset Digits\n    Number of datapoints: 1442\n    Split: Train\n    StandardTransform\n"
        "Transform: Compose(\n               ToTensor()\n               Lambda()\n           )\n"
        "Target transform: Lambda()"
    )
