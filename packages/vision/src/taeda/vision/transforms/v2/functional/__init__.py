"""The transforms of v2 as functions: of plain tensors, PIL images, and everything in `tv_tensors`.

A function chooses its kernel by the type of its first argument: ``resize`` of boxes scales them with their canvas. The kernels are here
too, as ``resize_image``, ``resize_mask``, ``resize_bounding_boxes`` and so on, and take plain tensors.
"""

from typing import Any

from taeda.vision import _homes as _homes
from taeda.vision.transforms.convert import pil_to_tensor, to_pil_image
from taeda.vision.transforms.geometry import InterpolationMode
from taeda.vision.transforms.v2.functional import _boxes, _color, _formats, _geometry, _misc, _sizes, _warps
from taeda.vision.transforms.v2.functional._color import *  # noqa: F403
from taeda.vision.transforms.v2.functional._dispatch import is_pure_tensor, register_kernel
from taeda.vision.transforms.v2.functional._formats import *  # noqa: F403
from taeda.vision.transforms.v2.functional._geometry import *  # noqa: F403
from taeda.vision.transforms.v2.functional._misc import *  # noqa: F403
from taeda.vision.transforms.v2.functional._sizes import *  # noqa: F403
from taeda.vision.transforms.v2.functional._warps import *  # noqa: F403

_KINDS = ("_image", "_video", "_mask", "_bounding_boxes", "_keypoints")
_ROOMS = (_boxes, _color, _formats, _geometry, _misc, _sizes, _warps)
_KERNEL_NAMES = sorted(
    name for room in _ROOMS for name in vars(room) if name.endswith(_KINDS) and not name.startswith(("_", "is_", "sanitize", "to_pil"))
)
globals().update({name: vars(room)[name] for room in _ROOMS for name in _KERNEL_NAMES if name in vars(room)})

__all__ = [
    "InterpolationMode",
    "is_pure_tensor",
    "pil_to_tensor",
    "register_kernel",
    "to_pil_image",
    *_color.__all__,
    *_formats.__all__,
    *_geometry.__all__,
    *_misc.__all__,
    *_sizes.__all__,
    *_warps.__all__,
    *_KERNEL_NAMES,
]


def __getattr__(name: str) -> Any:  # tells type checkers of the kernels, which are put here by name
    raise AttributeError(f"module 'taeda.vision.transforms.v2.functional' has no attribute {name!r}")


_homes.share(
    __name__,
    {
        "_deprecated": "get_image_size to_tensor",
        "_meta": "clamp_bounding_boxes convert_bounding_box_format get_dimensions get_num_channels get_num_frames get_size",
        "_temporal": "uniform_temporal_subsample uniform_temporal_subsample_video",
    },
)
