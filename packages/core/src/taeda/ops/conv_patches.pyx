# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolutions whose windows lie side by side (a stride as long as the kernel: patch embeddings, transposed convolutions by 2), as products
of matrices: patches (places, terms) and weights (results, terms).

    y = patches w^T + bias,    dpatches = g w + bias,    dw = g^T patches.

Every element of x is in one patch or in none, so that a copy in the order of the terms is all that is written out, and its inverse
adds nothing up.  Results whose channels lie innermost are rows of the product; those of planes are one product an image.
"""
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.dispatch cimport Op, define
from taeda.kernels.cpu.abi cimport BF16, F32, F64, View
from taeda.registry cimport copy_view
from taeda.tensor_base cimport TensorBase

from taeda.ops.conv_geometry cimport INPUT_GRADIENT, RESULT, WEIGHT_GRADIENT, Geometry, Part, pixels_of, side_by_side
from taeda.ops.conv_product cimport as_matrix
from taeda.ops.conv_unfolded cimport Axes, dense_view, matrix, places_of, rows_of, seen
from taeda.ops.matmul cimport multiply

cdef Op PRODUCT = define("convolution_product", NULL, 0, 0, "gemm")

cdef enum:
    LEAST = 64                     # places of an image of planes
    RUN = 4                        # taps of a row: shorter runs of planes take longer to copy than the product saves


cdef bint patches_pay(Part part, const Geometry* q, const View* v) noexcept:
    """Whether windows lie side by side, and the product is worth their copy: where channels lie innermost, and for results of bfloat16.

    One window an image lies beside no other; of those that conv_product cannot read as they lie, only bfloat16's are.
    """
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef int d
    if q.groups != 1 or pixels_of(w) == 1 or v[0].numel == 0 or v[1].numel == 0 or v[2].numel == 0 or not (
            w.dtype == BF16 or (pixels_of(y) > 1 and (w.dtype == F32 or w.dtype == F64))):
        return False
    for d in range(3):
        if q.pad[d] or (w.shape[2 + d] > 1 and q.dilation[d] != 1) or (y.shape[2 + d] > 1 and q.stride[d] != w.shape[2 + d]):
            return False
    return y.strides[1] == 1 or (part == RESULT and w.dtype == BF16 and side_by_side(y) and pixels_of(y) >= LEAST
                                 and w.shape[4] >= RUN)


cdef View patches_in_image(const View* x, const View* w, const View* y, bint last, Axes* axes) noexcept:
    """x seen as (N, D, H, W, taps, channel), or the channel first if weights lie so: a place after the other, with its terms."""
    cdef int d, c = 7 if last else 4, k = 4 if last else 5
    axes.of[0], axes.of[8] = x.shape[0], x.strides[0]
    axes.of[c], axes.of[8 + c] = x.shape[1], x.strides[1]
    for d in range(3):
        axes.of[1 + d], axes.of[9 + d] = y.shape[2 + d], x.strides[2 + d] * w.shape[2 + d]
        axes.of[k + d], axes.of[8 + k + d] = w.shape[2 + d], x.strides[2 + d]
    return seen(x, 0, 8, axes)


cdef TensorBase bias_of_terms(const View* s, const View* w, bint last):
    """The bias of each term's channel."""
    cdef int64_t taps = pixels_of(w)
    cdef TensorBase row = matrix(1, w.shape[1] * taps, s.dtype)
    cdef Axes from_axes, to_axes
    cdef View a, b
    cdef int c = 1 if last else 0
    from_axes.of[c], from_axes.of[2 + c] = w.shape[1], s.strides[0]
    from_axes.of[1 - c], from_axes.of[3 - c] = taps, 0
    to_axes.of[0], to_axes.of[1], to_axes.of[2], to_axes.of[3] = from_axes.of[0], from_axes.of[1], from_axes.of[1], 1
    a, b = seen(&row.view, 0, 2, &to_axes), seen(s, 0, 2, &from_axes)
    copy_view(&a, &b)
    return row


