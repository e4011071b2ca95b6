"""Data sets of labelled images, sentences and small pictures, from files written here."""

import json

import numpy as np
import pytest
from PIL import Image

from taeda.vision import datasets
from taeda.vision.datasets import _labelled, categories


def put(root, *names):
    """Write pictures of one colour each: 10, 20, 30 ..."""
    for i, name in enumerate(names, 1):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3), (10 * i,) * 3).save(root / name, **({"format": "JPEG"} if name.endswith("JPEG") else {}))


def text(root, name, content):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content)


def shades(data):
    """Return of each sample the picture's shade, in tens, and the label."""
    return [(round(np.asarray(image).mean() / 10), label) for image, label in (data[i] for i in range(len(data)))]


def test_food_is_listed_by_dish(tmp_path):
    put(tmp_path, "food-101/images/waffles/1.jpg", "food-101/images/pie/2.jpg", "food-101/images/pie/3.jpg")
    text(tmp_path, "food-101/meta/train.json", json.dumps({"waffles": ["waffles/1"], "pie": ["pie/3", "pie/2"]}))
    data = datasets.Food101(tmp_path)
    assert data.class_to_idx == {"pie": 0, "waffles": 1} and shades(data) == [(1, 1), (3, 0), (2, 0)]
    assert repr(data).splitlines() == ["Dataset Food101", "    Number of datapoints: 3", f"    Root location: {tmp_path}", "    split=train"]
    moved = datasets.Food101(tmp_path, transform=lambda x: x.size, target_transform=lambda y: y + 10, loader=datasets.folder.default_loader)
    assert moved[0] == ((4, 3), 11)
    text(tmp_path, "food-101/meta/test.json", json.dumps({"pie": ["../../secret"]}))
    with pytest.raises(ValueError, match=r"\[Food101\] '../../secret.jpg' lies outside of"):
        datasets.Food101(tmp_path, "test")
    with pytest.raises(RuntimeError, match=r"\[Food101\] Dataset not found or corrupted: there is no .*none"):
        datasets.Food101(tmp_path / "none")


def test_what_is_not_there_is_fetched_if_asked_for(tmp_path, monkeypatch):
    calls = []

    def fetched(url, root, md5):
        calls.append((url, root, md5))
        put(tmp_path, "eurosat/2750/River/a.jpg")

    monkeypatch.setattr(_labelled, "download_and_extract_archive", fetched)
    for _ in range(2):
        data = datasets.EuroSAT(tmp_path, download=True)
    assert calls == [(datasets.EuroSAT._URL, str(tmp_path / "eurosat"), "c8fa014336c82ac7804f0398fcb19387")]
    assert (data.classes, data.root, shades(data)) == (["River"], str(tmp_path), [(1, 0)])


def test_textures_have_ten_partitions(tmp_path):
    put(tmp_path, "dtd/dtd/images/banded/a.jpg", "dtd/dtd/images/woven/b.jpg")
    text(tmp_path, "dtd/dtd/labels/val3.txt", "woven/b.jpg\nbanded/a.jpg\n")
    data = datasets.DTD(tmp_path, "val", 3)
    assert (data.classes, shades(data), data.extra_repr()) == (["banded", "woven"], [(2, 1), (1, 0)], "split=val, partition=3")
    for wrong in (0, 11, 0.5):
        with pytest.raises(ValueError, match="'partition' should be an integer with `1 <= partition <= 10`, but got"):
            datasets.DTD(tmp_path, partition=wrong)


def test_countries_and_sentences_lie_in_folders(tmp_path):
    put(tmp_path, "country211/valid/AD/1.jpg", "country211/valid/BE/1.jpg")
    data = datasets.Country211(tmp_path, "valid")
    assert (data.classes, shades(data), data.root) == (["AD", "BE"], [(1, 0), (2, 1)], str(tmp_path))
    put(tmp_path, "rendered-sst2/valid/positive/1.png", "rendered-sst2/valid/negative/1.png")
    data = datasets.RenderedSST2(tmp_path, "val")
    assert (data.classes, shades(data)) == (["negative", "positive"], [(2, 0), (1, 1)])
    with pytest.raises(RuntimeError, match=r"\[RenderedSST2\] Dataset not found"):
        datasets.RenderedSST2(tmp_path, "train")


