# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolutions that are one product of matrices: kernels of one tap, and kernels as large as the image.

They are where images lie so that the product can read them as matrices: nothing is copied, unless one tap strides over an image.
Kernels of one tap with few results are a batch of products, one an image, whose channels are rows of pixels.
"""
from libc.stdint cimport int64_t

from taeda.dispatch cimport Op, define, empty
from taeda.kernels.cpu.abi cimport BF16, F16, F32, F64, View
from taeda.registry cimport copy_view
from taeda.tensor_base cimport CPU, TensorBase

from taeda.ops.conv_geometry cimport INPUT_GRADIENT, RESULT, WEIGHT_GRADIENT, Geometry, Part, pixels_of, side_by_side
from taeda.ops.matmul cimport multiply, reads

cdef Op PRODUCT = define("convolution", NULL, 0, 0, "gemm")

cdef enum:
    FEW_RESULTS = 4                # of one tap: other kernels have lanes for twice as many and more
    FEW_TERMS = 16                 # of a gradient by one tap
    ROW_OF_PIXELS = 16             # from which on an image is worth a product
    FEW_PIXELS = 256               # of one image, for which a product reads weights as they lie faster than kernels pack them


cdef bint is_product(const Geometry* q, const View* w, const View* x, const View* y) noexcept:
    """Whether each pixel's results are a product of a matrix and its channels."""
    return (q.groups == 1 and w.shape[2] * w.shape[3] * w.shape[4] == 1 and x.shape[2] == y.shape[2] and x.shape[3] == y.shape[3]
            and x.shape[4] == y.shape[4] and q.pad[0] == 0 and q.pad[1] == 0 and q.pad[2] == 0
            and (w.dtype == F32 or w.dtype == F64) and x.numel > 0 and y.numel > 0)


cdef bint as_matrix(View* m, const View* v, int64_t* dims, bint turned) noexcept:
    """Describe an image whose channels lie innermost as a matrix (pixels, channels), or turned; whether it can be."""
    cdef int64_t step = 0, pixels = 1
    cdef int k, d
    m[0] = v[0]
    m.ndim, m.shape, m.strides = 2, dims, dims + 2
    for k in range(4):
        d = 4 - k if k < 3 else 0                # W, H, D, N
        if v.shape[d] != 1:
            if step == 0:
                step = v.strides[d] // pixels
            if v.strides[d] != step * pixels:
                return False
        pixels *= v.shape[d]
    if pixels == 1:
        step = v.shape[1]
    dims[turned], dims[2 + turned] = pixels, step
    dims[not turned], dims[2 + (not turned)] = v.shape[1], 1
    return (v.strides[1] == 1 or v.shape[1] == 1) and step >= v.shape[1]


cdef bint as_planes(View* m, const View* v, int64_t* dims, bint turned) noexcept:
    """Describe one image of few pixels as a matrix (channels, pixels), or turned; whether it can be."""
    m[0] = v[0]
    m.ndim, m.shape, m.strides = 2, dims, dims + 2
    dims[turned], dims[2 + turned] = v.shape[1], v.strides[1]
    dims[not turned], dims[2 + (not turned)] = pixels_of(v), 1
    return v.shape[0] == 1 and pixels_of(v) <= FEW_PIXELS and side_by_side(v) and (v.strides[1] >= pixels_of(v) or v.shape[1] == 1)


cdef bint as_images(View* m, const View* v, int64_t* dims, bint turned) noexcept:
    """Describe images as a batch of matrices (channels, pixels), or turned; whether they can be."""
    m[0] = v[0]
    m.ndim, m.shape, m.strides = 3, dims, dims + 3
    dims[0], dims[3] = v.shape[0], v.strides[0]
    dims[1 + turned], dims[4 + turned] = v.shape[1], v.strides[1]
    dims[2 - turned], dims[5 - turned] = pixels_of(v), 1
    return side_by_side(v) and (v.strides[1] >= pixels_of(v) or v.shape[1] == 1)


