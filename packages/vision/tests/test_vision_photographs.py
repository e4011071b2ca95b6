"""CelebA, Flowers-102, Caltech, QMNIST, Places365 and ImageNet, of files written here in their form."""

import gzip
import lzma
import tarfile

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda.vision import datasets, tv_tensors
from taeda.vision.datasets import imagenet


def picture(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (value, 0, 0)).save(path, "PNG")       # by its content, not by its name


def celeba(tmp_path):
    base = tmp_path / "celeba"
    names = [f"{i:06d}.jpg" for i in (1, 2, 3)]
    for i, name in enumerate(names):
        picture(base / "img_align_celeba" / name, i)

    def table(file, head, rows):
        lines = [f"{name} " + "  ".join(map(str, row)) for name, row in zip(names, rows, strict=True)]
        (base / file).write_text("\n".join([*head, *lines]) + "\n")

    table("list_eval_partition.txt", [], [[0], [2], [0]])
    table("identity_CelebA.txt", [], [[11], [12], [13]])
    table("list_bbox_celeba.txt", ["3", "image_id x_1 y_1 width height"], [[i, 2, 3, 4] for i in range(3)])
    table("list_landmarks_align_celeba.txt", ["3", "lefteye_x lefteye_y"], [list(range(i, i + 10)) for i in range(3)])
    table("list_attr_celeba.txt", ["3", "Bald Young "], [[1, -1], [-1, -1], [-1, 1]])
    return tmp_path


def test_celeba_has_four_kinds_of_targets(tmp_path):
    data = datasets.CelebA(celeba(tmp_path), target_type=["attr", "identity", "bbox", "landmarks"])
    assert (data.filename, data.attr_names, len(data)) == (["000001.jpg", "000003.jpg"], ["Bald", "Young"], 2)
    image, (attr, identity, box, points) = data[1]
    assert image.getpixel((0, 0)) == (2, 0, 0)
    assert (attr.tolist(), identity.item(), box.tolist(), points[:2].tolist()) == ([0, 1], 13, [2, 2, 3, 4], [2, 3])
    assert datasets.CelebA(tmp_path, "ALL", target_type=[])[1][1] is None
    wrap = datasets.wrap_dataset_for_transforms_v2
    _, (identity, box) = wrap(datasets.CelebA(tmp_path, target_type=["identity", "bbox"]))[1]
    assert identity.item() == 13 and isinstance(box, tv_tensors.BoundingBoxes) and box.tolist() == [[2, 2, 5, 6]] and box.canvas_size == (3, 4)
    assert wrap(datasets.CelebA(tmp_path, target_type="bbox"))[1][1].tolist() == [[2, 2, 5, 6]]
    assert wrap(datasets.CelebA(tmp_path, target_type=[]))[1][1] is None
    with pytest.raises(RuntimeError, match="CelebA with target_type 'landmarks' is currently not supported by this wrapper"):
        wrap(data)[0]
    with pytest.raises(ValueError, match="Target type 'age' is not recognized"):
        datasets.CelebA(tmp_path, target_type="age")[0]
    with pytest.raises(RuntimeError, match="target_transform is specified but target_type is empty"):
        datasets.CelebA(tmp_path, target_type=[], target_transform=len)
    with pytest.raises(RuntimeError, match="are not fetched from here"):
        datasets.CelebA(tmp_path / "other", download=True)
    part = tmp_path / "celeba" / "list_eval_partition.txt"
    part.write_text(part.read_text().replace("000001.jpg", "../000001.jpg"))
    with pytest.raises(ValueError, match=r"\[CelebA\] '../000001.jpg' lies outside of"):
        datasets.CelebA(tmp_path)[0]
    (tmp_path / "celeba" / "identity_CelebA.txt").write_text("000001.jpg x\n")
    with pytest.raises(ValueError, match=r"identity_CelebA.txt' is damaged"):
        datasets.CelebA(tmp_path)


def test_flowers_are_counted_from_one_in_their_lists(tmp_path):
    io = pytest.importorskip("scipy.io")
    base = tmp_path / "flowers-102"
    for i in (1, 2, 3):
        picture(base / "jpg" / f"image_{i:05d}.jpg", i)
    io.savemat(base / "imagelabels.mat", {"labels": [77, 1, 102]})
    io.savemat(base / "setid.mat", {"trnid": [3, 1], "valid": [2], "tstid": [1]})
    data = datasets.Flowers102(tmp_path)
    assert [(image.getpixel((0, 0))[0], label) for image, label in data] == [(3, 101), (1, 76)]
    assert (data.classes[76], len(set(data.classes))) == ("passion flower", 102)
    with pytest.raises(RuntimeError, match=r"\[Flowers102\] Dataset not found or corrupted"):
        datasets.Flowers102(tmp_path / "other")


