"""Three-dimensional convolution and max pooling, made of the two-dimensional ones.

A volume is a stack of images.  A convolution is a sum, over the kernel's planes, of 2-d convolutions of the images that
the plane meets, all batched together; max pooling takes the maxima of the images' windows, and then those along the
depth.  Derivatives come from the parts.
"""

from __future__ import annotations

from taeda.ops.conv import conv2d, conv_transpose2d
from taeda.ops.padding import pad as pad_with
from taeda.ops.pooling import max_pool2d
from taeda.tensor_base import TensorBase

__all__ = ["conv3d", "conv_transpose3d", "max_pool3d"]
PUBLIC = ("conv3d", "conv_transpose3d", "max_pool3d")


def _triple(op, name, value):
    if hasattr(value, "__index__"):
        return (value.__index__(),) * 3
    values = tuple(value)
    if len(values) == 1:
        return values * 3
    if len(values) != 3:
        raise RuntimeError(f"[{op}] {name} must be an int or three ints, got {value}")
    return values


def _operands(op, x, weight, bias, stride, dilation, groups):
    """Check what both convolutions ask for; return the batched input and whether a batch was added."""
    for name, t in (("input", x), ("weight", weight), *((("bias", bias),) if bias is not None else ())):
        if not isinstance(t, TensorBase):
            raise TypeError(f"[{op}] argument '{name}' must be Tensor, not {type(t).__name__}")
    if x.ndim not in (4, 5):
        raise RuntimeError(f"[{op}] Expected 4D (unbatched) or 5D (batched) input to {op}, but got input of shape {tuple(x.shape)}")
    if weight.ndim != 5:
        raise RuntimeError(f"[{op}] Expected 5D weight, but got weight of shape {tuple(weight.shape)}")
    if min(stride) <= 0 or min(dilation) <= 0 or groups <= 0:
        raise RuntimeError(f"[{op}] stride, dilation and groups must be positive, got {stride}, {dilation} and {groups}")
    return (x.unsqueeze(0), True) if x.ndim == 4 else (x, False)


def _images(x):
    """(N, C, D, H, W) as (N D, C, H, W)."""
    n, c, d, h, w = x.shape
    return x.transpose(1, 2).reshape(n * d, c, h, w)


