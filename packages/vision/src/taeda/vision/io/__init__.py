"""Reading and writing of images, and of files as bytes; see `image`."""

from taeda.vision.io.image import (
    ImageReadMode,
    UnreadableImage,
    decode_gif,
    decode_image,
    decode_jpeg,
    decode_png,
    decode_webp,
    encode_jpeg,
    encode_png,
    open_image,
    read_file,
    read_image,
    save_pil,
    write_file,
    write_jpeg,
    write_png,
)

__all__ = [
    "ImageReadMode",
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
