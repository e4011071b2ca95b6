"""Lists of data sets that are cut short or hold something else are told with their file and line, never by what the reader stumbled over."""

import json

import numpy as np
import pytest
from PIL import Image

from taeda.vision import datasets
from taeda.vision.datasets import letters_and_faces
from taeda.vision.datasets._list_file import Lines


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def kitti(root, text):
    raw = root / "Kitti" / "raw" / "training"
    (raw / "image_2").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(raw / "image_2" / "0.png")
    write(raw / "label_2" / "0.txt", text)
    return datasets.Kitti(root)[0]


def wider(root, text):
    for name in ("WIDER_train", "WIDER_val", "WIDER_test"):
        (root / "widerface" / name).mkdir(parents=True)
    write(root / "widerface" / "wider_face_split" / "wider_face_train_bbx_gt.txt", text)
    return datasets.WIDERFace(root)


def places(root, text):
    write(root / "categories_places365.txt", "/a/abbey 0\n" if "0000" in text else text)
    write(root / "places365_val.txt", text)
    return datasets.Places365(root, "val")


def pets(root, text):
    write(root / "oxford-iiit-pet" / "annotations" / "trainval.txt", text)
    return datasets.OxfordIIITPet(root)


def flickr(root, text):
    return datasets.Flickr30k(root, write(root / "list.token", text))


def signs(root, text):
    (root / "gtsrb" / "GTSRB" / "Final_Test" / "Images").mkdir(parents=True)
    write(root / "gtsrb" / "GT-final_test.csv", text)
    return datasets.GTSRB(root, "test")


def aircraft(root, text):
    data = root / "fgvc-aircraft-2013b" / "data"
    write(data / "variants.txt", "707-320\n")
    write(data / "images_variant_train.txt", text)
    return datasets.FGVCAircraft(root, "train")


def scenes(root, text):
    base = root / "clevr" / "CLEVR_v1.0"
    write(base / "images" / "train" / "a.png", "")
    write(base / "scenes" / "CLEVR_train_scenes.json", text)
    return datasets.CLEVRClassification(root)


def stl(root, text):
    base = root / "stl10_binary"
    base.mkdir(parents=True)
    (base / "train_X.bin").write_bytes(bytes(2 * 27648))
    (base / "train_y.bin").write_bytes(b"\x01\x02")
    write(base / "fold_indices.txt", text)
    return datasets.STL10(root, folds=1)


def expressions(root, text):
    write(root / "fer2013" / "train.csv", text)
    return datasets.FER2013(root)


def chairs(root, text):
    write(root / "FlyingChairs" / "data" / "0.flo", "")
    write(root / "FlyingChairs" / "FlyingChairs_train_val.txt", text)
    return datasets.FlyingChairs(root)


def people(root, text):
    write(root / "lfw-py" / "lfw-names.txt", "Ann 2\n")
    write(root / "lfw-py" / "lfw_funneled.tgz", "")
    write(root / "lfw-py" / "peopleDevTrain.txt", text)
    return datasets.LFWPeople(root, "train")


def pairs(root, text):
    write(root / "lfw-py" / "lfw_funneled.tgz", "")
    write(root / "lfw-py" / "pairsDevTrain.txt", text)
    return datasets.LFWPairs(root, "train")


def celebrities(root, text):
    base = root / "celeba"
    (base / "img_align_celeba").mkdir(parents=True)
    write(base / "list_eval_partition.txt", "a.jpg 0\nb.jpg 0\n")
    write(base / "identity_CelebA.txt", text)
    return datasets.CelebA(root)


def voc(root, text):
    names = root / "VOCdevkit" / "VOC2012" / "ImageSets" / "Main" / "train.txt"
    names.parent.mkdir(parents=True)
    names.write_bytes(text.encode("latin1"))
    return datasets.VOCDetection(root)


