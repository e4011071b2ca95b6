"""Features from inside of models, and the models that have files of their own: sizes, counts, names."""

import copy

import pytest

import taeda
from taeda import fx, nn
from taeda.vision import models, ops
from taeda.vision.models import video
from taeda.vision.models.feature_extraction import create_feature_extractor, get_graph_node_names
from taeda.vision.models.inception import InceptionOutputs
from taeda.vision.models.regnet import BlockParams
from taeda.vision.models.swin_transformer import ShiftedWindowAttention


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.head = nn.Linear(4, 2)
        self.aux = nn.Linear(4, 5)

    def forward(self, x):
        x = self.body(x)
        x = x + x.mean()
        y = self.head(x + 1)
        return (y, self.aux(x)) if self.training else y


def test_nodes_are_named_by_their_modules():
    with pytest.warns(UserWarning, match="eval mode are a subsequence of those obtained in train mode"):
        train, evaluation = get_graph_node_names(Net())
    assert evaluation == ["x", "body.0", "body.1", "mean", "add", "add_1", "head"]
    assert train == [*evaluation, "aux"]


def test_features_are_what_the_nodes_give():
    taeda.manual_seed(0)
    net, x = Net().eval(), taeda.randn(2, 3)
    features = create_feature_extractor(net, {"body": "b", "add_1": "sum"}, suppress_diff_warning=True)
    assert not features.training and net.training is False
    inner = net.body(x)
    found = features(x)
    assert list(found) == ["b", "sum"]
    assert taeda.equal(found["b"], inner) and taeda.equal(found["sum"], inner + inner.mean() + 1)
    assert {name for name, _ in features.named_parameters()} == {"body.0.weight", "body.0.bias"}
    assert features.get_parameter("body.0.weight") is net.body[0].weight
    again = copy.deepcopy(features)
    assert taeda.equal(again(x)["sum"], found["sum"]) and again.get_parameter("body.0.weight") is not net.body[0].weight


def test_training_has_a_graph_of_its_own():
    net, x = Net(), taeda.randn(2, 3)
    features = create_feature_extractor(net, train_return_nodes=["aux"], eval_return_nodes=["head"], suppress_diff_warning=True)
    assert features.training and list(features(x)) == ["aux"]
    assert list(features.eval()(x)) == ["head"] and list(features.train()(x)) == ["aux"]


def test_tracing_leaves_every_modules_mode_as_it_was():
    class Choosy(Net):
        def forward(self, x):
            return self.head(self.body(x)) if x.sum() > 0 else x

    for kind in (Net, Choosy):
        net = kind()
        net.aux.eval()
        for look in (get_graph_node_names, lambda m, **how: create_feature_extractor(m, ["head"], **how)):
            if kind is Choosy:
                with pytest.raises(fx.proxy.TraceError):
                    look(net, suppress_diff_warning=True)
            else:
                look(net, suppress_diff_warning=True)
            assert net.training and net.body.training and not net.aux.training


def test_features_ask_for_nodes_that_are_there():
    with pytest.raises(ValueError, match="node: 'neck' is not present in model"):
        create_feature_extractor(Net(), ["neck"], suppress_diff_warning=True)
    with pytest.raises(ValueError, match="Either `return_nodes` or"):
        create_feature_extractor(Net())


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "vit_b_32", "efficientnet_b0"])
def test_models_can_be_traced(name):
    train, evaluation = get_graph_node_names(models.get_model(name))
    assert train == evaluation and evaluation[0] == "x"


def test_regnets_stages_follow_from_four_numbers():
    stages = BlockParams.from_init_params(depth=16, w_0=48, w_a=27.89, w_m=2.09, group_width=8, se_ratio=0.25)
    assert (stages.depths, stages.widths) == ([1, 3, 6, 6], [48, 104, 208, 440])
    with pytest.raises(ValueError, match="Invalid RegNet settings"):
        BlockParams.from_init_params(depth=4, w_0=12, w_a=1.0, w_m=2.0, group_width=8)
    model = models.regnet_y_400mf(num_classes=1000)
    assert sum(p.numel() for p in model.parameters()) == 4344144
    assert "trunk_output.block2.block2-0.proj.0.weight" in model.state_dict()
    assert models.regnet_x_1_6gf.__name__ == "regnet_x_1_6gf"


def test_inception_has_a_head_on_the_way_in_training():
    model = models.inception_v3(init_weights=False)
    assert sum(p.numel() for p in model.parameters()) == 27161264
    model = models.inception_v3(num_classes=3, init_weights=False, aux_logits=False).eval()
    assert tuple(model(taeda.zeros(1, 3, 75, 75)).shape) == (1, 3)
    assert InceptionOutputs._fields == ("logits", "aux_logits")


