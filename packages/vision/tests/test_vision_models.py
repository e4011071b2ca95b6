"""Models: names of parameters, shapes, initialisation, and the registry."""

import inspect
import re
import warnings

import pytest

import taeda
from taeda import nn
from taeda.vision import models
from taeda.vision.models.registry import BUILDERS


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
    assert {"lenet", "resnet18", "small_cnn", "vgg16", "vit_b_16"} <= set(models.list_models())
    assert models.list_models(include="resnet*", exclude=["*50", "*1*1*", "*152"]) == ["resnet18", "resnet34"]
    rooms = (models, models.detection, models.optical_flow, models.segmentation, models.video)
    assert sorted(sum(map(models.list_models, rooms), [])) == models.list_models()
    assert models.get_model_builder("ResNet18") is models.resnet18
    with pytest.raises(ValueError, match=r"\[get_model\] Unknown model 'foo'; there are alexnet, convnext_base"):
        models.get_model("foo")
    for find in (models.get_model, models.get_model_weights):
        with pytest.raises(ValueError, match="Unknown model 'resnet19'; did you mean resnet18, .* list_models"):
            find("resnet19")


@pytest.mark.parametrize(("name", "shape", "text"), [
    ("maxvit_t", (1, 3, 200, 200), r"\[MaxVit\] windows of 7 x 7 do not tile a map of 50 x 50"),
    ("swin3d_t", (3, 4, 32, 32), r"expected videos, B x 3 x T x H x W, got \(3, 4, 32, 32\)"),
    ("mvit_v2_s", (1, 3, 4, 224, 224), r"\[MViT\] the video is cut into \(2, 56, 56\) patches .* has places for \(8, 56, 56\)"),
    ("vit_b_32", (1, 3, 64, 64), "Wrong image height! Expected 224 but got 64! Resize"),
])
def test_images_of_another_size_are_told_from_those_that_the_model_takes(name, shape, text):
    with pytest.raises((RuntimeError, ValueError, AssertionError), match=text):
        models.get_model(name)(taeda.zeros(shape))


def test_models_of_ones_own_register(monkeypatch):
    monkeypatch.setattr(models.registry, "BUILDERS", dict(BUILDERS))

    @models.register_model("mine")
    def build(width=1):
        return nn.Linear(width, 1)

    assert models.get_model("mine", width=3).in_features == 3
    with pytest.raises(ValueError, match="already registered under the name 'mine'"):
        models.register_model("mine")(build)


# Counts of parameters are torchvision 0.28's; sums of all first weights for seed 5 and 7 classes too, from the same programs on PyTorch 2.13.
KNOWN = {
    "squeezenet1_0": (739_015, 52, 51031.561),
    "squeezenet1_1": (726_087, 52, 49904.117),
    "densenet121": (6_961_031, 727, 371112.109),
    "mobilenet_v2": (2_232_839, 314, 169740.765),
    "mobilenet_v3_large": (4_210_999, 312, 220368.697),
    "mobilenet_v3_small": (1_525_031, 244, 90432.357),
    "mnasnet0_5": (946_479, 314, 87524.849),
    "mnasnet1_3": (5_010_223, 314, 303292.983),
    "shufflenet_v2_x0_5": (348_967, 338, 24369.153),
    "shufflenet_v2_x1_5": (2_485_799, 338, 95664.163),
    "googlenet": (9_951_413, 364, 94382.076),
    "efficientnet_b0": (4_016_515, 360, 301789.123),
    "efficientnet_v2_s": (20_186_455, 782, 1332314.924),
    "convnext_tiny": (27_825_511, 182, 451079.510),
    "resnext50_32x4d": (22_994_247, 320, 836200.126),
    "swin_t": (27_524_737, 185, 2871106.420),
    "swin_v2_t": (27_587_953, 233, 5959700.452),
}


@pytest.mark.parametrize("name", KNOWN)
def test_models_have_torchvisions_sizes_and_first_weights(name):
    parameters, keys, total = KNOWN[name]
    taeda.manual_seed(5)
    config = {"init_weights": True} if name == "googlenet" else {"image_size": 64} if name == "vit_b_32" else {}
    model = models.get_model(name, num_classes=7, **config)
    state = model.state_dict()
    assert (sum(p.numel() for p in model.parameters()), len(state)) == (parameters, keys)
    assert sum(float(v.double().abs().sum()) for v in state.values()) == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("name", ["swin_t", "swin_v2_t", "squeezenet1_1", "mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5", "efficientnet_b0"])
def test_models_map_images_to_classes_and_train(name):
    taeda.manual_seed(0)
    model = models.get_model(name, num_classes=4)
    out = model(taeda.randn(2, 3, 64, 64))
    assert tuple(out.shape) == (2, 4)
    out.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_googlenet_gives_its_heads_in_training_alone():
    model = models.googlenet(num_classes=3, init_weights=False)
    out = model(taeda.randn(2, 3, 64, 64))
    assert [tuple(part.shape) for part in out] == [(2, 3)] * 3
    assert tuple(model.eval()(taeda.randn(1, 3, 64, 64)).shape) == (1, 3)


