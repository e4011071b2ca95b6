"""Detectors: their parts against definitions written out, and small whole ones that learn."""

import math

import pytest

import taeda
from taeda import nn
from taeda.vision import models
from taeda.vision.models import detection as D
from taeda.vision.models.detection import _utils, roi_heads, transform
from taeda.vision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from taeda.vision.models.detection.image_list import ImageList
from taeda.vision.ops import MultiScaleRoIAlign, box_iou


def test_codes_of_boxes_are_shifts_and_logarithms_of_scales():
    coder = _utils.BoxCoder((10.0, 10.0, 5.0, 5.0))
    anchor, box = taeda.tensor([[0.0, 0, 10, 20]]), taeda.tensor([[5.0, 10, 25, 20]])
    code = coder.encode_single(box, anchor)
    assert code[0].tolist() == pytest.approx([10 * 1.0, 10 * 0.25, 5 * math.log(2), 5 * math.log(0.5)])
    assert coder.decode_single(code, anchor)[0].tolist() == pytest.approx(box[0].tolist())
    huge = coder.decode_single(taeda.tensor([[0.0, 0, 500, 0]]), anchor)
    assert (huge[0, 2] - huge[0, 0]).item() == pytest.approx(10 * 1000 / 16)


@pytest.mark.parametrize("normalize", [True, False])
def test_linear_codes_are_distances_of_the_sides(normalize):
    coder = _utils.BoxLinearCoder(normalize)
    anchor, box = taeda.tensor([[0.0, 0, 4, 8]]), taeda.tensor([[1.0, 2, 6, 10]])
    scale = [4, 8, 4, 8] if normalize else [1] * 4
    assert coder.encode(anchor, box)[0].tolist() == pytest.approx([v / s for v, s in zip((1, 2, 4, 6), scale, strict=True)])
    assert coder.decode(coder.encode(anchor, box), anchor).tolist() == box.tolist()


def test_matches_follow_the_thresholds_and_the_best_box_of_a_target_stays():
    overlaps = taeda.tensor([[0.9, 0.4, 0.1, 0.0], [0.2, 0.3, 0.35, 0.0]])
    assert _utils.Matcher(0.5, 0.3)(overlaps).tolist() == [0, -2, -2, -1]
    assert _utils.Matcher(0.5, 0.3, allow_low_quality_matches=True)(overlaps).tolist() == [0, -2, 1, -1]
    assert _utils.SSDMatcher(0.5)(overlaps).tolist() == [0, -1, 1, -1]
    with pytest.raises(ValueError, match="No ground-truth boxes available"):
        _utils.Matcher(0.5, 0.3)(taeda.zeros(0, 3))


def test_samples_hold_a_share_of_positive_ones():
    taeda.manual_seed(0)
    labels = taeda.tensor([1.0] * 10 + [0.0] * 20 + [-1.0] * 5)
    positive, negative = (masks[0] for masks in _utils.BalancedPositiveNegativeSampler(12, 0.25)([labels]))
    assert (int(positive.sum()), int(negative.sum())) == (3, 9)
    assert set(labels[positive.bool()].tolist()) == {1.0} and set(labels[negative.bool()].tolist()) == {0.0}


def test_anchors_stand_at_every_pixel():
    anchors = AnchorGenerator(((4, 8),), ((1.0, 4.0),))
    assert anchors.num_anchors_per_location() == [4]
    batch = ImageList(taeda.zeros(1, 3, 20, 30), [(20, 30)])
    found = anchors(batch, [taeda.zeros(1, 1, 2, 3)])[0].reshape(2, 3, 4, 4)
    assert found[0, 0].tolist() == [[-2, -2, 2, 2], [-4, -4, 4, 4], [-1, -4, 1, 4], [-2, -8, 2, 8]]
    assert (found[1, 2] - found[0, 0]).tolist() == [[20, 10, 20, 10]] * 4


def test_default_boxes_are_shares_of_the_image():
    boxes = DefaultBoxGenerator([[4]], scales=[0.25, 1.0])
    found = boxes(ImageList(taeda.zeros(1, 3, 40, 40), [(40, 40)]), [taeda.zeros(1, 1, 2, 2)])[0].reshape(2, 2, 4, 4)
    assert found[0, 0].tolist() == [[5, 5, 15, 15], [0, 0, 20, 20], [0, 7.5, 20, 12.5], [7.5, 0, 12.5, 20]]
    assert (found[1, 0] - found[0, 0]).tolist() == [[0, 20, 0, 20]] * 4


