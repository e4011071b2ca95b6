"""Transforms as functions of an image: a PIL image or a tensor ... x C x H x W, nothing else.

They draw nothing at random and change no argument. Whatever is neither kind of image raises TypeError.
"""

from taeda.vision.transforms.colour import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    invert,
    posterize,
    rgb_to_grayscale,
    solarize,
    to_grayscale,
)
from taeda.vision.transforms.convert import (
    convert_image_dtype,
    normalize,
    pil_to_tensor,
    to_pil_image,
    to_tensor,
)
from taeda.vision.transforms.geometry import (
    PILLOW_MODES,
    InterpolationMode,
    center_crop,
    crop,
    erase,
    five_crop,
    hflip,
    pad,
    resize,
    resized_crop,
    ten_crop,
    vflip,
)
from taeda.vision.transforms.kinds import get_dimensions, get_image_num_channels, get_image_size
from taeda.vision.transforms.warp import (
    affine,
    affine_matrix,
    elastic_transform,
    gaussian_blur,
    perspective,
    perspective_coefficients,
    rotate,
)

# Names that programs written for torchvision import
pil_modes_mapping = dict(PILLOW_MODES)
_get_inverse_affine_matrix = affine_matrix
_get_perspective_coeffs = perspective_coefficients

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "elastic_transform",
    "equalize",
    "erase",
    "five_crop",
    "gaussian_blur",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "invert",
    "normalize",
    "pad",
    "perspective",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]