def test_maxvit_wants_windows_that_divide():
    model = models.MaxVit((64, 64), 8, 2, [8, 16], [1, 1], 4, 0.2, num_classes=3).eval()
    assert tuple(model(taeda.zeros(2, 3, 64, 64)).shape) == (2, 3)
    with pytest.raises(ValueError, match=r"Input size \(15, 15\) of block 0 is not divisible by partition size 2"):
        models.MaxVit((60, 60), 8, 2, [8, 16], [1, 1], 4, 0.2)
    assert models.maxvit_t.__name__ in models.list_models(include="max*")


def test_lraspp_gives_each_pixel_classes():
    model = models.segmentation.lraspp_mobilenet_v3_large(num_classes=4).eval()
    assert tuple(model(taeda.zeros(1, 3, 32, 48))["out"].shape) == (1, 4, 32, 48)
    with pytest.raises(NotImplementedError, match="does not use auxiliary loss"):
        models.segmentation.lraspp_mobilenet_v3_large(aux_loss=True)


def test_weights_are_named_beside_their_builders():
    weights = models.detection.faster_rcnn.FasterRCNN_ResNet50_FPN_Weights
    assert weights is models.detection.FasterRCNN_ResNet50_FPN_Weights and weights.DEFAULT is weights.COCO_V1
    assert repr(models.resnet.ResNet50_Weights.DEFAULT) == "ResNet50_Weights.IMAGENET1K_V2"
    assert models.get_weight("Inception_V3_Weights.DEFAULT").transforms().crop_size == [299]
    assert models.get_model_weights("fcn_resnet50").COCO_WITH_VOC_LABELS_V1.transforms().resize_size == [520]
    image = taeda.full((3, 8, 8), 255, dtype=taeda.uint8)
    assert weights.DEFAULT.transforms()(image).unique().tolist() == [1.0]


@pytest.mark.parametrize(("name", "count"), [("r3d_18", 33371472), ("mc3_18", 11695440), ("r2plus1d_18", 31505325)])
def test_films_are_classified(name, count):
    assert sum(p.numel() for p in models.get_model(name).parameters()) == count
    model = models.get_model(name, num_classes=3).eval()
    assert tuple(model(taeda.zeros(1, 3, 4, 16, 16)).shape) == (1, 3)


def test_films_are_prepared_as_their_weights_expect():
    prepare = models.video.R3D_18_Weights.DEFAULT.transforms()
    film = taeda.zeros(2, 3, 60, 80, dtype=taeda.uint8)
    film[1] = 255
    out = prepare(film)
    assert tuple(out.shape) == (3, 2, 112, 112) and tuple(prepare(film[None]).shape) == (1, 3, 2, 112, 112)
    assert out[0, :, 0, 0].tolist() == pytest.approx([-0.43216 / 0.22803, (1 - 0.43216) / 0.22803], rel=1e-5)
    assert models.video.Swin3D_B_Weights.DEFAULT.name == "KINETICS400_V1" and len(models.video.Swin3D_B_Weights) == 2


def test_s3d_needs_thirteen_frames():
    model = models.video.s3d().eval()
    assert sum(p.numel() for p in model.parameters()) == 8320048
    with taeda.no_grad():
        assert tuple(model(taeda.zeros(1, 3, 13, 209, 209)).shape) == (1, 400)
    assert [(tuple(conv[0].kernel_size), conv[1].eps) for conv in model.features[0]] == [((1, 7, 7), 0.001), ((7, 1, 1), 0.001)]


def test_windows_of_films_are_no_larger_than_the_film():
    assert sum(p.numel() for p in models.video.swin3d_t().parameters()) == 28158070
    taeda.manual_seed(0)
    attention = models.video.swin_transformer.ShiftedWindowAttention3d(4, [4, 3, 3], [2, 1, 1], 2).eval()
    x = taeda.randn(1, 2, 3, 6, 4)
    y = attention(x)                # one window of frames and rows, two shifted windows of columns
    assert y.shape == x.shape
    changed = x.clone()
    changed[..., 0, :] += 1         # the first column is in the window of the last, and apart from it
    assert [bool((attention(changed) - y)[..., i, :].abs().max() > 1e-6) for i in range(6)] == [True, False, False, False, False, False]
    with pytest.raises(ValueError, match=r"\[ShiftedWindowAttention3d\] window_size and shift_size must be of length 3"):
        models.video.swin_transformer.ShiftedWindowAttention3d(4, [4, 3], [2, 1], 2)


