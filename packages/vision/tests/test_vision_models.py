"""Models: names of parameters, shapes, initialisation, and the registry."""

import pytest
import taeda
from taeda import nn
from taeda.vision import models
from taeda.vision.models.registry import _BUILDERS


def block(prefix, downsample):
    names = []
    for i in (1, 2):
        names.append(f"{prefix}.conv{i}.weight")
        names += [
            f"{prefix}.bn{i}.{n}"
            for n in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        ]
    if downsample:
        names.append(f"{prefix}.downsample.0.weight")
        norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        names += [f"{prefix}.downsample.1.{n}" for n in norm]
    return names


@pytest.mark.parametrize(("name", "depths"), [("resnet18", (2, 2, 2, 2)), ("resnet34", (3, 4, 6, 3))])
def test_resnets_have_torchvisions_keys_in_their_order(name, depths):
    keys = [
        "conv1.weight",
        "bn1.weight",
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "bn1.num_batches_tracked",
    ]
    for stage, depth in enumerate(depths, 1):
        for i in range(depth):
            keys += block(f"layer{stage}.{i}", downsample=stage > 1 and i == 0)
    keys += ["fc.weight", "fc.bias"]
    assert list(models.get_model(name, num_classes=3).state_dict()) == keys


@pytest.mark.parametrize(
    ("name", "parameters"), [("resnet18", 11_689_512), ("resnet34", 21_797_672), ("resnet50", 25_557_032)]
)
def test_sizes_are_the_known_ones(name, parameters):
    assert sum(p.numel() for p in models.get_model(name).parameters()) == parameters


def test_resnet_maps_images_to_classes_and_trains():
    taeda.manual_seed(0)
    model = models.resnet18(num_classes=4)
    x = taeda.randn(2, 3, 32, 32)
    out = model(x)
    assert tuple(out.shape) == (2, 4)
    out.sum().backward()
    assert float(model.conv1.weight.grad.abs().sum()) > 0


def test_resnet_starts_as_he_and_with_zero_residuals_if_asked():
    taeda.manual_seed(0)
    model = models.resnet18(zero_init_residual=True)
    weight = model.layer3[0].conv1.weight
    assert float(weight.detach().std()) == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    assert float(model.layer1[0].bn2.weight.detach().abs().sum()) == 0
    assert float(model.layer1[0].bn1.weight.detach().min()) == 1


def test_resnet_prints_as_torchvisions():
    text = repr(models.resnet18())
    assert text.startswith(
        "ResNet(\n  (conv1): Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), "
        "bias=False)\n  (bn1): "
    )
    assert (
        "(downsample): Sequential(\n        (0): Conv2d(64, 128, kernel_size=(1, 1), stride=(2, 2), "
        "bias=False)" in text
    )
    assert text.endswith("(fc): Linear(in_features=512, out_features=1000, bias=True)\n)")


def test_trained_weights_are_not_promised():
    with pytest.raises(
        ValueError, match=r"resnet18.* no trained weights, got weights='DEFAULT'; load a checkpoint"
    ):
        models.resnet18(weights="DEFAULT")


@pytest.mark.parametrize("size", [8, 16, 28, 32])
def test_lenet_takes_images_of_its_size(size):
    model = models.get_model("lenet", image_size=size, in_channels=2, num_classes=7)
    assert tuple(model(taeda.zeros(3, 2, size, size)).shape) == (3, 7)


def test_lenet_of_28_pixels_is_the_papers():
    assert models.lenet().fc1.in_features == 400
    with pytest.raises(ValueError, match="image_size should be at least 8, got 4"):
        models.lenet(image_size=4)


def test_small_cnn_takes_any_size():
    for size in (8, 13):
        assert tuple(models.small_cnn(num_classes=5)(taeda.zeros(2, 1, size, size)).shape) == (2, 5)


def test_the_registry_lists_filters_and_builds():
    assert models.list_models() == ["lenet", "resnet18", "resnet34", "resnet50", "small_cnn"]
    assert models.list_models(include="resnet*", exclude=["*50"]) == ["resnet18", "resnet34"]
    assert models.list_models(models) == models.list_models()
    assert models.get_model_builder("ResNet18") is models.resnet18
    with pytest.raises(ValueError, match="Unknown model 'vgg'; there are lenet, resnet18"):
        models.get_model("vgg")


def test_models_of_ones_own_register(monkeypatch):
    monkeypatch.setattr(models.registry, "_BUILDERS", dict(_BUILDERS))

    @models.register_model("mine")
    def build(width=1):
        return nn.Linear(width, 1)

    assert models.get_model("mine", width=3).in_features == 3
    with pytest.raises(ValueError, match="already registered under the name 'mine'"):
        models.register_model("mine")(build)
