"""Data sets of pairs for two eyes."""

import json
import random

import numpy as np
import pytest
from PIL import Image

from taeda.vision import datasets

NUMBERS = np.arange(12, dtype=np.float32).reshape(3, 4)


def new(root, name):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    return root / name


def put(root, shades):
    """Write pictures of one shade."""
    for name, shade in shades.items():
        Image.new("RGB", (4, 3), (shade,) * 3).save(new(root, name))


def whole(root, name, values):
    Image.fromarray(np.asarray(values).astype(np.uint16)).save(new(root, name))


def pfm(root, name, values):
    new(root, name).write_bytes(b"Pf\n4 3\n-1.0\n" + np.asarray(values)[::-1].astype("<f4").tobytes())


def mask(root, name, values):
    Image.fromarray(np.asarray(values).astype(np.uint8)).save(new(root, name))


def shades(sample):
    return [np.asarray(image)[0, 0, 0] for image in sample[:2]]


def exchanged(images, disparities, masks):
    """Transforms: right for left, and what of the disparities is large."""
    return images[::-1], disparities[::-1], tuple(None if d is None else d[0] > 2 for d in disparities)


def test_carla_has_disparities_of_both_sides_without_their_sign(tmp_path):
    put(tmp_path, {"carla-highres/trainingF/a/im0.png": 1, "carla-highres/trainingF/a/im1.png": 2})
    pfm(tmp_path, "carla-highres/trainingF/a/disp0GT.pfm", -NUMBERS)
    pfm(tmp_path, "carla-highres/trainingF/a/disp1GT.pfm", NUMBERS + 1)
    (sample,) = datasets.CarlaStereo(tmp_path)
    assert shades(sample) == [1, 2] and len(sample) == 3 and np.array_equal(sample[2], NUMBERS[None]) and sample[2].dtype == np.float32
    left, right, disparity, known = datasets.CarlaStereo(tmp_path, exchanged)[0]
    assert shades((left, right)) == [2, 1] and np.array_equal(disparity[0], NUMBERS + 1) and np.array_equal(known, NUMBERS > 2)


@pytest.mark.parametrize("year, folders, truths", [
    (2012, ("colored_0", "colored_1"), ("disp_noc",)),
    (2015, ("image_2", "image_3"), ("disp_occ_0", "disp_occ_1")),
])  # fmt: skip
def test_kitti_counts_in_parts_of_256(tmp_path, year, folders, truths):
    kitti = getattr(datasets, f"Kitti{year}Stereo")
    for i, folder in enumerate(folders):
        put(tmp_path, {f"Kitti{year}/{split}/{folder}/{n}_10.png": 10 * n + i for split in ("training", "testing") for n in (1, 2)})
    for i, folder in enumerate(truths):
        for n in (1, 2):
            whole(tmp_path, f"Kitti{year}/training/{folder}/{n}_10.png", NUMBERS * 64 + i)
    data = kitti(tmp_path)
    assert [shades(sample) for sample in data] == [[10, 11], [20, 21]]
    assert np.array_equal(data[1][2][0], NUMBERS / 4) and data[1][2].dtype == np.float64 and data[1][3] is None
    assert kitti(tmp_path, "test")[0][2:] == (None, None)
    other = kitti(tmp_path, transforms=exchanged)[0]
    assert other[2] is None if year == 2012 else np.array_equal(other[2][0], (NUMBERS * 64 + 1) / 256)
    with pytest.raises(ValueError, match="Unknown value 'val' for argument split"):
        kitti(tmp_path, "val")


def test_what_lacks_its_other_side_is_refused(tmp_path):
    put(tmp_path, {"Kitti2015/testing/image_2/1_10.png": 1})
    with pytest.raises(FileNotFoundError, match=r"\[Kitti2015Stereo\] Could not find any files matching 'image_3/\*.png' in "):
        datasets.Kitti2015Stereo(tmp_path, "test")
    put(tmp_path, {"Kitti2015/testing/image_3/1_10.png": 1, "Kitti2015/testing/image_3/2_10.png": 1})
    with pytest.raises(ValueError, match="1 files match 'image_2/.*' and 2 'image_3/"):
        datasets.Kitti2015Stereo(tmp_path, "test")


