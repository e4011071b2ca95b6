"""Reading and writing image files, with the checks that untrusted files need."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import secrets
import warnings
from collections.abc import Callable
from enum import Enum
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

import taeda
import taeda.vision._room
from taeda.vision._png16 import read_png16

__all__ = [
    "ImageReadMode",
    "MissingFile",
    "UnreadableImage",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "open_image",
    "read_file",
    "read_image",
    "save_pil",
    "write_file",
    "write_jpeg",
    "write_png",
]

# Formats that Pillow opens by handing the file to another program.
_REFUSED = frozenset({"EPS", "WMF", "FPX", "MIC"})


class UnreadableImage(OSError, RuntimeError):
    """The file is not a whole image: Pillow raises an OSError for it, torchvision's decoders a RuntimeError, and programs catch either.

    >>> import taeda
    >>> from taeda.vision.io import UnreadableImage, decode_image
    >>> try:
    ...     decode_image(taeda.zeros(8, dtype=taeda.uint8))
    ... except UnreadableImage as error:
    ...     print(error)
    [open_image] cannot read the image 'bytes of a tensor': it begins as no format that Pillow knows
    """


class MissingFile(FileNotFoundError, RuntimeError):
    """There is no such file: Python raises FileNotFoundError for it, torchvision's readers a RuntimeError, and programs catch either.

    >>> from taeda.vision.io import read_file
    >>> try:
    ...     read_file("no such file")
    ... except RuntimeError as error:
    ...     print(error)
    [Errno 2] No such file or directory: 'no such file'
    """


def _open(path: str | os.PathLike[str]) -> IO[bytes]:
    try:
        return open(path, "rb")
    except FileNotFoundError as error:
        raise MissingFile(error.errno, error.strerror, error.filename) from None


def open_image(path: str | os.PathLike[str] | IO[bytes], mode: str | None = None) -> Image.Image:
    """Decode a whole image file.

    Args:
        path: a file's name or an open binary file.
        mode: convert to this mode of Pillow, such as ``"RGB"``; None leaves it as it is.

    Raises:
        FileNotFoundError: there is no such file.
        UnreadableImage: it is not an image, is cut short, has more than ``PIL.Image.MAX_IMAGE_PIXELS`` pixels, or a
            format that is decoded by running another program.

    >>> import tempfile
    >>> from PIL import Image
    >>> from taeda.vision.io import open_image, save_pil
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_pil(Image.new("RGB", (4, 3), "red"), folder + "/red.png")
    ...     image = open_image(folder + "/red.png", "L")
    >>> image.mode, image.size, image.getpixel((0, 0))
    ('L', (4, 3), 76)
    """
    def own(image: Image.Image) -> Image.Image:
        image.load()
        return image.copy() if mode is None else image.convert(mode)

    return _opened(path, own)


def _opened(path: Any, finish: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return what `finish` makes of an image that is not decoded yet; see `open_image`."""
    name = "bytes of a tensor" if isinstance(path, io.BytesIO) else str(getattr(path, "name", path))
    try:
        with warnings.catch_warnings():
            # Pillow only warns up to twice its limit; a file that large is either a mistake or a bomb.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                if image.format in _REFUSED:
                    raise OSError(f"{image.format} files are decoded by another program and not read here")
                return finish(image)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"[open_image] {name!r} is refused: {error}") from error
    except UnidentifiedImageError as error:
        raise UnreadableImage(f"[open_image] cannot read the image {name!r}: it begins as no format that Pillow knows") from error
    except Exception as error:  # Pillow's decoders raise what they like on damaged files
        raise UnreadableImage(f"[open_image] cannot read the image {name!r}: {error}") from error


