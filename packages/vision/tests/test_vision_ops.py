"""Operations of detectors, held against definitions written out: loops over boxes, bins and samples."""

import math

import pytest

import taeda
from taeda.vision import ops


def some_boxes(n, size=40.0):
    a, b = taeda.rand(n, 2) * size, taeda.rand(n, 2) * size
    return taeda.cat([taeda.minimum(a, b), taeda.maximum(a, b)], 1)


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


@pytest.mark.parametrize("n", [0, 1, 30, 300])
@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_nms_keeps_what_overlaps_no_better_box(n, threshold):
    taeda.manual_seed(n)
    boxes, scores = some_boxes(n).double(), taeda.rand(n).double()
    rows, kept = boxes.tolist(), []
    for i in scores.argsort(descending=True).tolist():
        if all(iou(rows[i], rows[j]) <= threshold for j in kept):
            kept.append(i)
    assert ops.nms(boxes, scores, threshold).tolist() == kept


@pytest.mark.parametrize("n", [40, 1100])
def test_batched_nms_keeps_groups_apart(n):
    taeda.manual_seed(0)
    boxes, scores, group = some_boxes(n), taeda.rand(n), taeda.randint(0, 3, (n,))
    kept = [g[ops.nms(boxes[g], scores[g], 0.3)] for g in (taeda.where(group == i)[0] for i in range(3))]
    together = ops.batched_nms(boxes, scores, group, 0.3)
    assert sorted(together.tolist()) == sorted(taeda.cat(kept).tolist())
    assert (scores[together].diff() <= 0).all()


def test_nms_refuses_what_does_not_fit():
    with pytest.raises(RuntimeError, match=r"\[nms\] boxes should be a 2d tensor with 4 columns, got shape \(3, 5\)"):
        ops.nms(taeda.zeros(3, 5), taeda.zeros(3), 0.5)
    with pytest.raises(RuntimeError, match="same number of elements"):
        ops.nms(taeda.zeros(3, 4), taeda.zeros(2), 0.5)


def test_overlaps_are_the_definitions():
    a, b = taeda.tensor([[0.0, 0, 4, 2]]), taeda.tensor([[2.0, 0, 6, 2], [10, 10, 12, 14]])
    assert ops.box_iou(a, b)[0].tolist() == pytest.approx([4 / 12, 0.0])
    assert ops.generalized_box_iou(a, b)[0].tolist() == pytest.approx([4 / 12, -(12 * 14 - 16) / (12 * 14)])
    assert ops.distance_box_iou(a, b)[0].tolist() == pytest.approx([4 / 12 - 4 / 40, -(81 + 121) / (144 + 196)])
    v = 4 / math.pi**2 * (math.atan(2) - math.atan(0.5)) ** 2
    far = -(81 + 121) / (144 + 196) - v * v / (1 + v)
    assert ops.complete_box_iou(a, b)[0].tolist() == pytest.approx([4 / 12 - 4 / 40, far], abs=1e-6)
    for fmt in ("xywh", "cxcywh"):
        same = ops.box_iou(*(ops.box_convert(x, "xyxy", fmt) for x in (a, b)), fmt=fmt)
        assert same[0].tolist() == pytest.approx([4 / 12, 0.0])


def test_rotated_boxes_overlap_as_polygons():
    square = taeda.tensor([[5.0, 5, 2, 2, 0]])
    turned = taeda.tensor([[5.0, 5, 2, 2, 45], [5, 5, 2, 2, 90], [9, 9, 2, 2, 30]])
    octagon = 8 * (math.sqrt(2) - 1)
    expected = [octagon / (8 - octagon), 1.0, 0.0]
    assert ops.box_iou(square, turned, fmt="cxcywhr")[0].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("fmt", ["xywh", "cxcywh"])
def test_formats_lead_there_and_back(fmt):
    boxes = taeda.tensor([[1.0, 2, 5, 8], [0, 0, 3, 1]])
    there = ops.box_convert(boxes, "xyxy", fmt)
    assert there[0].tolist() == {"xywh": [1, 2, 4, 6], "cxcywh": [3, 5, 4, 6]}[fmt]
    assert taeda.equal(ops.box_convert(there, fmt, "xyxy"), boxes)
    assert ops.box_area(there, fmt).tolist() == [24.0, 3.0]


