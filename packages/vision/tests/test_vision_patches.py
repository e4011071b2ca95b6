"""Patches of sights and tissue, and living things by their kin."""

import sys
import types

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda.vision import datasets
from taeda.vision.datasets.patches import PhotoTour


def sight(root, info="0 0\n0 0\n1 0\n1 0\n", matches="0 0 0 1 0 0 0\n1 0 0 2 1 0 0\n"):
    """Write a sight of two pictures of two patches each: patch i has the shade i."""
    folder = root / "liberty"
    folder.mkdir(parents=True)
    for picture in range(2):
        shades = np.repeat(np.uint8([2 * picture, 2 * picture + 1]), 64)
        Image.fromarray(np.tile(shades, (64, 1))).save(folder / f"patches{picture}.bmp")
    (folder / "info.txt").write_text(info)
    (folder / "m50_100000_100000_0.txt").write_text(matches)
    return folder


def test_a_sight_is_cut_into_patches_and_kept_as_tensors(tmp_path):
    sight(tmp_path)
    data = datasets.PhotoTour(tmp_path, "liberty")
    assert len(data) == 4 and data.data.dtype == taeda.uint8 and data.data.shape == (4, 64, 64)
    assert [(int(patch.min()), int(patch.max())) for patch in data] == [(i, i) for i in range(4)]
    assert (data.labels.tolist(), data.matches.tolist(), data.mean, data.std) == ([0, 0, 1, 1], [[0, 1, 1], [1, 2, 0]], 0.4437, 0.2019)
    for file in (tmp_path / "liberty").iterdir():
        file.unlink()                           # the tensors of liberty.pt are enough
    pairs = datasets.PhotoTour(tmp_path, "liberty", train=False, transform=lambda patch: int(patch[0, 0]) * 10)
    assert [(a, b, int(same)) for a, b, same in pairs] == [(0, 10, 1), (10, 20, 0)] and "Split: Test" in repr(pairs)


def test_the_last_picture_of_a_sight_may_have_empty_patches(tmp_path, monkeypatch):
    sight(tmp_path)
    monkeypatch.setitem(PhotoTour.lens, "liberty", 3)
    assert len(datasets.PhotoTour(tmp_path, "liberty")) == 3


def test_a_sight_that_is_not_whole_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"\[PhotoTour\] there is no .*yosemite"):
        datasets.PhotoTour(tmp_path, "yosemite")
    with pytest.raises(ValueError, match="Unknown value 'eiffel' for argument name"):
        datasets.PhotoTour(tmp_path, "eiffel")
    folder = sight(tmp_path, matches="0 0 0\n")
    with pytest.raises(ValueError, match="m50_100000_100000_0.txt' is damaged"):
        datasets.PhotoTour(tmp_path, "liberty")
    Image.new("L", (65, 64)).save(folder / "patches0.bmp")
    sight(tmp_path / "other")
    Image.new("L", (65, 64)).save(tmp_path / "other" / "liberty" / "patches0.bmp")
    with pytest.raises(ValueError, match="65 x 64 pixels, no whole number of patches"):
        datasets.PhotoTour(tmp_path / "other", "liberty")


class Files:
    """What of h5py is used: files of NumPy's instead of HDF5's."""

    def __init__(self, path, mode):
        assert mode == "r"
        self.arrays = np.load(path)

    def __enter__(self):
        return {"x": self.arrays, "y": self.arrays}

    def __exit__(self, *error):
        return None