def test_images_are_resized_padded_and_found_again():
    prepare = transform.GeneralizedRCNNTransform(8, 20, [0.0] * 3, [1.0] * 3, size_divisible=4).eval()
    target = {"boxes": taeda.tensor([[1.0, 2, 3, 4]]), "masks": taeda.ones(1, 4, 5, dtype=taeda.uint8)}
    batch, targets = prepare([taeda.ones(3, 4, 5), taeda.ones(3, 4, 40)], [target, target])
    assert batch.image_sizes == [(8, 10), (2, 20)] and tuple(batch.tensors.shape) == (2, 3, 8, 20)
    assert batch.tensors[0, 0].sum().item() == pytest.approx(80) and batch.tensors[1, :, 2:].abs().max().item() == 0
    assert targets[0]["boxes"].tolist() == [[2, 4, 6, 8]] and tuple(targets[0]["masks"].shape) == (1, 8, 10)
    assert target["boxes"].tolist() == [[1, 2, 3, 4]]
    back = prepare.postprocess([{"boxes": targets[0]["boxes"]}], [(8, 10)], [(4, 5)])
    assert back[0]["boxes"].tolist() == [[1, 2, 3, 4]]


def test_a_mask_is_pasted_at_its_box():
    pasted = roi_heads.paste_masks_in_image(taeda.ones(1, 1, 4, 4), taeda.tensor([[2.0, 3, 6, 7]]), (10, 12))[0, 0]
    assert tuple(pasted.shape) == (10, 12)
    assert pasted[4:7, 3:6].min().item() > 0.9 and pasted[:, 8:].abs().max().item() == 0 and pasted[9].abs().max().item() == 0


def test_masks_are_pasted_where_gradients_are_recorded():
    masks = taeda.ones(2, 1, 4, 4, requires_grad=True)
    pasted = roi_heads.paste_masks_in_image(masks, taeda.tensor([[2.0, 3, 6, 7], [0.0, 0, 3, 3]]), (10, 12))
    pasted.sum().backward()
    assert pasted[0, 0, 4, 3].item() == 1.0 and pasted[1, 0, 4, 4].item() == 0.0
    assert (masks.grad > 0).all()


def test_points_become_pixels_of_maps_and_come_back():
    rois = taeda.tensor([[10.0, 20, 30, 60]])
    points = taeda.tensor([[[15.0, 30, 1], [30.0, 60, 2], [31.0, 30, 1], [15.0, 30, 0]]])
    pixels, valid = roi_heads.keypoints_to_heatmap(points, rois, 8)
    assert valid[0].tolist() == [1, 1, 0, 0]
    assert pixels[0].tolist() == [2 * 8 + 2, 7 * 8 + 7, 0, 0]
    heat = taeda.zeros(1, 1, 20, 20)
    heat[0, 0, 10, 5] = 1.0
    found, score = roi_heads.heatmaps_to_keypoints(heat, taeda.tensor([[10.0, 20, 30, 40]]))
    assert found[0, 0].tolist() == [15.5, 30.5, 1.0] and score.item() == 1.0


class Body(nn.Module):
    """Two maps of 8 channels."""

    out_channels = 8

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, 8, 1), nn.Conv2d(8, 8, 3, 2, 1)

    def forward(self, x):
        x = self.first(x).relu()
        return {"0": x, "1": self.second(x).relu()}


