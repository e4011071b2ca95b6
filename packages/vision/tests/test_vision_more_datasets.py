"""Data sets of files written here: what they hold comes out, and what does not belong is refused."""

import bz2
import gzip
import json
import pickle

import numpy as np
import pytest
from PIL import Image

from taeda.vision import datasets, tv_tensors

XML = """<annotation><filename>a.jpg</filename><size><width>8</width><height>6</height><depth>3</depth></size>
<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></object></annotation>"""


def voc(tmp_path, xml=XML):
    base = tmp_path / "VOCdevkit" / "VOC2012"
    for folder in ("ImageSets/Main", "ImageSets/Segmentation", "JPEGImages", "Annotations", "SegmentationClass"):
        (base / folder).mkdir(parents=True)
    for kind in ("Main", "Segmentation"):
        (base / "ImageSets" / kind / "train.txt").write_text("a\n")
    Image.new("RGB", (8, 6), (9, 9, 9)).save(base / "JPEGImages" / "a.jpg")
    mask = Image.new("P", (8, 6), 3)
    mask.putpalette([i // 3 for i in range(768)])
    mask.save(base / "SegmentationClass" / "a.png")
    (base / "Annotations" / "a.xml").write_text(xml)
    return tmp_path


def test_voc_has_boxes_and_masks(tmp_path):
    root = voc(tmp_path)
    image, target = datasets.VOCDetection(root)[0]
    assert (image.size, image.mode) == ((8, 6), "RGB")
    inner = target["annotation"]
    assert inner["size"] == {"width": "8", "height": "6", "depth": "3"}
    assert inner["object"] == [{"name": "cat", "bndbox": {"xmin": "1", "ymin": "2", "xmax": "5", "ymax": "6"}}]
    image, mask = datasets.VOCSegmentation(root, transforms=lambda i, m: (i, np.asarray(m)))[0]
    assert np.unique(mask).tolist() == [3]
    with pytest.raises(RuntimeError, match=r"\[VOCDetection\] Dataset not found or corrupted: there is no .*val.txt"):
        datasets.VOCDetection(root, image_set="val")
    with pytest.raises(ValueError, match=r"Unknown value 'test' for argument image_set"):
        datasets.VOCDetection(root, image_set="test")


def test_voc_refuses_entities_and_damage(tmp_path):
    bomb = '<!DOCTYPE a [<!ENTITY x "xxxx">]>' + XML
    with pytest.raises(ValueError, match="declares entities"):
        datasets.VOCDetection(voc(tmp_path / "a", bomb))[0]
    for content in (XML[:-5], "<a>" * 20000 + "</a>" * 20000, '<?xml version="1.0" encoding="none"?>' + XML):
        with pytest.raises(ValueError, match="is damaged"):
            datasets.VOCDetection(voc(tmp_path / str(len(content)), content))[0]
    root = voc(tmp_path / "c")
    for path in (root / "VOCdevkit" / "VOC2012" / "Annotations").iterdir():
        path.write_bytes(bomb.encode("utf-16"))
    with pytest.raises(ValueError, match="declares entities"):
        datasets.VOCDetection(root)[0]


def test_names_in_lists_stay_in_their_folder(tmp_path):
    root = voc(tmp_path)
    (root / "VOCdevkit" / "VOC2012" / "ImageSets" / "Main" / "train.txt").write_text("a\n../../../../secret\n")
    with pytest.raises(ValueError, match=r"\[VOCDetection\] '../../../../secret.jpg' lies outside of"):
        datasets.VOCDetection(root)
    (root / "oxford-iiit-pet" / "annotations").mkdir(parents=True)
    (root / "oxford-iiit-pet" / "annotations" / "trainval.txt").write_text("/etc/x_1 1 1 1\n")
    with pytest.raises(ValueError, match=r"\[OxfordIIITPet\] '/etc/x_1.jpg' lies outside of"):
        datasets.OxfordIIITPet(root)
    assert datasets.utils.within("a", "b/../c.jpg", "op").endswith("c.jpg")
    for name in ("..", "b/../../c", "/c", "./../c"):
        with pytest.raises(ValueError, match=r"\[op\] .* lies outside of 'a'; it is refused"):
            datasets.utils.within("a", name, "op")


def coco(tmp_path, name="a.jpg"):
    Image.new("RGB", (8, 6), (9, 9, 9)).save(tmp_path / "a.jpg")
    objects = [
        {"id": 5, "image_id": 2, "category_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 0, "segmentation": [[1, 2, 4, 2, 4, 6, 1, 6]]},
        {"id": 6, "image_id": 2, "category_id": 8, "bbox": [0, 0, 2, 2], "iscrowd": 0, "segmentation": [], "caption": "a hat"},
    ]
    content = {"images": [{"id": 4, "file_name": name}, {"id": 2, "file_name": name}], "annotations": objects, "categories": [{"id": 7}]}
    (tmp_path / "ann.json").write_text(json.dumps(content))
    return tmp_path, tmp_path / "ann.json"


def test_coco_has_the_annotations_of_each_image(tmp_path):
    data = datasets.CocoDetection(*coco(tmp_path))
    assert data.ids == [2, 4] and len(data) == 2
    image, target = data[0]
    assert image.size == (8, 6) and [a["id"] for a in target] == [5, 6] and data[1][1] == []
    assert data.coco.getAnnIds(imgIds=[2]) == [5, 6] and data.coco.loadAnns(6)[0]["bbox"] == [0, 0, 2, 2]
    assert datasets.CocoDetection(tmp_path, tmp_path / "ann.json", target_transform=len)[0][1] == 2
    with pytest.raises(ValueError, match="Index must be of type integer"):
        data["0"]


def test_a_transform_that_adds_to_cocos_annotations_leaves_the_data_set_as_it_is(tmp_path):
    data = datasets.CocoDetection(*coco(tmp_path), target_transform=lambda target: target.append({"id": 9}) or target)
    assert [len(data[0][1]) for _ in range(2)] == [3, 3] and data.coco.getAnnIds(imgIds=[2]) == [5, 6]


def test_coco_stays_in_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    Image.new("RGB", (2, 2)).save(tmp_path / "secret.jpg")
    root, file = coco(tmp_path / "in", "../secret.jpg")
    with pytest.raises(ValueError, match=r"image 2\] .* lies outside of"):
        datasets.CocoDetection(root, file)[0]
    (root / "bad.json").write_text("[1, 2")
    with pytest.raises(ValueError, match="is no annotation file of COCO"):
        datasets.CocoDetection(root, root / "bad.json")


def test_stl10_reads_columns_first(tmp_path):
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    pixels = np.arange(2 * 3 * 96 * 96, dtype=np.uint32).astype(np.uint8)
    for name in ("train", "unlabeled"):
        pixels.tofile(folder / f"{name}_X.bin")
    np.array([1, 10], dtype=np.uint8).tofile(folder / "train_y.bin")
    (folder / "fold_indices.txt").write_text("1\n0 1\n")
    (folder / "class_names.txt").write_text("airplane\nbird\n")
    data = datasets.STL10(tmp_path, "train+unlabeled")
    assert data.labels.tolist() == [0, 9, -1, -1] and data.classes == ["airplane", "bird"]
    image = np.asarray(data[1][0])
    assert image[3, 5, 2] == pixels.reshape(2, 3, 96, 96)[1, 2, 5, 3]
    assert datasets.STL10(tmp_path, "train", folds=0).labels.tolist() == [9]
    with pytest.raises(RuntimeError, match=r"\[STL10\] Dataset not found or corrupted"):
        datasets.STL10(tmp_path, "test")
    with pytest.raises(ValueError, match="folds should be in the range"):
        datasets.STL10(tmp_path, folds=10)


def test_usps_reads_lines_of_numbered_values(tmp_path):
    line = "3 " + " ".join(f"{i + 1}:{-1 + 2 * i / 255:.6f}" for i in range(256))
    with bz2.open(tmp_path / "usps.bz2", "wt") as file:
        file.write(line + "\n" + line.replace("3 ", "10 ", 1) + "\n")
    data = datasets.USPS(tmp_path)
    assert data.targets == [2, 9] and data.data.shape == (2, 16, 16)
    assert abs(data.data[0].astype(int).reshape(-1) - np.arange(256)).max() <= 1
    assert data[0][0].mode == "L" and data[0][1] == 2
    (tmp_path / "usps.t.bz2").write_bytes(b"BZh91AY")
    with pytest.raises(ValueError, match=r"\[USPS\] .* is damaged"):
        datasets.USPS(tmp_path, train=False)
    (tmp_path / "usps.t.bz2").write_bytes(bz2.compress(bytes((1 << 26) + 1)))           # 88 bytes
    with pytest.raises(ValueError, match=r"\[USPS\] .* is damaged: it unpacks to more than 67108864 bytes"):
        datasets.USPS(tmp_path, train=False)


def test_svhn_says_what_is_missing(tmp_path):
    (tmp_path / "train_32x32.mat").write_bytes(b"not it")
    with pytest.raises(RuntimeError, match=r"\[SVHN\] Dataset not found or corrupted: there is no whole"):
        datasets.SVHN(tmp_path)


def test_pets_have_breed_species_and_outline(tmp_path):
    base = tmp_path / "oxford-iiit-pet"
    (base / "images").mkdir(parents=True)
    (base / "annotations" / "trimaps").mkdir(parents=True)
    for name in ("great_pyrenees_1", "Abyssinian_100"):
        Image.new("RGB", (5, 4)).save(base / "images" / f"{name}.jpg")
        Image.new("L", (5, 4), 2).save(base / "annotations" / "trimaps" / f"{name}.png")
    (base / "annotations" / "trainval.txt").write_text("Abyssinian_100 1 1 1\ngreat_pyrenees_1 2 2 1\n")
    data = datasets.OxfordIIITPet(tmp_path, target_types=("category", "binary-category", "segmentation"))
    assert data.classes == ["Abyssinian", "Great Pyrenees"] and data.class_to_idx["Great Pyrenees"] == 1
    breed, species, outline = data[1][1]
    assert (breed, species, np.unique(np.asarray(outline)).tolist()) == (1, 1, [2])
    assert datasets.OxfordIIITPet(tmp_path)[0][1] == 0
    with pytest.raises(ValueError, match="Unknown value 'colour' for argument target_types"):
        datasets.OxfordIIITPet(tmp_path, target_types="colour")


def test_emnist_has_splits_of_its_own(tmp_path):
    raw = tmp_path / "EMNIST" / "raw" / "gzip"
    raw.mkdir(parents=True)
    images, labels = bytes([0, 0, 8, 3]) + np.array([2, 28, 28], ">u4").tobytes() + bytes(2 * 784), bytes([0, 0, 8, 1])
    labels += np.array([2], ">u4").tobytes() + bytes([1, 26])
    for kind, content in (("images-idx3", images), ("labels-idx1", labels)):
        with gzip.open(raw / f"emnist-letters-train-{kind}-ubyte.gz", "wb") as file:
            file.write(content)
    data = datasets.EMNIST(tmp_path, "letters")
    assert data.targets.tolist() == [1, 26] and data.classes[26] == "z" and len(datasets.EMNIST.classes_split_dict["balanced"]) == 47
    with pytest.raises(ValueError, match=r"\[EMNIST\] Unknown value 'all' for argument split"):
        datasets.EMNIST(tmp_path, "all")


def test_wrapped_targets_are_tensors_that_know_what_they_are(tmp_path):
    root, file = coco(tmp_path)
    image, target = datasets.wrap_dataset_for_transforms_v2(datasets.CocoDetection(root, file), ("boxes", "labels", "masks", "image_id"))[0]
    boxes = target["boxes"]
    assert isinstance(boxes, tv_tensors.BoundingBoxes) and boxes.canvas_size == (6, 8)
    assert boxes.tolist() == [[1, 2, 4, 6], [0, 0, 2, 2]] and target["labels"].tolist() == [7, 8] and target["image_id"] == 2
    assert isinstance(target["masks"], tv_tensors.Mask)
    again = pickle.loads(pickle.dumps(datasets.wrap_dataset_for_transforms_v2(datasets.CocoDetection(root, file))))
    assert again[0][1]["boxes"].tolist() == boxes.tolist()
    assert tuple(target["masks"].shape) == (2, 6, 8) and target["masks"][0, 3, 2].item() == 1 and target["masks"][1].sum().item() == 0
    image, target = datasets.wrap_dataset_for_transforms_v2(datasets.VOCDetection(voc(tmp_path / "v")))[0]
    assert target["boxes"].tolist() == [[1, 2, 5, 6]] and target["labels"].tolist() == [8] and len(target) == 2
    masks = datasets.wrap_dataset_for_transforms_v2(datasets.VOCSegmentation(tmp_path / "v"))
    assert isinstance(masks[0][1], tv_tensors.Mask) and tuple(masks[0][1].shape) == (1, 6, 8) and masks[0][1].unique().tolist() == [3] and len(masks) == 1
    plain = datasets.wrap_dataset_for_transforms_v2(datasets.FakeData(2, (3, 4, 4)))
    assert isinstance(plain, datasets.FakeData) and isinstance(plain[0][1], int)
    for keys in ("all", ("boxes",)):
        with pytest.raises(ValueError, match="`target_keys` is currently only supported for CocoDetection, .* but got FakeData"):
            datasets.wrap_dataset_for_transforms_v2(datasets.FakeData(2), keys)
    with pytest.raises(TypeError, match="No wrapper exists for dataset class list"):
        datasets.wrap_dataset_for_transforms_v2([1])


def test_transforms_of_wrapped_data_get_the_tensors(tmp_path):
    root, file = coco(tmp_path)
    seen = []
    data = datasets.CocoDetection(root, file, transforms=lambda i, t: (seen.append(type(t["boxes"])), i, t)[1:])
    datasets.wrap_dataset_for_transforms_v2(data)[0]
    assert seen == [tv_tensors.BoundingBoxes]
