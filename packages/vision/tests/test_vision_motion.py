"""RAFT and MViT: sizes, first weights, results and refusals. The numbers are torchvision 0.28's, from the same lines on PyTorch 2.13."""

import pytest

import taeda
from taeda import nn
from taeda.vision import models
from taeda.vision.models.optical_flow import raft
from taeda.vision.models.video import mvit

SECOND = [
    (1, 8, 8, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 4, 4]),
    (2, 8, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 2, 2]),
]
FIRST = [(1, 8, 16, [], [3, 3, 3], [], [1, 2, 2]), (2, 16, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 1, 1])]
FIRST_OUT = [0.0184980, 0.1171275, -0.0769937, 0.0233795, -0.0164897]
SECOND_OUT = [0.1112607, 0.0684143, 0.0146129, 0.0019593, -0.1159452]


def total(values):
    return sum(v.detach().double().abs().sum().item() for v in values)


def images():
    x = taeda.arange(3 * 128 * 128).reshape(1, 3, 128, 128).sin()
    return x, x.roll(3, -1)


def small_mvit(blocks, new):
    taeda.manual_seed(0)
    return models.video.MViT((32, 32), 4, [mvit.MSBlockConfig(*b) for b in blocks], new, False, new, new, num_classes=5)


@pytest.mark.parametrize(
    ("name", "count", "keys", "weights", "flow"),
    [("raft_small", 990_162, 106, 24054.3467, 76364.795), ("raft_large", 5_257_536, 169, 127705.0372, 31042.847)],
)
def test_raft_is_torchvisions(name, count, keys, weights, flow):
    taeda.manual_seed(0)
    model = models.get_model(name).eval()
    state = model.state_dict()
    assert (sum(p.numel() for p in model.parameters()), len(state)) == (count, keys)
    assert total(state.values()) == pytest.approx(weights, rel=1e-6)
    flows = model(*images(), num_flow_updates=3)
    assert [tuple(f.shape) for f in flows] == [(1, 2, 128, 128)] * 3
    assert total(flows) == pytest.approx(flow, rel=1e-3)
    flows[-1].square().mean().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_raft_refuses_images_that_do_not_fit():
    model = models.optical_flow.raft_small()
    for first, second, rule in (
        ((128, 128), (128, 136), r"\[RAFT\] input images should have the same shape, instead got \(128, 128\) != .*128, 136"),
        ((100, 128), (100, 128), r"\[RAFT\] input image H and W should be divisible by 8, instead got 100 \(h\) and 128 \(w\)"),
        ((64, 128), (64, 128), r"\[CorrBlock\] .* should be at least 16; got: .*\[8, 16\]"),
    ):
        with pytest.raises(ValueError, match=rule):
            model(taeda.zeros(1, 3, *first), taeda.zeros(1, 3, *second))


def test_raft_takes_parts_of_ones_own():
    x, y = images()
    with pytest.raises(ValueError, match="feature encoder should downsample H and W by 8"):
        models.optical_flow.raft_small(feature_encoder=nn.Identity())(x, y)
    with pytest.raises(ValueError, match="outputs 96 channels, but it should have strictly more than hidden_state=96"):
        models.optical_flow.raft_small(context_encoder=nn.Conv2d(3, 96, 8, 8))(x, y)
    parts = {"feature_encoder": None, "context_encoder": None, "corr_block": None}
    with pytest.raises(ValueError, match="should expose a 'hidden_state_size' attribute"):
        models.optical_flow.RAFT(**parts, update_block=nn.Identity())
    with pytest.raises(TypeError, match="corr_block_radius"):
        models.optical_flow.raft_small(corr_block_radius=1)
    with pytest.raises(ValueError, match="number of layers is 5, instead got 2"):
        raft.FeatureEncoder(layers=(1, 2))
    with pytest.raises(ValueError, match="number of flow_layers is 2, instead got 1"):
        raft.MotionEncoder(in_channels_corr=3, flow_layers=(1,))
    with pytest.raises(ValueError, match="corr_layers should be 1 or 2, instead got 3"):
        raft.MotionEncoder(in_channels_corr=3, corr_layers=(1, 2, 3))
    with pytest.raises(ValueError, match=r"len\(kernel_size\) = 1 and len\(padding\) = 2"):
        raft.RecurrentBlock(input_size=3, hidden_size=3, kernel_size=(1,))
    with pytest.raises(ValueError, match="there should be 1 or 2 kernel sizes, instead got 3"):
        raft.RecurrentBlock(input_size=3, hidden_size=3, kernel_size=(1, 1, 1), padding=(0, 0, 0))