@pytest.mark.parametrize("training", [False, True])
def test_fx_traces_attention_in_windows_and_pooled_tokens_as_single_nodes(training):
    blocks = [video.mvit.MSBlockConfig(1, 8, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 2, 2])] * 2
    blocks[1] = video.mvit.MSBlockConfig(2, 16, 16, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 1, 1])
    patches = {"patch_embed_kernel": (1, 7, 7), "patch_embed_stride": (1, 4, 4), "patch_embed_padding": (0, 3, 3)}
    film = models.video.MViT((32, 32), 1, blocks, True, False, True, True, stochastic_depth_prob=0.5, num_classes=3, **patches)
    windows = models.SwinTransformer([4, 4], 8, [2], [2], [4, 4], 2.0, stochastic_depth_prob=0.5, num_classes=3)
    for model, kinds in ((film, video.mvit.MultiscaleAttention), (windows, ShiftedWindowAttention)):
        model.train(training)
        traced = fx.symbolic_trace(model)
        called = [traced.get_submodule(node.target) for node in traced.graph.nodes if node.op == "call_module"]
        assert sum(isinstance(module, kinds) for module in called) == 2
        x = taeda.rand(2, 3, 32, 32)
        taeda.manual_seed(0)
        expected = model(x)
        taeda.manual_seed(0)
        assert taeda.equal(traced(x), expected)


class Depth(nn.Module):
    def __init__(self):
        super().__init__()
        self.pool, self.drop = ops.RoIAlign(2, 1.0, 2), ops.StochasticDepth(0.5, "row")

    def forward(self, x, boxes):
        return self.drop(self.pool(x, boxes)) + ops.stochastic_depth(ops.roi_pool(x, boxes, 2), 0.5, "row", self.training)


def test_functions_that_decide_by_values_are_nodes():
    net = Depth().eval()
    traced = fx.symbolic_trace(net)
    calls = [n.target for n in traced.graph.nodes if n.op == "call_function"]
    assert calls[:4] == [ops.roi_align, ops.stochastic_depth, ops.roi_pool, ops.stochastic_depth]
    assert not [n for n in traced.graph.nodes if n.op == "call_module"]
    x, boxes = taeda.arange(64.0).reshape(1, 1, 8, 8), [taeda.tensor([[0.0, 0.0, 4.0, 4.0]])]
    assert traced(x, boxes).tolist() == net(x, boxes).tolist()
    again = fx.symbolic_trace(traced)  # and its code is traced as the model was
    assert [n.target for n in again.graph.nodes if n.op == "call_function"][:4] == calls[:4]
    assert get_graph_node_names(net)[1][:4] == ["x", "boxes", "pool", "drop"]


@pytest.mark.parametrize("layer", [ops.PSRoIAlign(2, 1.0, 2), ops.PSRoIPool(2, 1.0), ops.RoIPool(2, 1.0), ops.RoIAlign(2, 1.0, 2)], ids=str)
def test_a_pool_of_regions_can_be_traced_itself(layer):
    x, boxes = taeda.arange(256.0).reshape(1, 4, 8, 8), taeda.tensor([[0.0, 0.0, 1.0, 4.0, 5.0]])
    assert fx.symbolic_trace(layer)(x, boxes).tolist() == layer(x, boxes).tolist()


@pytest.mark.parametrize("layer", [ops.DropBlock2d(0.5, 3), ops.DropBlock3d(0.5, 3), ops.StochasticDepth(0.5, "batch")], ids=str)
def test_a_dropping_layer_can_be_traced_itself(layer):
    x = taeda.ones(1, 2, 4, 4, 4)[:, :, 0] if type(layer) is ops.DropBlock2d else taeda.ones(1, 2, 4, 4, 4)
    taeda.manual_seed(0)
    want = layer(x)
    taeda.manual_seed(0)
    assert fx.symbolic_trace(layer)(x).tolist() == want.tolist()


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Module()
        self.inner.linear = nn.Linear(2, 2)
        self.inner.scale = nn.Parameter(taeda.full((2,), 3.0))
        self.inner.register_buffer("shift", taeda.ones(2))

    def forward(self, x):
        y = self.inner.linear(x)
        return y * self.inner.scale + self.inner.shift


def test_both_modes_have_the_parameters_that_their_nodes_read():
    net, x = Scaled(), taeda.ones(1, 2)
    features = create_feature_extractor(net, train_return_nodes=["add"], eval_return_nodes=["inner.linear"])
    assert taeda.equal(features.train()(x)["add"], net(x)) and features.inner.scale is net.inner.scale
    assert taeda.equal(features.eval()(x)["inner.linear"], net.inner.linear(x))
