"""Data sets of scenes, from files written here, and how they are wrapped for `transforms.v2`."""

import json

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda.vision import datasets, tv_tensors
from taeda.vision.datasets import wrap_dataset_for_transforms_v2 as wrap

ROW = "Car 0.50 1 -1.58 1 2 5 4 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 5), (9, 9, 9)).save(root / name)


def text(root, name, content):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)


def test_kitti_has_boxes_in_the_image_and_in_space(tmp_path):
    raw = "Kitti/raw"
    with pytest.raises(RuntimeError, match=r"\[Kitti\] Dataset not found: there is no .*image_2"):
        datasets.Kitti(tmp_path)
    put(tmp_path, f"{raw}/training/image_2/000000.png", f"{raw}/testing/image_2/000003.png")
    text(tmp_path, f"{raw}/training/label_2/000000.txt", ROW + ROW.replace("Car", "Tram"))
    image, target = datasets.Kitti(tmp_path)[0]
    assert image.size == (6, 5) and [one["type"] for one in target] == ["Car", "Tram"]
    assert target[0] == {
        "type": "Car",
        "truncated": 0.5,
        "occluded": 1,
        "alpha": -1.58,
        "bbox": [1.0, 2.0, 5.0, 4.0],
        "dimensions": [1.65, 1.67, 3.64],
        "location": [-0.65, 1.71, 46.7],
        "rotation_y": -1.59,
    }
    assert datasets.Kitti(tmp_path, train=False)[0][1] is None
    assert datasets.Kitti(tmp_path, transforms=lambda i, t: (i.size, len(t)))[0] == ((6, 5), 2)
    wrapped = wrap(datasets.Kitti(tmp_path))[0][1]
    assert set(wrapped) == {"boxes", "labels"} and wrapped["labels"].tolist() == [0, 6]
    assert isinstance(wrapped["boxes"], tv_tensors.BoundingBoxes) and wrapped["boxes"].canvas_size == (5, 6)
    assert wrap(datasets.Kitti(tmp_path), target_keys={"alpha"})[0][1] == {"alpha": [-1.58, -1.58]}
    assert wrap(datasets.Kitti(tmp_path, train=False))[0][1] is None


def street(root):
    start = "gtFine/train/ulm/ulm_0_gtFine"
    put(root, "leftImg8bit/train/ulm/ulm_0_leftImg8bit.png", f"{start}_color.png")
    Image.fromarray(np.array([[7, 26000], [26001, 7]], np.uint16)).save(root / f"{start}_instanceIds.png")
    Image.fromarray(np.array([[7, 26], [26, 7]], np.uint8)).save(root / f"{start}_labelIds.png")
    text(root, f"{start}_polygons.json", json.dumps({"objects": [{"label": "car"}]}))


def test_cityscapes_has_four_targets(tmp_path):
    street(tmp_path)
    data = datasets.Cityscapes(tmp_path, target_type=["polygon", "semantic", "color", "instance"])
    image, (polygon, semantic, colour, instance) = data[0]
    assert (image.mode, polygon["objects"][0]["label"], np.asarray(semantic).tolist()) == ("RGB", "car", [[7, 26], [26, 7]])
    assert colour.mode == "RGB" and np.asarray(instance).max() == 26001
    assert data.extra_repr().splitlines()[:2] == ["Split: train", "Mode: gtFine"]
    for wrong, rule in (({"split": "train_extra"}, "Unknown value 'train_extra' for argument split"), ({"mode": "x"}, "argument mode")):
        with pytest.raises(ValueError, match=rule):
            datasets.Cityscapes(tmp_path, **wrong)
    with pytest.raises(RuntimeError, match=r"\[Cityscapes\] Dataset not found or incomplete"):
        datasets.Cityscapes(tmp_path, mode="coarse")


def test_cityscapes_knows_its_classes(tmp_path):
    classes = datasets.Cityscapes.classes
    assert len(classes) == 35 and classes[26] == ("car", 26, 13, "vehicle", 7, True, False, (0, 0, 142))
    assert classes[0] == ("unlabeled", 0, 255, "void", 0, False, True, (0, 0, 0)) and classes[-1][:3] == ("license plate", -1, -1)
    street(tmp_path)
    target = wrap(datasets.Cityscapes(tmp_path))[0][1]
    assert target["labels"].tolist() == [7, 26, 26] and target["masks"].sum(dim=(1, 2, 3)).tolist() == [2, 1, 1]
    assert wrap(datasets.Cityscapes(tmp_path, target_type="semantic"))[0][1].tolist() == [[[7, 26], [26, 7]]]
    with pytest.raises(RuntimeError, match="Cityscapes with target_type 'color' is currently not supported"):
        wrap(datasets.Cityscapes(tmp_path, target_type="color"))[0]