@pytest.mark.parametrize("fmt", ["xywhr", "xyxyxyxy"])
def test_rotated_formats_lead_there_and_back(fmt):
    boxes = taeda.tensor([[10.0, 12, 4, 6, 30], [3, 3, 2, 2, -80]])
    back = ops.box_convert(ops.box_convert(boxes, "cxcywhr", fmt), fmt, "cxcywhr")
    assert taeda.allclose(back, boxes, atol=1e-4)


def test_formats_that_do_not_meet_are_refused():
    with pytest.raises(ValueError, match="in_fmt nope"):
        ops.box_convert(taeda.zeros(1, 4), "nope", "xyxy")
    with pytest.raises(NotImplementedError, match="in_fmt xyxy and out_fmt xywhr"):
        ops.box_convert(taeda.zeros(1, 4), "xyxy", "xywhr")


def sample(plane, y, x):
    """One bilinear sample, as the definition has it."""
    h, w = plane.shape
    if y < -1 or y > h or x < -1 or x > w:
        return 0.0
    y, x = min(max(y, 0), h - 1), min(max(x, 0), w - 1)
    i, j = int(y), int(x)
    k, m = min(i + 1, h - 1), min(j + 1, w - 1)
    u, v = y - i, x - j
    top = (1 - v) * float(plane[i, j]) + v * float(plane[i, m])
    return (1 - u) * top + u * ((1 - v) * float(plane[k, j]) + v * float(plane[k, m]))


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("ratio", [2, -1])
def test_roi_align_is_the_mean_of_samples(aligned, ratio):
    taeda.manual_seed(1)
    x = taeda.randn(2, 2, 6, 7).double()
    rois = taeda.tensor([[0, 1.0, 2, 11, 9], [1, -3, -2, 5, 30], [1, 4, 4, 4.5, 4.5]]).double()
    got = ops.roi_align(x, rois, (2, 3), 0.5, ratio, aligned)
    for k, (image, x1, y1, x2, y2) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (c * 0.5 - (0.5 if aligned else 0) for c in (x1, y1, x2, y2))
        h, w = (y2 - y1, x2 - x1) if aligned else (max(y2 - y1, 1), max(x2 - x1, 1))
        gh, gw = (ratio, ratio) if ratio > 0 else (math.ceil(h / 2), math.ceil(w / 3))
        for c in range(2):
            for p in range(2):
                for q in range(3):
                    total = sum(
                        sample(x[int(image), c], y1 + h / 2 * (p + (a + 0.5) / gh), x1 + w / 3 * (q + (b + 0.5) / gw))
                        for a in range(gh)
                        for b in range(gw)
                    )
                    assert float(got[k, c, p, q]) == pytest.approx(total / (gh * gw), abs=1e-9)


def test_regions_of_unlike_sizes_are_pooled_as_they_are_alone():
    taeda.manual_seed(6)
    x = taeda.randn(2, 3, 9, 40).double().requires_grad_()
    # Grids of samples of about one size go in one pass; a wide one beside many small ones does not.
    small = taeda.cat([taeda.randint(0, 2, (9, 1)).double(), some_boxes(9, 6.0).double()], 1)
    wide = taeda.tensor([[1, 0.0, 0.5, 39, 9]]).double()
    empty = taeda.tensor([[0, 3.0, 3, 3, 5], [0, 4.0, 4, 2, 2]]).double()
    for rois in (small, taeda.cat([small, wide]), taeda.cat([small, empty]), taeda.cat([wide, small, empty])):
        got = ops.roi_align(x, rois, 3, aligned=True)
        for i, roi in enumerate(rois):
            assert taeda.allclose(got[i], ops.roi_align(x, roi[None], 3, aligned=True)[0])
    (slope,) = taeda.autograd.grad(ops.roi_align(x, empty, 3, aligned=True).sum(), x)
    assert ops.roi_align(x, empty, 3, aligned=True).tolist() == taeda.zeros(2, 3, 3, 3).tolist() and float(slope.abs().max()) == 0


