"""CIFAR from files written here in its format, and what is no such file."""

import os
import pickle

import numpy as np
import pytest

from taeda.vision.datasets import CIFAR10, CIFAR100


def write(folder, name, content):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        pickle.dump(content, file, protocol=2)


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    ten = tmp_path / "cifar-10-batches-py"
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        write(ten, name, {"data": rng.integers(0, 256, (4, 3072), dtype=np.uint8), "labels": [i, 1, 2, 3]})
    write(ten, "batches.meta", {"label_names": [f"class {i}" for i in range(10)]})
    return tmp_path


def test_images_are_planes_of_colours_put_together(root):
    train = CIFAR10(root)
    assert (len(train), train.data.shape, train.targets[4]) == (20, (20, 32, 32, 3), 1)
    image, label = train[0]
    assert (image.mode, image.size, label) == ("RGB", (32, 32), 0)
    with open(root / "cifar-10-batches-py" / "data_batch_1", "rb") as file:
        raw = pickle.load(file)["data"][0]
    assert image.getpixel((5, 2)) == tuple(int(raw[c * 1024 + 2 * 32 + 5]) for c in range(3))
    test = CIFAR10(root, train=False, target_transform=lambda y: -y)
    assert (len(test), test[0][1], test.class_to_idx["class 7"]) == (4, -5, 7)


def test_a_hundred_classes_have_files_of_their_own(root):
    with pytest.raises(RuntimeError, match=r"\[CIFAR100\] Dataset not found or corrupted: there is no .*cifar-100-python"):
        CIFAR100(root)
    folder = root / "cifar-100-python"
    for name in ("train", "test"):
        write(folder, name, {"data": np.zeros((2, 3072), np.uint8), "fine_labels": [98, 99]})
    write(folder, "meta", {"fine_label_names": [str(i) for i in range(100)]})
    assert CIFAR100(root)[1][1] == 99


def test_files_that_run_programs_or_do_not_fit_are_refused(root):
    class Bad:
        def __reduce__(self):
            return os.getenv, ("HOME",)

    folder = root / "cifar-10-batches-py"
    write(folder, "test_batch", Bad())
    with pytest.raises(ValueError, match=r"asks for os\.getenv|asks for posix"):
        CIFAR10(root, train=False)
    write(folder, "test_batch", {"data": np.zeros((2, 3072), np.uint8), "labels": [1]})
    with pytest.raises(ValueError, match="should hold uint8 images N x 3072 and N labels"):
        CIFAR10(root, train=False)
    (folder / "test_batch").write_bytes(b"\x80")
    with pytest.raises(ValueError, match="is damaged"):
        CIFAR10(root, train=False)


def test_arrays_of_other_orders_and_writers_are_read(root):
    """By columns, and as Python 2 wrote them: texts for bytes."""
    folder, pixels = root / "cifar-10-batches-py", np.arange(2 * 3072).reshape(2, 3072).astype(np.uint8)
    write(folder, "test_batch", {"data": np.asfortranarray(pixels), "labels": np.array([3, 4], ">i4")})
    read = CIFAR10(root, train=False)
    assert read.targets == [3, 4] and (read.data.transpose(0, 3, 1, 2).reshape(2, 3072) == pixels).all()
    old = ARRAY + b"(I0\ntS'b'\ntR(I1\n(I2\nI3072\ntcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nT"
    old += (2 * 3072).to_bytes(4, "little") + pixels.tobytes() + b"tb"
    (folder / "test_batch").write_bytes(b"\x80\x02(dS'data'\n" + old + b"sS'labels'\n(lI5\naI6\nas.")
    read = CIFAR10(root, train=False)
    assert read.targets == [5, 6] and (read.data.transpose(0, 3, 1, 2).reshape(2, 3072) == pixels).all()


@pytest.mark.parametrize(
    ("dtype", "state"),
    [("u1", {"a": 1}), ("u1", (3, "|", None, -1, -1, 0)), ("u2", (3, "|", None, None, None, -1, -1, 0)), ("O8", (3, "|"))],
)
def test_state_that_lies_reaches_no_array_of_numpy(root, dtype, state):
    """NumPy's dtype took the second of these states for its own, and the process ended."""

    class Dtype:
        def __reduce__(self):
            return np.dtype, (dtype, False, True), state

    class Data:
        def __reduce__(self):
            function, arguments, _ = np.zeros(0, np.uint8).__reduce__()
            return function, arguments, (1, (2, 3072), Dtype(), False, {"raw": bytes(2 * 3072)})

    write(root / "cifar-10-batches-py", "test_batch", {"data": Data(), "labels": [1, 2]})
    with pytest.raises(ValueError, match=r"^\[CIFAR"):
        CIFAR10(root, train=False)


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n"


@pytest.mark.parametrize(
    "pickled",
    [
        b"Nr\xff\xff\xff\xff0}.",                                   # one number of a place, for which Python's reader in C takes gigabytes
        b"cnumpy\nndarray\nJ\xff\xff\xff\x7f\x85\x85R.",            # an array of any size, of no data
        ARRAY + b"J\xff\xff\xff\x7f\x85X\1\0\0\0dtR.",
        b"\x95" + b"\xff" * 8 + b"}.", b"X\xff\xff\xff\x7fabc.", b"\x8e" + b"\xff" * 7 + b"\x7fabc.", b"}]Ns.", b"h\7.", b"I99x\n.",
    ],
)  # fmt: skip
def test_damage_of_every_kind_is_told_without_taking_memory(root, pickled):
    (root / "cifar-10-batches-py" / "test_batch").write_bytes(b"\x80\x02" + pickled)
    with pytest.raises(ValueError, match=r"^\[CIFAR"):
        CIFAR10(root, train=False)
