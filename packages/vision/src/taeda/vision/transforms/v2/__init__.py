"""Transforms of whole samples: images, videos, masks, boxes and points together, in any structure.

>>> import taeda
>>> from taeda.vision import tv_tensors
>>> from taeda.vision.transforms.v2 import Resize
>>> boxes = tv_tensors.BoundingBoxes([[0, 0, 2, 2]], format="XYXY", canvas_size=(4, 8))
>>> image, moved = Resize((8, 16))(tv_tensors.Image(taeda.zeros(3, 4, 8)), boxes)
>>> moved.tolist(), moved.canvas_size
([[0, 0, 4, 4]], (8, 16))
"""

from taeda.vision import _homes as _homes
from taeda.vision.transforms.geometry import InterpolationMode
from taeda.vision.transforms.policies import AutoAugmentPolicy
from taeda.vision.transforms.v2 import _augment, _auto_augment, _color, _container, _geometry, _misc, _transform, _warped, functional
from taeda.vision.transforms.v2._augment import *  # noqa: F403
from taeda.vision.transforms.v2._auto_augment import *  # noqa: F403
from taeda.vision.transforms.v2._color import *  # noqa: F403
from taeda.vision.transforms.v2._container import *  # noqa: F403
from taeda.vision.transforms.v2._geometry import *  # noqa: F403
from taeda.vision.transforms.v2._misc import *  # noqa: F403
from taeda.vision.transforms.v2._transform import *  # noqa: F403
from taeda.vision.transforms.v2._warped import *  # noqa: F403

__all__ = [
    "AutoAugmentPolicy",
    "InterpolationMode",
    "functional",
    *_augment.__all__,
    *_auto_augment.__all__,
    *_color.__all__,
    *_container.__all__,
    *_geometry.__all__,
    *_misc.__all__,
    *_transform.__all__,
    *_warped.__all__,
]

_homes.share(
    __name__,
    {
        "_deprecated": "ToTensor",
        "_geometry": "ElasticTransform RandomAffine RandomPerspective RandomRotation",
        "_meta": "ClampBoundingBoxes ClampKeyPoints ConvertBoundingBoxFormat SetClampingMode",
        "_temporal": "UniformTemporalSubsample",
    },
)
