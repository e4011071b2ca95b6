"""The registry and the names of weights, where torchvision has them."""

from taeda.vision.models.registry import get_model, get_model_builder, list_models, register_model
from taeda.vision.models.weights import Weights, WeightsEnum, get_model_weights, get_weight

__all__ = [
    "Weights",
    "WeightsEnum",
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
    "register_model",
]
