# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Sampling of images at arbitrary positions, and the positions that an affine map gives."""
from taeda.autograd.dual cimport has_tangent, level
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (Op, any_needs_grad, as_tensor, check_same_device, contiguous, define, empty_like, empty_shape, joint, launch,
                             record)
from taeda.dtype cimport is_float, torch_name
from taeda.kernels.cpu.abi cimport Param, View
from taeda.ops.arguments cimport whole_numbers
from taeda.tensor_base cimport CPU, TensorBase

import itertools
import warnings

from taeda.autograd.backward import grad
from taeda.autograd.node import named, own
from taeda.ops.creation import ones, zeros
from taeda.ops.sequences import linspace

__all__ = ["affine_grid", "grid_sample"]
PUBLIC = ()
METHODS = {}

cdef dict MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
cdef dict PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}
cdef str CHANGED = ("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
                    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details.")


# -- sampling ----------------------------------------------------------------------------------------

cdef Op GRID_SAMPLE_BACKWARD = define("grid_sample_backward", NULL)

cdef object grid_sample_vjp(Node n, object g):
    cdef TensorBase x = n.load(0), grid = n.load(1), gy, gx = None, ggrid = None
    cdef View* t[5]
    cdef Param p[3]            # mode, padding, align corners
    if any_needs_grad((g, x, grid)):
        return grid_sample_composed(n, g, x, grid)
    gy, x, grid = contiguous(<TensorBase>g), contiguous(x), contiguous(grid)
    if n.needs(0):
        gx = empty_like(x)
    if n.needs(1):
        ggrid = empty_like(grid)
    whole_numbers(n.extra, 3, p)
    t[0], t[1] = NULL if gx is None else &gx.view, NULL if ggrid is None else &ggrid.view
    t[2], t[3], t[4] = &gy.view, &x.view, &grid.view
    if x.view.numel and grid.view.numel:
        launch(GRID_SAMPLE_BACKWARD, x.view.dtype, x.device, 2, 5, t, p, 4 * gy.view.numel + x.view.numel)
    else:
        gx, ggrid = None if gx is None else (<object>gx).zero_(), None if ggrid is None else (<object>ggrid).zero_()
    return gx, ggrid

cdef object position(object grid, int d, object n, tuple how):
    """Component d of the grid as a position among n pixels, of which the grid's derivative is a constant times a sign."""
    cdef int padding = 0 if how[0] == 2 else how[1]
    unit, shift = ((n - 1) / 2, 0.0) if how[2] else (n / 2, 0.5)
    given = grid.select(-1, d)
    x = (given.detach() + 1) * unit - shift
    slope = x.new_full((), unit)
    if padding:
        x, sign = folded(x, n, padding, how[2])
        slope = slope * sign * ((x > 0) & (x < n - 1))
    return x.clamp(0, n - 1) + slope * (given - given.detach()) if padding else x + slope * (given - given.detach())

cdef tuple folded(object x, object n, int padding, bint align):
    """Reflect x at the borders of n pixels where that is the padding; also the sign of the derivative."""
    if padding != 2:
        return x, 1
    if align and n == 1:
        return x * 0, 0
    low, twice = (0.0, 2.0 * (n - 1)) if align else (-0.5, 2.0 * n)
    rest = (x - low).abs() % twice
    return rest.minimum(twice - rest) + low, 1 - 2 * ((x < low) ^ (rest > twice - rest)).to(x.dtype)

cdef list taps(object x, object n, tuple how):
    """(index, weight, whether it is inside) of each tap along one dimension."""
    cdef list out = []
    if how[0] == 1:
        base = x.detach().round()
        weights = [base * 0 + 1]
    else:
        base = x.detach().floor()
        t = x - base
        weights = [1 - t, t]
        if how[0] == 2:
            a, u, v, z = -0.75, t + 1, 1 - t, 2 - t
            weights = [((a * u - 5 * a) * u + 8 * a) * u - 4 * a, ((a + 2) * t - (a + 3)) * t * t + 1,
                       ((a + 2) * v - (a + 3)) * v * v + 1, ((a * z - 5 * a) * z + 8 * a) * z - 4 * a]
            base = base - 1
    for k, w in enumerate(weights):
        at = base + k
        if how[0] == 2 and how[1]:
            at = folded(at, n, how[1], how[2])[0].clamp(0, n - 1)
        inside = (at >= 0) & (at < n)
        out.append((at.where(inside, at * 0).long(), w, inside))
    return out

cdef object grid_sample_composed(Node n, object g, object x, object grid):
    """The gradients as differentiable functions: of the sampling composed of gathers and products."""
    cdef int D = x.ndim - 2
    # fresh tensors in the inputs' places: one may depend on the other, and in forward mode none requires grad
    x, grid = [t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in (x, grid)]
    wanted = tuple([t for t, i in ((x, 0), (grid, 1)) if n.needs(i)])
    sizes = x.shape[2:]
    flat, lead = x.flatten(2), x.shape[:2]
    lines = [taps(position(grid, D - 1 - d, sizes[d], n.extra).flatten(1), sizes[d], n.extra) for d in range(D)]
    y = 0
    for parts in itertools.product(*lines):
        at, weight, inside = parts[0]
        for d in range(1, D):
            at, weight, inside = at * sizes[d] + parts[d][0], weight * parts[d][1], inside & parts[d][2]
        y = y + flat.gather(2, at.unsqueeze(1).expand(*lead, -1)) * (weight * inside).unsqueeze(1)
    found = iter(grad(y, wanted, g.flatten(2), create_graph=True, allow_unused=True))
    found = [next(found) if n.needs(i) else None for i in range(2)]
    if n.needs(1) and found[1] is None:                 # the nearest pixel stays the same
        found[1] = zeros(grid.shape, dtype=grid.dtype, device=grid.device)
    return tuple(found)

cdef Op GRID_SAMPLE_2D = joint(define("grid_sampler_2d", grid_sample_vjp, 0, 0, "grid_sample", "GridSampler2DBackward0"))
cdef Op GRID_SAMPLE_3D = joint(define("grid_sampler_3d", grid_sample_vjp, 0, 0, "grid_sample", "GridSampler3DBackward0"))


cdef int check_sampling(TensorBase x, TensorBase grid, int mode) except -1:
    cdef int d, D = x.view.ndim - 2
    shapes = f"input of shape {x.shape_tuple()} and grid of shape {grid.shape_tuple()}"
    check_same_device("grid_sample", (x, grid))
    if x.view.dtype != grid.view.dtype:
        raise RuntimeError(f"[grid_sample] expected scalar type {torch_name(x.view.dtype)} but found {torch_name(grid.view.dtype)}; "
                           "input and grid must have the same dtype")
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[grid_sample] not implemented for '{torch_name(x.view.dtype)}'; it takes floating point tensors")
    if not (D == 2 or D == 3) or grid.view.ndim != D + 2:
        raise RuntimeError(f"[grid_sample] expected 4D or 5D input and grid with same number of dimensions, but got {shapes}")
    if x.view.shape[0] != grid.view.shape[0]:
        raise RuntimeError(f"[grid_sample] expected grid and input to have same batch size, but got {shapes}")
    if grid.view.shape[D + 1] != D:
        raise RuntimeError(f"[grid_sample] expected grid to have size {D} in last dimension, but got {shapes}")
    for d in range(2, D + 2):
        if x.view.shape[d] == 0:
            raise RuntimeError(f"[grid_sample] expected input to have non-empty spatial dimensions, but got {shapes}")
    if D == 3 and mode == 2:
        raise RuntimeError(f"[grid_sample] bicubic interpolation only supports 4D input, but got {shapes}")
    if x.view.shape[0] and x.view.shape[1] and x.view.numel // (x.view.shape[0] * x.view.shape[1]) >= 1 << 31:
        raise RuntimeError(f"[grid_sample] planes of 2^31 elements or more are not supported, got {shapes}")
    return 0


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """Sample images at the positions of a grid: y[n, c, i] = input[n, c] at grid[n, i].

    A position (x, y), or (x, y, z), is relative to the image: -1 is its left, top and front, 1 the opposite sides;
    with ``align_corners`` these are the centres of the outermost pixels, else their outer edges.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, h, w, 2) or (N, d, h, w, 3), of the input's dtype; the result is (N, C, h, w) or (N, C, d, h, w).
        mode: 'bilinear' (trilinear for volumes), 'nearest', or 'bicubic' (4-d input; Keys 1981, a = -3/4).
        padding_mode: what lies outside: 'zeros', the 'border' pixels, or the image's 'reflection'.

    Raises ValueError for an unknown mode, RuntimeError for shapes that do not fit. Source: Jaderberg et al. 2015,
    https://arxiv.org/abs/1506.02025.

    >>> import taeda
    >>> from taeda import ops
    >>> image = taeda.arange(4.).reshape(1, 1, 2, 2)
    >>> ops.grid_sample(image, taeda.tensor([[[[0., 0.], [1., -1.]]]]), align_corners=True)
    tensor([[[[1.5000, 1.0000]]]])
    """
    cdef TensorBase x, at, y, source, positions
    cdef View* t[3]
    cdef Param p[3]
    cdef Op op
    if mode not in MODES:
        raise ValueError(f"[grid_sample] expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'")
    if padding_mode not in PADDINGS:
        raise ValueError(f"[grid_sample] expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '{padding_mode}'")
    if align_corners is None:
        warnings.warn(CHANGED, stacklevel=1)
    x, at = as_tensor(input, "grid_sample"), as_tensor(grid, "grid_sample")
    how = (MODES[mode], PADDINGS[padding_mode], bool(align_corners))
    check_sampling(x, at, how[0])
    op = GRID_SAMPLE_2D if x.view.ndim == 4 else GRID_SAMPLE_3D
    source, positions = contiguous(x), contiguous(at)
    y = empty_shape(x.shape_tuple()[:2] + at.shape_tuple()[1:x.view.ndim - 1], x.view.dtype, x.device)
    whole_numbers(how, 3, p)
    t[0], t[1], t[2] = &y.view, &source.view, &positions.view
    if y.view.numel:
        launch(op, x.view.dtype, x.device, 1, 3, t, p, 4 * y.view.numel)
    record(op, y, (source, positions), (source, positions), how)
    return y


# -- affine grids ------------------------------------------------------------------------------------

cdef object centres(object theta, object n, bint align):
    """Positions of n pixels along a dimension, from -1 to 1."""
    if n <= 1:
        return zeros(n, dtype=theta.dtype, device=theta.device)
    x = linspace(-1, 1, n, dtype=theta.dtype, device=theta.device)
    return x if align else x * (n - 1) / n


cdef object base_grid(object theta, tuple points, bint align):
    """The positions (.., 1) that a map takes, as a matrix with a row for each point."""
    cdef int D = len(points)
    base = ones((*points, D + 1), dtype=theta.dtype, device=theta.device)
    for d in range(D):                                  # the last dimension is component 0
        base.select(-1, D - 1 - d).copy_(centres(theta, points[d], align).reshape([-1] + [1] * (D - 1 - d)))
    return base.reshape(1, -1, D + 1).expand(theta.shape[0], -1, -1)

cdef object affine_grid_vjp(Node n, object g):
    # the positions are made again rather than kept: nothing is freed by a pass, so that another one may follow, as in PyTorch
    points, align = n.extra
    return g.reshape(g.shape[0], -1, len(points)).transpose(1, 2).bmm(base_grid(g, points, align))

cdef Op AFFINE_GRID = define("affine_grid", affine_grid_vjp, 0, 0, None, "AffineGridGeneratorBackward0")


def affine_grid(theta, size, align_corners=None):
    """Return the positions at which :func:`grid_sample` takes an affine map's picture: grid[n, i] = theta[n] (i, 1).

    Args:
        theta: (N, 2, 3) for ``size`` (N, C, H, W), giving (N, H, W, 2); (N, 3, 4) for (N, C, D, H, W), giving (N, D, H, W, 3).
        align_corners: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.

    Raises ValueError where theta does not fit or a size is not positive, NotImplementedError for other numbers of sizes.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.affine_grid(taeda.tensor([[[1., 0., 0.], [0., 1., 0.]]]), (1, 1, 1, 2), align_corners=False)[0, 0]
    tensor([[-0.5000,  0.0000],
            [ 0.5000,  0.0000]])
    """
    cdef TensorBase t = as_tensor(theta, "affine_grid")
    cdef int D
    sizes = tuple(size)
    if not is_float(t.view.dtype):
        raise ValueError(f"[affine_grid] Expected theta to have floating point type, but got {theta.dtype}")
    if len(sizes) != 4 and len(sizes) != 5:
        raise NotImplementedError("[affine_grid] affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
                                  f"respectively. Got size {list(sizes)}.")
    D = len(sizes) - 2
    if t.view.ndim != 3 or t.view.shape[1] != D or t.view.shape[2] != D + 1:
        raise ValueError(f"[affine_grid] Expected a batch of {D}D affine matrices of shape Nx{D}x{D + 1} for size {list(sizes)}. "
                         f"Got {t.shape_tuple()}.")
    if align_corners is None:
        warnings.warn(CHANGED, stacklevel=1)
    if align_corners and min(sizes[2:]) == 1:
        warnings.warn("Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is not "
                      "an intended use case of affine_grid. See the documentation of affine_grid for details.", stacklevel=1)
    if min(sizes) <= 0:
        raise ValueError(f"[affine_grid] Expected non-zero, positive output size. Got {list(sizes)}")
    if t.view.shape[0] != sizes[0]:
        raise RuntimeError(f"[affine_grid] Expected theta and size to have the same batch size, got {t.shape_tuple()} for {list(sizes)}")
    points, align = sizes[2:], bool(align_corners)
    whole = t.device != CPU or level and has_tangent(t)     # stand-ins and tangents go through each part
    known = theta if whole else theta.detach()
    grid = own(base_grid(known, points, align).bmm(known.transpose(1, 2)).reshape(sizes[0], *points, D))
    if whole:
        return named(grid, "AffineGridGeneratorBackward0")
    record(AFFINE_GRID, <TensorBase>grid, (t,), (), (points, align))
    return grid
