"""Names of trained weights, for programs that mention them.

taeda ships none and downloads none: a builder that is given such a member raises, and says how a checkpoint is loaded. What the members
can do without the numbers, they do: their `transforms` prepare images as the weights expect.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from taeda.vision.models.registry import BUILDERS, unknown
from taeda.vision.transforms._presets import ImageClassification, ObjectDetection, OpticalFlow, SemanticSegmentation, VideoClassification
from taeda.vision.transforms.geometry import InterpolationMode

__all__ = ["Weights", "WeightsEnum", "get_model_weights", "get_weight"]


@dataclass(eq=False)
class Weights:
    """What is known of trained weights: no address, the preparation of images, and facts.

    >>> import taeda
    >>> from taeda.vision.models import Weights
    >>> mine = Weights(url="", transforms=lambda: taeda.nn.Identity(), meta={"classes": ["cat", "dog"]})
    >>> mine.meta["classes"]
    ['cat', 'dog']
    """

    url: str = ""
    transforms: Any = None
    meta: dict[str, Any] = field(default_factory=dict)


class WeightsEnum(Enum):
    """Base of the enums of weights: their members are names, each with the preparation of images that its weights expect.

    Raises:
        ValueError: of `get_state_dict`, since no weights come with taeda.

    >>> import taeda
    >>> from taeda.vision.models import ResNet50_Weights
    >>> prepare = ResNet50_Weights.DEFAULT.transforms()
    >>> prepare(taeda.zeros(3, 300, 400, dtype=taeda.uint8)).shape
    taeda.Size([3, 224, 224])
    """

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """Return a member for a member or its name."""
        if isinstance(obj, str):
            return cls[obj.replace(cls.__name__ + ".", "")]
        if obj is not None and not isinstance(obj, cls):
            raise TypeError(f"[{cls.__name__}] Invalid Weight class provided; expected {cls.__name__} but received {type(obj).__name__}.")
        return obj

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"

    def get_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: there are no numbers."""
        raise ValueError(f"[{self}] taeda ships no trained weights; load a checkpoint by taeda.load(path): the keys are torchvision's")

    @property
    def transforms(self) -> Any:
        """Return what makes the preparation of images."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """Return facts."""
        return self.value.meta

    @property
    def url(self) -> str:
        """Return no address."""
        return self.value.url


def _enum(name: str, members: dict[str, Weights], default: Weights) -> Any:
    """Return the enum of a model's weights, `name` being torchvision's for them."""
    make: Any = WeightsEnum
    enum = make(name + "_Weights", {**members, "DEFAULT": default}, module=__name__)
    enum.__doc__ = f"""Names of torchvision's weights of {name}: {", ".join(members)}. None come with taeda; see `WeightsEnum`.

    >>> from taeda.vision.models import get_model_weights
    >>> get_model_weights("{name.lower()}").DEFAULT
    {enum.DEFAULT!r}
    """
    return enum


def _weights(name: str, versions: str) -> Any:
    """Return the enum of a classifier's weights from its line in `_KNOWN`."""
    members = {}
    for version in versions.split(", "):
        tag, crop, resize, *mode = version.split()
        how = InterpolationMode((mode or ["bilinear"])[0])
        options: dict[str, Any] = {"crop_size": int(crop), "resize_size": int(resize), "interpolation": how}
        members[f"IMAGENET1K_{tag}"] = Weights("", partial(ImageClassification, **options), {"version": tag})
    return _enum(name, members, members.get("IMAGENET1K_V2") or next(iter(members.values())))