GOOD_FACE = "a/a.jpg\n1\n1 2 3 4 0 0 0 0 0 0\n"
DAMAGED = [
    (kitti, "Car 0.0 0 1 1 1 1 1 1 1 1 1 1 1 1\nCar 0.0 0 1\n", r"0.txt' is damaged in line 2: list index out of range"),
    (kitti, "Car\n", r"\[Kitti\] .*0.txt' is damaged in line 1"),
    (wider, GOOD_FACE + "a/b.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n", r"\[WIDERFace\] .*train_bbx_gt.txt' is damaged in line 6: it ends too early"),
    (wider, GOOD_FACE + "a/b.jpg\n", r"damaged in line 4: it ends too early"),
    (wider, GOOD_FACE + "a/b.jpg\nnone\n", r"damaged in line 5: invalid literal for int\(\) with base 10: 'none'"),
    (wider, GOOD_FACE + "a/b.jpg\n1\n1 2\n", r"damaged in line 6: a face has 10 numbers, not 2"),
    (places, "/0000.jpg 3\n\n", r"\[Places365\] .*places365_val.txt' is damaged in line 2: list index out of range"),
    (places, "/a/abbey\n", r"categories_places365.txt' is damaged in line 1"),
    (pets, "# head\nAbyssinian_1 1 1 1\nBeagle_2 x 2 1\n", r"\[OxfordIIITPet\] .*trainval.txt' is damaged in line 3: invalid literal"),
    (pets, "Abyssinian_1 1\n", r"damaged in line 1: not enough values"),
    (flickr, "a.jpg#0\tone\na.jpg#1 two\n", r"\[Flickr30k\] .*list.token' is damaged in line 2: not enough values"),
    (signs, "Filename;ClassId\na.ppm;1\nb.ppm\n", r"\[GTSRB\] .*GT-final_test.csv' is damaged in line 3"),
    (signs, "Name;ClassId\na.ppm;1\n", r"damaged in line 2: there is no 'Filename'"),
    (aircraft, "0034309 707-320\n0034310 777\n", r"\[FGVCAircraft\] .*images_variant_train.txt' is damaged in line 2: there is no '777'"),
    (scenes, '{"scenes": [{"objects": []}]}', r"CLEVR_train_scenes.json' is damaged: there is no 'image_filename'"),
    (scenes, '{"scenes": []}', r"damaged: there is no 'a.png'"),
    (scenes, "[" * 100000, r"damaged: maximum recursion depth"),
    (stl, "0 1\n", r"\[STL10\] .*fold_indices.txt' is damaged in line 1: it ends too early"),
    (stl, "0 1\n0 9\n", r"fold_indices.txt' is damaged in line 2: index 9 is out of bounds"),
    (expressions, f"emotion,pixels\n1,{'0 ' * 2304}\n1,0 0\n", r"\[FER2013\] .*train.csv' is damaged in line 3: cannot reshape"),
    (expressions, "emotion\n1\n", r"damaged in line 2: there is no 'pixels'"),
    (chairs, "", r"\[FlyingChairs\] .*FlyingChairs_train_val.txt' is damaged"),
    (people, "2\nAnn 1\n", r"\[LFWPeople\] .*peopleDevTrain.txt' is damaged in line 2: it ends too early"),
    (people, "1\nAnn 100000000000000\n", r"damaged in line 2: 100000000000000 photographs of a person"),
    (people, "1\nBob 1\n", r"damaged in line 2: there is no 'Bob'"),
    (pairs, "1\nAnn 1 2\nAnn 1\n", r"\[LFWPairs\] .*pairsDevTrain.txt' is damaged in line 3"),
    (celebrities, "a.jpg 1\nb.jpg\n", r"\[CelebA\] .*identity_CelebA.txt' is damaged in line 2: 0 numbers of 'b.jpg', 1 before"),
    (celebrities, "a.jpg 1\n", r"identity_CelebA.txt' is damaged: it has 1 images, and list_eval_partition.txt 2"),
    (voc, "2007_1\n2007_ä\n", r"\[VOCDetection\] .*train.txt' is damaged in line 1: 'ascii' codec"),
]


