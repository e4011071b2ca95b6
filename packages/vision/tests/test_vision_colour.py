"""Colours, rotation and erasing: PIL images and tensors alike, known values, draws in their order."""

import math

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda import nn
from taeda.vision import transforms as T
from taeda.vision.transforms import functional as F, v2
from taeda.vision.transforms.policies import auto_space, rand_space, trivial_space
from taeda.vision.transforms.warp import affine_grid

MODES = T.InterpolationMode


def picture(h=8, w=11):
    return Image.fromarray(np.random.default_rng(2).integers(0, 256, (h, w, 3), dtype=np.uint8))


def difference(function, image):
    """Return how far the results for a PIL image and for its tensor are apart, pixel by pixel."""
    a = F.pil_to_tensor(function(image)).to(taeda.float32)
    b = function(F.pil_to_tensor(image)).to(taeda.float32)
    assert a.shape == b.shape
    return (a - b).abs()


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
@pytest.mark.parametrize("function", [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation])
def test_blends_agree_between_images_and_tensors(function, factor):
    assert float(difference(lambda image: function(image, factor), picture()).max()) <= 2


@pytest.mark.parametrize("factor", [-0.5, -0.1, 0.0, 0.25, 0.5])
def test_hue_agrees_between_images_and_tensors(factor):
    # Pillow keeps hue and saturation in 8 bits each; pale colours lose a few levels by that.
    far = difference(lambda image: F.adjust_hue(image, factor), picture())
    assert float(far.max()) <= 14
    assert float(far.mean()) <= 3


@pytest.mark.parametrize(
    "function",
    [
        F.invert,
        F.autocontrast,
        lambda image: F.posterize(image, 3),
        lambda image: F.posterize(image, 0),
        lambda image: F.solarize(image, 100),
        lambda image: F.adjust_gamma(image, 1.8, 0.9),
    ],
)
def test_changes_of_levels_agree_between_images_and_tensors(function):
    assert float(difference(function, picture()).max()) <= 1


def test_a_third_of_the_circle_turns_red_into_green():
    red = taeda.tensor([1.0, 0.0, 0.0]).reshape(3, 1, 1)
    assert F.adjust_hue(red, 1 / 3).reshape(3).tolist() == pytest.approx([0, 1, 0], abs=1e-5)
    assert F.adjust_hue(red, -1 / 3).reshape(3).tolist() == pytest.approx([0, 0, 1], abs=1e-5)
    back = F.adjust_hue(F.adjust_hue(taeda.rand(3, 5, 5).add(0.1), 0.3), -0.3)
    assert tuple(back.shape) == (3, 5, 5)


def test_hue_there_and_back_is_the_image():
    x = taeda.rand(3, 6, 7)
    assert float((F.adjust_hue(F.adjust_hue(x, 0.3), -0.3) - x).abs().max()) < 1e-5


@pytest.mark.parametrize("hue", [F.adjust_hue, v2.functional.adjust_hue], ids=["v1", "v2"])
def test_hue_of_values_outside_of_0_to_1(hue):
    # torchvision's results: the value is kept as it is, what lies below it is held in 0 ... 1.
    x = taeda.tensor([[-1.5, 0.5, 2.0], [0.25, -0.5, -2.0], [1.5, 1.25, -0.125], [-1.0, -2.0, -0.5]]).T.reshape(3, 2, 2)
    expected = [[[0, 0], [0.775, -0.5]], [[0, 0.25], [1.5, 0]], [[2, 0], [0, 0]]]
    assert taeda.allclose(hue(x, 0.1), taeda.tensor(expected), atol=1e-6)
    expected = [[[0, 0], [1.5, 0]], [[2, 0], [0, -0.5]], [[0, 0.25], [1, 0]]]
    assert taeda.allclose(hue(x, -0.3), taeda.tensor(expected), atol=1e-6)


def test_known_levels():
    x = taeda.tensor([[[0, 100, 200]]], dtype=taeda.uint8)
    assert F.adjust_brightness(x, 2.0).tolist() == [[[0, 200, 255]]]
    assert F.invert(x).tolist() == [[[255, 155, 55]]]
    assert F.posterize(x, 2).tolist() == [[[0, 64, 192]]]
    assert F.solarize(x, 100).tolist() == [[[0, 155, 55]]]
    assert F.autocontrast(taeda.tensor([[[0.2, 0.4, 0.6]]])).tolist()[0][0] == pytest.approx([0, 0.5, 1])
    assert F.autocontrast(taeda.full((1, 2, 2), 0.3)).tolist()[0][0] == pytest.approx([0.3, 0.3])


def test_channels_of_one_shade_are_not_stretched():
    x = taeda.tensor([[[0.25, 0.5]], [[0.5, 0.5]], [[3.0, 3.0]]])
    assert F.autocontrast(x).tolist() == [[[0.0, 1.0]], [[0.5, 0.5]], [[1.0, 1.0]]]
    assert F.autocontrast((x * 80).to(taeda.uint8)).tolist() == [[[0, 255]], [[40, 40]], [[240, 240]]]