def test_cityscapes_unpacks_its_archives(tmp_path):
    import zipfile

    street(tmp_path / "there")
    for name, folder in (("leftImg8bit_trainvaltest.zip", "leftImg8bit"), ("gtFine_trainvaltest.zip", "gtFine")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for path in sorted((tmp_path / "there" / folder).rglob("*.*")):
                archive.write(path, path.relative_to(tmp_path / "there"))
    assert len(datasets.Cityscapes(tmp_path)) == 1


def test_faces_are_listed_with_how_they_look(tmp_path):
    with pytest.raises(RuntimeError, match=r"\[WIDERFace\] .* they lie on Google Drive|\[WIDERFace\] .* Google Drive"):
        datasets.WIDERFace(tmp_path, download=True)
    put(tmp_path, *(f"widerface/WIDER_{split}/images/0--P/{name}.jpg" for split in ("train", "val", "test") for name in "ab"))
    rows = "0--P/b.jpg\n2\n1 2 3 4 0 1 0 1 0 1 \n5 6 7 8 2 0 0 0 1 0 \n0--P/a.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n"
    text(tmp_path, "widerface/wider_face_split/wider_face_train_bbx_gt.txt", rows)
    text(tmp_path, "widerface/wider_face_split/wider_face_test_filelist.txt", "0--P/a.jpg\n")
    data = datasets.WIDERFace(tmp_path)
    assert [len(data), data[0][1]["bbox"].tolist(), data[0][1]["blur"].tolist()] == [2, [[1, 2, 3, 4], [5, 6, 7, 8]], [0, 2]]
    assert data[0][1]["invalid"].tolist() == [1, 0] and data[1][1]["bbox"].tolist() == [[0, 0, 0, 0]]
    assert datasets.WIDERFace(tmp_path, "test")[0][1] is None
    target = wrap(data, target_keys=["bbox", "pose"])[0][1]
    assert list(target) == ["bbox", "pose"] and target["bbox"].tolist() == [[1, 2, 4, 6], [5, 6, 12, 14]]
    assert isinstance(target["bbox"], tv_tensors.BoundingBoxes)
    text(tmp_path, "widerface/wider_face_split/wider_face_test_filelist.txt", "../../../a.jpg\n")
    with pytest.raises(ValueError, match=r"\[WIDERFace\] '../../../a.jpg' lies outside of"):
        datasets.WIDERFace(tmp_path, "test")


def test_borders_come_from_matlabs_files(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    from scipy.sparse import csc_matrix

    put(tmp_path, "img/a.jpg")
    text(tmp_path, "train.txt", "a\n")
    text(tmp_path, "val.txt", "../a\n")
    (tmp_path / "cls").mkdir()
    borders = np.empty((20, 1), object)
    for i in range(20):
        borders[i, 0] = csc_matrix(np.eye(5, 6) * (i == 3))
    inner = np.zeros((1, 1), dtype=[("Boundaries", "O"), ("Segmentation", "O")])
    inner[0, 0] = (borders, np.full((5, 6), 4, np.uint8))
    savemat(tmp_path / "cls" / "a.mat", {"GTcls": inner})
    data = datasets.SBDataset(tmp_path)
    _, target = data[0]
    assert target.shape == (20, 5, 6) and target.sum(axis=(1, 2)).tolist() == [5.0 * (i == 3) for i in range(20)]
    assert data.extra_repr() == "Image set: train\nMode: boundaries"
    classes = datasets.SBDataset(tmp_path, mode="segmentation")
    assert np.unique(np.asarray(classes[0][1])).tolist() == [4] and taeda.equal(wrap(classes)[0][1][0, 0, 0], taeda.tensor(4, dtype=taeda.uint8))
    with pytest.raises(RuntimeError, match="SBDataset with mode 'boundaries' is currently not supported"):
        wrap(data)[0]
    with pytest.raises(ValueError, match=r"\[SBDataset\] '../a.jpg' lies outside of"):
        datasets.SBDataset(tmp_path, "val")
    with pytest.raises(RuntimeError, match=r"\[SBDataset\] Dataset not found or corrupted"):
        datasets.SBDataset(tmp_path / "none")
