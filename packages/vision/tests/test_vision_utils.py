"""Grids, drawings and image files."""

import contextlib
import io
import os
import platform
import resource
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

import taeda
from taeda import vision
from taeda.vision import io as vision_io, utils
from taeda.vision.io import ImageReadMode, decode_image, open_image, read_file, read_image, write_file, write_png
from taeda.vision.utils import draw_bounding_boxes, draw_curves, draw_predictions, make_grid, save_image


def test_make_grid_lays_images_out_in_rows():
    batch = taeda.arange(5, dtype=taeda.float32).reshape(5, 1, 1, 1).expand(5, 1, 2, 3) + 1
    grid = make_grid(batch, nrow=3, padding=1, pad_value=9.0)
    assert tuple(grid.shape) == (3, 7, 13)
    assert grid[0].tolist() == [
        [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
        [9, 1, 1, 1, 9, 2, 2, 2, 9, 3, 3, 3, 9],
        [9, 1, 1, 1, 9, 2, 2, 2, 9, 3, 3, 3, 9],
        [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
        [9, 4, 4, 4, 9, 5, 5, 5, 9, 9, 9, 9, 9],
        [9, 4, 4, 4, 9, 5, 5, 5, 9, 9, 9, 9, 9],
        [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
    ]


def test_make_grid_takes_single_images_and_lists():
    assert tuple(make_grid(taeda.zeros(4, 5)).shape) == (3, 4, 5)
    assert tuple(make_grid(taeda.zeros(1, 4, 5)).shape) == (3, 4, 5)
    assert tuple(make_grid([taeda.zeros(3, 4, 5)] * 2, padding=0).shape) == (3, 4, 10)
    assert tuple(make_grid(taeda.zeros(3, 2, 4, 4), nrow=2, padding=0).shape) == (2, 8, 8)


def test_make_grid_normalizes_together_or_each():
    batch = taeda.tensor([0.0, 1.0, 2.0, 6.0]).reshape(2, 1, 1, 2)
    together = make_grid(batch, padding=0, normalize=True)
    assert together[0].tolist()[0] == pytest.approx([0, 1 / 6, 2 / 6, 1])
    each = make_grid(batch, padding=0, normalize=True, scale_each=True)
    assert each[0].tolist()[0] == pytest.approx([0, 1, 0, 1])
    ranged = make_grid(batch, padding=0, normalize=True, value_range=(1, 3))
    assert ranged[0].tolist()[0] == pytest.approx([0, 0, 0.5, 1])
    assert batch.reshape(-1).tolist() == [0, 1, 2, 6]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("x",), TypeError, "tensor or list of tensors expected"),
        (([1, 2],), TypeError, "tensor or list of tensors expected"),
        ((taeda.zeros(2),), ValueError, r"got \(2,\)"),
        (([],), ValueError, "list of images is empty"),
        ((taeda.zeros(0, 3, 4, 4),), ValueError, "there are no images"),
        (([taeda.zeros(3, 4, 4), taeda.zeros(3, 4, 5)],), RuntimeError, "should have one shape"),
        ((taeda.zeros(2, 3, 4, 4), 0), ValueError, "nrow should be at least 1"),
        ((taeda.zeros(2, 3, 4, 4), 8, 2, True, 3.0), TypeError, "value_range has to be a tuple"),
    ],
)
def test_make_grid_refuses(arguments, error, words):
    with pytest.raises(error, match=words):
        make_grid(*arguments)


