"""The package beside core: versions must match, and the namespace's file is core's."""

import importlib

import pytest

import taeda
import taeda.vision


def test_another_version_of_core_is_refused_with_both_versions_and_the_cure(monkeypatch):
    monkeypatch.setattr(taeda, "__version__", "9.9.9")
    with pytest.raises(
        ImportError, match=r"taeda-vision 0\.1\.0 .*taeda-core 9\.9\.9.*pip install taeda-core==0\.1\.0"
    ):
        importlib.reload(taeda.vision)


def test_every_public_name_is_there():
    assert all(hasattr(taeda.vision, name) for name in taeda.vision.__all__)


@pytest.mark.parametrize(
    "room, name",
    [
        ("transforms.transforms", "ColorJitter"), ("transforms.transforms", "ToTensor"), ("transforms", "Compose"),
        ("models.resnet", "ResNet18_Weights"), ("models.resnet", "resnet18"), ("models.detection", "FasterRCNN_ResNet50_FPN_Weights"),
        ("models.segmentation", "FCN_ResNet50_Weights"), ("models", "alexnet"),
    ],
)  # fmt: skip
def test_a_star_import_of_a_file_brings_all_that_torchvision_has_there(room, name):
    names = {}
    exec(f"from taeda.vision.{room} import *", names)
    assert names[name] is getattr(importlib.import_module(f"taeda.vision.{room}"), name)


def test_a_star_import_of_a_room_brings_its_files():
    names = {}
    exec("from taeda.vision.transforms import *; from taeda.vision.models import *", names)
    assert names["transforms"].Compose is taeda.vision.transforms.Compose and names["resnet"].resnet18 is names["resnet18"]
    assert callable(names["googlenet"]) and names["detection"] is taeda.vision.models.detection and "weights" not in names


def test_names_of_inner_rooms_that_programs_import() -> None:
    from taeda.vision.models.mobilenetv2 import _make_divisible
    from taeda.vision.ops.boxes import _upcast
    from taeda.vision.transforms.transforms import _setup_size

    assert [_make_divisible(v, 8) for v in (3, 12, 13, 75.0)] == [8, 16, 16, 72] and _make_divisible(3, 8, 16) == 16
    assert _upcast(taeda.ones(1, dtype=taeda.float16)).dtype is taeda.float32 and _upcast(taeda.ones(1, dtype=taeda.uint8)).dtype is taeda.int32
    assert (_setup_size(5, "no"), _setup_size([5], "no"), tuple(_setup_size((5, 6), "no"))) == ((5, 5), (5, 5), (5, 6))
    with pytest.raises(ValueError, match="^two numbers$"):
        _setup_size((1, 2, 3), "two numbers")