def test_weights_have_names_and_prepare_images_but_no_numbers():
    weights = models.ResNet50_Weights.DEFAULT
    assert weights is models.ResNet50_Weights.IMAGENET1K_V2
    assert models.get_weight("ResNet50_Weights.IMAGENET1K_V1").name == "IMAGENET1K_V1"
    assert models.get_model_weights("vit_b_16") is models.ViT_B_16_Weights
    assert tuple(weights.transforms()(taeda.zeros(3, 300, 280, dtype=taeda.uint8)).shape) == (3, 224, 224)
    with pytest.raises(ValueError, match="taeda ships no trained weights"):
        weights.get_state_dict()
    with pytest.raises(ValueError, match="taeda ships no trained weights"):
        models.vgg16(weights=models.VGG16_Weights.DEFAULT)
    with warnings.catch_warnings(record=True) as told:                # of its name, and of what it says
        warnings.simplefilter("always")
        models.squeezenet1_1(pretrained=False)
    assert [str(w.message).partition(" since")[0] for w in told] == [
        "The parameter 'pretrained' is deprecated", "Arguments other than a weight enum or `None` for 'weights' are deprecated"]


@pytest.mark.filterwarnings("ignore:The default weight initialization")
def test_builders_say_how_many_parameters_their_models_have():
    told = 0
    with taeda.device("meta"):
        for name in models.list_models():
            builder = models.get_model_builder(name)
            claim = re.search(r"([\d.]+) million parameters", inspect.getdoc(builder))
            if claim is not None:
                told += 1
                assert claim[1] == f"{sum(p.numel() for p in builder().parameters()) / 1e6:.1f}", name
    assert told > 100


def test_every_model_finds_its_own_weights():
    for name in models.list_models():
        if name not in ("lenet", "small_cnn"):                # which torchvision does not have
            assert models.get_model_weights(name).__name__.lower() == f"{name}_weights"
    assert models.get_model_weights("regnet_y_32gf") is models.RegNet_Y_32GF_Weights        # not those of 3.2 GF


def test_dense_layers_can_compute_again_instead_of_keeping():
    taeda.manual_seed(0)
    plain = models.DenseNet(8, (2, 2, 2, 2), 8, num_classes=3)
    frugal = models.DenseNet(8, (2, 2, 2, 2), 8, num_classes=3, memory_efficient=True)
    frugal.load_state_dict(plain.state_dict())
    x = taeda.randn(2, 3, 32, 32)
    for model in (plain, frugal):
        model(x).sum().backward()
    for a, b in zip(plain.parameters(), frugal.parameters(), strict=True):
        assert taeda.allclose(a.grad, b.grad, atol=1e-5)


@pytest.mark.parametrize("name", ["fcn_resnet50", "deeplabv3_mobilenet_v3_large"])
def test_segmentation_gives_every_pixel_its_classes(name):
    taeda.manual_seed(0)
    model = models.get_model(name, num_classes=3, aux_loss=True).eval()
    out = model(taeda.randn(1, 3, 33, 40))
    assert {k: tuple(v.shape) for k, v in out.items()} == {"out": (1, 3, 33, 40), "aux": (1, 3, 33, 40)}
    assert set(model.backbone.return_layers.values()) == {"out", "aux"}
    with pytest.raises(ValueError, match="taeda ships no trained weights"):
        models.get_model(name, weights="DEFAULT")


def test_builders_take_arguments_as_older_programs_give_them():
    with pytest.warns(UserWarning, match="Using 'weights' as positional parameter"):
        assert isinstance(models.resnet18(None, num_classes=3), models.ResNet)
    with pytest.warns(UserWarning) as told:
        models.squeezenet1_1(False, False)
    assert [w.filename for w in told] == [__file__, __file__]
    assert str(told[0].message).startswith("Using 'weights' and 'progress' as positional")
    assert str(told[1].message).startswith("Arguments other than a weight enum or `None` for 'weights' are deprecated")
    with pytest.warns(UserWarning) as told:
        net = models.segmentation.lraspp_mobilenet_v3_large(pretrained=False, pretrained_backbone=False, num_classes=2)
    assert type(net).__name__ == "LRASPP"
    said = [str(w.message) for w in told]
    assert len(said) == 4
    for name, now, older, value in zip(("pretrained", "pretrained_backbone"), ("weights", "weights_backbone"), said[::2], said[1::2], strict=True):
        assert older.startswith(f"The parameter '{name}' is deprecated since 0.13, please use '{now}'")
        assert value.startswith(f"Arguments other than a weight enum or `None` for '{now}' are deprecated")
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="ships no trained weights"):
        models.resnet18(True)
    with pytest.raises(TypeError, match="takes weights, progress and got 3 arguments"):
        models.resnet18(None, True, 7)
    with pytest.raises(TypeError, match="by position beside"):
        models.resnet18(None, weights=None)
    assert inspect.signature(models.resnet18).parameters["weights"].kind is inspect.Parameter.KEYWORD_ONLY
    assert models.get_model_builder("resnet18") is models.resnet18


def test_backbones_take_arguments_by_position():
    with pytest.warns(UserWarning, match="Using 'backbone_name' and 'weights' as positional"):
        backbone = models.detection.backbone_utils.resnet_fpn_backbone("resnet18", None, trainable_layers=2)
    assert backbone.out_channels == 256
    assert [name for name, p in backbone.body.named_parameters() if p.requires_grad][0].startswith("layer3")
    with pytest.warns(UserWarning, match="Using 'backbone_name', 'weights' and 'fpn' as positional"):
        models.detection.backbone_utils.mobilenet_backbone("mobilenet_v2", None, False)