# For each version its name, the size of the cut, the size of the shorter edge before, and how to interpolate.
_KNOWN = {
    "AlexNet": "V1 224 256",
    "ConvNeXt_Base": "V1 224 232",
    "ConvNeXt_Large": "V1 224 232",
    "ConvNeXt_Small": "V1 224 230",
    "ConvNeXt_Tiny": "V1 224 236",
    "DenseNet121": "V1 224 256",
    "DenseNet161": "V1 224 256",
    "DenseNet169": "V1 224 256",
    "DenseNet201": "V1 224 256",
    "EfficientNet_B0": "V1 224 256 bicubic",
    "EfficientNet_B1": "V1 240 256 bicubic, V2 240 255",
    "EfficientNet_B2": "V1 288 288 bicubic",
    "EfficientNet_B3": "V1 300 320 bicubic",
    "EfficientNet_B4": "V1 380 384 bicubic",
    "EfficientNet_B5": "V1 456 456 bicubic",
    "EfficientNet_B6": "V1 528 528 bicubic",
    "EfficientNet_B7": "V1 600 600 bicubic",
    "EfficientNet_V2_L": "V1 480 480 bicubic",
    "EfficientNet_V2_M": "V1 480 480",
    "EfficientNet_V2_S": "V1 384 384",
    "GoogLeNet": "V1 224 256",
    "Inception_V3": "V1 299 342",
    "MNASNet0_5": "V1 224 256",
    "MNASNet0_75": "V1 224 232",
    "MNASNet1_0": "V1 224 256",
    "MNASNet1_3": "V1 224 232",
    "MaxVit_T": "V1 224 224 bicubic",
    "MobileNet_V2": "V1 224 256, V2 224 232",
    "MobileNet_V3_Large": "V1 224 256, V2 224 232",
    "MobileNet_V3_Small": "V1 224 256",
    "RegNet_X_16GF": "V1 224 256, V2 224 232",
    "RegNet_X_1_6GF": "V1 224 256, V2 224 232",
    "RegNet_X_32GF": "V1 224 256, V2 224 232",
    "RegNet_X_3_2GF": "V1 224 256, V2 224 232",
    "RegNet_X_400MF": "V1 224 256, V2 224 232",
    "RegNet_X_800MF": "V1 224 256, V2 224 232",
    "RegNet_X_8GF": "V1 224 256, V2 224 232",
    "RegNet_Y_1_6GF": "V1 224 256, V2 224 232",
    "RegNet_Y_3_2GF": "V1 224 256, V2 224 232",
    "RegNet_Y_400MF": "V1 224 256, V2 224 232",
    "RegNet_Y_800MF": "V1 224 256, V2 224 232",
    "RegNet_Y_8GF": "V1 224 256, V2 224 232",
    "RegNet_Y_128GF": "SWAG_E2E_V1 384 384 bicubic, SWAG_LINEAR_V1 224 224 bicubic",
    "RegNet_Y_16GF": "V1 224 256, V2 224 232, SWAG_E2E_V1 384 384 bicubic, SWAG_LINEAR_V1 224 224 bicubic",
    "RegNet_Y_32GF": "V1 224 256, V2 224 232, SWAG_E2E_V1 384 384 bicubic, SWAG_LINEAR_V1 224 224 bicubic",
    "ResNeXt101_32X8D": "V1 224 256, V2 224 232",
    "ResNeXt101_64X4D": "V1 224 232",
    "ResNeXt50_32X4D": "V1 224 256, V2 224 232",
    "ResNet101": "V1 224 256, V2 224 232",
    "ResNet152": "V1 224 256, V2 224 232",
    "ResNet18": "V1 224 256",
    "ResNet34": "V1 224 256",
    "ResNet50": "V1 224 256, V2 224 232",
    "ShuffleNet_V2_X0_5": "V1 224 256",
    "ShuffleNet_V2_X1_0": "V1 224 256",
    "ShuffleNet_V2_X1_5": "V1 224 232",
    "ShuffleNet_V2_X2_0": "V1 224 232",
    "SqueezeNet1_0": "V1 224 256",
    "SqueezeNet1_1": "V1 224 256",
    "Swin_T": "V1 224 232 bicubic",
    "Swin_S": "V1 224 246 bicubic",
    "Swin_B": "V1 224 238 bicubic",
    "Swin_V2_T": "V1 256 260 bicubic",
    "Swin_V2_S": "V1 256 260 bicubic",
    "Swin_V2_B": "V1 256 272 bicubic",
    "VGG11": "V1 224 256",
    "VGG11_BN": "V1 224 256",
    "VGG13": "V1 224 256",
    "VGG13_BN": "V1 224 256",
    "VGG16": "V1 224 256, FEATURES 224 256",
    "VGG16_BN": "V1 224 256",
    "VGG19": "V1 224 256",
    "VGG19_BN": "V1 224 256",
    "ViT_B_16": "V1 224 256, SWAG_E2E_V1 384 384 bicubic, SWAG_LINEAR_V1 224 224 bicubic",
    "ViT_B_32": "V1 224 256",
    "ViT_H_14": "SWAG_E2E_V1 518 518 bicubic, SWAG_LINEAR_V1 224 224 bicubic",
    "ViT_L_16": "V1 224 242, SWAG_E2E_V1 512 512 bicubic, SWAG_LINEAR_V1 224 224 bicubic",
    "ViT_L_32": "V1 224 256",
    "Wide_ResNet101_2": "V1 224 256, V2 224 232",
    "Wide_ResNet50_2": "V1 224 256, V2 224 232",
}

# Of detectors and models of segmentation: their members.
_DETECTION = {
    "FCOS_ResNet50_FPN": "COCO_V1",
    "FasterRCNN_MobileNet_V3_Large_320_FPN": "COCO_V1",
    "FasterRCNN_MobileNet_V3_Large_FPN": "COCO_V1",
    "FasterRCNN_ResNet50_FPN": "COCO_V1",
    "FasterRCNN_ResNet50_FPN_V2": "COCO_V1",
    "KeypointRCNN_ResNet50_FPN": "COCO_LEGACY, COCO_V1",
    "MaskRCNN_ResNet50_FPN": "COCO_V1",
    "MaskRCNN_ResNet50_FPN_V2": "COCO_V1",
    "RetinaNet_ResNet50_FPN": "COCO_V1",
    "RetinaNet_ResNet50_FPN_V2": "COCO_V1",
    "SSD300_VGG16": "COCO_V1",
    "SSDLite320_MobileNet_V3_Large": "COCO_V1",
}
_SEGMENTATION = (
    "DeepLabV3_MobileNet_V3_Large",
    "DeepLabV3_ResNet101",
    "DeepLabV3_ResNet50",
    "FCN_ResNet101",
    "FCN_ResNet50",
    "LRASPP_MobileNet_V3_Large",
)

