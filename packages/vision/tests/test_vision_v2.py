"""Transforms of samples and tv_tensors: what happens to images happens to their boxes, masks and points."""

import copy
import gc
import weakref

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda.vision import transforms as v1, tv_tensors
from taeda.vision.transforms import v2
from taeda.vision.transforms.v2 import functional as F


def pixels(h=12, w=16):
    taeda.manual_seed(3)
    return (taeda.rand(3, h, w) * 255).to(taeda.uint8)


def square(h=40, w=50, box=(10, 5, 22, 30)):
    """An image with one bright rectangle, its box, its mask and its corners as points."""
    x1, y1, x2, y2 = box
    image = taeda.zeros(3, h, w)
    image[:, y1:y2, x1:x2] = 1.0
    return {
        "image": tv_tensors.Image(image),
        "boxes": tv_tensors.BoundingBoxes([box], format="XYXY", canvas_size=(h, w), dtype=taeda.float32),
        "mask": tv_tensors.Mask(image[0] > 0),
        "points": tv_tensors.KeyPoints([[x1 + 0.0, y1], [x2 - 1.0, y2 - 1]], canvas_size=(h, w)),
        "labels": taeda.tensor([7]),
        "name": "a",
    }


def bounds(image):
    rows, columns = taeda.where(image[0] > 0.5)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def test_operations_give_plain_tensors_and_copies_keep_the_kind():
    boxes = tv_tensors.BoundingBoxes([1, 2, 3, 4], format="xywh", canvas_size=(5, 6))
    assert boxes.shape == (1, 4)
    assert type(boxes + 1) is taeda.Tensor
    assert type(boxes.add_(0)) is taeda.Tensor
    for kept in (boxes.clone(), boxes.detach(), boxes.to(taeda.float64), copy.deepcopy(boxes)):
        assert isinstance(kept, tv_tensors.BoundingBoxes)
        assert (kept.format, kept.canvas_size) == (tv_tensors.BoundingBoxFormat.XYWH, (5, 6))
    with tv_tensors.set_return_type("TVTensor"):
        assert (boxes * 2).canvas_size == (5, 6)
        assert isinstance(tv_tensors.Image(taeda.zeros(3, 2, 2))[0], tv_tensors.Image)
    assert type(boxes * 2) is taeda.Tensor
    with pytest.raises(ValueError, match="return_type must be 'TVTensor' or 'Tensor', got list"):
        tv_tensors.set_return_type("list")


def test_kinds_refuse_what_they_are_not():
    with pytest.raises(ValueError, match=r"\[Image\] Tensor must be 2D or higher, got 1D tensor"):
        tv_tensors.Image(taeda.zeros(3))
    with pytest.raises(ValueError, match="Expected a 1D or 2D tensor, got 3D"):
        tv_tensors.BoundingBoxes(taeda.zeros(1, 1, 4), format="XYXY", canvas_size=(2, 2))
    with pytest.raises(KeyError, match="unknown format 'abcd'; it is one of XYXY, XYWH"):
        tv_tensors.BoundingBoxes([[1, 2, 3, 4]], format="abcd", canvas_size=(5, 5))
    with pytest.raises(ValueError, match="Rotated bounding boxes should be floating point"):
        tv_tensors.BoundingBoxes([[1, 2, 3, 4, 5]], format="XYWHR", canvas_size=(2, 2))


@pytest.mark.parametrize(
    "transform",
    [
        v2.RandomHorizontalFlip(1.0),
        v2.RandomVerticalFlip(1.0),
        v2.Pad([3, 4, 5, 6]),
        v2.RandomCrop((36, 45)),
        v2.CenterCrop((38, 44)),
        v2.Resize((80, 100), interpolation="nearest"),
        v2.RandomZoomOut(p=1.0),
        v2.RandomRotation((90, 90), expand=True),
        v2.RandomAffine(0, translate=(0.1, 0.1)),
        v2.RandomResizedCrop((60, 70), scale=(0.95, 1.0), interpolation="nearest"),
        v2.RandomPerspective(0.2, p=1.0),
        v2.RandomAffine(20),
    ],
)
def test_boxes_masks_and_points_follow_their_image(transform):
    taeda.manual_seed(0)
    sample = square()
    out = transform(sample)
    seen = bounds(out["image"])
    h, w = out["image"].shape[-2:]
    assert out["boxes"].canvas_size == (h, w)
    assert out["points"].canvas_size == (h, w)
    assert out["boxes"][0].tolist() == pytest.approx(seen, abs=2.1)
    assert float(((out["mask"] > 0) != (out["image"][0] > 0.5)).float().mean()) < 0.02
    assert out["name"] == "a"
    assert out["labels"] is sample["labels"]
    for x, y in out["points"].tolist():
        assert seen[0] - 3 <= x <= seen[2] + 3
        assert seen[1] - 3 <= y <= seen[3] + 3