def test_middlebury_takes_calibrations_lights_and_masks_the_infinite(tmp_path):
    measured = NUMBERS.copy()
    measured[0, 1] = np.inf
    for shade, kind in enumerate(("perfect", "imperfect")):
        scene = f"Middlebury2014/train/Piano-{kind}/"
        put(tmp_path, {scene + "im0.png": 10 * shade, scene + "im1.png": 10 * shade + 1, scene + "im1E.png": 10 * shade + 2})
        for i in "01":
            pfm(tmp_path, f"{scene}disp{i}.pfm", measured + shade)
    put(tmp_path, {f"Middlebury2014/test/Plants/im{i}.png": i for i in (0, 1)})
    (sample,) = datasets.Middlebury2014Stereo(tmp_path)
    assert shades(sample) == [0, 1] and sample[2][0, :2].tolist() == [[0, 0, 2, 3], [4, 5, 6, 7]] and sample[3][0].tolist() == [False, False, True, True]
    both = datasets.Middlebury2014Stereo(tmp_path, calibration="both", use_ambient_views=True)
    random.seed(0)
    assert [shades(sample)[0] for sample in both] == [0, 10] and {shades(both[1])[1] for _ in range(20)} == {11, 12}
    assert datasets.Middlebury2014Stereo(tmp_path, "test", None)[0][2:] == (None, None)
    for split, calibration in (("test", "perfect"), ("train", None), ("train", "none")):
        with pytest.raises(ValueError, match="calibration"):
            datasets.Middlebury2014Stereo(tmp_path, split, calibration)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        datasets.Middlebury2014Stereo(tmp_path, "additional")
    put(tmp_path, {"Middlebury2014/additional/Chair/im0.png": 0})
    with pytest.raises(FileNotFoundError, match="none of the scenes of the split 'additional'"):
        datasets.Middlebury2014Stereo(tmp_path, "additional")


def test_sintel_masks_what_one_eye_sees(tmp_path):
    base = "Sintel/training/"
    put(tmp_path, {f"{base}{name}_{side}/alley/1.png": i for i, (name, side) in enumerate([(n, s) for n in ("clean", "final") for s in ("left", "right")])})
    colours = np.zeros((3, 4, 3), np.uint8)
    colours[0, 0] = 3, 32, 64
    Image.fromarray(colours).save(new(tmp_path, base + "disparities/alley/1.png"))
    data = datasets.SintelStereo(tmp_path, "both")
    assert [shades((data._read_img(a), data._read_img(b))) for a, b in data._images] == [[2, 3], [0, 1]]
    with pytest.raises(FileNotFoundError, match="there is no mask .*occlusions"):
        data[0]
    mask(tmp_path, base + "occlusions/alley/1.png", NUMBERS == 1)
    mask(tmp_path, base + "outofframe/alley/1.png", NUMBERS == 2)
    _, _, disparity, known = data[1]
    assert disparity.shape == (1, 3, 4) and disparity[0, 0].tolist() == [12 + 0.5 + 1 / 256, 0, 0, 0] and np.array_equal(known, (NUMBERS != 1) & (NUMBERS != 2))