cdef inline bint suits_images(Part part, const View* w) noexcept:
    """Whether products image by image are faster than sums whose lanes are results or pixels."""
    if part == RESULT:
        return w.shape[0] <= FEW_RESULTS
    return min(w.shape[0], w.shape[1]) <= FEW_TERMS if part == WEIGHT_GRADIENT else w.shape[1] <= FEW_RESULTS or w.shape[0] <= FEW_TERMS


cdef bint run_images(Part part, TensorBase out, View* v, TensorBase bias) except -1:
    """Convolve by one tap image by image, if images lie as planes; whether they do.

    y (N, O, pixels) = w x + bias,  dx (N, C, pixels) = w^T g,  dw = the sum of g x^T (N, O, C) over the images.
    """
    cdef View c, a, b, s
    cdef View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef int64_t dims[24]
    cdef bint turned = part == INPUT_GRADIENT
    cdef TensorBase each
    if part == WEIGHT_GRADIENT:
        if not (as_images(&a, &v[1], dims, False) and as_images(&b, &v[2], dims + 6, True)):
            return False
        dims[18], dims[19], dims[20] = v[1].shape[0], w.shape[0], w.shape[1]
        each = empty(3, dims + 18, w.dtype, out.device)
        multiply(PRODUCT, w.dtype, out.device, &each.view, &a, &b, NULL, None, None)
        each = <TensorBase>(<object>each).sum(0).view(w.shape[0], w.shape[1], 1, 1, 1)
        if out.device == CPU:                    # meta has no memory to copy
            copy_view(w, &each.view)
        return True
    if not (as_images(&b, &v[1], dims, False) and as_images(&c, &v[0], dims + 6, False)):
        return False
    a = w[0]
    a.ndim, a.shape, a.strides, a.contiguous = 3, dims + 12, dims + 15, False
    dims[12], dims[15] = v[0].shape[0], 0
    dims[13 + turned], dims[16 + turned] = w.shape[0], w.strides[0]
    dims[14 - turned], dims[17 - turned] = w.shape[1], w.strides[1]
    if bias is not None:
        s = bias.view
        s.ndim, s.shape, s.strides, s.contiguous = 3, dims + 18, dims + 21, False
        dims[18], dims[19], dims[20] = c.shape[0], c.shape[1], c.shape[2]
        dims[21], dims[22], dims[23] = 0, bias.view.strides[0], 0
    multiply(PRODUCT, w.dtype, out.device, &c, &a, &b, NULL if bias is None else &s, None, None)
    return True


cdef bint covers(const Geometry* q, const View* w, const View* x, const View* y) noexcept:
    """Whether the kernel takes the whole of an unpadded image, so that there is one result a channel."""
    return (pixels_of(y) == 1 and x.shape[2] == w.shape[2] and x.shape[3] == w.shape[3] and x.shape[4] == w.shape[4]
            and q.pad[0] == 0 and q.pad[1] == 0 and q.pad[2] == 0 and x.numel > 0 and y.numel > 0
            and (w.dtype == F32 or w.dtype == F64 or (q.groups > 1 and (w.dtype == BF16 or w.dtype == F16))))


cdef bint as_rows(View* m, const View* v, int64_t* dims, bint turned) noexcept:
    """Describe each image or kernel as a row of a matrix, or as a column; whether it can be."""
    cdef int64_t n = v.shape[1] * pixels_of(v)
    m[0] = v[0]
    m.ndim, m.shape, m.strides = 2, dims, dims + 2
    dims[turned], dims[2 + turned] = v.shape[0], v.strides[0]
    dims[not turned], dims[2 + (not turned)] = n, 1
    return side_by_side(v) and (v.strides[1] == pixels_of(v) or v.shape[1] == 1) and (v.strides[0] >= n or v.shape[0] == 1)


