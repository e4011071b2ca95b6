"""Transforms: values worked out by hand, both kinds of images alike, and errors for all else."""

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda import nn
from taeda.vision import transforms as T
from taeda.vision.transforms import functional as F

MODES = T.InterpolationMode


def picture(h=6, w=9, c=3):
    pixels = np.random.default_rng(1).integers(0, 256, (h, w, c), dtype=np.uint8)
    return Image.fromarray(pixels[:, :, 0] if c == 1 else pixels)


def both(function, image, tolerance=0):
    """Apply `function` to a PIL image and to its tensor, and say whether the results agree."""
    a = F.pil_to_tensor(function(image)).to(taeda.float32)
    b = function(F.pil_to_tensor(image)).to(taeda.float32)
    assert a.shape == b.shape
    return float((a - b).abs().max()) <= tolerance


# -- between kinds -------------------------------------------------------------------------------------


def test_to_tensor_scales_bytes_and_puts_channels_first():
    image = picture()
    tensor = T.ToTensor()(image)
    assert (tuple(tensor.shape), tensor.dtype) == ((3, 6, 9), taeda.float32)
    assert tensor[1, 2, 3].item() == pytest.approx(image.getpixel((3, 2))[1] / 255)
    array = T.ToTensor()(np.asarray(image))
    assert taeda.equal(tensor, array)
    assert T.ToTensor()(np.zeros((4, 5))).dtype == taeda.float64
    assert tuple(T.ToTensor()(np.zeros((4, 5), np.uint8)).shape) == (1, 4, 5)


def test_other_modes_keep_their_numbers():
    assert F.to_tensor(Image.new("I", (2, 2), 70000)).dtype == taeda.int32
    assert F.to_tensor(Image.new("F", (2, 2), 0.25)).tolist() == [[[0.25, 0.25], [0.25, 0.25]]]
    assert F.to_tensor(Image.new("1", (2, 1), 1)).tolist() == [[[1.0, 1.0]]]
    assert tuple(F.pil_to_tensor(Image.new("RGBA", (2, 3))).shape) == (4, 3, 2)
    assert F.pil_to_tensor(Image.new("1", (2, 1), 1)).tolist() == [[[True, True]]]
    deep = F.pil_to_tensor(Image.new("I;16", (2, 1), 60000))
    assert (deep.dtype, deep.tolist()) == (taeda.uint16, [[[60000, 60000]]])
    assert F.to_pil_image(deep).getpixel((0, 0)) == 60000


def test_a_tensor_does_not_share_memory_with_the_array():
    array = np.zeros((2, 2, 1), np.float32)
    F.to_tensor(array).add_(1)
    assert not array.any()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_to_pil_image_and_back(channels, mode):
    tensor = taeda.from_numpy(np.random.default_rng(0).integers(0, 256, (channels, 4, 5), dtype=np.uint8))
    image = T.ToPILImage()(tensor)
    assert image.mode == mode
    assert taeda.equal(F.pil_to_tensor(image), tensor)
    assert taeda.equal(F.pil_to_tensor(F.to_pil_image(tensor.to(taeda.float32) / 255 + 1e-4)), tensor)


def test_channels_of_a_picture_stay_innermost_until_it_becomes_floats():
    image = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(2, 4, 3))
    bytes_, floats = F.pil_to_tensor(image), F.to_tensor(image)
    assert bytes_.stride() == (1, 12, 3) and floats.stride() == (8, 4, 1) and bytes_[1].tolist() == [[1, 4, 7, 10], [13, 16, 19, 22]]
    bytes_[1, 0, 0] = 99                        # memory of its own
    assert image.getpixel((0, 0)) == (0, 1, 2)
    for x in (bytes_, bytes_.contiguous(), bytes_.transpose(1, 2).contiguous().transpose(1, 2), bytes_.flip(-1).flip(-1)):
        assert np.array_equal(np.asarray(F.to_pil_image(x)), bytes_.permute(1, 2, 0).numpy())


