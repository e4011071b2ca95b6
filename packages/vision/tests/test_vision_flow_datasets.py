"""Data sets of motion, and the forms of files that they read: .flo, .pfm and PNG files of 16 bits."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda.vision import datasets, io
from taeda.vision.datasets.optical_flow import read_flo, read_flow_png, read_pfm

FLOW = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)


def put(root, name, shade=0):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (shade,) * 3).save(root / name)


def flo(root, name, number):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"PIEH" + struct.pack("<ii", 4, 3) + (FLOW + number).transpose(1, 2, 0).astype("<f4").tobytes())


def pfm(root, name, number, order="<"):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    three = np.concatenate([FLOW + number, FLOW[:1] * 0])
    body = three[:, ::-1].transpose(1, 2, 0).astype(order + "f4").tobytes()
    (root / name).write_bytes(b"PF\n4 3\n" + (b"-1.0\n" if order == "<" else b"1.0\n") + body)


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png16(values, kinds, size=None):
    """Write H x W x C numbers as PNG does, row i by filter kinds[i]: byte by byte, from the format's definition."""
    h, w, c = values.shape
    step, raw = 2 * c, values.astype(">u2").tobytes()
    rows = [raw[i * w * step : (i + 1) * w * step] for i in range(h)]
    out = b""
    for i, row in enumerate(rows):
        above = rows[i - 1] if i else bytes(len(row))
        coded = []
        for j, value in enumerate(row):
            a, c_ = (row[j - step], above[j - step]) if j >= step else (0, 0)
            b = above[j]
            nearest = min((a, b, c_), key=lambda x: abs(a + b - c_ - x))  # noqa: B023 - called at once
            coded.append((value - (0, a, b, (a + b) // 2, nearest)[kinds[i]]) % 256)
        out += bytes([kinds[i], *coded])
    head = struct.pack(">IIBBBBB", *(size or (w, h)), 16, {1: 0, 2: 4, 3: 2, 4: 6}[c], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(out)) + chunk(b"IEND", b"")


def pairs(data):
    """Return of each sample the shades of both pictures and the flow's first number."""
    return [(np.asarray(a)[0, 0, 0], np.asarray(b)[0, 0, 0], None if f is None else f[0, 0, 0]) for a, b, f, *_ in map(data.__getitem__, range(len(data)))]


def test_sintel_has_scenes_in_two_passes(tmp_path):
    for i in range(3):
        for folder, shade in (("training/clean", 10), ("training/final", 20), ("test/clean", 30)):
            put(tmp_path, f"Sintel/{folder}/alley/frame_{i}.png", shade + i)
    for i in range(2):
        flo(tmp_path, f"Sintel/training/flow/alley/frame_{i}.flo", i)
    assert pairs(datasets.Sintel(tmp_path)) == [(10, 11, 0), (11, 12, 1)]
    assert pairs(datasets.Sintel(tmp_path, pass_name="both")) == [(10, 11, 0), (11, 12, 1), (20, 21, 0), (21, 22, 1)]
    assert pairs(datasets.Sintel(tmp_path, "test")) == [(30, 31, None), (31, 32, None)]
    assert np.array_equal(datasets.Sintel(tmp_path)[0][2], FLOW) and len(3 * datasets.Sintel(tmp_path)) == 6
    swapped = datasets.Sintel(tmp_path, transforms=lambda a, b, flow, mask: (b, a, -flow, flow[0] > 5))
    a, _, flow, mask = swapped[0]
    assert (np.asarray(a)[0, 0, 0], flow[0, 0, 1], int(mask.sum())) == (11, -1, 6)
    with pytest.raises(ValueError, match="Unknown value 'dirty' for argument pass_name"):
        datasets.Sintel(tmp_path, pass_name="dirty")


def test_chairs_are_split_by_a_list(tmp_path):
    for i in (1, 2, 3):
        for j in (1, 2):
            put(tmp_path, f"FlyingChairs/data/0000{i}_img{j}.ppm", 10 * i + j)
        flo(tmp_path, f"FlyingChairs/data/0000{i}_flow.flo", i)
    with pytest.raises(FileNotFoundError, match="FlyingChairs_train_val.txt file was not found"):
        datasets.FlyingChairs(tmp_path)
    (tmp_path / "FlyingChairs/FlyingChairs_train_val.txt").write_text("1\n2\n1\n")
    assert pairs(datasets.FlyingChairs(tmp_path)) == [(11, 12, 1), (31, 32, 3)]
    assert pairs(datasets.FlyingChairs(tmp_path, "val")) == [(21, 22, 2)]


def test_things_fly_into_the_future_and_the_past(tmp_path):
    for i in range(3):
        put(tmp_path, f"FlyingThings3D/frames_cleanpass/TRAIN/A/0000/left/{i}.png", i)
        for number, way in ((0, "into_future"), (50, "into_past")):
            pfm(tmp_path, f"FlyingThings3D/optical_flow/TRAIN/A/0000/{way}/left/{i}.pfm", number + i, ">" if i else "<")
    data = datasets.FlyingThings3D(tmp_path)
    assert pairs(data) == [(0, 1, 0), (1, 2, 1), (1, 0, 51), (2, 1, 52)] and np.array_equal(data[1][2], FLOW + 1)
    with pytest.raises(FileNotFoundError, match="Could not find the FlyingThings3D images"):
        datasets.FlyingThings3D(tmp_path, "test")


def known(root, name, number):
    values = np.zeros((3, 4, 3), np.uint16)
    values[..., :2], values[0, :, 2] = 2**15 + 64 * number, 1
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(png16(values, (0, 1, 2)))


def test_kitti_and_hd1k_know_where_flow_is_known(tmp_path):
    for i in range(2):
        for frame in (10, 11):
            for folder in ("KittiFlow/training/image_2", "KittiFlow/testing/image_2"):
                put(tmp_path, f"{folder}/00{i}_{frame}.png", 100 * i + frame)
        known(tmp_path, f"KittiFlow/training/flow_occ/00{i}_10.png", i)
    data = datasets.KittiFlow(tmp_path)
    assert pairs(data) == [(10, 11, 0), (110, 111, 1)] and data[1][3].tolist() == [[True] * 4, [False] * 4, [False] * 4]
    assert datasets.KittiFlow(tmp_path, "test")[0][2:] == (None, None)
    for i in range(3):
        put(tmp_path, f"hd1k/hd1k_input/image_2/000001_{i}.png", i)
        known(tmp_path, f"hd1k/hd1k_flow_gt/flow_occ/000001_{i}.png", i)
    assert pairs(datasets.HD1K(tmp_path)) == [(0, 1, 0), (1, 2, 1)]
    with pytest.raises(FileNotFoundError, match="Could not find the HD1K images"):
        datasets.HD1K(tmp_path, "test")


def test_damaged_flows_are_refused(tmp_path):
    flo(tmp_path, "a.flo", 0)
    whole = (tmp_path / "a.flo").read_bytes()
    assert np.array_equal(read_flo(tmp_path / "a.flo"), FLOW)
    for data, rule in ((b"X" + whole[1:], "Magic number incorrect"), (whole[:-1], "is damaged: 95 bytes for 4 x 3"), (whole[:9], "is damaged")):
        (tmp_path / "b.flo").write_bytes(data)
        with pytest.raises(ValueError, match=rule):
            read_flo(tmp_path / "b.flo")
    for data, rule in ((b"P6\n1 1\n1\n", "Invalid PFM file"), (b"PF\n9 9\n-1\n1234", "is damaged"), (b"PF\nx\n-1\n", "is damaged"),
                       (b"Pf\n-1 2\n-1\n" + bytes(32), "is damaged: a picture of -1 x 2 pixels")):
        (tmp_path / "b.pfm").write_bytes(data)
        with pytest.raises(ValueError, match=rule):
            read_pfm(tmp_path / "b.pfm")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_files_of_16_bits_keep_them(channels, tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (7, 5, channels)).astype(np.uint16)
    data = png16(values, (4, 3, 2, 1, 0, 4, 3))
    image = io.decode_png(taeda.from_numpy(np.frombuffer(data, np.uint8).copy()))
    assert image.dtype == taeda.uint16 and np.array_equal(image.numpy().transpose(1, 2, 0), values)
    (tmp_path / "a.png").write_bytes(data)
    colour = io.read_image(tmp_path / "a.png", "RGB").numpy()
    assert np.array_equal(colour[0], values[..., 0]) and colour.shape == (3, 7, 5)
    grey = io.read_image(str(tmp_path / "a.png"), "GRAY_ALPHA").numpy()
    shade = values[..., 0] if channels < 3 else values[..., :3] @ np.array([6968, 23434, 2366]) / 2**15
    assert np.abs(grey[0] - shade).max() <= 0.5 and np.array_equal(grey[1], values[..., -1] if channels % 2 == 0 else np.full((7, 5), 65535))


def test_damaged_png_files_of_16_bits_are_refused(tmp_path):
    values = np.ones((2, 3, 3), np.uint16)
    data = png16(values, (0, 1))
    bomb = png16(values, (0, 1), size=(60000, 60000))
    wrong = data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]
    for content, rule in ((wrong, "is damaged"), (bomb, "60000 x 60000 pixels are refused"), (png16(values, (0, 1), (3, 3)), "38 bytes for 3 x 3 pixels, not 57"),
                          (png16(values, (0, 1), (3, 0)), "damaged: 3 x 0 pixels"), (png16(values, (0, 1), (0, 3)), "damaged: 0 x 3 pixels")):
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(io.image.UnreadableImage, match=rule):
            io.read_image(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(png16(np.array([[[2**15 + 32, 2**15 - 64, 0]]], np.uint16), (0,)))
    flow, mask = read_flow_png(tmp_path / "a.png")
    assert flow.tolist() == [[[0.5]], [[-1.0]]] and mask.tolist() == [[False]]