def test_aircraft_have_three_levels(tmp_path):
    base = "fgvc-aircraft-2013b/data"
    put(tmp_path, f"{base}/images/001.jpg", f"{base}/images/002.jpg")
    text(tmp_path, f"{base}/families.txt", "A300\nBoeing 707\n")
    text(tmp_path, f"{base}/images_family_test.txt", "002 Boeing 707\n001 A300\n")
    data = datasets.FGVCAircraft(tmp_path, "test", "family")
    assert data.class_to_idx == {"A300": 0, "Boeing 707": 1} and shades(data) == [(2, 1), (1, 0)] and data.extra_repr() == ""
    with pytest.raises(ValueError, match="Unknown value 'wing' for argument annotation_level"):
        datasets.FGVCAircraft(tmp_path, annotation_level="wing")


def test_objects_of_scenes_are_counted(tmp_path):
    base = "clevr/CLEVR_v1.0"
    put(tmp_path, f"{base}/images/val/b.png", f"{base}/images/val/a.png", f"{base}/images/test/c.png")
    scenes = [{"image_filename": "a.png", "objects": [{}, {}]}, {"image_filename": "b.png", "objects": [{}]}]
    text(tmp_path, f"{base}/scenes/CLEVR_val_scenes.json", json.dumps({"scenes": scenes}))
    assert shades(datasets.CLEVRClassification(tmp_path, "val")) == [(2, 2), (1, 1)]
    assert shades(datasets.CLEVRClassification(tmp_path, "test")) == [(3, None)]


def test_signs_are_in_folders_or_listed(tmp_path):
    put(tmp_path, "gtsrb/GTSRB/Training/00000/1.ppm", "gtsrb/GTSRB/Training/00001/1.ppm", "gtsrb/GTSRB/Final_Test/Images/7.ppm")
    text(tmp_path, "gtsrb/GT-final_test.csv", "Filename;Width;ClassId\n7.ppm;53;16\n")
    train = datasets.GTSRB(tmp_path)
    assert shades(train) == [(1, 0), (2, 1)] and [label for _, label in train._samples] == [0, 1]
    assert shades(datasets.GTSRB(tmp_path, "test")) == [(3, 16)]


def test_signs_for_testing_are_downloaded_with_their_labels(tmp_path, monkeypatch):
    asked = []

    def fetched(url, root, md5):
        asked.append(url.rpartition("/")[2])
        if asked[-1] == "GTSRB_Final_Test_GT.zip":
            text(tmp_path, "gtsrb/GT-final_test.csv", "Filename;Width;ClassId\n1.ppm;53;16\n")
        else:
            put(tmp_path, "gtsrb/GTSRB/Final_Test/Images/1.ppm")

    monkeypatch.setattr(_labelled, "download_and_extract_archive", fetched)
    monkeypatch.setattr(categories, "download_and_extract_archive", fetched)
    assert shades(datasets.GTSRB(tmp_path, "test", download=True)) == [(1, 16)]
    datasets.GTSRB(tmp_path, "test", download=True)             # all there: nothing is asked for
    assert asked == ["GTSRB_Final_Test_Images.zip", "GTSRB_Final_Test_GT.zip"]


def test_scenes_are_named_by_their_folders(tmp_path):
    put(tmp_path, "SUN397/a/abbey/sun_a.jpg", "SUN397/b/bar/outdoor/sun_b.jpg", "SUN397/b/bar/outdoor/other.jpg")
    text(tmp_path, "SUN397/ClassName.txt", "/a/abbey\n/b/bar/outdoor\n")
    data = datasets.SUN397(tmp_path)
    assert (data.classes, shades(data)) == (["abbey", "bar/outdoor"], [(1, 0), (2, 1)])