def test_to_pil_image_takes_a_mode_and_other_types():
    assert F.to_pil_image(taeda.zeros(3, 2, 2), "YCbCr").mode == "YCbCr"
    assert F.to_pil_image(taeda.full((2, 2), 0.5), "F").getpixel((0, 0)) == 0.5
    assert F.to_pil_image(np.full((2, 3, 1), 7, np.int32)).mode == "I"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_arrays_of_floats_become_bytes_as_tensors_of_floats_do(dtype):
    unit = np.linspace(0, 1, 24).astype(dtype)
    for shape, mode in (((6, 4), "L"), ((6, 4, 1), "L"), ((3, 4, 2), "LA"), ((2, 4, 3), "RGB"), ((2, 3, 4), "RGBA")):
        image = F.to_pil_image(unit.reshape(shape))
        assert image.mode == mode and np.asarray(image).reshape(-1).tolist() == (unit * 255).astype(np.uint8).tolist()
    assert F.to_pil_image(unit.reshape(2, 4, 3), "HSV").mode == "HSV"
    assert F.to_pil_image(np.full((2, 3), 0.25, np.float32), "F").getpixel((0, 0)) == 0.25


@pytest.mark.parametrize(
    ("pic", "mode", "error", "words"),
    [
        ([[1]], None, TypeError, "pic should be Tensor or ndarray. Got <class 'list'>"),
        (np.zeros(3), None, ValueError, "2/3 dimensional. Got 1 dimensions"),
        (np.zeros((5, 2, 2, 1)), None, ValueError, "Got 4 dimensions"),
        (np.zeros((2, 2, 5), np.uint8), None, ValueError, "should not have > 4 channels. Got 5"),
        (
            np.zeros((2, 2, 3), np.uint8),
            "L",
            ValueError,
            "Only modes .*RGB.* are supported for inputs with 3",
        ),
        (np.zeros((2, 2), np.uint8), "F", ValueError, r"Incorrect mode \(F\) supplied for input type uint8"),
        (np.zeros((2, 2, 3), np.int64), None, TypeError, "Input type int64 with 3 channels is not supported"),
    ],
)
def test_to_pil_image_refuses(pic, mode, error, words):
    with pytest.raises(error, match=words):
        F.to_pil_image(pic, mode)


def test_convert_image_dtype_scales_to_the_range():
    bytes_ = taeda.tensor([[[0, 128, 255]]], dtype=taeda.uint8)
    floats = T.ConvertImageDtype(taeda.float32)(bytes_)
    assert floats.tolist()[0][0] == pytest.approx([0.0, 128 / 255, 1.0])
    assert F.convert_image_dtype(floats, taeda.uint8).tolist() == bytes_.tolist()
    assert F.convert_image_dtype(bytes_, taeda.int32).tolist() == [[[0, 128 << 23, 255 << 23]]]
    assert (
        F.convert_image_dtype(F.convert_image_dtype(bytes_, taeda.int32), taeda.uint8).tolist()
        == bytes_.tolist()
    )
    with pytest.raises(RuntimeError, match="cannot be performed safely"):
        F.convert_image_dtype(floats, taeda.int64)


def test_normalize_by_channel():
    tensor = taeda.ones(2, 3, 2, 2)
    out = T.Normalize((0.0, 0.5, 1.0), (1.0, 0.5, 2.0))(tensor)
    assert out[1, :, 0, 0].tolist() == [1.0, 1.0, 0.0]
    assert tensor[0, 1, 0, 0].item() == 1.0
    F.normalize(tensor, [1.0], [1.0], inplace=True)
    assert not bool(tensor.any())
    image, mean = taeda.rand(3, 4, 5), taeda.rand(3, 4, 5)      # a mean of each pixel
    assert taeda.equal(F.normalize(image, mean, mean + 1), (image - mean) / (mean + 1))
    assert taeda.equal(F.normalize(image, mean[:, :1, :1], taeda.ones(3)), image - mean[:, :1, :1])
    with pytest.raises(RuntimeError):
        F.normalize(image, mean[None], 1.0)


@pytest.mark.parametrize(
    ("image", "std", "error", "words"),
    [
        (lambda: picture(), (1.0,), TypeError, r"img should be Tensor Image\. Got .*; put ToTensor before it"),
        (lambda: taeda.zeros(3, 2, 2, dtype=taeda.uint8), (1.0,), TypeError, r"should be a float tensor\. Got .*ConvertImageDtype\(taeda\.float32\) makes it one"),
        (
            lambda: taeda.zeros(2, 2),
            (1.0,),
            ValueError,
            r"size \(..., C, H, W\). Got tensor.size\(\) = \(2, 2\)",
        ),
        (lambda: taeda.zeros(3, 2, 2), (1.0, 0.0, 1.0), ValueError, "std evaluated to zero"),
        (lambda: taeda.zeros(3, 2, 2), (1.0, 1.0), RuntimeError, "std has 2 values for 3 channels"),
        (lambda: taeda.zeros(1, 2, 2), (1.0, 1.0), RuntimeError, "std has 2 values for 1 channels"),
    ],
)
def test_normalize_refuses(image, std, error, words):
    with pytest.raises(error, match=words):
        F.normalize(image(), (0.0,), std)