@pytest.mark.parametrize("op", ["roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool"])
def test_pools_of_regions_have_their_derivatives(op):
    taeda.manual_seed(2)
    x = taeda.randn(2, 8, 5, 6).double().requires_grad_()
    rois = taeda.tensor([[0, 0.3, 1, 4, 4.2], [1, 2, 0, 5, 3]]).double()
    assert taeda.autograd.gradcheck(lambda x: getattr(ops, op)(x, rois, 2), (x,))
    assert getattr(ops, op)(x, rois[:0], 2).shape[0] == 0


def test_position_sensitive_pools_take_each_bin_from_its_own_channels():
    x = taeda.arange(8.0).reshape(1, 8, 1, 1).expand(1, 8, 9, 9)
    rois = taeda.tensor([[0.0, 1, 1, 7, 7]])
    expected = [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]
    assert taeda.allclose(ops.ps_roi_pool(x, rois, 2)[0], taeda.tensor(expected))
    assert taeda.allclose(ops.ps_roi_align(x, rois, 2)[0], taeda.tensor(expected))


def test_deformed_convolution_looks_where_the_offset_sends_it():
    taeda.manual_seed(3)
    x, w, b = taeda.randn(2, 4, 7, 6), taeda.randn(6, 2, 3, 3), taeda.randn(6)
    offset = taeda.zeros(2, 18, 7, 6)
    still = ops.deform_conv2d(x, offset, w, b, padding=1)
    assert taeda.allclose(still, taeda.nn.functional.conv2d(x, w, b, padding=1, groups=2), atol=1e-5)
    offset[:, 0::2] = 1.0       # one pixel down
    moved = ops.deform_conv2d(x, offset, w, b, padding=1)
    assert taeda.allclose(moved[:, :, :5], still[:, :, 1:6], atol=1e-5)
    half = ops.deform_conv2d(x, offset, w, None, padding=1, mask=taeda.full((2, 9, 7, 6), 0.5))
    assert taeda.allclose(half, (moved - b[:, None, None]) / 2, atol=1e-5)


def test_deformed_convolution_has_its_derivatives():
    taeda.manual_seed(4)
    x, w = taeda.randn(1, 2, 4, 4).double(), taeda.randn(2, 2, 2, 2).double()
    offset, mask = taeda.rand(1, 8, 3, 3).double() * 0.8 + 0.1, taeda.rand(1, 4, 3, 3).double()
    inputs = [t.requires_grad_() for t in (x, offset, w, mask)]
    assert taeda.autograd.gradcheck(lambda x, o, w, m: ops.deform_conv2d(x, o, w, mask=m), inputs)


@pytest.mark.parametrize("name", ["generalized_box_iou", "distance_box_iou", "complete_box_iou"])
def test_losses_are_one_less_the_overlap(name):
    taeda.manual_seed(5)
    a, b = some_boxes(6).double(), some_boxes(6).double()
    overlap = getattr(ops, name)(a, b).diagonal()
    loss = getattr(ops, name + "_loss")
    assert taeda.allclose(loss(a, b), 1 - overlap, atol=1e-6)
    assert taeda.allclose(loss(a, b, reduction="mean"), loss(a, b).mean())
    assert taeda.allclose(loss(a, b, reduction="sum"), loss(a, b).sum())
    with pytest.raises(ValueError, match="Invalid Value for arg 'reduction'"):
        loss(a, b, reduction="max")


def test_focal_loss_is_its_formula():
    x, t = taeda.tensor([0.3, -1.2, 2.0]), taeda.tensor([1.0, 0.0, 0.0])
    p = taeda.sigmoid(x)
    expected = taeda.stack([-0.25 * (1 - p[0]) ** 2 * p[0].log(), *(-0.75 * q**2 * (1 - q).log() for q in p[1:])])
    assert taeda.allclose(ops.sigmoid_focal_loss(x, t), expected, atol=1e-6)


def test_dropped_blocks_are_blocks_and_the_rest_is_scaled():
    taeda.manual_seed(6)
    y = ops.drop_block2d(taeda.ones(1, 1, 20, 20), 0.2, 3)
    dropped = (y == 0).double()
    assert 0 < dropped.sum() < 300
    assert float(y.max()) == pytest.approx(400 / float((y != 0).sum()), rel=1e-5)
    # What a 3 x 3 window can cover within the dropped pixels is all of them.
    whole = taeda.nn.functional.avg_pool2d(dropped, 3, 1) > 0.999
    covered = taeda.nn.functional.max_pool2d(taeda.nn.functional.pad(whole.double(), [2] * 4), 3, 1)
    assert taeda.equal(covered, dropped)


