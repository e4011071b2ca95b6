"""Faster R-CNN (Ren, He, Girshick, Sun, 2015), on feature pyramids (Lin et al., 2016)."""

from __future__ import annotations

from typing import Any

from taeda import Tensor, nn
from taeda.nn import functional as F
from taeda.vision.models._build import he, refuse_weights, start
from taeda.vision.models.detection._detector import COCO_CLASSES, IMAGE_MEAN, IMAGE_STD, checked, needs_out_channels
from taeda.vision.models.detection.anchor_utils import AnchorGenerator
from taeda.vision.models.detection.backbone_utils import _mobilenet_extractor, _resnet_fpn_extractor, _validate_trainable_layers
from taeda.vision.models.detection.generalized_rcnn import GeneralizedRCNN
from taeda.vision.models.detection.roi_heads import RoIHeads
from taeda.vision.models.detection.rpn import RegionProposalNetwork, RPNHead
from taeda.vision.models.detection.transform import GeneralizedRCNNTransform
from taeda.vision.models.mobilenetv3 import mobilenet_v3_large
from taeda.vision.models.registry import builder
from taeda.vision.models.resnet import resnet50
from taeda.vision.ops import MultiScaleRoIAlign
from taeda.vision.ops.misc import Conv2dNormActivation, Layer

__all__ = [
    "FastRCNNConvFCHead",
    "FastRCNNPredictor",
    "FasterRCNN",
    "TwoMLPHead",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_v2",
]


def default_anchors() -> AnchorGenerator:
    """Return the anchors of Faster R-CNN: a size for each of five levels, in three shapes."""
    sizes = ((32,), (64,), (128,), (256,), (512,))
    return AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))