def test_what_is_no_image_is_told_how_it_becomes_one():
    with pytest.raises(TypeError, match=r"Got <class 'str'>; PIL\.Image\.open opens a file"):
        F.to_tensor("picture.png")
    with pytest.raises(TypeError, match=r"Got <class 'taeda\.Tensor'>; it is one already"):
        F.to_tensor(taeda.zeros(3, 2, 2))
    with pytest.raises(TypeError, match=r"\[resize\] img should be PIL Image or Tensor.*; ToTensor or ToPILImage makes it one"):
        F.resize(np.zeros((4, 4, 3), np.uint8), 2)
    with pytest.raises(TypeError, match="put ToTensor before it"):
        T.RandomErasing(1.0)(picture())


def test_compose_wants_a_list_of_transforms_that_are_made():
    with pytest.raises(TypeError, match=r"\[Compose\] transforms must be a list, got ToTensor"):
        T.Compose(T.ToTensor())
    with pytest.raises(TypeError, match=r"transform 1 is the class ToTensor; make one of it: ToTensor\(\.\.\.\)"):
        T.Compose([T.Resize(4), T.ToTensor])
    assert T.Compose([str, len])(123) == 3


# -- geometry ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(3, 4), (12, 18), 4, [13]])
@pytest.mark.parametrize("mode", [MODES.BILINEAR, MODES.BICUBIC])
def test_resizing_agrees_between_images_and_tensors(size, mode):
    # Away from black and white: Pillow clips between its two passes, which a cubic overshoots.
    middle = Image.fromarray(np.asarray(picture()) // 4 + 96)
    assert both(lambda image: F.resize(image, size, mode), middle, tolerance=1)


def test_resize_keeps_the_ratio_for_one_number_and_obeys_max_size():
    assert F.resize(picture(6, 9), 4).size == (6, 4)
    assert F.resize(picture(9, 6), 4).size == (4, 6)
    assert F.resize(picture(6, 9), 4, max_size=5).size == (5, 3)
    same = picture()
    assert F.resize(same, 6) is same


def test_resize_of_a_constant_and_of_a_ramp():
    assert F.resize(taeda.full((1, 7, 5), 3.0), (4, 9)).tolist() == pytest.approx(np.full((1, 4, 9), 3.0))
    ramp = taeda.arange(8, dtype=taeda.float32).reshape(1, 1, 8)
    assert F.resize(ramp, (1, 4)).tolist()[0][0] == pytest.approx([0.7142857, 2.5, 4.5, 6.2857143])
    assert F.resize(ramp, (1, 4), antialias=False).tolist() == [[[0.5, 2.5, 4.5, 6.5]]]
    assert F.resize(ramp, (1, 4), MODES.NEAREST).tolist() == [[[0.0, 2.0, 4.0, 6.0]]]
    assert F.resize(ramp, (1, 4), MODES.NEAREST_EXACT).tolist() == [[[1.0, 3.0, 5.0, 7.0]]]
    assert F.resize(ramp, (2, 16), MODES.NEAREST)[0, 1, :4].tolist() == [0.0, 0.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (((3, 3, 3),), ValueError, "1 or 2 values, got 3"),
        ((0,), ValueError, "size should be positive"),
        (((3, 3), MODES.BILINEAR, 5), ValueError, "max_size should only be passed"),
        ((3, MODES.BILINEAR, 3), ValueError, "max_size = 3 must be strictly greater"),
        ((3, "bilinear"), TypeError, "interpolation should be a InterpolationMode"),
        ((3, MODES.LANCZOS), ValueError, "lanczos.* is unsupported with Tensor input"),
    ],
)
def test_resize_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        F.resize(taeda.zeros(3, 6, 9), *arguments)


@pytest.mark.parametrize(
    "box", [(1, 2, 3, 4), (-1, -2, 4, 5), (4, 6, 5, 6), (0, 0, 6, 9), (-5, -9, 3, 3), (20, 20, 2, 2)]
)
def test_cropping_agrees_and_pads_with_zeros_outside(box):
    assert both(lambda image: F.crop(image, *box), picture())


@pytest.mark.parametrize("size", [3, (2, 5), (8, 4), (9, 12), (6, 9), [4]])
def test_center_crop_agrees(size):
    assert both(lambda image: F.center_crop(image, size), picture())


