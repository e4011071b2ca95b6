"""Pictures of tensors: grids, boxes, predictions and curves, saved as image files."""

from taeda.vision.utils.draw import draw_curves, draw_predictions
from taeda.vision.utils.grid import make_grid, save_image
from taeda.vision.utils.overlay import (
    _generate_color_palette as _generate_color_palette,
    draw_bounding_boxes,
    draw_keypoints,
    draw_segmentation_masks,
    flow_to_image,
)

__all__ = [
    "draw_bounding_boxes",
    "draw_curves",
    "draw_keypoints",
    "draw_predictions",
    "draw_segmentation_masks",
    "flow_to_image",
    "make_grid",
    "save_image",
]