def small(kind):
    anchors = AnchorGenerator(((16,), (32,)), ((1.0,),) * 2)
    sizes = {"min_size": 64, "max_size": 64}
    pool = MultiScaleRoIAlign(["0", "1"], 4, 2)
    if kind == "retinanet":
        return D.RetinaNet(Body(), 3, anchor_generator=anchors, **sizes)
    if kind == "fcos":
        head = D.fcos.FCOSHead(8, 1, 3, num_convs=0)
        nn.init.ones_(head.regression_head.bbox_reg.bias)       # no distance is cut off at 0 from the start
        return D.FCOS(Body(), 3, anchor_generator=AnchorGenerator(((8,), (16,)), ((1.0,),) * 2), head=head, **sizes)
    if kind == "ssd":
        body = Body()
        body.out_channels = [8, 8]
        return D.SSD(body, DefaultBoxGenerator([[2], [2]], scales=[0.3, 0.5, 0.8]), (64, 64), 3)
    common = {"rpn_anchor_generator": anchors, "box_roi_pool": pool, **sizes}
    if kind == "mask":
        head = D.mask_rcnn.MaskRCNNHeads(8, (8,), 1)
        predictor = D.mask_rcnn.MaskRCNNPredictor(8, 8, 3)
        box = D.faster_rcnn.FastRCNNPredictor(1024, 3)
        return D.MaskRCNN(Body(), box_predictor=box, mask_roi_pool=pool, mask_head=head, mask_predictor=predictor, **common)
    if kind == "keypoint":
        head = D.keypoint_rcnn.KeypointRCNNHeads(8, (8,))
        points = D.keypoint_rcnn.KeypointRCNNPredictor(8, 2)
        return D.KeypointRCNN(Body(), 3, keypoint_roi_pool=pool, keypoint_head=head, keypoint_predictor=points, **common)
    return D.FasterRCNN(Body(), 3, **common)


def scene():
    image = taeda.zeros(3, 64, 64)
    image[0, 8:40, 16:48] = 1.0
    mask = taeda.zeros(1, 64, 64, dtype=taeda.uint8)
    mask[0, 8:40, 16:48] = 1
    points = taeda.tensor([[[16.0, 8, 1], [47, 39, 1]]])
    return image, {"boxes": taeda.tensor([[16.0, 8, 48, 40]]), "labels": taeda.tensor([2]), "masks": mask, "keypoints": points}


