"""Pictures of tensors: grids, boxes, predictions and curves, saved as image files."""

from taeda.vision.utils.draw import draw_bounding_boxes, draw_curves, draw_predictions
from taeda.vision.utils.grid import make_grid, save_image

__all__ = ["draw_bounding_boxes", "draw_curves", "draw_predictions", "make_grid", "save_image"]