def test_caltech_has_categories_and_outlines(tmp_path):
    io = pytest.importorskip("scipy.io")
    base = tmp_path / "caltech101"
    for name, n in (("Faces", 1), ("ant", 2), ("BACKGROUND_Google", 1)):
        for i in range(1, n + 1):
            picture(base / "101_ObjectCategories" / name / f"image_{i:04d}.jpg", i)
    (base / "Annotations" / "Faces_2").mkdir(parents=True)
    io.savemat(base / "Annotations" / "Faces_2" / "annotation_0001.mat", {"obj_contour": np.eye(2)})
    data = datasets.Caltech101(tmp_path)
    assert (data.categories, data.y, data[2][1]) == (["Faces", "ant"], [0, 1, 1], 1)
    contours = datasets.Caltech101(tmp_path, ["category", "annotation"])
    assert contours[0][1][1].tolist() == [[1, 0], [0, 1]] and datasets.wrap_dataset_for_transforms_v2(data)[2][1] == 1
    with pytest.raises(RuntimeError, match="'annotation' is currently not supported by this wrapper"):
        datasets.wrap_dataset_for_transforms_v2(contours)[0]
    for i in (1, 2):
        picture(tmp_path / "caltech256" / "256_ObjectCategories" / "001.ak47" / f"001_{i:04d}.jpg", i)
    image, label = datasets.Caltech256(tmp_path)[1]
    assert (image.getpixel((0, 0))[0], label) == (2, 0)
    with pytest.raises(RuntimeError, match=r"\[Caltech256\] Dataset not found or corrupted"):
        datasets.Caltech256(tmp_path / "other")


def idx(path, array, code, kind, open_):
    with open_(path, "wb") as file:
        file.write(bytes([0, 0, code, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.astype(kind).tobytes())


def test_qmnist_has_parts_and_eight_numbers_a_digit(tmp_path):
    raw = tmp_path / "QMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, n, end, open_ in (("qmnist-test", 10_002, ".gz", gzip.open), ("xnist", 3, ".xz", lzma.open)):
        idx(raw / f"{name}-images-idx3-ubyte{end}", np.zeros((n, 28, 28)), 8, ">u1", open_)
        idx(raw / f"{name}-labels-idx2-int{end}", np.arange(n)[:, None] % 10 + np.zeros(8, int), 12, ">i4", open_)
    assert [len(datasets.QMNIST(tmp_path, what)) for what in ("test", "test10k", "test50k", "nist")] == [10_002, 10_000, 2, 3]
    assert datasets.QMNIST(tmp_path, "test50k")[1][1] == 1
    assert datasets.QMNIST(tmp_path, train=False, compat=False)[3][1].tolist() == [3] * 8
    with pytest.raises(RuntimeError, match=r"\[QMNIST\] Dataset not found: there is no qmnist-train-images-idx3-ubyte \(or .gz\)"):
        datasets.QMNIST(tmp_path)
    (raw / "xnist-labels-idx2-int.xz").write_bytes(b"not it")
    with pytest.raises(ValueError, match="is a damaged xz file"):
        datasets.QMNIST(tmp_path, "nist")


def test_places_have_lists_of_paths(tmp_path):
    (tmp_path / "categories_places365.txt").write_text("/b/bar 1\n/a/attic 0\n")
    (tmp_path / "places365_train_standard.txt").write_text("/b/bar/1.jpg 1\n/a/attic/2.jpg 0\n")
    (tmp_path / "places365_test.txt").write_text("3.jpg\n")
    for i, name in enumerate(("data_256_standard/b/bar/1.jpg", "data_256_standard/a/attic/2.jpg", "test_large/3.jpg")):
        picture(tmp_path / name, i)
    data = datasets.Places365(tmp_path, small=True)
    assert [(image.getpixel((0, 0))[0], label) for image, label in data] == [(0, 1), (1, 0)]
    assert (data.classes, data.class_to_idx["/b/bar"], data.targets) == (["/a/attic", "/b/bar"], 1, [1, 0])
    assert datasets.Places365(tmp_path, "test")[0][1] is None
    with pytest.raises(RuntimeError, match=r"\[Places365\] The file .*places365_val.txt does not exist"):
        datasets.Places365(tmp_path, "val")


def test_imagenet_is_unpacked_once_and_knows_its_names(tmp_path, monkeypatch):
    monkeypatch.setattr(imagenet, "check_integrity", lambda path, md5: imagenet.os.path.isfile(path))
    with pytest.raises(RuntimeError, match="The archive ILSVRC2012_devkit_t12.tar.gz is not present"):
        datasets.ImageNet(tmp_path)
    taeda.save(({"n01": ("cat", "kitty"), "n02": ("dog",)}, ["n02", "n01", "n02"]), tmp_path / "meta.bin")
    with tarfile.open(tmp_path / "ILSVRC2012_img_val.tar", "w") as archive:
        for i in range(3):
            picture(tmp_path / "x.png", i)
            archive.add(tmp_path / "x.png", f"ILSVRC2012_val_{i + 1:08d}.png")
    with tarfile.open(tmp_path / "ILSVRC2012_img_train.tar", "w") as archive:
        for wnid in ("n01", "n02"):
            with tarfile.open(tmp_path / "inner.tar", "w") as inner:
                inner.add(tmp_path / "x.png", f"{wnid}_1.png")
            archive.add(tmp_path / "inner.tar", f"{wnid}.tar")
    data = datasets.ImageNet(tmp_path, "val")
    assert [(image.getpixel((0, 0))[0], label) for image, label in data] == [(1, 0), (0, 1), (2, 1)]
    assert (data.wnids, data.classes) == (["n01", "n02"], [("cat", "kitty"), ("dog",)])
    assert (data.class_to_idx, data.root) == ({"cat": 0, "kitty": 0, "dog": 1}, str(tmp_path))
    assert datasets.ImageNet(tmp_path).targets == [0, 1]
    (tmp_path / "ILSVRC2012_img_val.tar").unlink()
    assert len(datasets.ImageNet(tmp_path, "val")) == 3