def test_depths_become_disparities_by_the_camera(tmp_path):
    for kind in ("single/soup/kitchen", "mixed/kitchen"):
        for side in ("left", "right"):
            put(tmp_path, {f"FallingThings/{kind}/0.{side}.jpg": 40})
            whole(tmp_path, f"FallingThings/{kind}/0.{side}.depth.png", NUMBERS + 1)
        new(tmp_path, f"FallingThings/{kind}/_camera_settings.json").write_text(json.dumps({"camera_settings": [{"intrinsic_settings": {"fx": 2.0}}]}))
    assert [len(datasets.FallingThingsStereo(tmp_path, kind)) for kind in ("single", "mixed", "both")] == [1, 1, 2]
    disparity = datasets.FallingThingsStereo(tmp_path)[0][2]
    assert disparity.dtype == np.float32 and disparity[0, 0].tolist() == [1200, 600, 400, 300]


def test_scene_flow_has_three_films_in_two_passes(tmp_path):
    for i, film in enumerate(("Monkaa/{}/a", "Driving/{}/15mm/there/fast", "FlyingThings3D/{}/TRAIN/A/0001")):
        for j, (name, end) in enumerate([("frames_cleanpass", "png"), ("frames_finalpass", "png"), ("disparity", "pfm")]):
            for k, side in enumerate(("left", "right")):
                path = f"SceneFlow/{film.format(name)}/{side}/1.{end}"
                put(tmp_path, {path: 16 * i + 2 * j + k}) if end == "png" else pfm(tmp_path, path, -NUMBERS - k)
    for i, variant in enumerate(("Monkaa", "Driving", "FlyingThings3D")):
        data = datasets.SceneFlowStereo(tmp_path, variant, "both")
        assert [shades(sample) for sample in data] == [[16 * i, 16 * i + 1], [16 * i + 2, 16 * i + 3]]
        assert np.array_equal(data[1][2][0], NUMBERS) and len(datasets.SceneFlowStereo(tmp_path, variant)) == 1


def test_pictures_of_16_bits_hold_parts_of_a_pixel(tmp_path):
    for side in ("left", "right"):
        put(tmp_path, {f"InStereo2k/test/a/{side}.png": 1} | {f"CREStereo/{kind}/1_{side}.jpg": 2 for kind in ("shapenet", "reflective", "tree", "hole")})
        whole(tmp_path, f"InStereo2k/test/a/{side}_disp.png", NUMBERS * 512)
        for kind in ("shapenet", "reflective", "tree", "hole"):
            whole(tmp_path, f"CREStereo/{kind}/1_{side}.disp.png", NUMBERS * 16)
    (sample,) = datasets.InStereo2k(tmp_path, "test")
    assert len(sample) == 3 and np.array_equal(sample[2][0], NUMBERS / 2) and sample[2].dtype == np.float32
    data = datasets.CREStereo(tmp_path)
    assert len(data) == 4 and np.array_equal(data[3][2][0], NUMBERS / 2) and data[3][2].dtype == np.float32 and data[3][3] is None


def test_eth3d_has_a_mask_beside_its_disparities(tmp_path):
    put(tmp_path, {f"ETH3D/two_view_{split}/hall/im{i}.png": i for split in ("training", "test") for i in (0, 1)})
    pfm(tmp_path, "ETH3D/two_view_training_gt/hall/disp0GT.pfm", NUMBERS)
    mask(tmp_path, "ETH3D/two_view_training_gt/hall/mask0nocc.png", 255 * (NUMBERS > 3))
    left, right, disparity, known = datasets.ETH3DStereo(tmp_path)[0]
    assert shades((left, right)) == [0, 1] and np.array_equal(disparity[0], NUMBERS) and np.array_equal(known, NUMBERS > 3)
    assert datasets.ETH3DStereo(tmp_path, "test")[0][2:] == (None, None)


def test_disparities_that_another_program_would_decode_are_refused(tmp_path):
    for side in ("left", "right"):
        put(tmp_path, {f"InStereo2k/test/a/{side}.png": 1})
        (tmp_path / "InStereo2k" / "test" / "a" / f"{side}_disp.png").write_bytes(
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n")
    with pytest.raises(OSError, match="EPS files are decoded by another program and not read here"):
        datasets.InStereo2k(tmp_path, "test")[0]