class FasterRCNN(GeneralizedRCNN):
    """Propose regions, classify each and correct its box.

    Args:
        backbone: images to a map or a dict of maps, with an attribute `out_channels`.
        num_classes: classes with the background, which is 0; None where `box_predictor` is given.
        min_size, max_size, image_mean, image_std: of `GeneralizedRCNNTransform`, which further arguments go to as well.
        rpn_anchor_generator, rpn_head, rpn_...: of `RegionProposalNetwork`.
        box_roi_pool, box_head, box_predictor, box_..., bbox_reg_weights: of `RoIHeads`.

    Raises:
        ValueError: the backbone has no `out_channels`, or of the classes and their predictor both or none are given.
        TypeError: the anchors or the pooling are of another type.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.vision.models.detection import FasterRCNN
    >>> from taeda.vision.models.detection.faster_rcnn import AnchorGenerator, MultiScaleRoIAlign
    >>> body = nn.Conv2d(3, 4, 3, stride=16, padding=1)
    >>> body.out_channels
    4
    >>> anchors, pool = AnchorGenerator(((16, 32),), ((1.0,),)), MultiScaleRoIAlign(["0"], 2, 2)
    >>> model = FasterRCNN(body, 3, min_size=32, max_size=64, rpn_anchor_generator=anchors, box_roi_pool=pool).eval()
    >>> sorted(model([taeda.rand(3, 32, 40)])[0])
    ['boxes', 'labels', 'scores']
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        min_size: Any = 800,
        max_size: int = 1333,
        image_mean: list[float] | None = None,
        image_std: list[float] | None = None,
        rpn_anchor_generator: AnchorGenerator | None = None,
        rpn_head: nn.Module | None = None,
        rpn_pre_nms_top_n_train: int = 2000,
        rpn_pre_nms_top_n_test: int = 1000,
        rpn_post_nms_top_n_train: int = 2000,
        rpn_post_nms_top_n_test: int = 1000,
        rpn_nms_thresh: float = 0.7,
        rpn_fg_iou_thresh: float = 0.7,
        rpn_bg_iou_thresh: float = 0.3,
        rpn_batch_size_per_image: int = 256,
        rpn_positive_fraction: float = 0.5,
        rpn_score_thresh: float = 0.0,
        box_roi_pool: MultiScaleRoIAlign | None = None,
        box_head: nn.Module | None = None,
        box_predictor: nn.Module | None = None,
        box_score_thresh: float = 0.05,
        box_nms_thresh: float = 0.5,
        box_detections_per_img: int = 100,
        box_fg_iou_thresh: float = 0.5,
        box_bg_iou_thresh: float = 0.5,
        box_batch_size_per_image: int = 512,
        box_positive_fraction: float = 0.25,
        bbox_reg_weights: tuple[float, float, float, float] | None = None,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        needs_out_channels(backbone, name)
        checked(rpn_anchor_generator, AnchorGenerator, "rpn_anchor_generator", name)
        checked(box_roi_pool, MultiScaleRoIAlign, "box_roi_pool", name)
        if num_classes is not None and box_predictor is not None:
            raise ValueError(f"[{name}] num_classes should be None when box_predictor is specified, got {num_classes}")
        if num_classes is None and box_predictor is None:
            raise ValueError(f"[{name}] num_classes should not be None when box_predictor is not specified")
        channels = backbone.out_channels
        anchors = rpn_anchor_generator or default_anchors()
        rpn = RegionProposalNetwork(
            anchors,
            rpn_head or RPNHead(channels, anchors.num_anchors_per_location()[0]),
            rpn_fg_iou_thresh,
            rpn_bg_iou_thresh,
            rpn_batch_size_per_image,
            rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test},
            rpn_nms_thresh,
            score_thresh=rpn_score_thresh,
        )
        pool = box_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=7, sampling_ratio=2)
        roi_heads = RoIHeads(
            pool,
            box_head or TwoMLPHead(channels * pool.output_size[0] ** 2, 1024),
            box_predictor or FastRCNNPredictor(1024, num_classes),  # type: ignore[arg-type]
            box_fg_iou_thresh,
            box_bg_iou_thresh,
            box_batch_size_per_image,
            box_positive_fraction,
            bbox_reg_weights,
            box_score_thresh,
            box_nms_thresh,
            box_detections_per_img,
        )
        mean, std = image_mean or IMAGE_MEAN, image_std or IMAGE_STD
        super().__init__(backbone, rpn, roi_heads, GeneralizedRCNNTransform(min_size, max_size, mean, std, **kwargs))


class TwoMLPHead(nn.Module):
    """Two linear layers with ReLU: K x C x P x Q gives K x representation_size."""

    def __init__(self, in_channels: int, representation_size: int) -> None:
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(start_dim=1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """3x3 convolutions, then linear layers, with ReLU: K x C x P x Q gives K x fc_layers[-1]."""

    def __init__(
        self, input_size: tuple[int, int, int], conv_layers: list[int], fc_layers: list[int], norm_layer: Layer | None = None
    ) -> None:
        channels, height, width = input_size
        blocks: list[nn.Module] = []
        for out in conv_layers:
            blocks.append(Conv2dNormActivation(channels, out, norm_layer=norm_layer))
            channels = out
        blocks.append(nn.Flatten())
        channels *= height * width
        for out in fc_layers:
            blocks += [nn.Linear(channels, out), nn.ReLU(inplace=True)]
            channels = out
        super().__init__(*blocks)
        start(self, he)


class FastRCNNPredictor(nn.Module):
    """Logits K x classes and codes K x 4 classes of features K x C.

    Raises:
        AssertionError: features have more than one place.
    """

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.dim() == 4 and tuple(x.shape[2:]) != (1, 1):
            raise AssertionError(
                f"[FastRCNNPredictor] x has the wrong shape, expecting the last two dimensions to be [1,1] instead of {list(x.shape[2:])}"
            )
        x = x.flatten(start_dim=1)
        return self.cls_score(x), self.bbox_pred(x)


def resnet50_fpn(name: str, weights: Any, weights_backbone: Any, layers: int | None, v2: bool = False) -> Any:
    """Return a ResNet-50 with a pyramid, of which version 2 has batch normalisation too; refuse weights."""
    refuse_weights(name, weights)
    layers = _validate_trainable_layers(False, layers, 5, 3)
    return _resnet_fpn_extractor(resnet50(weights=weights_backbone), layers, norm_layer=nn.BatchNorm2d if v2 else None)


def second_version(backbone: Any) -> dict[str, Any]:
    """Return the anchors and heads of version 2 (Li et al., Benchmarking Detection Transfer Learning with Vision Transformers, 2021)."""
    anchors = default_anchors()
    return {
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(backbone.out_channels, anchors.num_anchors_per_location()[0], conv_depth=2),
        "box_head": FastRCNNConvFCHead((backbone.out_channels, 7, 7), [256] * 4, [1024], norm_layer=nn.BatchNorm2d),
    }


@builder
def fasterrcnn_resnet50_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Build Faster R-CNN on ResNet-50 with a pyramid: 41.8 million parameters, 91 classes by default.

    `trainable_backbone_layers` says how many of the backbone's stages learn, 0 to 5. Further arguments go to `FasterRCNN`. After a
    checkpoint of COCO is loaded, the last layers are exchanged for those of your own classes:

    >>> import taeda
    >>> from taeda.vision.models.detection import fasterrcnn_resnet50_fpn
    >>> from taeda.vision.models.detection.faster_rcnn import FastRCNNPredictor
    >>> with taeda.device("meta"):                 # sizes without memory
    ...     model = fasterrcnn_resnet50_fpn()
    ...     model.roi_heads.box_predictor = FastRCNNPredictor(1024, num_classes=3)
    >>> model.roi_heads.box_predictor.cls_score
    Linear(in_features=1024, out_features=3, bias=True)
    """
    backbone = resnet50_fpn("fasterrcnn_resnet50_fpn", weights, weights_backbone, trainable_backbone_layers)
    return FasterRCNN(backbone, COCO_CLASSES if num_classes is None else num_classes, **kwargs)