@pytest.mark.filterwarnings("ignore:loadtxt")
@pytest.mark.parametrize(("make", "text", "told"), DAMAGED, ids=[f"{make.__name__}-{i}" for i, (make, _, _) in enumerate(DAMAGED)])
def test_a_damaged_list_is_told_by_file_and_line(tmp_path, monkeypatch, make, text, told):
    monkeypatch.setattr(letters_and_faces, "check_integrity", lambda path, md5=None: True)
    monkeypatch.setattr(datasets.small_images, "check_integrity", lambda path, md5=None: True)
    with pytest.raises(ValueError, match=told):
        make(tmp_path, text)


def test_whole_lists_are_read_as_before(tmp_path, monkeypatch):
    monkeypatch.setattr(letters_and_faces, "check_integrity", lambda path, md5=None: True)
    faces = wider(tmp_path / "w", GOOD_FACE + "a/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0\n")
    assert [info["annotations"]["bbox"].tolist() for info in faces.img_info] == [[[1, 2, 3, 4]], [[0, 0, 0, 0]]]
    some = people(tmp_path / "p", "1\nAnn 2\nfurther lines")
    assert [path.rpartition("/")[2] for path in some.data] == ["Ann_0001.jpg", "Ann_0002.jpg"] and some.targets == [0, 0]
    two = pairs(tmp_path / "q", "1\nAnn 1 2\nAnn 1 Bob 3\n")
    assert two.targets == [1, 0] and two.pair_names == [("Ann", "Ann"), ("Ann", "Bob")]
    folds = stl(tmp_path / "s", "0\n1 0\n")
    assert folds.labels.tolist() == [1, 0]
    assert kitti(tmp_path / "k", "Car 0.5 2 1 2 3 4 5 6 7 8 9 10 11 12\n")[1] == [
        {"type": "Car", "truncated": 0.5, "occluded": 2, "alpha": 1.0, "bbox": [2.0, 3.0, 4.0, 5.0], "dimensions": [6.0, 7.0, 8.0],
         "location": [9.0, 10.0, 11.0], "rotation_y": 12.0}]


def test_a_list_that_leads_out_of_its_folder_says_so_itself(tmp_path):
    with pytest.raises(ValueError, match=r"^\[OxfordIIITPet\] '../../etc/x.jpg' lies outside of"):
        pets(tmp_path, "../../etc/x 1 1 1\n")


def test_what_the_system_says_of_a_file_goes_on(tmp_path):
    with pytest.raises(FileNotFoundError), Lines("X", str(tmp_path / "none")):
        pass
    path = write(tmp_path / "list", "1\n2\n")
    with pytest.raises(MemoryError), Lines("X", str(path)) as lines:
        raise MemoryError
    with Lines("X", str(path)) as lines:
        assert [int(line) for line in lines] == [1, 2] and lines.at == 2


def test_matrices_that_hold_something_else_are_told(tmp_path):
    io = pytest.importorskip("scipy.io")
    base = tmp_path / "flowers-102"
    (base / "jpg").mkdir(parents=True)
    io.savemat(base / "setid.mat", {"trnid": np.array([1, 7]), "valid": np.array([1]), "tstid": np.array([1])})
    io.savemat(base / "imagelabels.mat", {"labels": np.array([3])})
    with pytest.raises(ValueError, match=r"\[Flowers102\] .*imagelabels.mat' is damaged: index 6 is out of bounds"):
        datasets.Flowers102(tmp_path)
    assert datasets.Flowers102(tmp_path, "val")._labels == [2]
    (base / "setid.mat").write_bytes(b"no matrix")
    with pytest.raises(ValueError, match=r"\[Flowers102\] .*setid.mat' is damaged"):
        datasets.Flowers102(tmp_path)


def test_settings_of_a_camera_that_say_nothing_are_told(tmp_path):
    base = tmp_path / "FallingThings" / "single" / "a" / "b"
    base.mkdir(parents=True)
    for side in ("left", "right"):
        Image.new("RGB", (2, 2)).save(base / f"0.{side}.jpg")
        Image.fromarray(np.ones((2, 2), np.uint16)).save(base / f"0.{side}.depth.png")
    (base / "_camera_settings.json").write_text(json.dumps({"camera_settings": []}))
    with pytest.raises(ValueError, match=r"_camera_settings.json' is damaged: list index out of range"):
        datasets.FallingThingsStereo(tmp_path)[0]