cdef bint as_group_rows(View* m, const View* v, int64_t groups, int64_t* dims, bint turned) noexcept:
    """Describe the channels of each group, of each image or kernel, as a row of a matrix, or as a column; whether they can be."""
    cdef int64_t channels = v.shape[1] // groups, n = channels * pixels_of(v)
    m[0] = v[0]
    m.ndim, m.shape, m.strides, m.contiguous = 3, dims, dims + 3, False
    dims[0], dims[3] = groups, v.strides[1] * channels
    dims[1 + turned], dims[4 + turned] = v.shape[0], v.strides[0]
    dims[2 - turned], dims[5 - turned] = n, 1
    return side_by_side(v) and (v.strides[1] == pixels_of(v) or channels == 1) and (v.strides[0] >= n or v.shape[0] == 1)


cdef bint as_group_kernels(View* m, const View* w, int64_t groups, int64_t* dims, bint turned) noexcept:
    """Describe the kernels of each group as rows of a matrix, or as columns; whether they can be."""
    cdef bint rows = as_group_rows(m, w, 1, dims, turned)
    dims[0], dims[1 + turned] = groups, w.shape[0] // groups
    dims[3] = dims[1 + turned] * w.strides[0]
    return rows


cdef bint run_groups(Part part, const Geometry* q, TensorBase out, View* v, TensorBase bias) except -1:
    """Convolve groups by kernels as large as the image, as a batch of products, if they lie so that these can read them.

    y (G, N, O) = x w^T + bias,  dx (G, N, C) = g w,  dw (G, O, C) = g^T x, with (channel, tap) of a group for C.
    """
    cdef View x, w, y, s
    cdef int64_t dims[24]
    cdef const View* of_x = &v[1] if part == RESULT else &v[0] if part == INPUT_GRADIENT else &v[2]
    cdef const View* of_w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* of_y = &v[0] if part == RESULT else &v[1]
    if not as_group_rows(&x, of_x, q.groups, dims, False) or not as_group_kernels(&w, of_w, q.groups, dims + 6, part == RESULT) or (
            not as_group_rows(&y, of_y, q.groups, dims + 12, part == WEIGHT_GRADIENT)):
        return False
    if part == RESULT:
        if bias is not None:
            s = bias.view
            s.ndim, s.shape, s.strides = 3, dims + 18, dims + 21
            dims[18], dims[19], dims[20] = y.shape[0], y.shape[1], y.shape[2]
            dims[21], dims[22], dims[23] = y.shape[2] * bias.view.strides[0], 0, bias.view.strides[0]
        multiply(PRODUCT, out.view.dtype, out.device, &y, &x, &w, NULL if bias is None else &s, None, None)
    elif part == INPUT_GRADIENT:
        multiply(PRODUCT, out.view.dtype, out.device, &x, &y, &w, NULL, None, None)
    else:
        multiply(PRODUCT, out.view.dtype, out.device, &w, &y, &x, NULL, None, None)
    return True


cdef bint lay(View* m, const View* v, int64_t* dims, bint turned, bint whole) noexcept:
    return as_rows(m, v, dims, turned) if whole else as_matrix(m, v, dims, turned)