@builder
def fasterrcnn_resnet50_fpn_v2(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Build Faster R-CNN with normalisation in the pyramid and deeper heads: 43.7 million parameters; see `fasterrcnn_resnet50_fpn`."""
    backbone = resnet50_fpn("fasterrcnn_resnet50_fpn_v2", weights, weights_backbone, trainable_backbone_layers, v2=True)
    return FasterRCNN(backbone, COCO_CLASSES if num_classes is None else num_classes, **{**second_version(backbone), **kwargs})


def _mobilenet(
    name: str, weights: Any, num_classes: int | None, weights_backbone: Any, layers: int | None, options: dict[str, Any]
) -> FasterRCNN:
    refuse_weights(name, weights)
    layers = _validate_trainable_layers(False, layers, 6, 3)
    backbone = _mobilenet_extractor(mobilenet_v3_large(weights=weights_backbone, norm_layer=nn.BatchNorm2d), True, layers)
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, ((0.5, 1.0, 2.0),) * 3)
    return FasterRCNN(backbone, COCO_CLASSES if num_classes is None else num_classes, **{"rpn_anchor_generator": anchors, **options})


@builder
def fasterrcnn_mobilenet_v3_large_320_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Build Faster R-CNN on the large MobileNetV3 for images whose shorter side is made 320; see `fasterrcnn_resnet50_fpn`."""
    options = {
        "min_size": 320,
        "max_size": 640,
        "rpn_pre_nms_top_n_test": 150,
        "rpn_post_nms_top_n_test": 150,
        "rpn_score_thresh": 0.05,
        **kwargs,
    }
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    return _mobilenet(name, weights, num_classes, weights_backbone, trainable_backbone_layers, options)


@builder
def fasterrcnn_mobilenet_v3_large_fpn(
    *,
    weights: Any = None,
    progress: bool = True,
    num_classes: int | None = None,
    weights_backbone: Any = None,
    trainable_backbone_layers: int | None = None,
    **kwargs: Any,
) -> FasterRCNN:
    """Build Faster R-CNN on the large MobileNetV3: 19.4 million parameters; see `fasterrcnn_resnet50_fpn`."""
    options = {"rpn_score_thresh": 0.05, **kwargs}
    name = "fasterrcnn_mobilenet_v3_large_fpn"
    return _mobilenet(name, weights, num_classes, weights_backbone, trainable_backbone_layers, options)