def test_samples_keep_their_structure_and_plain_tensors_beside_images_pass():
    image, label = tv_tensors.Image(pixels()), taeda.tensor(3)
    out = v2.Resize((6, 8))([image, {"label": label, "more": (1, None)}])
    assert isinstance(out, list)
    assert out[1]["label"] is label
    assert out[1]["more"] == (1, None)
    assert out[0].shape == (3, 6, 8)
    assert v2.Resize((6, 8))(pixels()).shape == (3, 6, 8)         # alone it is the image
    first, second = v2.Resize((6, 8))(pixels(), pixels())
    assert (first.shape, second.shape) == ((3, 6, 8), (3, 12, 16))


@pytest.mark.parametrize("name", ["RandomHorizontalFlip", "RandomVerticalFlip", "RandomInvert", "RandomAutocontrast"])
def test_a_seed_gives_what_it_gives_in_v1(name):
    image = pixels()
    for seed in range(4):
        taeda.manual_seed(seed)
        one = getattr(v1, name)(0.5)(image)
        taeda.manual_seed(seed)
        two = getattr(v2, name)(0.5)(image)
        assert taeda.equal(one, two) or int((one.int() - two.int()).abs().max()) <= 1


def test_pil_images_and_tensors_change_alike():
    taeda.manual_seed(0)
    image = Image.fromarray(np.asarray(pixels().permute(1, 2, 0).contiguous().numpy()))
    for change in (
        lambda x: F.adjust_brightness(x, 1.3),
        lambda x: F.equalize(x),
        lambda x: F.posterize(x, 3),
        lambda x: F.affine(x, 20.0, [1, 2], 1.1, [3.0, 0.0]),
        lambda x: F.perspective(x, [[0, 0], [15, 0], [15, 11], [0, 11]], [[1, 1], [14, 0], [15, 10], [0, 11]], "nearest"),
        lambda x: F.gaussian_blur(x, 3),
    ):
        a, b = change(F.to_image(image)).int(), F.to_image(change(image)).int()
        assert float(((a - b).abs() > 2).float().mean()) < 0.03


def test_equalising_and_sharpening_are_their_definitions():
    x = taeda.tensor([[[0, 0, 0, 1], [1, 2, 2, 3]]] * 3, dtype=taeda.uint8)
    few = F.equalize(x)                                # too few pixels for 255 steps: nothing changes
    assert taeda.equal(few, x)
    flat = taeda.full((1, 5, 5), 0.4)
    assert taeda.allclose(F.adjust_sharpness(flat, 0.0), flat)
    spot = taeda.zeros(1, 5, 5)
    spot[0, 2, 2] = 0.13
    assert float(F.adjust_sharpness(spot, 0.0)[0, 2, 2]) == pytest.approx(0.05)
    assert float(F.adjust_sharpness(spot, 0.0)[0, 1, 1]) == pytest.approx(0.01)


def test_dtypes_are_scaled_to_their_range():
    x = taeda.tensor([[[0, 128, 255]]], dtype=taeda.uint8)
    assert F.to_dtype(x, taeda.int16, scale=True).tolist() == [[[0, 16384, 32640]]]
    back = F.to_dtype(F.to_dtype(x, taeda.float32, scale=True), taeda.uint8, scale=True)
    assert taeda.equal(back, x)
    sample = v2.ToDtype({tv_tensors.Image: taeda.float32, "others": None}, scale=True)(square())
    assert sample["mask"].dtype == taeda.bool
    with pytest.raises(RuntimeError, match="cannot be performed safely"):
        F.to_dtype(taeda.rand(1, 2, 2), taeda.int64, scale=True)


