"""Image datasets: one that comes along, those that are downloaded, and folders of one's own."""

from taeda.vision.datasets._wrapper import wrap_dataset_for_transforms_v2
from taeda.vision.datasets.celeba import CelebA
from taeda.vision.datasets.cifar import CIFAR10, CIFAR100
from taeda.vision.datasets.coco import CocoCaptions, CocoDetection
from taeda.vision.datasets.digits import Digits
from taeda.vision.datasets.fakedata import FakeData
from taeda.vision.datasets.folder import DatasetFolder, ImageFolder
from taeda.vision.datasets.imagenet import ImageNet
from taeda.vision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from taeda.vision.datasets.oxford_iiit_pet import OxfordIIITPet
from taeda.vision.datasets.photographs import Caltech101, Caltech256, Flowers102
from taeda.vision.datasets.places365 import Places365
from taeda.vision.datasets.small_images import STL10, SVHN, USPS
from taeda.vision.datasets.vision import StandardTransform, VisionDataset
from taeda.vision.datasets.voc import VOCDetection, VOCSegmentation

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "EMNIST",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "STL10",
    "SVHN",
    "USPS",
    "Caltech101",
    "Caltech256",
    "CelebA",
    "CocoCaptions",
    "CocoDetection",
    "DatasetFolder",
    "Digits",
    "FakeData",
    "FashionMNIST",
    "Flowers102",
    "ImageFolder",
    "ImageNet",
    "OxfordIIITPet",
    "Places365",
    "StandardTransform",
    "VOCDetection",
    "VOCSegmentation",
    "VisionDataset",
    "wrap_dataset_for_transforms_v2",
]