LOSSES = {
    "faster": {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg"},
    "mask": {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg", "loss_mask"},
    "keypoint": {"loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg", "loss_keypoint"},
    "retinanet": {"classification", "bbox_regression"},
    "fcos": {"classification", "bbox_regression", "bbox_ctrness"},
    "ssd": {"classification", "bbox_regression"},
}


@pytest.mark.parametrize("kind", list(LOSSES))
def test_detectors_learn_one_scene(kind):
    taeda.manual_seed(0)
    model = small(kind)
    image, target = scene()
    first = None
    for _ in range(80):
        losses = model([image], [target])
        assert set(losses) == LOSSES[kind]
        total = sum(losses.values())
        first = first or total.item()
        model.zero_grad()
        total.backward()
        with taeda.no_grad():
            for p in model.parameters():
                p.sub_(2e-3 * p.grad.sign())
    assert total.item() < 0.6 * first
    with taeda.no_grad():
        found = model.eval()([image])[0]
    assert found["labels"][0].item() == 2
    assert box_iou(found["boxes"][:1], target["boxes"]).item() > 0.5
    if kind == "mask":
        assert found["masks"][0, 0, 16:32, 24:40].mean().item() > 0.6 and tuple(found["masks"].shape[1:]) == (1, 64, 64)
    if kind == "keypoint":
        assert tuple(found["keypoints"].shape[1:]) == (2, 3)


def test_a_batch_of_images_leads_back_to_each():
    images = [taeda.rand(3, 30, 40, requires_grad=True), taeda.rand(3, 35, 20, requires_grad=True)]
    batch = transform.GeneralizedRCNNTransform(32, 64, [0.0] * 3, [1.0] * 3).batch_images(images)
    assert tuple(batch.shape) == (2, 3, 64, 64) and batch[1, :, 35:].abs().sum() == 0
    weights = taeda.rand(2, 3, 64, 64)
    (batch * weights).sum().backward()
    assert taeda.equal(images[0].grad, weights[0, :, :30, :40]) and taeda.equal(images[1].grad, weights[1, :, :35, :20])


@pytest.mark.parametrize("kind", list(LOSSES))
def test_losses_and_scores_have_gradients_by_the_pixels(kind):
    taeda.manual_seed(0)
    model = small(kind)
    image, target = scene()
    images = [(image + taeda.rand(3, 64, 64) * 0.1).requires_grad_() for _ in range(2)]
    sum(model(images, [target] * 2).values()).backward()
    assert all(x.grad.abs().sum() > 0 for x in images)
    if kind in ("retinanet", "fcos", "ssd"):
        model.eval().score_thresh = 0.0
        found = model(images)
        given = taeda.autograd.grad(sum(f["scores"].sum() for f in found), images)
        assert all(g.abs().sum() > 0 for g in given)


@pytest.mark.parametrize("kind", ["faster", "retinanet", "fcos", "ssd"])
def test_an_image_without_objects_gives_losses(kind):
    image, target = scene()
    empty = {"boxes": taeda.zeros(0, 4), "labels": taeda.zeros(0, dtype=taeda.int64)}
    losses = small(kind)([image, image], [target, empty])
    assert all(math.isfinite(v.item()) for v in losses.values())


def test_targets_are_checked():
    model, (image, target) = small("retinanet"), scene()
    with pytest.raises(AssertionError, match="targets should not be none when in training mode"):
        model([image])
    with pytest.raises(AssertionError, match=r"positive height and width. Found invalid box \[5\.0, 5\.0, 5\.0, 9\.0\] for target at index 0"):
        model([image], [{**target, "boxes": taeda.tensor([[5.0, 5, 5, 9]])}])
    with pytest.raises(KeyError, match="target 0 has no 'labels'; its keys are"):
        model([image], [{"boxes": target["boxes"]}])
    for wrong, error in ((0.0, "of type Tensor"), (taeda.rand(1, 5), r"shape \[N, 4\]"), (taeda.tensor([[1, 3, 1, 4]]), "positive height")):
        with pytest.raises(AssertionError, match=error):                # boxes are looked at before labels
            model([image], [{"boxes": wrong}])
    with pytest.raises(TypeError, match="targets should be a list of dicts, one for each image, got dict of str"):
        model([image], target)
    with pytest.raises(IndexError, match=r"Target 9 is out of bounds; with \d+ classes"):
        small("faster")([image], [{**target, "labels": taeda.full_like(target["labels"], 9)}])
    for kind, name in (("retinanet", "RetinaNet"), ("fcos", "FCOS")):
        with pytest.raises(IndexError, match=rf"\[{name}\] target labels should be 0 to \d+, as num_classes is \d+, but one is 9"):
            small(kind)([image], [{**target, "labels": taeda.full_like(target["labels"], 9)}])
    with pytest.raises(TypeError, match=r"labels must be of int64 type, instead got taeda\.float32"):
        small("faster")([image], [{**target, "labels": taeda.tensor([1.0])}])
    with pytest.raises(ValueError, match="num_classes should not be None"):
        D.FasterRCNN(Body())
    with pytest.raises(ValueError, match="taeda ships no trained weights"):
        D.fasterrcnn_resnet50_fpn(weights="DEFAULT")


def test_builders_are_known_by_name():
    names = models.list_models(D)
    assert len(names) == 12 and "maskrcnn_resnet50_fpn_v2" in names
    model = models.get_model("ssdlite320_mobilenet_v3_large", num_classes=4)
    keys = list(model.state_dict())
    assert keys[0] == "backbone.features.0.0.0.weight" and keys[-1] == "head.regression_head.module_list.5.1.bias"


@pytest.mark.parametrize("dtype", [taeda.bfloat16, taeda.float16, taeda.float64])
def test_found_boxes_keep_their_dtype_when_they_are_scaled_back(dtype):
    boxes = taeda.tensor([[1.0, 2, 3, 5]], dtype=dtype)
    scaled = transform.resize_boxes(boxes, (10, 20), (20, 30))
    assert scaled.dtype == dtype and scaled.tolist() == [[1.5, 4.0, 4.5, 10.0]]
    assert transform.resize_boxes(boxes.long(), (10, 20), (20, 30)).dtype == taeda.float32


def test_points_and_their_scores_are_float32():
    maps = taeda.zeros(1, 1, 4, 4, dtype=taeda.bfloat16)
    maps[0, 0, 2, 1] = 1.0
    points, scores = roi_heads.heatmaps_to_keypoints(maps, taeda.tensor([[0.0, 0.0, 4.0, 4.0]], dtype=taeda.bfloat16))
    assert points.dtype == scores.dtype == taeda.float32
    assert points.tolist() == [[[1.5, 2.5, 1.0]]] and scores.tolist() == [[1.0]]


def test_images_without_targets_are_named():
    resizer = transform.GeneralizedRCNNTransform(8, 8, [0.0] * 3, [1.0] * 3)
    with pytest.raises(IndexError, match="the list of images is empty"):
        resizer([])
    with pytest.raises(IndexError, match="there are 2 images and 1 targets"):
        resizer([taeda.zeros(3, 8, 8)] * 2, [{"boxes": taeda.zeros(0, 4)}])