def _volumes(images, n, depth):
    """(N D, C, H, W) as (N, C, D, H, W)."""
    return images.reshape(n, depth, *images.shape[1:]).transpose(1, 2)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolve volumes: y[n, o, i] = bias[o] + sum_{c, k} input[n, c, i stride + k dilation - padding] weight[o, c, k].

    Here i and k count along depth, height and width.  ``input`` is (N, C, D, H, W) or (C, D, H, W), ``weight``
    (O, C / groups, KD, KH, KW), ``bias`` (O).  ``padding`` is a number, three of them, 'valid' or 'same'.
    RuntimeError where they do not fit.

    >>> import taeda
    >>> taeda.conv3d(taeda.ones(1, 1, 2, 2, 2), taeda.ones(1, 1, 2, 2, 2)).item()
    8.0
    """
    stride, dilation = _triple("conv3d", "stride", stride), _triple("conv3d", "dilation", dilation)
    x, added = _operands("conv3d", input, weight, bias, stride, dilation, groups)
    kernel = tuple(weight.shape[2:])
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"[conv3d] Invalid padding string: '{padding}'; use 'same', 'valid' or a number")
        if padding == "same" and stride != (1, 1, 1):
            raise RuntimeError(f"[conv3d] padding='same' is not supported for strided convolutions; got stride={stride}")
        total = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)]
        x = pad_with(x, [p for t in reversed(total) for p in (t // 2, t - t // 2)])
    else:
        padding = _triple("conv3d", "padding", padding)
        if min(padding) < 0:
            raise RuntimeError(f"[conv3d] negative padding is not supported, got {padding}")
        x = pad_with(x, [0, 0, 0, 0, padding[0], padding[0]])
    flat = (0, 0) if isinstance(padding, str) else padding[1:]
    depth = x.shape[2] - dilation[0] * (kernel[0] - 1)
    if depth < 1 or kernel[0] < 1:
        raise RuntimeError(f"[conv3d] Kernel size can't be greater than actual input size: depth {x.shape[2]} with padding, kernel "
                           f"size {kernel}, dilation {dilation}, for input {tuple(input.shape)} and weight {tuple(weight.shape)}")
    y = None
    for k in range(kernel[0]):
        planes = x.narrow(2, k * dilation[0], depth)[:, :, ::stride[0]]
        part = conv2d(_images(planes), weight.select(2, k), bias if k == 0 else None, stride[1:], flat, dilation[1:], groups)
        y = part if y is None else y + part
    y = _volumes(y, x.shape[0], (depth - 1) // stride[0] + 1).contiguous()
    return y.squeeze(0) if added else y


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Apply the transpose of :func:`conv3d`: each input voxel adds a scaled copy of the kernel to the result.

    ``input`` is (N, C, D, H, W) or (C, D, H, W), ``weight`` (C, O / groups, KD, KH, KW), ``bias`` (O); each side of the
    result has (size - 1) stride - 2 padding + dilation (K - 1) + output_padding + 1 places.

    >>> import taeda
    >>> taeda.conv_transpose3d(taeda.ones(1, 1, 1, 1, 1), taeda.ones(1, 1, 2, 1, 1)).flatten()
    tensor([1., 1.])
    """
    op = "conv_transpose3d"
    stride, dilation, padding = _triple(op, "stride", stride), _triple(op, "dilation", dilation), _triple(op, "padding", padding)
    more = _triple(op, "output_padding", output_padding)
    x, added = _operands(op, input, weight, bias, stride, dilation, groups)
    if min(padding) < 0:
        raise RuntimeError(f"[{op}] negative padding is not supported, got {padding}")
    if more[0] >= stride[0] and more[0] >= dilation[0]:
        raise RuntimeError(f"[{op}] output padding must be smaller than either stride or dilation, but got "
                           f"output_padding={more}, stride={stride}, dilation={dilation}")
    n, depth, reach = x.shape[0], x.shape[2], weight.shape[2]
    whole = (depth - 1) * stride[0] + dilation[0] * (reach - 1) + 1 + more[0]
    size = whole - 2 * padding[0]
    if size <= 0 or depth == 0:
        raise RuntimeError(f"[{op}] Output size is too small: depth would have size {size} for input {tuple(input.shape)}, weight "
                           f"{tuple(weight.shape)}, stride={stride}, padding={padding}, output_padding={more}")
    images = _images(x)
    y = None
    for k in range(reach):
        part = conv_transpose2d(images, weight.select(2, k), None, stride[1:], padding[1:], more[1:], groups, dilation[1:])
        part = _volumes(part, n, depth)
        y = part.new_zeros([*part.shape[:2], whole, *part.shape[3:]]) if y is None else y
        y = y.slice_add(part, 2, k * dilation[0], depth, stride[0])
    y = y.narrow(2, padding[0], size)  # type: ignore[union-attr]
    y = (y if bias is None else y + bias.reshape(-1, 1, 1, 1)).contiguous()
    return y.squeeze(0) if added else y


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Return the largest value of each window over the last three dimensions of (N, C, D, H, W) or (C, D, H, W).

    Sizes are ints or triples (depth, height, width); otherwise as :func:`taeda.max_pool1d`.  Positions are
    (d H + h) W + w, the first of equal ones.

    >>> import taeda
    >>> taeda.max_pool3d(taeda.arange(8.).reshape(1, 2, 2, 2), 2)
    tensor([[[[7.]]]])
    """
    op = "max_pool3d"
    if not isinstance(input, TensorBase):
        raise TypeError(f"[{op}] argument 'input' must be Tensor, not {type(input).__name__}")
    if input.ndim not in (4, 5):
        raise RuntimeError(f"[{op}] Expected 4D or 5D (batch mode) tensor with optional 0 dim batch size for input, but got shape "
                           f"{tuple(input.shape)}")
    kernel, dilation = _triple(op, "kernel_size", kernel_size), _triple(op, "dilation", dilation)
    padding = _triple(op, "padding", padding)
    stride = kernel if stride is None or stride == [] or stride == () else _triple(op, "stride", stride)
    if min(kernel) <= 0 or min(stride) <= 0 or min(dilation) <= 0:
        raise RuntimeError(f"[{op}] kernel_size, stride and dilation must be greater than zero, but got {kernel}, {stride} and "
                           f"{dilation}")
    if any(p < 0 or p > k // 2 for p, k in zip(padding, kernel, strict=True)):
        raise RuntimeError(f"[{op}] padding should be non-negative and at most half of kernel size, but got padding={padding}, "
                           f"kernel_size={kernel}")
    x = input.unsqueeze(0) if input.ndim == 4 else input
    n, c, d, h, w = x.shape
    planes, at = max_pool2d(x.reshape(n * c, d, h, w), kernel[1:], stride[1:], padding[1:], dilation[1:], ceil_mode, True)
    oh, ow = planes.shape[2:]
    # along the depth: one column for each pixel, and the winner's place inside its own image beside it
    columns = planes.reshape(n * c, 1, d, oh * ow)
    best, which = max_pool2d(columns, (kernel[0], 1), (stride[0], 1), (padding[0], 0), (dilation[0], 1), ceil_mode, True)
    depth = which.div(max(oh * ow, 1), rounding_mode="floor")
    place = depth * (h * w) + at.reshape(n * c, 1, d, oh * ow).gather(2, depth)
    shape = [*input.shape[:-3], best.shape[2], oh, ow]
    return (best.reshape(shape), place.reshape(shape)) if return_indices else best.reshape(shape)
