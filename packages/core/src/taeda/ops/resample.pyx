# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Resizing of signals, images and volumes: nearest, linear and cubic interpolation, and area means.

The kernel resamples planes in two directions.  A signal is a plane of height one; a volume is resampled in
its last two dimensions, and then along the first with the other two laid side by side.
"""
from cpython.number cimport PyIndex_Check
from libc.stdint cimport int64_t

from taeda.autograd.node cimport Node
from taeda.dispatch cimport Op, any_needs_grad, as_tensor, contiguous, define, empty_shape, launch, record
from taeda.dtype cimport is_float, torch_name
from taeda.kernels.cpu.abi cimport BF16, F16, MAX_DIM, U8, U16, Param, View
from taeda.operands cimport real_number
from taeda.ops.arguments cimport whole_numbers
from taeda.ops.channels_last cimport channels_as_columns, channels_innermost, laid_channels_last, lies_channels_last, without_gaps
from taeda.tensor_base cimport TensorBase

import math

from taeda.autograd.node import named
from taeda.operands import as_index
from taeda.ops.pooling import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d

__all__ = ["interpolate"]
PUBLIC = ()
METHODS = {}

cdef dict KINDS = {"nearest": 0, "nearest-exact": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "bicubic": 3}
cdef dict WINDOWS = {"bilinear": 0, "bicubic": 1, "lanczos": 2}                  # kinds that windows take
MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"

cdef enum:
    FIELDS = 10
    LINEAR = 2               # of KINDS, the first that computes

cdef Op UPSAMPLE_COPY = define("upsample_copy", NULL)        # the nearest of halves, as their bits


cdef int fill(tuple extra, Param* p) except -1:
    """p: kind, align corners, H, W, OH, OW, scale factors, and for windows whether they grow as the plane shrinks."""
    whole_numbers(extra, 6, p)
    p[6].f, p[7].f, p[8].i = extra[6], extra[7], extra[8]
    return 0

cdef TensorBase planes(Op op, TensorBase x, tuple extra, tuple shape):
    """Every plane of H x W values of x as one of OH x OW, in a tensor of the shape given."""
    cdef TensorBase y = empty_shape(shape, x.view.dtype, x.device)
    cdef bint last = lies_channels_last(x)
    resample(op, y, x, extra, last)
    if last and takes_planes(op, x):
        y = laid_channels_last(y)
    record(op, y, (x,), None, (extra, x.shape_tuple(), op, last))
    return y


cdef bint takes_planes(Op op, TensorBase x) except -1:
    return op in WINDOW_KERNELS and x.view.dtype != U8


cdef int resample(Op op, TensorBase y, TensorBase x, tuple extra, bint last) except -1:
    """Run a kernel that takes planes, or images whose channels lie innermost, as fresh y will then; windows of numbers other than
    bytes take planes alone."""
    cdef View* t[2]
    cdef View columns[2]
    cdef int64_t room[4 * MAX_DIM]
    cdef Param p[FIELDS]
    cdef TensorBase dense
    fill(extra, p)
    p[9].i = 1
    if last and not takes_planes(op, x):
        dense = without_gaps(x) if lies_channels_last(x) else laid_channels_last(x)
        p[9].i = max(<int64_t>1, x.view.shape[1])
        columns[0] = channels_as_columns(&channels_innermost(y).view, room)
        columns[1] = channels_as_columns(&dense.view, room + 2 * MAX_DIM)
        t[0], t[1] = &columns[0], &columns[1]
    else:
        dense = contiguous(x)
        t[0], t[1] = &y.view, &dense.view
    if y.view.numel:
        if p[0].i < LINEAR and (x.view.dtype == F16 or x.view.dtype == BF16) and op is not UPSAMPLE_BACKWARD and op not in WINDOW_KERNELS:
            launch(UPSAMPLE_COPY, U16, x.device, 1, 2, t, p, max(x.view.numel, y.view.numel))
        else:
            launch(op, x.view.dtype, x.device, 1, 2, t, p, max(x.view.numel, y.view.numel))
    return 0

# upsample_backward: the transpose; its derivative is the resampling again
cdef object upsample_backward_vjp(Node n, object g):
    extra, shape, op, _ = n.extra
    return planes(<Op>op, <TensorBase>g, extra, shape)

cdef Op UPSAMPLE_BACKWARD = define("upsample_backward", upsample_backward_vjp)
cdef Op WINDOWS_BACKWARD = define("resample_windows_backward", upsample_backward_vjp)

cdef object upsample_vjp(Node n, object cotangent):
    cdef TensorBase g = <TensorBase>cotangent, gx
    cdef Op back
    extra, shape, op, last = n.extra
    back = WINDOWS_BACKWARD if extra[8] else UPSAMPLE_BACKWARD
    gx = empty_shape(shape, g.view.dtype, g.device)
    resample(back, gx, g, extra, last)
    if last and back in WINDOW_KERNELS:
        gx = laid_channels_last(gx)
    record(back, gx, (g,), None, (extra, g.shape_tuple(), op, last))
    return gx

# (mode, spatial dimensions) -> op
cdef dict OPS = {}
for _n in (1, 2, 3):
    OPS["nearest", _n] = define(f"upsample_nearest{_n}d", upsample_vjp, 0, 0, "upsample", f"UpsampleNearest{_n}DBackward0")
    OPS["nearest-exact", _n] = define(f"upsample_nearest_exact{_n}d", upsample_vjp, 0, 0, "upsample",
                                      f"UpsampleNearestExact{_n}DBackward0")
for _mode, _n in (("linear", 1), ("bilinear", 2), ("trilinear", 3), ("bicubic", 2)):
    OPS[_mode, _n] = define(f"upsample_{_mode}{_n}d", upsample_vjp, 0, 0, "upsample",
                            f"Upsample{_mode.capitalize()}{_n}DBackward0")

cdef dict WINDOW_OPS = {mode: define(f"upsample_{mode}2d_aa", upsample_vjp, 0, 0, "resample_windows",
                                     f"Upsample{mode.capitalize()}2DAaBackward0") for mode in WINDOWS}
cdef set WINDOW_KERNELS = {WINDOWS_BACKWARD, *WINDOW_OPS.values()}


cdef list per_dimension(str name, object value, int n, TensorBase x):
    """One number, or n of them, as a list."""
    if isinstance(value, (tuple, list)):
        if len(value) != n:
            raise ValueError(f"[interpolate] Input and {name} must have the same number of spatial dimensions, but got input "
                             f"with spatial dimensions of {list(x.shape_tuple()[2:])} and {name} of {tuple(value)}; input of shape "
                             f"{x.shape_tuple()} is (B, C, ...)" + (
                                 ": did you mean input.unsqueeze(0)?" if x.view.ndim == len(value) + 1 else ""))
        return list(value)
    return [value] * n


cdef list factors_of(object scale_factor, int n, TensorBase x):
    return [real_number("interpolate", "scale_factor", f) for f in per_dimension("scale_factor", scale_factor, n, x)]


cdef list output_size(TensorBase x, int n, object size, object scale_factor, bint area):
    cdef list out = [], factors
    cdef int d
    if size is not None:
        for s in per_dimension("output size", size, n, x):
            if isinstance(s, bool) or not PyIndex_Check(s):
                raise TypeError(f"[interpolate] expected size to be one of int or Tuple[int] or None, but got {size!r}")
            out.append(as_index("interpolate", s))
    else:
        factors = factors_of(scale_factor, n, x)
        for d in range(n):
            wanted = float(x.view.shape[d + 2] * factors[d])
            if not abs(wanted) < 9e18:
                raise RuntimeError(f"[interpolate] a size of {wanted} cannot be converted to an integer of 64 bits, by scale_factor "
                                   f"{scale_factor} of shape {x.shape_tuple()}")
            out.append(math.floor(wanted))
    for d in range(n):
        if out[d] < 0 or (out[d] == 0 and not area) or x.view.shape[d + 2] <= 0:
            raise RuntimeError(f"[interpolate] Input and output sizes should be greater than 0, but got input "
                               f"{list(x.shape_tuple()[2:])} output {out}")
    return out


cdef int check_mode(TensorBase x, object mode, bint align_given, bint antialias) except -1:
    cdef int n = x.view.ndim - 2
    if mode not in KINDS and mode != "area" and not (mode == "lanczos" and n == 2) or not 1 <= n <= 3:
        raise NotImplementedError(f"[interpolate] Input Error: Only 3D, 4D and 5D input Tensors supported (got {x.view.ndim}D) "
                                  f"for the modes: {MODES} (got {mode})")
    if mode in ("nearest", "nearest-exact", "area") and align_given:
        raise ValueError("[interpolate] align_corners option can only be set with the interpolating modes: "
                         "linear | bilinear | bicubic | trilinear | lanczos")
    if antialias and not (mode in WINDOWS and n == 2):
        raise ValueError("[interpolate] Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D "
                         f"tensor as input, got mode {mode} and shape {x.shape_tuple()}")
    if mode in KINDS and (mode, n) not in OPS:
        need = 3 if mode == "linear" else 5 if mode == "trilinear" else 4
        raise NotImplementedError(f"[interpolate] Got {x.view.ndim}D input, but {mode} mode needs {need}D input")
    return 0


cdef int check_lanczos(object align_corners, bint antialias) except -1:
    if align_corners:
        raise ValueError("[interpolate] Lanczos mode does not support align_corners=True")
    if not antialias:
        raise ValueError("[interpolate] Lanczos mode requires antialias=True")
    return 0


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False):
    """Resize the last dimensions of (N, C, W), (N, C, H, W) or (N, C, D, H, W).

    Output i is taken from input position (i + 1/2) / s - 1/2, or with ``align_corners`` from
    i (in - 1) / (out - 1); 'nearest' takes floor(i / s), 'nearest-exact' floor((i + 1/2) / s).

    Args:
        size: the new sizes, an int or one a dimension; or
        scale_factor: by how much to multiply them, a number or one a dimension.
        mode: 'nearest', 'nearest-exact', 'linear' (3-d input), 'bilinear' and 'bicubic' (4-d), 'trilinear'
            (5-d), 'area' (adaptive means), or with ``antialias`` 'lanczos' (4-d).
        align_corners: of the linear and cubic modes: let the corner elements stay where they are.
        recompute_scale_factor: take s = out / in from the rounded size in place of the factor itself.
        antialias: of 'bilinear' and 'bicubic': where an image shrinks, widen the kernel by as much, as Pillow does.

    Raises NotImplementedError for a mode that does not fit the input, ValueError for arguments that
    contradict each other. Source of the cubic kernel: Keys 1981, with a = -3/4 (-1/2 with ``antialias``).

    >>> import taeda
    >>> from taeda import ops
    >>> ops.interpolate(taeda.tensor([[[1., 2.]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    >>> ops.interpolate(taeda.tensor([[[1., 2.]]]), size=4, mode="linear")
    tensor([[[1.0000, 1.2500, 1.7500, 2.0000]]])
    """
    cdef TensorBase x = as_tensor(input, "interpolate"), y
    cdef int n = x.view.ndim - 2, kind, align
    cdef list out, factors
    cdef Op op
    check_mode(x, mode, align_corners is not None, antialias)
    if mode == "lanczos":
        check_lanczos(align_corners, antialias)
    if size is not None and scale_factor is not None:
        raise ValueError("[interpolate] only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("[interpolate] either size or scale_factor should be defined")
    if recompute_scale_factor and size is not None:
        raise ValueError("[interpolate] recompute_scale_factor is not meaningful with an explicit size.")
    out = output_size(x, n, size, scale_factor, mode == "area")
    factors = [0.0] * n if size is not None or recompute_scale_factor else factors_of(scale_factor, n, x)
    if mode == "area":
        # means over the parts that out cuts x into
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](x, out)
    sizes = x.shape_tuple()
    lead = sizes[:2]
    if n == 2 and mode in WINDOWS and (antialias or x.view.dtype == U8):
        return planes(<Op>WINDOW_OPS[mode], x, (WINDOWS[mode], bool(align_corners), sizes[2], sizes[3], out[0], out[1], factors[0],
                                                factors[1], bool(antialias)), lead + tuple(out))
    op, kind = <Op>OPS[mode, n], KINDS[mode]
    if kind >= 2 and not is_float(x.view.dtype):
        raise NotImplementedError(f"[interpolate] mode '{mode}' is not implemented for '{torch_name(x.view.dtype)}'")
    if n == 3 and x.view.dtype in (F16, BF16) and (kind >= 2 or any_needs_grad((x,))):    # rounded once, not after each of the two passes
        wide = interpolate((<object>x).float(), size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
        return named(wide.to((<object>x).dtype), op.grad_name)
    align = n == 2 if mode == "nearest" else bool(align_corners)
    if n == 1:
        return planes(op, x, (kind, align, 1, sizes[2], 1, out[0], 0.0, factors[0], False), lead + (out[0],))
    y = planes(op, x, (kind, align, sizes[n], sizes[n + 1], out[n - 2], out[n - 1], factors[n - 2], factors[n - 1], False),
               sizes[:n] + (out[n - 2], out[n - 1]))
    if n == 3:
        across = out[1] * out[2]
        y = planes(op, y, (kind, align, sizes[2], across, out[0], across, factors[0], 0.0, False), lead + tuple(out))
    return y
