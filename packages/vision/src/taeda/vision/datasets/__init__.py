"""Image datasets: one that comes along, those that are downloaded, and folders of one's own."""

from taeda.vision.datasets.cifar import CIFAR10, CIFAR100
from taeda.vision.datasets.digits import Digits
from taeda.vision.datasets.fakedata import FakeData
from taeda.vision.datasets.folder import DatasetFolder, ImageFolder
from taeda.vision.datasets.mnist import KMNIST, MNIST, FashionMNIST
from taeda.vision.datasets.vision import StandardTransform, VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "KMNIST",
    "MNIST",
    "DatasetFolder",
    "Digits",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "StandardTransform",
    "VisionDataset",
]