def test_center_crop_takes_the_middle():
    x = taeda.arange(25).reshape(1, 5, 5)
    assert T.CenterCrop(3)(x).tolist() == [[[6, 7, 8], [11, 12, 13], [16, 17, 18]]]


@pytest.mark.parametrize("padding", [2, (1, 3), (1, 0, 2, 3), [2], (-1, 2, 1, -3)])
@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_padding_agrees(padding, mode):
    assert both(lambda image: F.pad(image, padding, 5 if mode == "constant" else 0, mode), picture())


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric"])
def test_a_batch_without_images_is_padded(mode):
    assert tuple(F.pad(taeda.zeros(0, 3, 5, 6), 1, padding_mode=mode).shape) == (0, 3, 7, 8)


def test_padding_puts_left_top_right_bottom_where_they_belong():
    out = F.pad(taeda.ones(1, 1, 1), (1, 2, 3, 4), fill=7)
    assert tuple(out.shape) == (1, 7, 5)
    assert (out[0, 2, 1].item(), float(out.sum())) == (1.0, 7 * 34 + 1)
    assert F.pad(taeda.arange(4).reshape(1, 1, 4), (-1, 0, 1, 0)).tolist() == [[[1, 2, 3, 0]]]
    assert F.pad(picture(), 1, fill=(1, 2, 3)).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (((1, 2, 3),), ValueError, "1, 2, or 4 element tuple, not a 3 element tuple"),
        (("1",), TypeError, "inappropriate padding arg"),
        ((1, {}), TypeError, "inappropriate fill arg"),
        ((1, 0, "mirror"), ValueError, "either constant, edge, reflect or symmetric, got 'mirror'"),
        ((1, 0, 3), TypeError, "inappropriate padding_mode arg"),
        ((-9,), ValueError, "cuts off more than an image of 6 x 9 has"),
    ],
)
def test_pad_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        F.pad(picture(), *arguments)


def test_pad_of_a_tensor_has_one_fill():
    with pytest.raises(TypeError, match="inappropriate fill arg"):
        F.pad(taeda.zeros(3, 4, 4), 1, (1, 2, 3))


def test_elastic_maps_are_bicubic_too():
    x = taeda.arange(16.0).reshape(1, 4, 4)
    move = taeda.full((1, 4, 4, 2), 0.5)       # a pixel to the right and down
    assert float((F.elastic_transform(x, move, MODES.BICUBIC)[:, :3, :3] - x[:, 1:, 1:]).abs().max()) < 1e-5


def test_linear_transformation_has_the_dtype_of_what_is_centred():
    whiten = T.LinearTransformation(taeda.eye(4) * 2, taeda.ones(4))
    assert whiten(taeda.full((1, 2, 2), 3.0, dtype=taeda.float64)).tolist() == [[[4.0, 4.0], [4.0, 4.0]]]
    assert whiten(taeda.full((1, 2, 2), 3)).dtype == taeda.float32


def test_flips():
    assert both(F.hflip, picture())
    assert both(F.vflip, picture())
    x = taeda.arange(4).reshape(1, 2, 2)
    assert F.hflip(x).tolist() == [[[1, 0], [3, 2]]]
    assert F.vflip(x).tolist() == [[[2, 3], [0, 1]]]


@pytest.mark.parametrize("channels", [1, 3])
def test_grayscale_agrees(channels):
    assert both(lambda image: F.rgb_to_grayscale(image, channels), picture(), tolerance=1)
    assert F.get_image_num_channels(T.Grayscale(channels)(picture())) == channels
    assert T.Grayscale(channels)(taeda.ones(2, 1, 4, 4)).shape == (2, 1, 4, 4)


def test_grayscale_refuses():
    with pytest.raises(ValueError, match="either 1 or 3, got 2"):
        T.Grayscale(2)(picture())
    with pytest.raises(TypeError, match="permitted channel values are 1 or 3"):
        F.rgb_to_grayscale(taeda.zeros(2, 4, 4))


def test_dimensions():
    assert F.get_dimensions(picture(4, 7)) == F.get_dimensions(taeda.zeros(2, 3, 4, 7)) == [3, 4, 7]
    assert F.get_image_size(picture(4, 7)) == [7, 4]


