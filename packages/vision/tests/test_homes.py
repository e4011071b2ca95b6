"""Names are found in the files in which torchvision keeps them."""

import importlib

import pytest

import taeda
from taeda.vision import datasets, io, ops, transforms, tv_tensors
from taeda.vision.datasets.folder import default_loader, pil_loader
from taeda.vision.datasets.imagenet import META_FILE, load_meta_file
from taeda.vision.ops.boxes import _box_inter_union
from taeda.vision.transforms import v2


@pytest.mark.parametrize(
    ("package", "path", "name"),
    [
        (ops, "ops.focal_loss", "sigmoid_focal_loss"),
        (ops, "ops.roi_align", "RoIAlign"),
        (ops, "ops.roi_align", "roi_align"),
        (ops, "ops.stochastic_depth", "StochasticDepth"),
        (datasets, "datasets.omniglot", "Omniglot"),
        (datasets, "datasets.stl10", "STL10"),
        (datasets, "datasets.lfw", "LFWPairs"),
        (io, "io.image", "read_image"),
        (transforms, "transforms.transforms", "RandomResizedCrop"),
        (transforms, "transforms.transforms", "Compose"),
        (tv_tensors, "tv_tensors._bounding_boxes", "BoundingBoxes"),
        (v2, "transforms.v2._geometry", "RandomRotation"),
        (v2.functional, "transforms.v2.functional._meta", "get_size"),
    ],
)
def test_file_of_torchvision(package, path, name):
    room = importlib.import_module(f"taeda.vision.{path}")
    assert getattr(room, name) is getattr(package, name)


def test_vgg_layers_are_made_of_the_lists_of_the_paper():
    from taeda.vision.models.vgg import VGG, cfgs, make_layers, vgg16

    assert cfgs["A"] == [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"]
    assert {letter: sum(v != "M" for v in cfg) for letter, cfg in cfgs.items()} == {"A": 8, "B": 10, "D": 13, "E": 16}
    assert repr(make_layers(cfgs["D"])) == repr(vgg16().features)
    assert repr(make_layers([4, "M", 8, "M"], True)) == repr(make_layers([4, 0, 8, 0], True))
    assert VGG(make_layers([4, "M", 512, "M"]), num_classes=3)(taeda.zeros(1, 3, 8, 8)).shape == (1, 3)


def test_models_of_segmentation_have_the_class_of_their_file():
    from taeda.vision.models import segmentation
    from taeda.vision.models.segmentation._utils import _SimpleSegmentationModel

    assert issubclass(segmentation.FCN, _SimpleSegmentationModel) and issubclass(segmentation.DeepLabV3, _SimpleSegmentationModel)


def test_function_keeps_its_name_beside_its_file():
    importlib.import_module("taeda.vision.ops.roi_align")
    boxes = taeda.tensor([[0.0, 0.0, 0.0, 1.0, 1.0]])
    assert ops.roi_align(taeda.ones(1, 1, 4, 4), boxes, 1).tolist() == [[[[1.0]]]]


def test_box_inter_union():
    inter, union = _box_inter_union(taeda.tensor([[0.0, 0.0, 2.0, 2.0]]), taeda.tensor([[1.0, 0.0, 3.0, 2.0]]))
    assert inter.tolist() == [[2.0]] and union.tolist() == [[6.0]]


def test_loaders(tmp_path):
    path = str(tmp_path / "a.png")
    io.write_png(taeda.full((3, 2, 2), 7, dtype=taeda.uint8), path)
    assert pil_loader(path).getpixel((0, 0)) == default_loader(path).getpixel((0, 0)) == (7, 7, 7)


def test_meta_file(tmp_path):
    with pytest.raises(RuntimeError, match="The meta file meta.bin is not present"):
        load_meta_file(tmp_path)
    taeda.save(({"n1": ("cat", "tom")}, ["n1"]), tmp_path / META_FILE)
    assert load_meta_file(tmp_path) == ({"n1": ("cat", "tom")}, ["n1"])


def test_idx_files(tmp_path):
    from taeda.vision.datasets.mnist import read_image_file, read_label_file

    labels, images = tmp_path / "labels", tmp_path / "images"
    labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 9]))
    images.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 5, 6]))
    assert read_label_file(labels).tolist() == [1, 2, 9] and read_label_file(labels).dtype is taeda.int64
    assert read_image_file(images).tolist() == [[[5, 6]]]
    with pytest.raises(ValueError, match="not a row of uint8"):
        read_label_file(images)
    with pytest.raises(ValueError, match="not images of uint8"):
        read_image_file(labels)