@pytest.mark.parametrize("kind", ["XYXY", "XYWH", "CXCYWH"])
def test_boxes_are_cut_off_at_the_canvas(kind):
    raw = taeda.tensor([[-5.0, 2, 8, 30]])
    boxes = tv_tensors.BoundingBoxes(F.convert_bounding_box_format(raw, "XYXY", kind), format=kind, canvas_size=(20, 10))
    clamped = F.convert_bounding_box_format(F.clamp_bounding_boxes(boxes), new_format="XYXY")
    assert clamped.tolist() == [[0.0, 2.0, 8.0, 20.0]]
    assert taeda.equal(v2.SetClampingMode(None)(boxes), boxes)


def test_rotated_boxes_keep_their_angle_at_the_canvas():
    def clamped(box, mode):
        boxes = tv_tensors.BoundingBoxes(taeda.tensor([box]), format="CXCYWHR", canvas_size=(20, 20), clamping_mode=mode)
        out = F.clamp_bounding_boxes(boxes)
        return out, F.convert_bounding_box_format(out, new_format="XYXYXYXY").reshape(4, 2)

    inside = [10.0, 10.0, 6.0, 4.0, 30.0]
    assert clamped(inside, "soft")[0].tolist() == [pytest.approx(inside, abs=1e-4)]
    over = [3.0, 10.0, 12.0, 4.0, 30.0]                     # reaches over the left border
    soft, _ = clamped(over, "soft")
    hard, corners = clamped(over, "hard")
    assert float(corners.min()) > -1e-4 and float(corners.max()) < 20 + 1e-4
    assert soft[0, 4].item() == pytest.approx(30, abs=1e-3) and hard[0, 4].item() == pytest.approx(30, abs=1e-3)
    assert hard[0, 2] * hard[0, 3] < soft[0, 2] * soft[0, 3] < 48
    assert clamped([-30.0, 10.0, 6.0, 4.0, 30.0], "soft")[1].unique(dim=0).shape[0] == 1     # wholly outside: a point


def test_padding_by_less_than_nothing_cuts_and_leaves_colours_to_the_other_sides():
    out = F.pad(taeda.full((2, 3, 3), 9), [-1, 1, 0, -1], fill=[1, 2])
    assert out.tolist() == [[[1, 1], [9, 9], [9, 9]], [[2, 2], [9, 9], [9, 9]]]


def test_boxes_that_are_too_small_go_with_their_labels():
    boxes = tv_tensors.BoundingBoxes([[0, 0, 5, 5], [1, 1, 1, 3], [2, 2, 9, 12]], format="XYXY", canvas_size=(10, 10))
    masks = tv_tensors.Mask(taeda.zeros(3, 10, 10))
    out = v2.SanitizeBoundingBoxes()({"boxes": boxes, "labels": taeda.tensor([1, 2, 3]), "masks": masks})
    assert out["boxes"].tolist() == [[0, 0, 5, 5]]
    assert out["labels"].tolist() == [1]
    assert out["masks"].shape == (1, 10, 10)


def test_crops_by_overlap_keep_boxes_whose_centre_they_hold():
    for seed in range(5):
        taeda.manual_seed(seed)
        out = v2.RandomIoUCrop()(square())
        box = out["boxes"][0]
        assert float(box.abs().sum()) == 0 or box.tolist() == pytest.approx(bounds(out["image"]), abs=1)
    with pytest.raises(TypeError, match="requires input sample to contain tensor or PIL images and bounding boxes"):
        v2.RandomIoUCrop()(pixels())


@pytest.mark.parametrize("mix", [v2.MixUp, v2.CutMix])
def test_mixtures_weigh_labels_as_images(mix):
    taeda.manual_seed(1)
    images = taeda.stack([taeda.zeros(1, 8, 8), taeda.ones(1, 8, 8)])
    mixed, labels = mix(num_classes=2)(images, taeda.tensor([0, 1]))
    share = mixed.mean(dim=(1, 2, 3))
    assert taeda.allclose(labels[:, 1], share, atol=1e-5)
    with pytest.raises(ValueError, match="num_classes must be passed"):
        mix()(images, taeda.tensor([0, 1]))