def test_save_image_rounds_and_clips(tmp_path):
    x = taeda.tensor([[-1.0, 0.0], [0.5, 2.0]]).reshape(1, 2, 2)
    save_image(x, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as saved:
        assert np.asarray(saved)[:, :, 0].tolist() == [[0, 0], [128, 255]]
    file = io.BytesIO()
    save_image(taeda.rand(4, 3, 5, 5), file, format="png", nrow=2)
    assert Image.open(file).size == (16, 16)


@contextlib.contextmanager
def full_disk():
    """Let no file grow beyond 64 bytes, as a full disk would (not even the tests' own log: keep it short)."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_a_full_disk_leaves_no_half_an_image(tmp_path):
    (tmp_path / "x.png").write_bytes(b"the older file")
    for path in (tmp_path / "x.png", tmp_path / "y.png"):
        with pytest.raises(OSError, match="File too large"), full_disk():
            save_image(taeda.rand(3, 20, 20), path)
        with pytest.raises(OSError, match="File too large"), full_disk():
            draw_curves({"loss": {"train": [1.0, 2.0]}}, path)
    assert os.listdir(tmp_path) == ["x.png"]
    assert (tmp_path / "x.png").read_bytes() == b"the older file"


def test_a_saved_file_has_the_usual_permissions(tmp_path):
    save_image(taeda.rand(3, 4, 4), tmp_path / "x.png")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "x.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
    with pytest.raises(ValueError, match=r"unknown file extension: '\.xyz'"):
        save_image(taeda.rand(3, 4, 4), tmp_path / "x.xyz")


def test_a_missing_folder_is_told_with_the_files_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder for the file") as caught:
        save_image(taeda.rand(3, 4, 4), tmp_path / "nowhere" / "x.png")
    assert caught.value.filename == str(tmp_path / "nowhere" / "x.png")


def test_images_are_written_and_read(tmp_path):
    x = taeda.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8))
    write_png(x, tmp_path / "x.png")
    assert taeda.equal(read_image(tmp_path / "x.png"), x)
    assert tuple(read_image(tmp_path / "x.png", ImageReadMode.GRAY).shape) == (1, 4, 5)
    assert tuple(read_image(tmp_path / "x.png", "rgb_alpha").shape) == (4, 4, 5)
    assert taeda.equal(decode_image(read_file(tmp_path / "x.png")), x)
    Image.new("P", (3, 2)).save(tmp_path / "p.png")
    assert tuple(read_image(tmp_path / "p.png").shape) == (3, 2, 3)


def test_reading_and_writing_refuse(tmp_path):
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(OSError, match=r"x.png.*EPS files are decoded by another program"):
        open_image(tmp_path / "x.png")
    for read in (read_file, read_image):
        with pytest.raises(RuntimeError, match="No such file or directory") as caught:
            read(str(tmp_path / "none.png"))
        assert isinstance(caught.value, FileNotFoundError)
    with pytest.raises(ValueError, match="mode should be one of UNCHANGED, GRAY"):
        read_image(tmp_path / "x.png", "grey")
    for kind in (OSError, RuntimeError):  # Pillow's kind, and that of torchvision's decoders
        with pytest.raises(kind, match="cannot read the image 'bytes of a tensor': it begins as no format that Pillow knows"):
            decode_image(taeda.zeros(9, dtype=taeda.uint8))
    with pytest.raises(RuntimeError, match="should be a uint8 tensor"):
        decode_image(taeda.zeros(9))
    with pytest.raises(TypeError, match=r"\[decode_image\] input should be a file's name, or its bytes as a uint8 tensor, got ndarray"):
        decode_image(np.zeros(9, np.uint8))
    for wrong, error in ((taeda.zeros(9), RuntimeError), (b"x", TypeError)):
        with pytest.raises(error, match=r"\[write_file\] .* uint8 tensor"):
            write_file(str(tmp_path / "none"), wrong)
        assert not (tmp_path / "none").exists()
    with pytest.raises(RuntimeError, match="should be a uint8 tensor"):
        write_png(taeda.zeros(3, 2, 2), tmp_path / "y.png")
    with pytest.raises(RuntimeError, match=r"got \(2, 2, 2\)"):
        write_png(taeda.zeros(2, 2, 2, dtype=taeda.uint8), tmp_path / "y.png")
    assert not (tmp_path / "y.png").exists()


def test_boxes_are_drawn_in_their_colours():
    image = taeda.zeros(1, 20, 20, dtype=taeda.uint8)
    boxes = taeda.tensor([[2, 3, 10, 12]])
    out = draw_bounding_boxes(image, boxes, colors="red", labels=["a"])
    assert tuple(out.shape) == (3, 20, 20)
    assert out[:, 3, 2].tolist() == [255, 0, 0]
    assert out[:, 15, 15].tolist() == [0, 0, 0]
    assert int(image.max()) == 0
    with pytest.raises(ValueError, match=r"\(xmin, ymin, xmax, ymax\) format"):
        draw_bounding_boxes(image, taeda.tensor([[5, 0, 1, 1]]))
    with pytest.raises(ValueError, match="dtype must be uint8 or float, got taeda.int32"):
        draw_bounding_boxes(taeda.zeros(3, 4, 4, dtype=taeda.int32), boxes)
    with pytest.raises(TypeError, match="must be a tensor"):
        draw_bounding_boxes([[1]], boxes)
    with pytest.raises(ValueError, match=r"Number of boxes \(1\) and labels \(2\) mismatch"):
        draw_bounding_boxes(image, boxes, labels=["a", "b"])
    with pytest.warns(UserWarning, match="doesn't contain any box"):
        assert draw_bounding_boxes(image, boxes[:0]) is image


def test_boxes_are_drawn_on_floats_filled_and_turned():
    image, red = taeda.ones(3, 24, 24), taeda.tensor([1.0, 0.0, 0.0])
    out = draw_bounding_boxes(image, taeda.tensor([[2.0, 3, 10, 12]]), colors=[(255, 0, 0)], fill=True)
    assert out.dtype == taeda.float32 and taeda.equal(out[:, 3, 2], red)
    assert out[:, 6, 6].tolist() == pytest.approx([1.0, 155 / 255, 155 / 255], abs=0.005)
    out = draw_bounding_boxes(image, taeda.tensor([[2, 2, 20, 2, 20, 20, 2, 20]]), colors="red")
    drawn = (out[1] == 0).tolist()
    assert drawn[20][2:21] == [True] * 19 and drawn[10][2] and drawn[10][20]
    assert drawn[2][2:21] == [True] * 6 + [False] * 4 + [True] * 6 + [False] * 2 + [True]     # the first side is dashed
    options = {"labels": ["i"], "fill_labels": True, "label_background_colors": "blue", "label_colors": "white"}
    out = draw_bounding_boxes(image, taeda.tensor([[2, 2, 20, 20]]), colors="red", **options)
    assert (out == taeda.tensor([0.0, 0.0, 1.0])[:, None, None]).all(0).sum() > 10


def test_predictions_are_framed_green_and_red():
    images = taeda.rand(3, 1, 8, 8)
    picture = draw_predictions(images, [1, 2, 3], taeda.tensor([1, 5, 3]), nrow=2)
    corners = [picture.getpixel((8 + i % 2 * 78, 8 + i // 2 * 94)) for i in range(3)]
    assert corners == [(30, 150, 60), (205, 40, 40), (30, 150, 60)]
    with pytest.raises(ValueError, match="got 3, 2 and 3"):
        draw_predictions(images, [1, 2], [1, 2, 3])


def test_curves_are_drawn_whatever_the_values(tmp_path):
    panels = {"loss": {"train": [2.0, 1.0, float("nan"), 0.5], "test": [3.0]}, "accuracy": {"test": []}}
    picture = draw_curves(panels, tmp_path / "c.png")
    with Image.open(tmp_path / "c.png") as saved:
        assert picture.size == saved.size == (840, 300)
    assert len(picture.getcolors(100_000)) > 5
    draw_curves({"flat": {"a": [0.0, 0.0]}})
    with pytest.raises(ValueError, match="panels is empty"):
        draw_curves({})


def test_masks_are_coloured_and_black_where_they_overlap():
    image = taeda.full((3, 2, 3), 100, dtype=taeda.uint8)
    masks = taeda.tensor([[[True, True, False], [False] * 3], [[False, True, False], [False] * 3]])
    out = utils.draw_segmentation_masks(image, masks, alpha=0.5, colors=["red", (0, 0, 200)])
    assert out[:, 0, 0].tolist() == [177, 50, 50]
    assert out[:, 0, 1].tolist() == [50, 50, 50]
    assert out[:, 1, 2].tolist() == [100, 100, 100]
    with pytest.raises(ValueError, match="masks must be of dtype bool"):
        utils.draw_segmentation_masks(image, masks.int())


def test_points_are_drawn_where_they_are_visible_and_joined():
    points = taeda.tensor([[[3.0, 4.0], [15.0, 4.0]]])
    seen = taeda.tensor([[True, False]])
    out = utils.draw_keypoints(taeda.zeros(3, 20, 20), points, [(0, 1)], colors="red", radius=1, visibility=seen)
    assert float(out[0, 4, 3]) == 1.0
    assert float(out.sum()) == float(out[0, 3:6, 2:5].sum())
    joined = utils.draw_keypoints(taeda.zeros(3, 20, 20), points, [(0, 1)], radius=1, width=1)
    assert float(joined[0, 4, 9]) == 1.0


def test_flow_is_white_where_it_rests_and_red_to_the_right():
    flow = taeda.zeros(2, 1, 2)
    flow[0, 0, 1] = 3.0
    image = utils.flow_to_image(flow)
    assert image[:, 0, 0].tolist() == [255, 255, 255]
    assert image[:, 0, 1].tolist()[0] == 255
    assert int(image[1:, 0, 1].max()) < 60


def test_images_go_to_bytes_and_back(tmp_path):
    x = taeda.arange(3 * 8 * 8, dtype=taeda.uint8).reshape(3, 8, 8)
    assert taeda.equal(vision_io.decode_png(vision_io.encode_png(x)), x)
    flat = taeda.full((3, 16, 16), 90, dtype=taeda.uint8)
    jpeg = vision_io.encode_jpeg(flat, quality=95)
    assert jpeg[:2].tolist() == [0xFF, 0xD8] and taeda.equal(vision_io.decode_jpeg(jpeg), flat)
    assert [tuple(y.shape) for y in vision_io.decode_jpeg([jpeg, jpeg], mode="GRAY")] == [(1, 16, 16)] * 2
    vision_io.write_jpeg(flat, tmp_path / "x.jpg", quality=95)
    assert taeda.equal(read_file(tmp_path / "x.jpg"), jpeg)
    vision_io.write_file(tmp_path / "y.jpg", jpeg)
    assert taeda.equal(read_image(tmp_path / "y.jpg"), flat)
    with pytest.raises(RuntimeError, match=r"\[decode_png\] the bytes are no PNG image, but JPEG"):
        vision_io.decode_png(jpeg)
    with pytest.raises(ValueError, match="between 1 and 100, got 0"):
        vision_io.encode_jpeg(flat, 0)


def test_a_file_that_claims_too_many_pixels_is_refused_by_every_decoder():
    png = vision_io.encode_png(taeda.zeros(1, 2, 2, dtype=taeda.uint8)).numpy().tobytes()
    size = struct.pack(">II", 100_000, 100_000)
    head = b"IHDR" + size + png[24:29]
    bomb = png[:12] + head + struct.pack(">I", zlib.crc32(head)) + png[33:]
    for decode in (vision_io.decode_png, vision_io.decode_image, vision_io.decode_jpeg):
        with pytest.raises(OSError, match=r"is refused: Image size \(10000000000 pixels\) exceeds"):
            decode(taeda.tensor(list(bomb), dtype=taeda.uint8))


def test_frames_of_a_film_are_counted_before_they_are_decoded(monkeypatch):
    file = io.BytesIO()
    frames = [Image.new("L", (40, 30), shade) for shade in range(0, 170, 10)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    film = taeda.frombuffer(bytearray(file.getbuffer()), dtype=taeda.uint8)
    assert vision_io.decode_gif(film)[:, 2, 29, 39].tolist() == list(range(0, 170, 10))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40 * 30)
    with pytest.raises(OSError, match=r"\[decode_gif\] 17 frames of 40 x 30 pixels are refused: more than 19200 together"):
        vision_io.decode_gif(film)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert vision_io.decode_gif(film).shape == (17, 3, 30, 40)


def test_grey_of_a_jpeg_file_is_its_luminance_as_stored():
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(4).integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(file, "JPEG")
    with Image.open(file) as stored:
        stored.draft("YCbCr", None)
        luminance = np.asarray(stored)[..., 0]
    grey = vision_io.decode_jpeg(taeda.from_numpy(np.frombuffer(bytearray(file.getbuffer()), np.uint8)), mode="GRAY")
    assert np.array_equal(grey[0].numpy(), luminance)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that gives memory back at once")
def test_pictures_take_the_memory_of_those_before_them():
    program = (
        "import resource, PIL.Image\n"
        "from taeda.vision import transforms\n"
        "image = PIL.Image.new('RGB', (224, 224))\n"
        "flip = transforms.RandomHorizontalFlip(1.0)\n"
        "for i in range(60):\n"
        "    if i == 10: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    batch = [flip(image) for _ in range(8)]\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    faults = int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)
    assert faults < 50 * 40                     # not one a page of each batch: 50 * 8 * 48


def test_films_of_gif_files_are_stacked():
    frames = [Image.new("RGB", (4, 3), (shade, 0, 0)) for shade in (0, 120, 240)]
    file = io.BytesIO()
    frames[0].save(file, format="GIF", save_all=True, append_images=frames[1:])
    film = vision_io.decode_gif(taeda.from_numpy(np.frombuffer(bytearray(file.getbuffer()), np.uint8)))
    assert tuple(film.shape) == (3, 3, 3, 4) and film[:, 0, 0, 0].tolist() == [0, 120, 240]


def test_photographs_are_turned_as_the_camera_was_held(tmp_path):
    image = Image.new("RGB", (6, 2))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert tuple(read_image(tmp_path / "turned.jpg").shape) == (3, 2, 6)
    assert tuple(read_image(tmp_path / "turned.jpg", "GRAY", apply_exif_orientation=True).shape) == (1, 6, 2)


def test_pillow_is_what_reads_images():
    vision.set_image_backend("PIL")
    assert vision.get_image_backend() == "PIL"
    with pytest.raises(ValueError, match="Invalid backend 'accimage'"):
        vision.set_image_backend("accimage")


def test_colours_that_nobody_chose():
    from taeda.vision.utils import _generate_color_palette

    assert _generate_color_palette(3) == [(0, 0, 0), (1, 127, 31), (2, 254, 62)]


def test_functions_of_images_have_torchvisions_path_too():
    from taeda.vision.io import image

    assert image.read_image is read_image and image.ImageReadMode is ImageReadMode and vision_io.image is image