def test_posterized_bytes_keep_their_highest_bits():
    x = taeda.arange(256).to(taeda.uint8).reshape(1, 16, 16)
    for bits in range(9):
        assert F.posterize(x, bits).flatten().tolist() == [i >> 8 - bits << 8 - bits for i in range(256)]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: F.adjust_brightness(taeda.zeros(3, 4, 4), -1),
            ValueError,
            r"brightness_factor \(-1\) is not non-negative",
        ),
        (lambda: F.adjust_contrast(taeda.zeros(2, 4, 4), 1), TypeError, "values are 1 or 3, but found 2"),
        (lambda: F.adjust_hue(picture(), 0.6), ValueError, r"hue_factor \(0\.6\) is not in"),
        (lambda: F.posterize(taeda.zeros(3, 4, 4), 2), TypeError, "Only uint8 image tensors are supported"),
        (lambda: F.posterize(picture(), 9), ValueError, "bits should be 0 to 8"),
        (lambda: F.solarize(taeda.zeros(3, 4, 4), 2), TypeError, "Threshold should be less than bound"),
        (lambda: F.invert("x"), TypeError, "img should be PIL Image or Tensor"),
        (lambda: F.erase(picture(), 0, 0, 1, 1, 0), TypeError, "img should be Tensor"),
        (lambda: F.five_crop(picture(), 9), ValueError, r"\(9, 9\) is bigger than input size \(8, 11\)"),
        (lambda: F.rotate(picture(), 3, MODES.BOX), ValueError, "box.* is unsupported"),
        (lambda: F.rotate(picture(), 3, center=(1,)), ValueError, "2 values, x and y"),
        (lambda: F.rotate(picture(), 3, fill=(1, 2)), ValueError, "fill has 2 values for an image of 3 channels"),
    ],
)
def test_functions_refuse(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("angle", [0, 17, 44, 133.5, 180, -29, 400])
@pytest.mark.parametrize(
    "options", [{}, {"expand": True}, {"center": (2, 3)}, {"fill": 77}, {"fill": (1, 2, 3)}], ids=str
)
def test_rotation_agrees_between_images_and_tensors(angle, options):
    far = difference(lambda image: F.rotate(image, angle, **options), picture())
    # A point that falls on the border of two pixels may go to either.
    assert float((far > 0).to(taeda.float32).mean()) < 0.02


@pytest.mark.parametrize("angle", [10, 45, 100])
def test_bilinear_rotation_agrees_inside(angle):
    far = difference(lambda image: F.rotate(image, angle, MODES.BILINEAR), picture(20, 20))
    # At the rim Pillow repeats the last pixel and the tensor fades into the fill.
    assert float(far[:, 6:14, 6:14].max()) <= 1


def test_a_quarter_turn_is_counter_clockwise():
    x = taeda.tensor([[[1, 2], [3, 4]]])
    assert F.rotate(x, 90).tolist() == [[[2, 4], [1, 3]]]
    assert F.rotate(taeda.tensor([[[1, 2, 3]]]), 90, expand=True).tolist() == [[[3], [2], [1]]]


def test_five_and_ten_crops():
    x = taeda.arange(12).reshape(1, 3, 4)
    assert [crop[0, 0, 0].item() for crop in T.FiveCrop(2)(x)] == [0, 2, 4, 6, 1]
    assert [crop[0, 0, 0].item() for crop in T.TenCrop((2, 2))(x)] == [0, 2, 4, 6, 1, 3, 1, 7, 5, 2]
    assert len(F.ten_crop(picture(), 4, vertical_flip=True)) == 10


def test_color_jitter_draws_the_order_first_and_repeats_for_a_seed():
    jitter = T.ColorJitter(0.4, (0.5, 1.5), 0.3, 0.1)
    taeda.manual_seed(1)
    order = taeda.randperm(4).tolist()
    factors = [taeda.empty(1).uniform_(*r).item() for r in ((0.6, 1.4), (0.5, 1.5), (0.7, 1.3), (-0.1, 0.1))]
    taeda.manual_seed(1)
    drawn, *values = jitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)
    assert drawn.tolist() == order
    assert values == pytest.approx(factors)
    taeda.manual_seed(1)
    first = jitter(picture())
    taeda.manual_seed(1)
    assert np.array_equal(np.asarray(first), np.asarray(jitter(picture())))
    assert repr(T.ColorJitter(0.5)) == (
        "ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=None)"
    )