def test_correlations_are_looked_up_between_pixels():
    block = raft.CorrBlock(num_levels=1, radius=1)
    first, second = taeda.ones(1, 4, 2, 2), taeda.arange(4.0).reshape(1, 1, 2, 2).expand(1, 4, 2, 2)
    block.build_pyramid(first, second)                      # <a, b> / sqrt(4) = 2 b
    found = block.index_pyramid(taeda.full((1, 2, 2, 2), 0.5))
    assert tuple(found.shape) == (1, 9, 2, 2) and found[0, 4].tolist() == [[3.0, 3.0]] * 2
    with pytest.raises(ValueError, match="should have the same shape"):
        block.build_pyramid(first, second[..., :1])


@pytest.mark.parametrize(("blocks", "new", "weights", "out"), [(FIRST, False, 370.15399, FIRST_OUT), (SECOND, True, 379.86479, SECOND_OUT)])
def test_mvit_is_torchvisions(blocks, new, weights, out):
    model = small_mvit(blocks, new).eval()
    assert total(model.state_dict().values()) == pytest.approx(weights, rel=1e-6)
    x = taeda.arange(3 * 4 * 32 * 32).reshape(1, 3, 4, 32, 32).sin()
    y = model(x)
    assert y[0].tolist() == pytest.approx(out, abs=1e-5)
    y.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_mvits_have_torchvisions_sizes():
    sizes = {"mvit_v1_b": (36_610_672, 313), "mvit_v2_s": (34_537_744, 397)}
    for name, known in sizes.items():
        model = models.get_model(name)
        assert (sum(p.numel() for p in model.parameters()), len(model.state_dict())) == known
    with pytest.raises(TypeError, match="multiple values for argument 'spatial_size'"):
        models.video.mvit_v1_b(spatial_size=(32, 32))


def test_mvit_refuses_what_is_no_film():
    model = small_mvit(FIRST, False)
    with pytest.raises(ValueError, match=r"\[MViT\] Unsupported input dimension .*4, 32, 32"):
        model(taeda.zeros(4, 32, 32))
    with pytest.raises(ValueError, match=r"\[Pool\] Unsupported input dimension .*3, 16"):
        mvit.Pool(nn.Identity(), None)(taeda.zeros(3, 16), (1, 1, 15))
    with pytest.raises(ValueError, match="configuration parameter can't be empty"):
        models.video.MViT((32, 32), 4, [], False, False, False, False)


def test_pooling_keeps_the_class_token():
    pool = mvit.Pool(nn.MaxPool3d([1, 2, 2]), None, nn.ReLU())
    tokens = taeda.arange(-1.0, 8.0).reshape(1, 9, 1)
    y, size = pool(tokens, (2, 2, 2))
    assert y.flatten().tolist() == [0.0, 3.0, 7.0] and size == (2, 1, 1)
    early = mvit.Pool(nn.MaxPool3d([1, 2, 2]), None, nn.ReLU(), norm_before_pool=True)
    assert early(tokens, (2, 2, 2))[0].flatten().tolist() == [-1.0, 3.0, 7.0]


def test_weights_of_motion_have_names_and_prepare_pairs():
    weights = models.optical_flow.Raft_Large_Weights
    assert weights.DEFAULT is weights.C_T_SKHT_V2 and len(weights) == 6
    assert models.get_weight("Raft_Small_Weights.DEFAULT").name == "C_T_V2"
    assert models.video.MViT_V2_S_Weights.KINETICS400_V1.transforms().mean == [0.45, 0.45, 0.45]
    first, second = weights.DEFAULT.transforms()(taeda.full((1, 3, 2, 2), 255, dtype=taeda.uint8), taeda.zeros(3, 2, 2))
    assert first.unique().tolist() == [1.0] and second.unique().tolist() == [-1.0]
    with pytest.raises(ValueError, match="taeda ships no trained weights"):
        models.optical_flow.raft_large(weights="DEFAULT")