cdef int fill_between_patches(const View* x, const View* w, const View* y, const View* s, TensorBase out) except -1:
    """What no patch reaches is the bias, or 0."""
    cdef Axes axes
    cdef View b
    cdef int d
    if x.numel == x.shape[0] * x.shape[1] * pixels_of(y) * pixels_of(w):
        return 0
    if s == NULL:
        memset(out.view.data, 0, out.view.numel * out.view.itemsize)
        return 0
    for d in range(5):
        axes.of[d], axes.of[5 + d] = x.shape[d], s.strides[0] if d == 1 else 0
    b = seen(s, 0, 5, &axes)
    copy_view(x, &b)
    return 0


cdef int multiply_patches(const View* y, View* m, View* patches, const View* s, int64_t places) except -1:
    """y = patches m^T + s, an image at a time where it has planes."""
    cdef Axes turned, sums, image, some
    cdef View a, b, c, n
    cdef int64_t i, per = pixels_of(y)
    if as_matrix(&c, y, image.of, False):
        turned.of[0], turned.of[1], turned.of[2], turned.of[3] = m.shape[1], m.shape[0], 1, m.shape[1]
        n = seen(m, 0, 2, &turned)
        if s != NULL:
            sums.of[0], sums.of[1], sums.of[2], sums.of[3] = places, m.shape[0], 0, s.strides[0]
            a = seen(s, 0, 2, &sums)
        multiply(PRODUCT, m.dtype, 0, &c, patches, &n, NULL if s == NULL else &a, None, None)
        return 0
    for i in range(y.shape[0]):
        image.of[0], image.of[1], image.of[2], image.of[3] = m.shape[0], per, y.strides[1], 1
        some.of[0], some.of[1], some.of[2], some.of[3] = m.shape[1], per, 1, m.shape[1]
        c, b = seen(y, i * y.strides[0], 2, &image), seen(patches, i * per * m.shape[1], 2, &some)
        if s != NULL:
            sums.of[0], sums.of[1], sums.of[2], sums.of[3] = m.shape[0], per, s.strides[0], 0
            a = seen(s, 0, 2, &sums)
        multiply(PRODUCT, m.dtype, 0, &c, m, &b, NULL if s == NULL else &a, None, None)
    return 0


cdef bint run_patches(Part part, const Geometry* q, TensorBase out, const View* v, TensorBase bias) except -1:
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef const View* x = &v[1] if part == RESULT else &v[0] if part == INPUT_GRADIENT else &v[2]
    cdef const View* s = NULL if bias is None else &bias.view
    cdef Axes axes, own, of_w, of_g, sums
    cdef View m, g, a, b, n
    cdef TensorBase patches, row, copy
    cdef bint last
    cdef int64_t places = y.shape[0] * pixels_of(y)
    if not patches_pay(part, q, v) or not rows_of(&m, w, &of_w, &last):
        return False
    patches = matrix(places, m.shape[1], w.dtype)
    a = patches_in_image(x, w, y, last, &axes)
    b = dense_view(&patches.view, 8, &axes, &own)
    if part == INPUT_GRADIENT:
        copy = None
        if not as_matrix(&g, y, of_g.of, False):
            copy = places_of(y, w.dtype)
            g = copy.view
        if s != NULL:
            row = bias_of_terms(s, w, last)
            sums.of[0], sums.of[1], sums.of[2], sums.of[3] = places, m.shape[1], 0, 1
            n = seen(&row.view, 0, 2, &sums)
        multiply(PRODUCT, w.dtype, 0, &patches.view, &g, &m, NULL if s == NULL else &n, None, None)
        fill_between_patches(x, w, y, s, out)
        copy_view(&a, &b)
        return True
    copy_view(&b, &a)
    if part == RESULT:
        multiply_patches(y, &m, &patches.view, s, places)
        return True
    copy = None
    if not as_matrix(&g, y, of_g.of, True):
        copy = places_of(y, w.dtype)
        of_g.of[0], of_g.of[1], of_g.of[2], of_g.of[3] = y.shape[1], places, 1, y.shape[1]
        g = seen(&copy.view, 0, 2, &of_g)
    multiply(PRODUCT, w.dtype, 0, &m, &g, &patches.view, NULL, None, None)
    return True