def test_random_erasing_erases_one_rectangle():
    taeda.manual_seed(0)
    x = taeda.ones(3, 20, 30)
    for _ in range(20):
        out = T.RandomErasing(p=1.0, scale=(0.1, 0.2))(x)
        gone = out[0].eq(0)
        rows, columns = int(gone.any(dim=1).sum()), int(gone.any(dim=0).sum())
        assert int(gone.sum()) == rows * columns
        assert 0.07 * 600 < rows * columns < 0.23 * 600
    assert float(x.min()) == 1.0
    assert T.RandomErasing(p=0.0)(x) is x
    noise = T.RandomErasing(p=1.0, value="random")(x)
    assert float(noise.min()) < 0
    colours = T.RandomErasing(p=1.0, value=(2.0, 3.0, 4.0))(x)
    assert [float(colours[c].max()) for c in range(3)] == [2.0, 3.0, 4.0]


def test_random_rotation_draws_one_angle():
    rotation = T.RandomRotation(30)
    taeda.manual_seed(5)
    angle = taeda.empty(1).uniform_(-30.0, 30.0).item()
    taeda.manual_seed(5)
    assert rotation.get_params(rotation.degrees) == angle
    assert rotation(picture()).size == (11, 8)
    assert (
        repr(rotation) == "RandomRotation(degrees=[-30.0, 30.0], interpolation=nearest, expand=False, fill=0)"
    )


@pytest.mark.parametrize(
    "transform",
    [T.RandomInvert(1.0), T.RandomPosterize(2, 1.0), T.RandomSolarize(9, 1.0), T.RandomAutocontrast(1.0)],
    ids=lambda transform: type(transform).__name__,
)
def test_changes_at_random_change_and_refuse_what_is_no_image(transform):
    assert not np.array_equal(np.asarray(transform(picture())), np.asarray(picture()))
    with pytest.raises(TypeError):
        transform(3)


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: T.ColorJitter(-1), ValueError, "must be non negative, got -1"),
        (lambda: T.ColorJitter("1"), TypeError, "single number or a list/tuple with length 2"),
        (lambda: T.ColorJitter(hue=0.7), ValueError, r"hue values should be between \(-0\.5, 0\.5\)"),
        (lambda: T.RandomRotation(-3), ValueError, "must be positive"),
        (lambda: T.RandomRotation((1, 2, 3)), ValueError, "sequence of length 2"),
        (lambda: T.RandomErasing(scale=(0.5, 2)), ValueError, "Scale should be between 0 and 1"),
        (lambda: T.RandomErasing(value="noise"), ValueError, "should be 'random', got 'noise'"),
        (lambda: T.RandomErasing(p=1.0, value=(1, 2))(taeda.ones(3, 9, 9)), ValueError, "got 2"),
        (lambda: T.RandomErasing()(picture()), TypeError, "img should be Tensor"),
    ],
)
def test_arguments_are_checked(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_points_of_a_map_are_rounded_product_by_product():
    f = np.float32
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    theta = np.array([[c, -s], [s, c], [0.25, 0.5]], f) / np.array([22.5, 18.5], f)
    x, y = np.arange(45, dtype=f)[None, :, None] - f(22), np.arange(37, dtype=f)[:, None, None] - f(18)
    expected = (x * theta[0] + y * theta[1]) + theta[2]
    grid = affine_grid([c, s, 0.25, -s, c, 0.5], 37, 45, 37, 45, taeda.float32)
    assert np.array_equal(grid[0].numpy(), expected)


@pytest.mark.parametrize("space", [auto_space, rand_space, trivial_space])
def test_solarize_is_drawn_in_whole_levels(space):
    dark = taeda.full((3, 2, 2), 170, dtype=taeda.uint8)
    policy = T.AutoAugment()
    strength, signed = policy._strength(space, "Solarize", 10, dark, 3)
    assert (strength, signed) == (170.0, False)
    assert policy._changed(dark, "Solarize", strength)[0, 0, 0].item() == 85


@pytest.mark.parametrize("name", ["AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix"])
def test_automatic_augmentation_moves_with_the_model(name):
    chain = nn.Sequential(getattr(T, name)(), nn.Linear(2, 2)).to(taeda.float64)
    assert chain[1].weight.dtype == taeda.float64
    assert chain[0](taeda.zeros(3, 8, 8, dtype=taeda.uint8)).shape == (3, 8, 8)


def test_sharpness_blends_with_whole_shades():
    image = taeda.zeros(1, 3, 3, dtype=taeda.uint8)
    image[0, 1, 1] = 100                                # smoothed: 500 / 13, rounded to 38
    assert F.adjust_sharpness(image, 0.5)[0, 1, 1].item() == 69
    assert F.adjust_sharpness(image, 2.0)[0].tolist() == [[0, 0, 0], [0, 162, 0], [0, 0, 0]]


def test_angles_are_degrees():
    line = taeda.zeros(1, 9, 9)
    line[0, 4, :] = 1.0
    turned = F.rotate(line, math.degrees(math.pi / 2), MODES.BILINEAR)
    assert turned[0, :, 4].tolist() == pytest.approx([1.0] * 9, abs=1e-5)
