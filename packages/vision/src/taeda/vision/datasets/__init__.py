"""Image datasets: one that is included, those that are downloaded, and your own folders."""

from taeda.vision import _homes as _homes
from taeda.vision.datasets._wrapper import wrap_dataset_for_transforms_v2
from taeda.vision.datasets.captions import SBU, Flickr8k, Flickr30k
from taeda.vision.datasets.categories import (
    DTD,
    GTSRB,
    SUN397,
    CLEVRClassification,
    Country211,
    EuroSAT,
    FGVCAircraft,
    Food101,
    Imagenette,
    RenderedSST2,
    StanfordCars,
)
from taeda.vision.datasets.celeba import CelebA
from taeda.vision.datasets.cifar import CIFAR10, CIFAR100
from taeda.vision.datasets.coco import CocoCaptions, CocoDetection
from taeda.vision.datasets.digits import Digits
from taeda.vision.datasets.fakedata import FakeData
from taeda.vision.datasets.folder import DatasetFolder, ImageFolder
from taeda.vision.datasets.imagenet import ImageNet
from taeda.vision.datasets.inaturalist import INaturalist
from taeda.vision.datasets.letters_and_faces import LFWPairs, LFWPeople, Omniglot
from taeda.vision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from taeda.vision.datasets.optical_flow import HD1K, FlyingChairs, FlyingThings3D, KittiFlow, Sintel
from taeda.vision.datasets.oxford_iiit_pet import OxfordIIITPet
from taeda.vision.datasets.patches import PCAM, PhotoTour
from taeda.vision.datasets.photographs import Caltech101, Caltech256, Flowers102
from taeda.vision.datasets.places365 import Places365
from taeda.vision.datasets.scenes import Cityscapes, Kitti, SBDataset, WIDERFace
from taeda.vision.datasets.small_images import FER2013, SEMEION, STL10, SVHN, USPS, MovingMNIST
from taeda.vision.datasets.stereo import (
    CarlaStereo,
    CREStereo,
    ETH3DStereo,
    FallingThingsStereo,
    InStereo2k,
    Kitti2012Stereo,
    Kitti2015Stereo,
    Middlebury2014Stereo,
    SceneFlowStereo,
    SintelStereo,
)
from taeda.vision.datasets.vision import StandardTransform, VisionDataset
from taeda.vision.datasets.voc import VOCDetection, VOCSegmentation

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DTD",
    "EMNIST",
    "FER2013",
    "GTSRB",
    "HD1K",
    "KMNIST",
    "MNIST",
    "PCAM",
    "QMNIST",
    "SBU",
    "SEMEION",
    "STL10",
    "SUN397",
    "SVHN",
    "USPS",
    "CLEVRClassification",
    "CREStereo",
    "Caltech101",
    "Caltech256",
    "CarlaStereo",
    "CelebA",
    "Cityscapes",
    "CocoCaptions",
    "CocoDetection",
    "Country211",
    "DatasetFolder",
    "Digits",
    "ETH3DStereo",
    "EuroSAT",
    "FGVCAircraft",
    "FakeData",
    "FallingThingsStereo",
    "FashionMNIST",
    "Flickr8k",
    "Flickr30k",
    "Flowers102",
    "FlyingChairs",
    "FlyingThings3D",
    "Food101",
    "INaturalist",
    "ImageFolder",
    "ImageNet",
    "Imagenette",
    "InStereo2k",
    "Kitti",
    "Kitti2012Stereo",
    "Kitti2015Stereo",
    "KittiFlow",
    "LFWPairs",
    "LFWPeople",
    "Middlebury2014Stereo",
    "MovingMNIST",
    "Omniglot",
    "OxfordIIITPet",
    "PhotoTour",
    "Places365",
    "RenderedSST2",
    "SBDataset",
    "SceneFlowStereo",
    "Sintel",
    "SintelStereo",
    "StandardTransform",
    "StanfordCars",
    "VOCDetection",
    "VOCSegmentation",
    "VisionDataset",
    "WIDERFace",
    "wrap_dataset_for_transforms_v2",
]

_homes.share(
    __name__,
    {
        "_optical_flow": "FlyingChairs FlyingThings3D HD1K KittiFlow Sintel",
        "_stereo_matching": "CREStereo CarlaStereo ETH3DStereo FallingThingsStereo InStereo2k Kitti2012Stereo Kitti2015Stereo "
        "Middlebury2014Stereo SceneFlowStereo SintelStereo",
        "caltech": "Caltech101 Caltech256",
        "cityscapes": "Cityscapes",
        "clevr": "CLEVRClassification",
        "country211": "Country211",
        "dtd": "DTD",
        "eurosat": "EuroSAT",
        "fer2013": "FER2013",
        "fgvc_aircraft": "FGVCAircraft",
        "flickr": "Flickr30k Flickr8k",
        "flowers102": "Flowers102",
        "food101": "Food101",
        "gtsrb": "GTSRB",
        "imagenette": "Imagenette",
        "kitti": "Kitti",
        "lfw": "LFWPairs LFWPeople",
        "moving_mnist": "MovingMNIST",
        "omniglot": "Omniglot",
        "pcam": "PCAM",
        "phototour": "PhotoTour",
        "rendered_sst2": "RenderedSST2",
        "sbd": "SBDataset",
        "sbu": "SBU",
        "semeion": "SEMEION",
        "stanford_cars": "StanfordCars",
        "stl10": "STL10",
        "sun397": "SUN397",
        "svhn": "SVHN",
        "usps": "USPS",
        "widerface": "WIDERFace",
    },
)
