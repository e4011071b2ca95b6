# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The choice of the best among boxes that overlap; taeda.vision.ops has what else is done to boxes."""
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op, as_tensor, check_same_device, contiguous, define, empty_shape, launch, to_dtype
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport F32, F64, I64, Param, View
from taeda.tensor_base cimport TensorBase

__all__ = ["nms"]
PUBLIC = ()
METHODS = {}

cdef Op NMS = define("nms", NULL)


def nms(boxes, scores, iou_threshold):
    """Keep the best of boxes that overlap: greedily, from the highest score, drop what overlaps a kept box more than a threshold.

    Args:
        boxes: n x 4, as (x1, y1, x2, y2), floating-point.
        scores: n, of the same dtype.
        iou_threshold: a box is dropped where its intersection over union with a kept one is larger.

    Returns:
        The indices of the kept boxes, int64, highest score first; of equal scores the first comes first.

    Raises:
        RuntimeError: the shapes do not fit, or the dtypes differ.

    >>> import taeda
    >>> boxes = taeda.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10], [20, 20, 30, 30]])
    >>> taeda.ops.nms(boxes, taeda.tensor([0.5, 0.9, 0.7]), 0.5)
    tensor([1, 2])
    """
    cdef TensorBase b = as_tensor(boxes, "nms"), s = as_tensor(scores, "nms"), kept
    cdef View* v[2]
    cdef Param p[1]
    if b.view.ndim != 2 or b.view.shape[1] != 4:
        raise RuntimeError(f"[nms] boxes should be a 2d tensor with 4 columns, got shape {b.shape_tuple()}")
    if s.view.ndim != 1 or s.view.shape[0] != b.view.shape[0]:
        raise RuntimeError("[nms] boxes and scores should have same number of elements in dimension 0, got shapes "
                           f"{b.shape_tuple()} and {s.shape_tuple()}")
    if b.view.dtype != s.view.dtype:
        raise RuntimeError(f"[nms] dets should have the same type as scores, got {torch_name(b.view.dtype)} and {torch_name(s.view.dtype)}")
    check_same_device("nms", (b, s))
    order = (<object>s).detach().argsort(0, True, stable=True)
    b = (<object>b).detach().index_select(0, order)
    b = contiguous(b if b.view.dtype == F32 or b.view.dtype == F64 else to_dtype(b, F32))
    kept = empty_shape((b.view.shape[0] + 1,), I64, b.device)
    v[0], v[1] = &kept.view, &b.view
    p[0].f = iou_threshold
    launch(NMS, b.view.dtype, b.device, 1, 2, v, p, 64 * b.view.numel)
    return order.index_select(0, (<object>kept)[1:1 + <int64_t>(<object>kept)[0].item()])