@pytest.mark.parametrize(
    "transform",
    [
        T.ToTensor(),
        T.PILToTensor(),
        T.ToPILImage(),
        T.Normalize((0.5,), (0.5,)),
        T.Resize(4),
        T.CenterCrop(2),
        T.RandomCrop(2),
        T.RandomHorizontalFlip(0.0),
        T.RandomVerticalFlip(1.0),
        T.RandomResizedCrop(2),
        T.RandomGrayscale(0.0),
        T.Grayscale(),
        T.Pad(1),
        T.ConvertImageDtype(taeda.float32),
    ],
    ids=lambda transform: type(transform).__name__,
)
@pytest.mark.parametrize("thing", ["text", 3, None, [[1, 2], [3, 4]]])
def test_what_is_no_image_raises_type_error(transform, thing):
    with pytest.raises(TypeError):
        transform(thing)


# -- at random -----------------------------------------------------------------------------------------


def test_random_crop_stays_inside_and_repeats_for_a_seed():
    x = taeda.arange(80).reshape(1, 8, 10)
    crop = T.RandomCrop((3, 4))
    taeda.manual_seed(0)
    first = [crop(x).tolist() for _ in range(20)]
    taeda.manual_seed(0)
    assert [crop(x).tolist() for _ in range(20)] == first
    corners = {c[0][0][0] for c in first}
    assert len(corners) > 5
    assert all(corner // 10 <= 5 and corner % 10 <= 6 for corner in corners)


def test_random_crop_draws_rows_before_columns():
    taeda.manual_seed(4)
    i, j = int(taeda.randint(0, 6, size=(1,)).item()), int(taeda.randint(0, 7, size=(1,)).item())
    taeda.manual_seed(4)
    assert T.RandomCrop.get_params(taeda.zeros(1, 8, 10), (3, 4)) == (i, j, 3, 4)


def test_random_crop_pads_where_needed_and_else_refuses():
    small = taeda.ones(1, 2, 2)
    assert tuple(T.RandomCrop(4, pad_if_needed=True)(small).shape) == (1, 4, 4)
    assert tuple(T.RandomCrop(4, padding=1)(small).shape) == (1, 4, 4)
    with pytest.raises(
        ValueError, match=r"Required crop size \(4, 4\) is larger than input image size \(2, 2\)"
    ):
        T.RandomCrop(4)(small)


def test_flips_happen_with_their_probability():
    x = taeda.arange(2).reshape(1, 1, 2)
    taeda.manual_seed(0)
    flipped = sum(T.RandomHorizontalFlip(0.3)(x)[0, 0, 0].item() for _ in range(400))
    assert 80 < flipped < 160
    assert T.RandomHorizontalFlip(1.0)(x).tolist() == [[[1, 0]]]
    assert T.RandomVerticalFlip(0.0)(x) is x
    with pytest.raises(ValueError, match="p should lie between 0 and 1, got 2"):
        T.RandomHorizontalFlip(2)


def test_random_resized_crop_gives_the_size_and_stays_in_its_ranges():
    taeda.manual_seed(0)
    crop = T.RandomResizedCrop(5)
    assert tuple(crop(taeda.zeros(3, 20, 30)).shape) == (3, 5, 5)
    assert crop(picture(20, 30)).size == (5, 5)
    for _ in range(50):
        top, left, h, w = crop.get_params(taeda.zeros(3, 20, 30), (0.2, 0.9), (0.5, 2.0))
        assert 0 <= top <= 20 - h
        assert 0 <= left <= 30 - w
        assert 0.15 * 600 < h * w < 0.95 * 600
    # Ten tries cannot give a square from a strip: the middle is taken.
    assert crop.get_params(taeda.zeros(1, 10, 1000), (1.0, 1.0), (1.0, 1.0)) == (0, 495, 10, 10)


def test_random_apply_order_and_choice():
    add, double = T.Lambda(lambda x: x + 1), T.Lambda(lambda x: x * 2)
    assert T.RandomApply([add, double], p=1.0)(3) == 8
    assert T.RandomApply([add, double], p=0.0)(3) == 3
    assert T.RandomOrder([add, double])(3) in (7, 8)
    assert T.RandomChoice([add, double], p=[0, 1])(3) == 6


def test_compose_and_sequential_apply_in_order():
    pipeline = T.Compose([T.Resize(4), T.ToTensor(), T.Normalize((0.5,), (0.5,))])
    assert tuple(pipeline(picture(8, 8)).shape) == (3, 4, 4)
    assert tuple(nn.Sequential(T.Resize(4), T.CenterCrop(2))(taeda.zeros(3, 8, 8)).shape) == (3, 2, 2)


def test_forms_are_torchvisions():
    assert repr(T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,)), T.Lambda(abs)])) == (
        "Compose(\n    ToTensor()\n    Normalize(mean=(0.5,), std=(0.5,))\n    Lambda()\n)"
    )
    assert repr(T.Resize(4)) == "Resize(size=4, interpolation=bilinear, max_size=None, antialias=True)"
    assert repr(T.RandomCrop(4, padding=1)) == "RandomCrop(size=(4, 4), padding=1)"
    assert repr(T.RandomApply([T.CenterCrop(3)])) == "RandomApply(\n    p=0.5\n    CenterCrop(size=(3, 3))\n)"
    assert repr(T.CenterCrop([3, 2])) == "CenterCrop(size=[3, 2])"
    assert repr(T.GaussianBlur(3, 2)) == "GaussianBlur(kernel_size=(3, 3), sigma=(2, 2))"
    assert repr(T.RandomPosterize(2)) == "RandomPosterize(bits=2,p=0.5)"
    assert repr(T.RandomSolarize(9)) == "RandomSolarize(threshold=9,p=0.5)"
    assert repr(T.RandomAffine(0)) == "RandomAffine(degrees=[0.0, 0.0])"
    assert repr(T.RandomRotation(0, fill=None)) == "RandomRotation(degrees=[0.0, 0.0], interpolation=nearest, expand=False, fill=0)"
    assert repr(T.ToPILImage("RGB")) == "ToPILImage(mode=RGB)"
    assert repr(T.Pad((1, 2))) == "Pad(padding=(1, 2), fill=0, padding_mode=constant)"
    assert repr(T.RandomResizedCrop(4)) == (
        "RandomResizedCrop(size=(4, 4), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, "
        "antialias=True)"
    )


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: T.Lambda(3), TypeError, "lambd should be callable, got 'int'"),
        (lambda: T.Resize({}), TypeError, "Size should be int or sequence"),
        (lambda: T.Resize((1, 2, 3)), ValueError, "1 or 2 values"),
        (lambda: T.CenterCrop((1, 2, 3)), ValueError, "only two dimensions"),
        (lambda: T.Pad((1, 2, 3)), ValueError, "not a 3 element tuple"),
        (
            lambda: T.RandomResizedCrop(3, scale=(1.0, 0.5)),
            ValueError,
            r"scale should be of kind \(min, max\)",
        ),
        (lambda: T.RandomChoice([abs], p=[1, 2]), ValueError, "2 weights for 1 transforms"),
    ],
)
def test_arguments_are_checked_when_a_transform_is_made(build, error, words):
    with pytest.raises(error, match=words):
        build()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: T.RandomRotation(0, fill={}), TypeError, "Fill should be either a sequence or a number"),
        (lambda: T.RandomPerspective(fill={}), TypeError, "Fill should be either"),
        (lambda: T.RandomAffine(0, fill={}), TypeError, "Fill should be either"),
        (lambda: T.RandomAffine(0, translate=2.0), TypeError, "translate should be a sequence of length 2"),
        (lambda: T.RandomAffine(0, scale=1.0), TypeError, "scale should be a sequence of length 2"),
        (lambda: T.RandomAffine(0, center=1), TypeError, "center should be a sequence of length 2"),
        (lambda: T.RandomRotation(0, center=[1, 2, 3]), ValueError, "center should be a sequence of length 2"),
        (lambda: T.ElasticTransform(alpha=True), TypeError, "alpha should be a float or a sequence of floats"),
        (lambda: T.ElasticTransform(sigma=["a", "b"]), TypeError, "sigma should be a float or"),
        (lambda: T.ElasticTransform(fill="x"), TypeError, "fill should be int or float or a list"),
        (lambda: T.GaussianBlur(3, "wide"), ValueError, "sigma should be a single number or a list/tuple with length 2"),
        (lambda: F.gaussian_blur(picture(), "wide"), TypeError, "kernel_size should be int or a sequence of integers"),
        (lambda: T.CenterCrop(None), TypeError, "size should be an int or a sequence"),
    ],
)
def test_transforms_refuse_the_wrong_types(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_pil_image_is_resized_with_antialiasing_and_says_so():
    with pytest.warns(UserWarning, match="Anti-alias option is always applied for PIL Image input"):
        small = F.resize(picture(), [3, 4], antialias=False)
    assert np.array_equal(np.asarray(small), np.asarray(F.resize(picture(), [3, 4])))