def save_pil(
    image: Image.Image, fp: str | os.PathLike[str] | IO[bytes], format: str | None = None, **options: Any
) -> None:
    """Write an image file that is whole or not there: a full disk leaves an older file as it was.

    Args:
        image: a PIL image.
        fp: a file's name, or an open binary file.
        format: Pillow's name of the format; by default from the name's ending.
        options: for Pillow's encoder.

    Raises:
        ValueError: no format belongs to the ending.
        OSError: the file cannot be written.

    >>> import os
    >>> import tempfile
    >>> from PIL import Image
    >>> from taeda.vision.io import save_pil
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_pil(Image.new("L", (4, 3)), folder + "/black.png")
    ...     print(os.listdir(folder))
    ['black.png']
    """
    if not isinstance(fp, (str, os.PathLike)):
        image.save(fp, format=format, **options)
        return
    path = os.fspath(fp)
    ending = os.path.splitext(path)[1].lower()
    known = format or Image.registered_extensions().get(ending)
    if known is None:
        raise ValueError(f"[save_image] unknown file extension: {ending!r} of {path!r}; give format")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, "[save_image] there is no folder for the file; os.makedirs makes it", path)
    encoded = io.BytesIO()
    image.save(encoded, format=known, **options)
    temporary = os.path.join(folder, f".saving-{secrets.token_hex(6)}")
    try:
        with open(temporary, "xb") as file:
            file.write(encoded.getbuffer())     # no fsync, which takes 3 to 10 ms: after a power failure a picture is drawn again
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


class ImageReadMode(Enum):
    """How many channels `read_image` gives.

    >>> import taeda
    >>> from taeda.vision.io import ImageReadMode, decode_image, encode_png
    >>> decode_image(encode_png(taeda.zeros(1, 2, 2, dtype=taeda.uint8)), ImageReadMode.RGB).shape
    taeda.Size([3, 2, 2])
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = RGB_ALPHA


_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}


def read_file(path: str | os.PathLike[str]) -> taeda.Tensor:
    """Read the bytes of a file into a uint8 tensor, 1-d.

    >>> import tempfile
    >>> import taeda
    >>> from taeda.vision.io import read_file, write_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(folder + "/three", taeda.tensor([1, 2, 3], dtype=taeda.uint8))
    ...     print(read_file(folder + "/three"))
    tensor([1, 2, 3], dtype=taeda.uint8)
    """
    with _open(path) as file:
        return taeda.from_numpy(np.frombuffer(bytearray(file.read()), np.uint8))


def read_image(
    path: str | os.PathLike[str], mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> taeda.Tensor:
    """Read an image file into a uint8 tensor, C x H x W with values 0 to 255; see `decode_image`.

    >>> import tempfile
    >>> import taeda
    >>> from taeda.vision.io import read_image, write_png
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_png(taeda.full((1, 1, 2), 9, dtype=taeda.uint8), folder + "/nine.png")
    ...     print(read_image(folder + "/nine.png"))
    tensor([[[9, 9]]], dtype=taeda.uint8)
    """
    return decode_image(path, mode, apply_exif_orientation)


def _source(input: Any, op: str) -> Any:
    """Return what Pillow can open: a name as it is, bytes as a file."""
    if not isinstance(input, taeda.Tensor):
        if not isinstance(input, (str, bytes, os.PathLike)) and not hasattr(input, "read"):
            raise TypeError(f"[{op}] input should be a file's name, or its bytes as a uint8 tensor, got {type(input).__name__}")
        return input
    if input.dtype != taeda.uint8:
        raise RuntimeError(f"[{op}] the bytes of a file should be a uint8 tensor, got {input.dtype}")
    if input.dim() != 1:
        raise RuntimeError(f"[{op}] the bytes of a file should have 1 dimension, got {tuple(input.shape)}")
    return io.BytesIO(input.cpu().numpy().tobytes())


def decode_image(
    input: taeda.Tensor | str | os.PathLike[str],
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> taeda.Tensor:
    """Decode an image into a uint8 tensor, C x H x W with values 0 to 255; a PNG file of 16 bits per channel into a uint16 tensor.

    Args:
        input: a file's name, or its bytes as a uint8 tensor, 1-d.
        mode: an `ImageReadMode` or its name; UNCHANGED keeps the file's channels (a palette becomes RGB).
        apply_exif_orientation: turn the image as the camera says that it was held.

    Raises:
        UnreadableImage: as `open_image`.
        RuntimeError: `input` is a tensor of another dtype, or has more than one dimension.
        ValueError: the mode is unknown.

    >>> import taeda
    >>> from taeda.vision.io import decode_image, encode_jpeg
    >>> decode_image(encode_jpeg(taeda.full((3, 8, 8), 100, dtype=taeda.uint8)), mode="GRAY")[0, 0, :3]
    tensor([100, 100, 100], dtype=taeda.uint8)
    """
    source = _source(input, "decode_image")
    if isinstance(mode, str):
        try:
            mode = ImageReadMode[mode.upper()]
        except KeyError:
            known = ", ".join(kind.name for kind in ImageReadMode)
            raise ValueError(f"[decode_image] mode should be one of {known}, got {mode!r}") from None
    try:
        wide = read_png16(_wide_bytes(source))
    except MissingFile:
        raise
    except OSError as error:
        raise UnreadableImage(str(error)) from error
    if wide is not None:
        return taeda.from_numpy(_in_mode(wide, mode).transpose(2, 0, 1).copy())
    if apply_exif_orientation:
        image = ImageOps.exif_transpose(open_image(source))
        image = image.convert(_MODES[mode]) if mode in _MODES else image
    else:
        image = _opened(source, functools.partial(_as_read, mode=_MODES.get(mode)))
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB" if image.mode in ("P", "CMYK", "YCbCr", "HSV", "LAB") else "L")
    from taeda.vision.transforms.functional import pil_to_tensor

    return pil_to_tensor(image)


def _as_read(image: Image.Image, mode: str | None) -> Image.Image:
    """Decode an image in a mode, without a copy where it has that one; of a JPEG file in colours, grey is its luminance as it is stored."""
    if mode == "L":
        image.draft("L", None)
    image.load()
    return image if mode in (None, image.mode) else image.convert(mode)


_PNG_HEADER = 33            # bytes until the first chunk ends; byte 24 is the number of bits per channel


def _wide_bytes(source: Any) -> bytes:
    """Return the bytes of a file or of what is open, all of them only where they begin as a PNG file of 16 bits does."""
    with contextlib.ExitStack() as stack:
        file = source if isinstance(source, io.BytesIO) else stack.enter_context(_open(source))
        head = file.read(_PNG_HEADER)
        data = head + file.read() if head[:4] == b"\x89PNG" and head[24:25] == bytes([16]) else b""
        file.seek(0)
    return data


_GREY = np.array([6968, 23434, 2366])           # 0.2126, 0.7152 and 0.0722 in units of 2^-15
_OPAQUE = 65535


def _in_mode(x: np.ndarray[Any, Any], mode: ImageReadMode) -> np.ndarray[Any, Any]:
    """Return H x W x C of 16 bits with the channels of a mode; grey is 0.2126 R + 0.7152 G + 0.0722 B, in fixed point."""
    wanted = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(_MODES.get(mode, ""), x.shape[2])
    colours, alpha = (x[..., :-1], x[..., -1:]) if x.shape[2] % 2 == 0 else (x, np.full_like(x[..., :1], _OPAQUE))
    if wanted <= 2 < x.shape[2]:
        colours = ((colours.astype(np.int64) @ _GREY + (1 << 14)) >> 15)[..., None].astype(np.uint16)          # rounded
    elif wanted > 2 >= x.shape[2]:
        colours = colours.repeat(3, axis=2)
    return np.concatenate([colours, alpha], axis=2) if wanted % 2 == 0 else colours


def _format_of(file: IO[bytes], op: str) -> str | None:
    """Return the format of an image file, None if it has none that Pillow knows."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(file) as image:
                return image.format
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"[{op}] the image is refused: {error}") from error
    except Exception:  # Pillow's decoders raise what they like on damaged files
        return None