# Of models of videos: their members, and how videos are prepared.
_SMALL = partial(VideoClassification, crop_size=(112, 112), resize_size=(128, 171))
_LARGE = partial(VideoClassification, crop_size=(224, 224))
_SWIN = partial(_LARGE, resize_size=(256,), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_MVIT = partial(_LARGE, resize_size=(256,), mean=(0.45, 0.45, 0.45), std=(0.225, 0.225, 0.225))
_VIDEO = {
    "MC3_18": ("KINETICS400_V1", _SMALL),
    "MViT_V1_B": ("KINETICS400_V1", _MVIT),
    "MViT_V2_S": ("KINETICS400_V1", _MVIT),
    "R2Plus1D_18": ("KINETICS400_V1", _SMALL),
    "R3D_18": ("KINETICS400_V1", _SMALL),
    "S3D": ("KINETICS400_V1", partial(_LARGE, resize_size=(256, 256))),
    "Swin3D_B": ("KINETICS400_V1, KINETICS400_IMAGENET22K_V1", _SWIN),
    "Swin3D_S": ("KINETICS400_V1", _SWIN),
    "Swin3D_T": ("KINETICS400_V1", _SWIN),
}

# Of models of motion: their members, and which is the default.
_FLOW = {
    "Raft_Large": ("C_T_V1, C_T_V2, C_T_SKHT_V1, C_T_SKHT_V2, C_T_SKHT_K_V1, C_T_SKHT_K_V2", 3),
    "Raft_Small": ("C_T_V1, C_T_V2", 1),
}


def _others(name: str, members: str, transforms: Any, default: int = -1) -> Any:
    """Return the enum of other models' weights; `default` is the place of the member that DEFAULT means."""
    made = {member: Weights("", transforms, {"version": member}) for member in members.split(", ")}
    return _enum(name, made, list(made.values())[default])


_ENUMS: dict[str, Any] = {name: _weights(name, how) for name, how in _KNOWN.items()}
_ENUMS.update({name: _others(name, members, ObjectDetection) for name, members in _DETECTION.items()})
_ENUMS.update({name: _others(name, "COCO_WITH_VOC_LABELS_V1", partial(SemanticSegmentation, resize_size=520)) for name in _SEGMENTATION})
_ENUMS.update({name: _others(name, members, how, default=0) for name, (members, how) in _VIDEO.items()})
_ENUMS.update({name: _others(name, members, OpticalFlow, default) for name, (members, default) in _FLOW.items()})
_BY_MODEL = {name.lower(): enum for name, enum in _ENUMS.items()}
globals().update({name + "_Weights": enum for name, enum in _ENUMS.items()})
__all__ += [name + "_Weights" for name in _KNOWN]


def share() -> None:
    """Let the modules of the builders have the enums of their weights, as in ``taeda.vision.models.resnet``."""
    for name, builder in BUILDERS.items():
        enum = _of_model(name)
        if enum is not None:
            for room in (builder.__module__, builder.__module__.rpartition(".")[0]):
                module = sys.modules[room]
                setattr(module, enum.__name__, enum)
                if enum.__name__ not in module.__all__:
                    module.__all__.append(enum.__name__)


def _of_model(name: str) -> Any:
    """Return the enum of a model's weights, or None: its name without case is the model's."""
    return _BY_MODEL.get(name.lower())


def get_model_weights(name: Any) -> Any:
    """Return the enum of weights of a model, by the model's name or builder.

    >>> from taeda.vision.models import get_model_weights
    >>> get_model_weights("resnet18").__name__
    'ResNet18_Weights'
    """
    name = name if isinstance(name, str) else name.__name__
    enum = _of_model(name)
    if enum is None:
        raise ValueError(unknown("get_model_weights", name))
    return enum


def get_weight(name: str) -> Any:
    """Return a member by its full name, as ``"ResNet18_Weights.DEFAULT"``.

    Raises:
        ValueError: there is none.

    >>> from taeda.vision.models import get_weight
    >>> get_weight("ResNet18_Weights.DEFAULT")
    ResNet18_Weights.IMAGENET1K_V1
    """
    kind, _, member = name.partition(".")
    enum = _ENUMS.get(kind.removesuffix("_Weights"))
    if enum is None or member not in enum.__members__:
        raise ValueError(f"[get_weight] Invalid weight name {name!r}; it should be as 'ResNet18_Weights.DEFAULT'")
    return enum[member]
