"""Transforms of video clips by torchvision's older path."""

import random

import numpy as np
import pytest

import taeda
from taeda.vision import transforms
from taeda.vision.transforms import _transforms_video as video

pytestmark = pytest.mark.filterwarnings("ignore:The module torchvision.transforms._transforms_video")


def test_the_path_is_an_old_one():
    with pytest.warns(UserWarning, match="is deprecated since 0.12") as told:
        video.CenterCropVideo(3)
    assert told[0].filename == __file__


def clip():
    return taeda.arange(3 * 2 * 6 * 8.0).reshape(3, 2, 6, 8)


def test_parts_of_frames():
    x = clip()
    assert taeda.equal(video.CenterCropVideo(4)(x), x[..., 1:5, 2:6])
    assert taeda.equal(video.CenterCropVideo((2, 8))(x), x[..., 2:4, :])
    taeda.manual_seed(0)
    want = transforms.RandomCrop((3, 5))(x)
    taeda.manual_seed(0)
    assert taeda.equal(video.RandomCropVideo((3, 5))(x), want)
    taeda.manual_seed(0)
    i, j, h, w = transforms.RandomResizedCrop.get_params(x, (0.1, 0.9), (0.5, 2.0))
    taeda.manual_seed(0)
    got = video.RandomResizedCropVideo((5, 4), (0.1, 0.9), (0.5, 2.0))(x)
    part = x[..., i : i + h, j : j + w]
    assert taeda.equal(got, taeda.nn.functional.interpolate(part, size=(5, 4), mode="bilinear", align_corners=False))


def test_numbers():
    x = clip()
    mean, std = taeda.tensor([1.0, 2.0, 3.0]), taeda.tensor([2.0, 4.0, 8.0])
    done = video.NormalizeVideo(mean.tolist(), std.tolist())(x)
    assert taeda.allclose(done, (x - mean.reshape(3, 1, 1, 1)) / std.reshape(3, 1, 1, 1))
    assert video.NormalizeVideo([1, 2, 3], [2, 4, 8], inplace=True)(x) is x and taeda.equal(x, done)
    frames = taeda.from_numpy(np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3))
    assert taeda.equal(video.ToTensorVideo()(frames), frames.permute(3, 0, 1, 2) / 255.0)


def test_mirrors_as_pythons_generator_draws():
    x, flip = clip(), video.RandomHorizontalFlipVideo(0.5)
    random.seed(3)
    drawn = [random.random() < 0.5 for _ in range(8)]
    random.seed(3)
    assert [not taeda.equal(flip(x), x) for _ in range(8)] == drawn
    assert taeda.equal(video.RandomHorizontalFlipVideo(1.0)(x), x.flip(-1))
    assert repr(flip) == "RandomHorizontalFlipVideo(p=0.5)" and repr(video.RandomCropVideo(3)) == "RandomCropVideo(size=(3, 3))"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda v: v.CenterCropVideo(7)(clip()), ValueError),
        (lambda v: v.CenterCropVideo(3)(clip()[0]), ValueError),
        (lambda v: v.ToTensorVideo()(clip()), TypeError),
        (lambda v: v.NormalizeVideo(1, 1)("x"), TypeError),
        (lambda v: v.RandomResizedCropVideo((1, 2, 3)), ValueError),
        (lambda v: v.RandomCropVideo(9)(clip()), ValueError),
    ],
)
def test_refusals(call, error):
    with pytest.raises(error):
        call(video)