def _decoded(input: Any, format: str, mode: Any, apply_exif_orientation: bool) -> taeda.Tensor:
    op = f"decode_{format.lower()}"
    with contextlib.closing(_source(input, op)) as file:
        kind = _format_of(file, op)
    if kind != format:
        raise RuntimeError(f"[{op}] the bytes are no {format} image, but {kind or 'something else'}; decode_image finds out the format")
    return decode_image(input, mode, apply_exif_orientation)


def decode_png(
    input: taeda.Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> taeda.Tensor:
    """Decode the bytes of a PNG file; see `decode_image`. RuntimeError if they are none.

    >>> import taeda
    >>> from taeda.vision.io import decode_png, encode_png
    >>> decode_png(encode_png(taeda.arange(3, dtype=taeda.uint8).reshape(1, 1, 3)))
    tensor([[[0, 1, 2]]], dtype=taeda.uint8)
    """
    return _decoded(input, "PNG", mode, apply_exif_orientation)


def decode_jpeg(
    input: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, device: Any = "cpu", apply_exif_orientation: bool = False
) -> Any:
    """Decode the bytes of a JPEG file, or of each of a list; see `decode_image`. RuntimeError if they are none.

    >>> import taeda
    >>> from taeda.vision.io import decode_jpeg, encode_jpeg
    >>> [image.shape for image in decode_jpeg([encode_jpeg(taeda.zeros(3, 8, 9, dtype=taeda.uint8))])]
    [taeda.Size([3, 8, 9])]
    """
    if isinstance(input, list):
        if not input:
            raise ValueError("[decode_jpeg] Input list must contain at least one element")
        return [_decoded(one, "JPEG", mode, apply_exif_orientation).to(device) for one in input]
    return _decoded(input, "JPEG", mode, apply_exif_orientation).to(device)


def decode_webp(input: taeda.Tensor, mode: ImageReadMode | str = ImageReadMode.UNCHANGED) -> taeda.Tensor:
    """Decode the bytes of a WebP file; see `decode_image`. RuntimeError if they are none.

    >>> import io
    >>> import taeda
    >>> from PIL import Image
    >>> from taeda.vision.io import decode_webp
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (4, 3)).save(file, format="WEBP")
    >>> decode_webp(taeda.frombuffer(file.getbuffer(), dtype=taeda.uint8)).shape
    taeda.Size([3, 3, 4])
    """
    return _decoded(input, "WEBP", mode, False)


_LARGEST_IMAGES = 16             # all frames together may have as many pixels as so many of the largest images that are read


def decode_gif(input: taeda.Tensor) -> taeda.Tensor:
    """Decode the bytes of a GIF file: 3 x H x W, or frames x 3 x H x W where there are several.

    Raises:
        RuntimeError: they are no GIF file.
        UnreadableImage: a frame is damaged, or refused as by `open_image`; all have more than 16 times
            ``PIL.Image.MAX_IMAGE_PIXELS`` pixels (a frame of one pixel is a few bytes, and becomes a whole picture).

    >>> import io
    >>> import taeda
    >>> from PIL import Image
    >>> from taeda.vision.io import decode_gif
    >>> file, frames = io.BytesIO(), [Image.new("L", (4, 3), shade) for shade in (0, 255)]
    >>> frames[0].save(file, format="GIF", save_all=True, append_images=frames[1:])
    >>> decode_gif(taeda.frombuffer(file.getbuffer(), dtype=taeda.uint8)).shape
    taeda.Size([2, 3, 3, 4])
    """
    first = _decoded(input, "GIF", ImageReadMode.RGB, False)
    from taeda.vision.transforms.functional import pil_to_tensor

    with Image.open(_source(input, "decode_gif")) as image:
        try:
            n = getattr(image, "n_frames", 1)
            if n == 1:
                return first
            most = _LARGEST_IMAGES * (Image.MAX_IMAGE_PIXELS or image.width * image.height * n)
            if image.width * image.height * n > most:
                raise UnreadableImage(
                    f"[decode_gif] {n} frames of {image.width} x {image.height} pixels are refused: more than {most} together, "
                    f"{_LARGEST_IMAGES} times PIL.Image.MAX_IMAGE_PIXELS")
            frames = taeda.empty((n, *first.shape), dtype=taeda.uint8)
            for frame, pixels in zip(ImageSequence.Iterator(image), frames, strict=True):
                pixels.copy_(pil_to_tensor(frame.convert("RGB")))
        except UnreadableImage:
            raise
        except Exception as error:  # Pillow's decoders raise what they like on damaged files
            raise UnreadableImage(f"[decode_gif] cannot read the frames: {error}") from error
    return frames


def _pil(input: Any, op: str) -> Image.Image:
    """Return a uint8 tensor C x H x W as a PIL image."""
    if not isinstance(input, taeda.Tensor) or input.dtype != taeda.uint8:
        what: Any = input.dtype if isinstance(input, taeda.Tensor) else type(input).__name__
        raise RuntimeError(f"[{op}] input should be a uint8 tensor, got {what}")
    if input.dim() != 3 or input.shape[0] not in (1, 3):
        raise RuntimeError(f"[{op}] input should have shape (1 or 3, height, width), got {tuple(input.shape)}")
    from taeda.vision.transforms.functional import to_pil_image

    return to_pil_image(input)


def _encoded(input: Any, op: str, **options: Any) -> taeda.Tensor:
    file = io.BytesIO()
    _pil(input, op).save(file, **options)
    return taeda.from_numpy(np.frombuffer(bytearray(file.getbuffer()), np.uint8))


def encode_png(input: taeda.Tensor, compression_level: int = 6) -> taeda.Tensor:
    """Return the bytes of a PNG file of a uint8 tensor C x H x W, with 1 or 3 channels.

    Raises:
        RuntimeError: it is not a uint8 tensor, its shape is another, or the level is not 0 ... 9.

    >>> import taeda
    >>> from taeda.vision.io import decode_png, encode_png
    >>> decode_png(encode_png(taeda.full((1, 1, 2), 7, dtype=taeda.uint8)))
    tensor([[[7, 7]]], dtype=taeda.uint8)
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeError(f"[encode_png] compression_level should be 0 to 9, got {compression_level}")
    return _encoded(input, "encode_png", format="PNG", compress_level=compression_level)


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """Return the bytes of a JPEG file of a uint8 tensor C x H x W, with 1 or 3 channels, or of each of a list.

    Raises:
        RuntimeError: it is not a uint8 tensor, or its shape is another.
        ValueError: the quality is not 1 ... 100.

    >>> import taeda
    >>> from taeda.vision.io import encode_jpeg
    >>> encode_jpeg(taeda.zeros(3, 8, 8, dtype=taeda.uint8), quality=90)[:3]
    tensor([255, 216, 255], dtype=taeda.uint8)
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"[encode_jpeg] Image quality should be a positive number between 1 and 100, got {quality}")
    if isinstance(input, list):
        return [encode_jpeg(one, quality) for one in input]
    return _encoded(input, "encode_jpeg", format="JPEG", quality=quality)