def test_stochastic_depth_drops_samples():
    taeda.manual_seed(7)
    y = ops.StochasticDepth(0.5, "row")(taeda.ones(200, 3))
    assert set(y.unique().tolist()) == {0.0, 2.0}
    assert taeda.equal(y[:, 0], y[:, 2])
    assert taeda.equal(ops.StochasticDepth(0.5, "row").eval()(y), y)


def test_frozen_norm_is_batch_norm_in_evaluation():
    norm = taeda.nn.BatchNorm2d(3)
    norm(taeda.randn(4, 3, 5, 5) * 2 + 1)
    frozen = ops.FrozenBatchNorm2d(3)
    frozen.load_state_dict(norm.state_dict())
    x = taeda.randn(2, 3, 4, 4)
    assert taeda.allclose(frozen(x), norm.eval()(x), atol=1e-6)
    assert not list(frozen.parameters())


def test_pyramids_give_every_level_the_same_channels():
    taeda.manual_seed(8)
    fpn = ops.FeaturePyramidNetwork([4, 8], 6, ops.feature_pyramid_network.LastLevelMaxPool())
    maps = {"a": taeda.randn(1, 4, 8, 8), "b": taeda.randn(1, 8, 4, 4)}
    out = fpn(maps)
    assert {k: tuple(v.shape) for k, v in out.items()} == {"a": (1, 6, 8, 8), "b": (1, 6, 4, 4), "pool": (1, 6, 2, 2)}
    pooled = ops.MultiScaleRoIAlign(["a", "b"], 2, 2)(
        {k: out[k] for k in "ab"}, [taeda.tensor([[0.0, 0, 8, 8], [0, 0, 60, 60]])], [(64, 64)]
    )
    direct = ops.roi_align(out["a"], [taeda.tensor([[0.0, 0, 8, 8]])], 2, 1 / 8, 2)
    assert taeda.allclose(pooled[:1], direct)


@pytest.mark.parametrize("name", ["box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"])
def test_overlaps_say_what_boxes_should_be(name):
    for columns, error in ((3, IndexError), (5, RuntimeError)):
        with pytest.raises(error, match=rf"\[{name}\] boxes should have 4 numbers each, .* \(2, {columns}\) and \(3, 4\)"):
            getattr(ops, name)(taeda.ones(2, columns), taeda.ones(3, 4))
    if name != "box_iou":
        with pytest.raises(ValueError, match=rf"\[{name}_loss\] boxes should have 4 numbers each, .* \(2, 3\)"):
            getattr(ops, name + "_loss")(taeda.ones(2, 3), taeda.ones(2, 3))


def test_a_region_without_area_is_pooled_to_zeros():
    nowhere = taeda.tensor([[0.0, 3.5, 3.5, 3.5, 3.5], [0.0, 8.0, 8.0, 2.0, 2.0]])
    pooled = ops.ps_roi_align(taeda.ones(1, 8, 10, 12), nowhere, 2)
    assert pooled.shape == (2, 2, 2, 2) and pooled.count_nonzero() == 0


def test_operators_by_internal_names():
    operators = taeda.ops.torchvision
    boxes = taeda.tensor([[0.0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 8, 8]])
    scores = taeda.tensor([0.2, 0.9, 0.5])
    assert operators.nms(boxes, scores, 0.5).tolist() == operators.nms.default(boxes, scores, 0.5).tolist() == [1, 2]
    assert str(operators.nms.default) == "torchvision.nms.default" and operators.nms.default.name() == "torchvision::nms"
    x = taeda.arange(64.0).reshape(1, 1, 8, 8).requires_grad_()
    rois = taeda.tensor([[0.0, 0.0, 1.0, 4.0, 5.0]])
    got = operators.roi_align(x, rois, 1.0, 2, 3, 2, True)
    assert got.tolist() == ops.roi_align(x, rois, (2, 3), 1.0, 2, True).tolist() and got.requires_grad
    taeda.manual_seed(0)
    x, offset, weight = taeda.randn(1, 2, 5, 5), taeda.randn(1, 18, 3, 3), taeda.randn(3, 2, 3, 3)
    mask, bias = taeda.rand(1, 9, 3, 3), taeda.randn(3)
    for use_mask in (True, False):
        got = operators.deform_conv2d(x, weight, offset, mask, bias, 1, 1, 0, 0, 1, 1, 1, 1, use_mask)
        assert got.tolist() == ops.deform_conv2d(x, offset, weight, bias, mask=mask if use_mask else None).tolist()
    with pytest.raises(AttributeError):
        operators.absent  # noqa: B018


