"""Models by name: ``get_model("resnet18", num_classes=10)``, or by their functions."""

from taeda.vision.models.registry import get_model, get_model_builder, list_models, register_model
from taeda.vision.models.resnet import ResNet, resnet18, resnet34, resnet50
from taeda.vision.models.small import LeNet, SmallCNN, lenet, small_cnn

__all__ = [
    "LeNet",
    "ResNet",
    "SmallCNN",
    "get_model",
    "get_model_builder",
    "lenet",
    "list_models",
    "register_model",
    "resnet18",
    "resnet34",
    "resnet50",
    "small_cnn",
]
