"""Models by name: ``get_model("resnet18", num_classes=10)``, or by their functions."""

import sys

from taeda.vision.models import detection, mobilenet, optical_flow, segmentation, video, weights as _weights
from taeda.vision.models.alexnet import *  # noqa: F403
from taeda.vision.models.convnext import *  # noqa: F403
from taeda.vision.models.densenet import *  # noqa: F403
from taeda.vision.models.efficientnet import *  # noqa: F403
from taeda.vision.models.googlenet import *  # noqa: F403
from taeda.vision.models.inception import *  # noqa: F403
from taeda.vision.models.maxvit import *  # noqa: F403
from taeda.vision.models.mnasnet import *  # noqa: F403
from taeda.vision.models.mobilenetv2 import *  # noqa: F403
from taeda.vision.models.mobilenetv3 import *  # noqa: F403
from taeda.vision.models.registry import get_model, get_model_builder, list_models, register_model
from taeda.vision.models.regnet import *  # noqa: F403
from taeda.vision.models.resnet import *  # noqa: F403
from taeda.vision.models.shufflenetv2 import *  # noqa: F403
from taeda.vision.models.small import LeNet, SmallCNN, lenet, small_cnn
from taeda.vision.models.squeezenet import *  # noqa: F403
from taeda.vision.models.swin_transformer import *  # noqa: F403
from taeda.vision.models.vgg import *  # noqa: F403
from taeda.vision.models.vision_transformer import *  # noqa: F403
from taeda.vision.models.weights import *  # noqa: F403

_ROOMS = (
    "alexnet",
    "convnext",
    "densenet",
    "efficientnet",
    "googlenet",
    "inception",
    "maxvit",
    "mnasnet",
    "mobilenetv2",
    "mobilenetv3",
    "regnet",
    "resnet",
    "shufflenetv2",
    "squeezenet",
    "swin_transformer",
    "vgg",
    "vision_transformer",
    "weights",
)

__all__ = [
    "LeNet",
    "SmallCNN",
    "detection",
    "get_model",
    "get_model_builder",
    "lenet",
    "list_models",
    "mobilenet",
    "optical_flow",
    "register_model",
    "segmentation",
    "small_cnn",
    "video",
]
for _room in _ROOMS:        # a function may have taken its module's name here, so modules are asked for by their full names
    _module = sys.modules[f"{__name__}.{_room}"]
    __all__ += _module.__all__
    if globals()[_room] is _module and _room != "weights":
        __all__.append(_room)

_weights.share()