def write_file(filename: str | os.PathLike[str], data: taeda.Tensor) -> None:
    """Write a uint8 tensor, 1-d, as the bytes of a file.

    Raises:
        TypeError: it is not a tensor.
        RuntimeError: it is of another dtype, or has more than one dimension.

    >>> import tempfile
    >>> import taeda
    >>> from taeda.vision.io import encode_png, read_image, write_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_file(folder + "/file", encode_png(taeda.zeros(1, 2, 2, dtype=taeda.uint8)))
    ...     print(read_image(folder + "/file").shape)
    taeda.Size([1, 2, 2])
    """
    if not isinstance(data, taeda.Tensor):
        raise TypeError(f"[write_file] data should be a uint8 tensor, the bytes of a file, got {type(data).__name__}")
    content = _source(data, "write_file").getbuffer()           # refused before a file is there
    with open(filename, "wb") as file:
        file.write(content)


def write_jpeg(input: taeda.Tensor, filename: str | os.PathLike[str], quality: int = 75) -> None:
    """Write a uint8 tensor C x H x W as a JPEG file; see `encode_jpeg`.

    >>> import tempfile
    >>> import taeda
    >>> from taeda.vision.io import read_image, write_jpeg
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_jpeg(taeda.full((3, 8, 8), 128, dtype=taeda.uint8), folder + "/gray.jpg")
    ...     print(read_image(folder + "/gray.jpg")[:, 0, 0])
    tensor([128, 128, 128], dtype=taeda.uint8)
    """
    image = _pil(input, "write_jpeg")
    if not 1 <= quality <= 100:
        raise ValueError(f"[write_jpeg] Image quality should be a positive number between 1 and 100, got {quality}")
    save_pil(image, filename, format="JPEG", quality=quality)


def write_png(input: taeda.Tensor, filename: str | os.PathLike[str], compression_level: int = 6) -> None:
    """Write a uint8 tensor C x H x W, with 1 or 3 channels, as a PNG file.

    Raises:
        RuntimeError: it is not a uint8 tensor, its shape is another, or the level is not 0 ... 9.

    >>> import tempfile
    >>> import taeda
    >>> from taeda.vision.io import open_image, write_png
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_png(taeda.zeros(3, 2, 4, dtype=taeda.uint8), folder + "/black.png", compression_level=9)
    ...     print(open_image(folder + "/black.png").size)
    (4, 2)
    """
    image = _pil(input, "write_png")
    if not 0 <= compression_level <= 9:
        raise RuntimeError(f"[write_png] compression_level should be 0 to 9, got {compression_level}")
    save_pil(image, filename, format="PNG", compress_level=compression_level)