@pytest.mark.parametrize("room", [v1, v2])
@pytest.mark.parametrize("name", ["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"])
def test_automatic_augmentation_keeps_size_and_dtype_and_repeats_with_a_seed(room, name):
    augment = getattr(room, name)()
    image = pixels(20, 24)
    changed = 0
    for seed in range(6):
        taeda.manual_seed(seed)
        out = augment(image)
        taeda.manual_seed(seed)
        assert taeda.equal(augment(image), out)
        assert (out.shape, out.dtype) == (image.shape, taeda.uint8)
        changed += not taeda.equal(out, image)
    assert changed


def test_policies_are_the_papers():
    assert len(v2.AutoAugment()._policies) == 25
    assert v1.AutoAugment(v1.AutoAugmentPolicy.CIFAR10).policies[1] == [("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)]


def test_forms_are_torchvisions():
    assert repr(v2.SanitizeBoundingBoxes()) == "SanitizeBoundingBoxes(min_size=1.0, min_area=1.0, labels_getter=default)"
    assert repr(v2.RandomCrop([4, 2])) == "RandomCrop(size=[4, 2], pad_if_needed=False, fill=0, padding_mode=constant)"


def test_containers_choose_order_and_apply():
    image, choice = pixels(), v2.RandomChoice([v2.Resize((4, 4)), v2.Resize((5, 5))])
    sizes = {tuple(choice(image).shape) for _ in range(20)}
    assert sizes == {(3, 4, 4), (3, 5, 5)}
    assert v2.RandomApply([v2.Resize((4, 4))], p=1.0)(pixels()).shape == (3, 4, 4)
    with pytest.raises(ValueError, match="Pass at least one transform"):
        v2.Compose([])


def test_a_class_of_ones_own_gets_its_kernel():
    class Depth(tv_tensors.TVTensor):
        pass

    @F.register_kernel("horizontal_flip", Depth)
    def flip_depth(x):
        return tv_tensors.wrap(x.flip(-1) * 2, like=x)

    out = v2.RandomHorizontalFlip(1.0)(taeda.ones(1, 2).as_subclass(Depth))
    assert isinstance(out, Depth)
    assert out.tolist() == [[2.0, 2.0]]
    with pytest.raises(TypeError, match="F.vertical_flip supports inputs of type"):
        F.vertical_flip(taeda.ones(1, 2).as_subclass(Depth))
    F.register_kernel("vflip", Depth)(lambda x: tv_tensors.wrap(x.flip(-2) * 3, like=x))       # a second name of vertical_flip
    assert F.vertical_flip(taeda.ones(1, 2).as_subclass(Depth)).tolist() == [[3.0, 3.0]]
    for name in ("nothing", "tv_tensors"):
        with pytest.raises(ValueError, match=r"\[register_kernel\] "):
            F.register_kernel(name, Depth)


@pytest.mark.parametrize(
    "name",
    ["AutoAugment", "ColorJitter", "ElasticTransform", "GaussianBlur", "RandomAffine", "RandomCrop", "RandomErasing", "RandomPerspective",
     "RandomResizedCrop", "RandomRotation"],
)
def test_classes_of_v2_can_draw_as_those_of_v1_do(name):
    assert getattr(v2, name).get_params is getattr(v1, name).get_params


def test_parameters_drawn_alone_are_those_of_v1():
    taeda.manual_seed(3)
    mine = v2.RandomResizedCrop.get_params(taeda.zeros(3, 40, 50), [0.1, 1.0], [0.75, 1.33])
    taeda.manual_seed(3)
    assert mine == v1.RandomResizedCrop.get_params(taeda.zeros(3, 40, 50), [0.1, 1.0], [0.75, 1.33])
    i, j, h, w = mine
    assert 0 <= i <= 40 - h and 0 <= j <= 50 - w


def test_what_comes_out_is_freed_with_its_last_name():
    shrink = v2.Compose([v2.RandomHorizontalFlip(1.0), v2.Resize((3, 3)), v2.ToDtype(taeda.float32, scale=True)])
    sample = {"image": tv_tensors.Image(taeda.zeros(3, 8, 8, dtype=taeda.uint8)), "more": [taeda.zeros(2), "name"]}
    gc.collect()
    gc.disable()
    try:
        left = weakref.ref(shrink(sample)["image"])
        assert left() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("dtype", [taeda.uint8, taeda.float32])
@pytest.mark.parametrize("lead", [(), (1,), (2,), (1, 1)])
def test_resized_images_keep_their_channels_innermost(lead, dtype):
    last = (taeda.rand(*lead, 17, 11, 3) * 255).to(dtype).movedim(-1, -3)
    for mode in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        out = F.resize(last, [26, 18], interpolation=v2.InterpolationMode(mode))
        assert out.shape == (*lead, 3, 26, 18) and out.stride()[-3:] == (1, 54, 3)
        first = F.resize(last.contiguous(), [26, 18], interpolation=v2.InterpolationMode(mode))
        assert first.stride()[-3:] == (468, 18, 1)
        taeda.testing.assert_close(out, first, atol=1, rtol=0, check_stride=False)


def test_erasing_says_that_boxes_and_masks_pass():
    sample = square()
    erase = v2.RandomErasing(p=1.0, scale=(0.1, 0.2), ratio=(1.0, 1.0))
    with pytest.warns(UserWarning, match=r"^RandomErasing\(\) is currently passing through inputs of type tv_tensors.BoundingBoxes"):
        _, boxes = erase(sample["image"], sample["boxes"])
    assert boxes is sample["boxes"]
    points = tv_tensors.KeyPoints([[1, 2]], canvas_size=sample["image"].shape[-2:])
    with pytest.warns(UserWarning, match="tv_tensors.KeyPoints"):
        assert erase(sample["image"], points)[1] is points
    with pytest.warns(UserWarning, match="tv_tensors.Mask"):
        erase(sample["image"], sample["mask"])


def test_names_by_which_libraries_reach_inside():
    from taeda.vision.transforms import _functional_pil, _functional_tensor
    from taeda.vision.transforms.v2 import _utils
    from taeda.vision.transforms.v2.functional._utils import _get_kernel, _register_kernel_internal

    class Field(tv_tensors.TVTensor):
        pass

    def shifted(field, size, **_):
        return field + 1

    with pytest.raises(TypeError, match="Field"):
        _get_kernel(F.resize, Field)
    _register_kernel_internal(F.resize, Field, tv_tensor_wrapper=False)(shifted)
    assert _get_kernel(F.resize, Field) is shifted
    with pytest.raises(ValueError, match="already"):
        _register_kernel_internal(F.resize, Field)(shifted)
    assert _functional_tensor._max_value(taeda.int16) == 32767 and _functional_pil.hflip is v1.functional.hflip
    assert _functional_tensor.rgb_to_grayscale is v1.functional.rgb_to_grayscale
    assert v1.functional.pil_modes_mapping[v1.InterpolationMode.BOX] == Image.Resampling.BOX
    assert v1.functional._get_inverse_affine_matrix([0, 0], 0, [1, 2], 1.0, [0, 0]) == pytest.approx([1, 0, -1, 0, 1, -2])
    assert _utils.query_size([taeda.zeros(3, 4, 5)]) == (4, 5) and _utils._get_fill(_utils._setup_fill_arg(3), Field) == 3
    assert _utils._parse_labels_getter("default") is _utils._find_labels_default_heuristic


def test_what_takes_no_pil_image_says_what_makes_a_tensor() -> None:
    with pytest.raises(TypeError, match=r"\[Normalize\] .* PIL images; put ToImage and ToDtype before it$"):
        v2.Normalize([0.5], [0.5])(Image.new("RGB", (4, 4)))
    with pytest.raises(ValueError, match="such as taeda.float32, got 'float' instead$"):
        v2.ToDtype("float")


def test_functions_that_are_deprecated_say_so():
    with pytest.warns(UserWarning, match=r"The function `get_image_size\(...\)` is deprecated") as told:
        assert F.get_image_size(taeda.zeros(3, 4, 5)) == [5, 4]
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match=r"The function `to_tensor\(...\)` is deprecated"):
        assert F.to_tensor(np.full((2, 3, 1), 255, np.uint8)).tolist() == [[[1.0] * 3] * 2]