def test_pcam_reads_a_patch_and_its_label(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", types.SimpleNamespace(File=Files))
    (tmp_path / "pcam").mkdir()
    for name, values in (("x", np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)), ("y", np.array([0, 1]).reshape(2, 1, 1, 1))):
        with open(tmp_path / "pcam" / f"camelyonpatch_level_2_split_valid_{name}.h5", "wb") as file:
            np.save(file, values)
    data = datasets.PCAM(tmp_path, "val", target_transform=lambda label: -label)
    image, label = data[1]
    assert (len(data), image.size, image.mode, label) == (2, (4, 3), "RGB", -1) and np.asarray(image)[0, 0].tolist() == [36, 37, 38]
    with pytest.raises(RuntimeError, match=r"there is no .*split_train_x.h5'; its files lie on Google Drive"):
        datasets.PCAM(tmp_path, download=True)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(RuntimeError, match="h5py is not found"):
        datasets.PCAM(tmp_path, "val")


def picture(root, name, shade=0):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (shade,) * 3).save(root / name)


def test_species_of_2021_have_six_ranks(tmp_path):
    kin = ("Animalia_Chordata_Aves_Anseriformes_Anatidae_Anas_crecca", "Animalia_Chordata_Aves_Strigiformes_Strigidae_Bubo_bubo", "Plantae_A_B_C_D_Rosa_canina")
    for i, name in enumerate(kin):
        picture(tmp_path, f"2021_train/{i:05d}_{name}/x.png", i)
    data = datasets.INaturalist(tmp_path, target_type=["full", "kingdom", "class", "order"])
    assert [(np.asarray(image)[0, 0, 0], target) for image, target in data] == [(0, (0, 0, 0, 0)), (1, (1, 0, 0, 1)), (2, (2, 1, 1, 2))]
    assert data.categories_index["genus"] == {"Anas": 0, "Bubo": 1, "Rosa": 2} and data.index[1] == (1, "x.png")
    assert (data.category_name("order", 1), data.category_name("full", 2)) == ("Strigiformes", "00002_" + kin[2])
    assert datasets.INaturalist(tmp_path, loader=lambda path: path[-5:], target_transform=lambda n: n + 5)[2] == ("x.png", 7)
    with pytest.raises(ValueError, match="Invalid category id 9 for kingdom"):
        data.category_name("kingdom", 9)
    with pytest.raises(ValueError, match="Invalid category type 'tribe'"):
        data.category_name("tribe", 0)
    with pytest.raises(ValueError, match="Unknown value 'super' for argument target_type"):
        datasets.INaturalist(tmp_path, target_type="super")
    (tmp_path / "2021_train" / "00004_a_b_c_d_e_f_g").mkdir()
    with pytest.raises(RuntimeError, match="Unexpected category id 00004, expecting 00003"):
        datasets.INaturalist(tmp_path)


def test_species_before_2021_have_one_group(tmp_path):
    for version, names in (("2017", ("Aves/Anas", "Aves/Bubo", "Plantae/Rosa")), ("2018", ("Aves/2", "Aves/0", "Plantae/1"))):
        for i, name in enumerate(names):
            picture(tmp_path, f"{version}/{name}/x.png", i)
    by_name, by_number = (datasets.INaturalist(tmp_path, version, ["full", "super"]) for version in ("2017", "2018"))
    assert [(np.asarray(image)[0, 0, 0], target) for image, target in by_name] == [(0, (0, 0)), (1, (1, 0)), (2, (2, 1))]
    assert [(np.asarray(image)[0, 0, 0], target) for image, target in by_number] == [(1, (0, 0)), (2, (1, 1)), (0, (2, 0))]
    picture(tmp_path, "2018/Plantae/2/x.png")
    with pytest.raises(RuntimeError, match="Duplicate category 2"):
        datasets.INaturalist(tmp_path, "2018")
    picture(tmp_path, "2019/Plantae/1/x.png")
    with pytest.raises(RuntimeError, match="Missing category 0"):
        datasets.INaturalist(tmp_path, "2019")
    picture(tmp_path, "2019/Plantae/rose/x.png")
    with pytest.raises(RuntimeError, match="Unexpected non-numeric dir name: rose"):
        datasets.INaturalist(tmp_path, "2019")
    with pytest.raises(RuntimeError, match="there is no .*2021_valid"):
        datasets.INaturalist(tmp_path, "2021_valid")