cdef bint run_product(Part part, const Geometry* q, TensorBase out, View* v, TensorBase bias) except -1:
    """Convolve as a product of matrices, if one would do and they lie so that it can read them.

    One tap, channels innermost: y (pixels, O) = x w^T + bias,  dx (pixels, C) = g w + bias,  dw (O, C) = g^T x.
    One image of planes: y (O, pixels) = w x + bias,  dx (C, pixels) = w^T g + bias,  dw (O, C) = g x^T.
    A kernel as large as the image: as channels innermost, with images for pixels and (channel, tap) for channels; a batch for groups.
    """
    cdef View c, a, b, s
    cdef View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef View* image = &v[2] if part == WEIGHT_GRADIENT else &v[0]
    cdef View* m                                          # which operand the weight is
    cdef int64_t dims[16]
    cdef bint turned, planes, whole = False               # whole: kernels as large as images
    if is_product(q, w, image, &v[1]):
        if suits_images(part, w) and pixels_of(image) >= ROW_OF_PIXELS and image.strides[4] == 1 and v[1].strides[4] == 1 and (
                (part == RESULT or bias is None) and run_images(part, out, v, bias)):
            return True
    else:
        if not (covers(q, w, &v[1], image) if part == RESULT else covers(q, w, image, &v[1])) or (
                part == INPUT_GRADIENT and bias is not None):
            return False
        if q.groups > 1:
            return run_groups(part, q, out, v, bias)
        whole = True
    if part == WEIGHT_GRADIENT:
        planes = not whole and as_planes(&a, &v[1], dims + 4, False) and as_planes(&b, image, dims + 8, True)
        if not planes and not (lay(&a, &v[1], dims + 4, True, whole) and lay(&b, image, dims + 8, False, whole)):
            return False
        m, turned = &c, False
    else:
        planes = not whole and as_planes(&b, &v[1], dims + 4, False) and as_planes(&c, image, dims + 8, False)
        if not planes and not (lay(&a, &v[1], dims + 4, False, whole) and lay(&c, image, dims + 8, False, whole)):
            return False
        m, turned = &a if planes else &b, (part == RESULT) != planes
    if not as_rows(m, w, dims, turned):
        m.ndim, m.shape, m.strides = 2, dims, dims + 2
        dims[turned], dims[2 + turned] = w.shape[0], w.strides[0]
        dims[not turned], dims[2 + (not turned)] = w.shape[1], w.strides[1]
        if whole or not reads(m):
            return False
    if bias is not None:
        s = bias.view
        s.ndim, s.shape, s.strides = 2, dims + 12, dims + 14
        dims[12], dims[13], dims[14], dims[15] = c.shape[0], c.shape[1], bias.view.strides[0] * planes, bias.view.strides[0] * (not planes)
    multiply(PRODUCT, out.view.dtype, out.device, &c, &a, &b, NULL if bias is None else &s, None, None)
    return True


cdef TensorBase seen_pixels(Geometry* q, const View* w, const View* y, View* x, int64_t* dims):
    """Give a product every stride-th pixel of an image whose channels lie innermost, in a copy, and q no stride; None if it is none.

    Where one tap strides over an image, pixels are no rows of a matrix: 48 channels to 8 by 2 took ten times the time of the product.
    """
    cdef TensorBase copy
    cdef int64_t laid[5]
    cdef View seen
    cdef int d
    if (q.groups != 1 or w.shape[2] * w.shape[3] * w.shape[4] != 1 or q.pad[0] or q.pad[1] or q.pad[2]
            or q.stride[0] * q.stride[1] * q.stride[2] == 1 or x.strides[1] != 1 or x.strides[4] < x.shape[1]
            or (w.dtype != F32 and w.dtype != F64)):
        return None
    seen = x[0]
    seen.shape, seen.strides, seen.contiguous = dims, dims + 5, False
    dims[0], dims[1], dims[5], dims[6] = x.shape[0], x.shape[1], x.strides[0], 1
    for d in range(3):
        dims[2 + d], dims[7 + d] = y.shape[2 + d], x.strides[2 + d] * q.stride[d]
        q.stride[d] = 1
    laid[0], laid[1], laid[2], laid[3], laid[4] = dims[0], dims[2], dims[3], dims[4], dims[1]
    copy = empty(5, laid, x.dtype, CPU)
    seen.numel = copy.view.numel
    x[0] = seen
    x.data = copy.view.data
    x.strides = dims + 10
    for d in range(5):
        x.strides[d if d == 0 else 1 if d == 4 else d + 1] = copy.view.strides[d]
    copy_view(x, &seen)
    return copy