REGIONS = [[0.0, 0, 0, 5, 4], [1, 2, 1, 6, 5], [0, 9, 9, 12, 12]]     # the last lies outside of the map
POOLS = [("roi_pool", ()), ("ps_roi_pool", ()), ("ps_roi_align", (-1,)), ("roi_align", (-1, True))]


@pytest.mark.parametrize(("name", "more"), POOLS)
def test_internal_names_of_pools_give_values_and_derivatives(name, more):
    taeda.manual_seed(1)
    operator = getattr(taeda.ops.torchvision, name)
    x, rois = taeda.randn(2, 8, 6, 7, dtype=taeda.float64, requires_grad=True), taeda.tensor(REGIONS, dtype=taeda.float64)

    def pooled(x):
        out = operator(x, rois, 0.9, 2, 2, *more)
        return out if name == "roi_align" else out[0]

    assert taeda.equal(pooled(x), getattr(ops, name)(x, rois, 2, 0.9, *more))
    assert taeda.autograd.gradcheck(pooled, (x,))
    with pytest.raises(RuntimeError, match=rf"\[{name}\] rois must have shape as Tensor\[K, 5\], got \(3, 4\)"):
        operator(x, rois[:, 1:], 0.9, 2, 2, *more)


def test_internal_pools_tell_where_their_values_are_from():
    operators = taeda.ops.torchvision
    x = taeda.arange(16.0).reshape(1, 1, 4, 4).flip(3)                # the first of each line is its largest
    rois = taeda.tensor([[0.0, 0, 0, 3, 3], [0, 1, 1, 2, 2], [0, 9, 9, 12, 12]])
    maxima, pixels = operators.roi_pool(x, rois, 1.0, 2, 2)
    assert pixels.flatten(1).tolist() == [[4, 6, 12, 14], [5, 6, 9, 10], [-1] * 4] and pixels.dtype == taeda.int32
    assert maxima.flatten(1).tolist() == [[7.0, 5, 15, 13], [6, 5, 10, 9], [0] * 4]
    x = taeda.arange(8.0).reshape(1, 8, 1, 1).expand(1, 8, 9, 9)      # each plane holds its number
    for name, more in (("ps_roi_pool", ()), ("ps_roi_align", (2,))):
        means, channels = getattr(operators, name)(x, rois[:2], 1.0, 2, 2, *more)
        assert channels.dtype == taeda.int32 and channels.tolist() == [taeda.arange(8).reshape(2, 2, 2).tolist()] * 2
        assert taeda.allclose(means, channels.float())


@pytest.mark.parametrize(("name", "more"), POOLS)
def test_pools_of_maps_without_values_have_shapes_and_gradients(name, more):
    x, rois = taeda.empty(2, 8, 6, 7, device="meta", requires_grad=True), taeda.empty(3, 5, device="meta")
    shape = (3, 2 if name.startswith("ps") else 8, 2, 2)
    out = getattr(ops, name)(x, rois, 2, 1.0, *more)
    assert out.shape == shape and out.is_meta
    out.sum().backward()
    assert x.grad.shape == x.shape and x.grad.is_meta
    out = getattr(taeda.ops.torchvision, name)(x, rois, 1.0, 2, 2, *more)
    for each in (out,) if name == "roi_align" else out:
        assert each.shape == shape and each.is_meta
    assert name == "roi_align" or (out[0].requires_grad and out[1].dtype == taeda.int32 and not out[1].requires_grad)
