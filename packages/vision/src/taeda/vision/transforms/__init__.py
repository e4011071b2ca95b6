"""Image transforms: `functional` holds the pure functions, the classes here hold their arguments."""

from taeda.vision import _homes as _homes
from taeda.vision.transforms import autoaugment, functional, transforms
from taeda.vision.transforms.autoaugment import AugMix, AutoAugment, AutoAugmentPolicy, RandAugment, TrivialAugmentWide
from taeda.vision.transforms.container import Compose, RandomApply, RandomChoice, RandomOrder
from taeda.vision.transforms.geometry import InterpolationMode
from taeda.vision.transforms.randomized import (
    ColorJitter,
    RandomAutocontrast,
    RandomCrop,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomInvert,
    RandomPosterize,
    RandomResizedCrop,
    RandomRotation,
    RandomSolarize,
    RandomVerticalFlip,
)
from taeda.vision.transforms.transforms import (
    CenterCrop,
    ConvertImageDtype,
    FiveCrop,
    Grayscale,
    Lambda,
    Normalize,
    Pad,
    PILToTensor,
    Resize,
    TenCrop,
    ToPILImage,
    ToTensor,
)
from taeda.vision.transforms.warped import (
    ElasticTransform,
    GaussianBlur,
    LinearTransformation,
    RandomAdjustSharpness,
    RandomAffine,
    RandomEqualize,
    RandomPerspective,
)

__all__ = [
    "AugMix",
    "AutoAugment",
    "AutoAugmentPolicy",
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "ElasticTransform",
    "FiveCrop",
    "GaussianBlur",
    "Grayscale",
    "InterpolationMode",
    "Lambda",
    "LinearTransformation",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandAugment",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomOrder",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToPILImage",
    "ToTensor",
    "TrivialAugmentWide",
    "autoaugment",
    "functional",
    "transforms",
]

_homes.share(__name__, {"transforms": " ".join(name for name in __all__ if isinstance(globals()[name], type))})