def test_cars_are_listed_in_matlabs_files(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    put(tmp_path, "stanford_cars/cars_train/1.jpg", "stanford_cars/cars_train/2.jpg")
    (tmp_path / "stanford_cars" / "devkit").mkdir()
    rows = np.zeros((1, 2), dtype=[("class", "O"), ("fname", "O")])
    rows[0, 0], rows[0, 1] = (np.array([[2]]), np.array(["1.jpg"])), (np.array([[1]]), np.array(["2.jpg"]))
    names = np.array([["Audi TT", "BMW M3"]], dtype=object)
    savemat(tmp_path / "stanford_cars/devkit/cars_train_annos.mat", {"annotations": rows})
    savemat(tmp_path / "stanford_cars/devkit/cars_meta.mat", {"class_names": names})
    data = datasets.StanfordCars(tmp_path)
    assert (data.classes, shades(data)) == (["Audi TT", "BMW M3"], [(1, 1), (2, 0)])
    with pytest.raises(ValueError, match="cannot be downloaded anymore"):
        datasets.StanfordCars(tmp_path, download=True)
    with pytest.raises(RuntimeError, match="there is no .*cars_test"):
        datasets.StanfordCars(tmp_path, "test")


def test_imagenette_names_its_classes(tmp_path):
    put(tmp_path, "imagenette2-160/train/n01440764/a.JPEG", "imagenette2-160/train/n03888257/b.JPEG")
    data = datasets.Imagenette(tmp_path, size="160px")
    assert data.classes == [("tench", "Tinca tinca"), ("parachute", "chute")] and data.class_to_idx["chute"] == 1
    assert (data.wnid_to_idx, shades(data)) == ({"n01440764": 0, "n03888257": 1}, [(1, 0), (2, 1)])


def test_flickrs_photographs_have_sentences(tmp_path):
    put(tmp_path, "12_a.jpg", "13_b.jpg")
    rows = "<tr><a>http://f/13/</a><ul><li> A dog. </li><li>It runs.</li></ul></tr><tr>Image Not Found<li>none</li></tr>"
    text(tmp_path, "page.html", f"<a>before</a><table>{rows}<tr><a>http://f/12/</a><li>A cat.</li></tr></table>")
    data = datasets.Flickr8k(tmp_path, tmp_path / "page.html")
    assert shades(data) == [(1, ["A cat."]), (2, ["A dog.", "It runs."])] and data.ids == [str(tmp_path / n) for n in ("12_a.jpg", "13_b.jpg")]
    text(tmp_path, "lost.html", "<table><a>http://f/14/</a></table>")
    with pytest.raises(IndexError, match=r"there is no file '14_\*.jpg'"):
        datasets.Flickr8k(tmp_path, tmp_path / "lost.html")
    text(tmp_path, "ann.txt", "13_b.jpg#0\tA dog.\n12_a.jpg#0\tA cat.\n13_b.jpg#1\tIt runs.\n")
    data = datasets.Flickr30k(tmp_path, tmp_path / "ann.txt")
    assert data.ids == ["12_a.jpg", "13_b.jpg"] and shades(data) == [(1, ["A cat."]), (2, ["A dog.", "It runs."])]
    text(tmp_path, "out.txt", "../secret.jpg#0\tA dog.\n")
    with pytest.raises(ValueError, match=r"\[Flickr30k\] '../secret.jpg' lies outside of"):
        datasets.Flickr30k(tmp_path, tmp_path / "out.txt")


def test_sbu_passes_over_what_is_gone(tmp_path, monkeypatch):
    put(tmp_path, "dataset/a.jpg")
    for what, lines in (("urls", "http://x/b.jpg\nhttp://x/a.jpg\n"), ("captions", "gone\nthere\n")):
        text(tmp_path, f"dataset/SBU_captioned_photo_dataset_{what}.txt", lines)
    with pytest.raises(RuntimeError, match=r"\[SBU\] Dataset not found or corrupted"):
        datasets.SBU(tmp_path, download=False)
    text(tmp_path, "SBUCaptionedPhotoDataset.tar.gz", "")
    monkeypatch.setattr(datasets.SBU, "md5_checksum", None)
    data = datasets.SBU(tmp_path)
    assert (data.photos, data.captions, shades(data)) == (["a.jpg"], ["there"], [(1, "there")])


def test_semeion_is_one_table(tmp_path, monkeypatch):
    rows = np.zeros((2, 266))
    rows[0, 5], rows[0, 256 + 3], rows[1, 256] = 1, 1, 1
    np.savetxt(tmp_path / "semeion.data", rows)
    with pytest.raises(RuntimeError, match=r"\[SEMEION\] Dataset not found or corrupted"):
        datasets.SEMEION(tmp_path, download=False)
    monkeypatch.setattr(datasets.SEMEION, "md5_checksum", None)
    data = datasets.SEMEION(tmp_path)
    assert [label for _, label in (data[0], data[1])] == [3, 0]
    assert np.flatnonzero(np.asarray(data[0][0])).tolist() == [5] and data.data.max() == 255


def test_faces_come_from_one_file_or_two(tmp_path, monkeypatch):
    faces = datasets.FER2013
    monkeypatch.setattr(faces, "_WHOLE", tuple((name, None, *columns) for name, _, *columns in faces._WHOLE))
    monkeypatch.setattr(faces, "_PARTS", {split: (name, None, *columns) for split, (name, _, *columns) in faces._PARTS.items()})
    pixels = " ".join(str(i % 256) for i in range(48 * 48))
    with pytest.raises(RuntimeError, match="train.csv not found in"):
        faces(tmp_path)
    text(tmp_path, "fer2013/train.csv", f"emotion,pixels\n3,{pixels}\n")
    text(tmp_path, "fer2013/test.csv", f"pixels\n{pixels}\n")
    image, label = faces(tmp_path)[0]
    assert (image.size, image.mode, label, np.asarray(image)[1, 2]) == ((48, 48), "L", 3, 50)
    assert faces(tmp_path, "test")[0][1] is None
    text(tmp_path, "fer2013/icml_face_data.csv", f"emotion, Usage, pixels\n4,Training,{pixels}\n5,PublicTest,{pixels}\n")
    assert [faces(tmp_path, split)[0][1] for split in ("train", "test")] == [4, 5]
    text(tmp_path, "fer2013/fer2013.csv", f"emotion,pixels,Usage\n1,{pixels},PrivateTest\n2,{pixels},Training\n")
    assert [faces(tmp_path, split)[0][1] for split in ("train", "test")] == [2, 1]


def test_moving_digits_are_split_in_time(tmp_path):
    with pytest.raises(RuntimeError, match=r"\[MovingMNIST\] Dataset not found"):
        datasets.MovingMNIST(tmp_path)
    (tmp_path / "MovingMNIST").mkdir()
    frames = np.arange(20 * 2 * 4, dtype=np.uint8).reshape(20, 2, 2, 2)
    np.save(tmp_path / "MovingMNIST" / "mnist_test_seq.npy", frames)
    assert tuple(datasets.MovingMNIST(tmp_path).data.shape) == (2, 20, 1, 2, 2)
    late = datasets.MovingMNIST(tmp_path, "test", 15, transform=lambda film: film + 1)
    assert len(late) == 2 and np.array_equal(late[1].numpy()[:, 0], frames[15:, 1] + 1)
    whole = (tmp_path / "MovingMNIST" / "mnist_test_seq.npy").read_bytes()
    for damage in (b"", whole[:-1], whole.replace(b"20, 2", b"99999999999, 2"), whole.replace(b"|u1", b"|i1"), b"PK", whole.replace(b"2, 2)", b"2, (2")):
        (tmp_path / "MovingMNIST" / "mnist_test_seq.npy").write_bytes(damage)
        with pytest.raises(ValueError, match=r"^\[MovingMNIST\] .* is damaged"):
            datasets.MovingMNIST(tmp_path)
    for wrong, error in ((20, ValueError), (0, ValueError), ("1", TypeError)):
        with pytest.raises(error, match="`split_ratio` should be"):
            datasets.MovingMNIST(tmp_path, split_ratio=wrong)


def test_letters_are_numbered_over_all_alphabets(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match=r"\[Omniglot\] Dataset not found or corrupted: there is no .*images_evaluation.zip"):
        datasets.Omniglot(tmp_path, background=False)
    monkeypatch.setattr(datasets.Omniglot, "zips_md5", {"images_evaluation": None})
    base = "omniglot-py/images_evaluation"
    put(tmp_path, *(f"{base}/{letter}/1.png" for letter in ("Latin/character01", "Greek/character02", "Greek/character01")))
    text(tmp_path, f"{base}.zip", "")
    data = datasets.Omniglot(tmp_path, background=False)
    assert shades(data) == [(3, 0), (2, 1), (1, 2)] and data[0][0].mode == "L"
    assert datasets.Omniglot(tmp_path, background=False, loader=datasets.folder.default_loader)[0][0].mode == "RGB"


def faces(root, monkeypatch):
    for cls in (datasets.LFWPeople, datasets.LFWPairs):
        monkeypatch.setattr(cls, "file_dict", {"funneled": ("lfw_funneled", "lfw-funneled.tgz", None)})
        monkeypatch.setattr(cls, "checksums", dict.fromkeys(cls.checksums))
    put(root, *(f"lfw-py/lfw_funneled/{name}/{name}_000{i}.jpg" for name, i in (("Al", 1), ("Al", 2), ("Bo_X", 1))))
    text(root, "lfw-py/lfw-funneled.tgz", "")
    text(root, "lfw-py/lfw-names.txt", "Al\t2\nBo_X\t1\n")


def test_people_are_listed_in_parts(tmp_path, monkeypatch):
    with pytest.raises(RuntimeError, match=r"\[LFWPeople\] Dataset not found or corrupted: there is no whole 'lfw-funneled.tgz'"):
        datasets.LFWPeople(tmp_path)
    with pytest.raises(ValueError, match="no longer available for automatic download"):
        datasets.LFWPeople(tmp_path, download=True)
    faces(tmp_path, monkeypatch)
    text(tmp_path, "lfw-py/people.txt", "2\n1\nBo_X\t1\n1\nAl\t2\n")
    text(tmp_path, "lfw-py/peopleDevTest.txt", "1\nAl\t1\n")
    data = datasets.LFWPeople(tmp_path)
    assert shades(data) == [(3, 1), (1, 0), (2, 0)] and data.targets == [1, 0, 0]
    assert data.extra_repr() == "Alignment: funneled\nSplit: 10fold\nClasses (identities): 2"
    assert shades(datasets.LFWPeople(tmp_path, "Test")) == [(1, 0)]
    text(tmp_path, "lfw-py/peopleDevTrain.txt", "1\n../Al\t1\n")
    text(tmp_path, "lfw-py/lfw-names.txt", "../Al\t1\n")
    with pytest.raises(ValueError, match=r"\[LFWPeople\] '../Al/../Al_0001.jpg' lies outside of"):
        datasets.LFWPeople(tmp_path, "train")


def test_pairs_are_of_one_person_or_of_two(tmp_path, monkeypatch):
    faces(tmp_path, monkeypatch)
    text(tmp_path, "lfw-py/pairs.txt", "2\t1\nAl\t1\t2\nAl\t2\tBo_X\t1\nAl\t2\t1\nBo_X\t1\tAl\t1\n")
    text(tmp_path, "lfw-py/pairsDevTrain.txt", "1\nAl\t2\t1\nBo_X\t1\tAl\t2\n")

    def told(data):
        return [(round(np.asarray(a).mean() / 10), round(np.asarray(b).mean() / 10), same) for a, b, same in map(data.__getitem__, range(len(data)))]

    data = datasets.LFWPairs(tmp_path)
    assert told(data) == [(1, 2, 1), (2, 3, 0), (2, 1, 1), (3, 1, 0)] and data.pair_names[1] == ("Al", "Bo_X")
    turned = datasets.LFWPairs(tmp_path, "train", transform=lambda x: x.convert("L"), target_transform=lambda same: -same)
    assert told(turned) == [(2, 1, -1), (3, 2, 0)] and turned[0][1].mode == "L"
    with pytest.raises(TypeError, match="No wrapper exists for dataset class LFWPairs"):
        datasets.wrap_dataset_for_transforms_v2(data)[0]
