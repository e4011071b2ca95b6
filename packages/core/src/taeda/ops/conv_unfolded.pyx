# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Convolutions of a few places by many weights, as products of matrices: windows (places, terms) and weights (results, terms).

    y = windows w^T + bias,    dwindows = g w, added up at their places in dx,    dw = g^T windows.

The windows are written out, which elsewhere nothing is: while places are fewer than a quarter of the results they are small beside
the weights, which then are read once, as they lie, and never packed.

And those of small planes with one kernel each, and of groups of 8 channels by strides, as ones of copies whose channels lie innermost.
"""
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.dispatch cimport Op, define, empty, launch
from taeda.kernels.cpu.abi cimport BF16, F16, F32, F64, Param, View
from taeda.registry cimport copy_view
from taeda.tensor_base cimport CPU, TensorBase

from taeda.ops.conv_geometry cimport INPUT_GRADIENT, RESULT, WEIGHT_GRADIENT, Geometry, Part, pixels_of
from taeda.ops.matmul cimport multiply

cdef Op PRODUCT = define("convolution_product", NULL, 0, 0, "gemm")
cdef Op ADD = define("convolution_bias", NULL, 0, 0, "add")

cdef enum:
    SMALL = 100                    # pixels of a plane
    TOGETHER = 1 << 17             # elements of images that are turned at a time: they stay in the second-level cache


cdef View seen(const View* memory, int64_t start, int ndim, Axes* axes) noexcept:
    """What lies from an element of a memory on."""
    cdef View v = memory[0]
    cdef int d
    v.data += start * v.itemsize
    v.ndim, v.shape, v.strides = ndim, axes.of, axes.of + ndim
    v.numel, v.contiguous = 1, 0
    for d in range(ndim):
        v.numel *= axes.of[d]
    return v


cdef View dense_view(const View* memory, int ndim, const Axes* like, Axes* axes) noexcept:
    """A memory without gaps, its last dimension the quickest, seen with the sizes of ``like``."""
    cdef int d
    axes.of[2 * ndim - 1] = 1
    for d in range(ndim - 1, -1, -1):
        axes.of[d] = like.of[d]
        if d < ndim - 1:
            axes.of[ndim + d] = axes.of[ndim + d + 1] * axes.of[d + 1]
    return seen(memory, 0, ndim, axes)


cdef View channels_innermost_view(const View* v, Axes* axes) noexcept:
    """(N, C, D, H, W) seen as (N, D, H, W, C)."""
    cdef int d, at
    for d in range(5):
        at = 0 if d == 0 else 1 if d == 4 else d + 1
        axes.of[d], axes.of[5 + d] = v.shape[at], v.strides[at]
    return seen(v, 0, 5, axes)


cdef int copy_image(const View* image, TensorBase m, bint to_image) except -1:
    """Copy an image from m (places, channels), or to it."""
    cdef Axes axes, rows
    cdef View a = channels_innermost_view(image, &axes), b = dense_view(&m.view, 5, &axes, &rows)
    if to_image:
        copy_view(&a, &b)
    else:
        copy_view(&b, &a)
    return 0


cdef TensorBase matrix(int64_t rows, int64_t cols, int dtype):
    cdef int64_t sizes[2]
    sizes[0], sizes[1] = rows, cols
    return empty(2, sizes, dtype, CPU)


cdef TensorBase places_of(const View* image, int dtype):
    """An image as a matrix (places, channels)."""
    cdef TensorBase m = matrix(image.numel // image.shape[1], image.shape[1], dtype)
    copy_image(image, m, False)
    return m


cdef int64_t frame_sizes(int64_t* size, const Geometry* q, const View* x, const View* w, const View* y) noexcept:
    """Sizes (N, D, H, W, C) of x with the places around it that windows meet; how many elements these are."""
    cdef int d
    size[0], size[4] = x.shape[0], x.shape[1]
    for d in range(3):
        size[1 + d] = max((y.shape[2 + d] - 1) * q.stride[d] + (w.shape[2 + d] - 1) * q.dilation[d] + 1, q.pad[d] + x.shape[2 + d])
    return size[0] * size[1] * size[2] * size[3] * size[4]


cdef View image_in_frame(TensorBase frame, const Geometry* q, const View* x, Axes* axes) noexcept:
    """Where x lies in its frame, as (N, D, H, W, C)."""
    cdef int64_t start = 0
    cdef int d
    for d in range(5):
        axes.of[d], axes.of[5 + d] = x.shape[0 if d == 0 else 1 if d == 4 else d + 1], frame.view.strides[d]
        if 1 <= d <= 3:
            start += q.pad[d - 1] * frame.view.strides[d]
    return seen(&frame.view, start, 5, axes)


cdef TensorBase unfold_windows(const Geometry* q, const View* x, const View* w, const View* y, bint last):
    """What each place of y meets of x: (places, terms), the terms (tap, channel) if channels are last, else (channel, tap)."""
    cdef int64_t size[5]
    cdef int64_t channels = x.shape[1], taps = pixels_of(w)
    cdef TensorBase frame, m = matrix(y.numel // y.shape[1], channels * taps, x.dtype)
    cdef Axes axes, part
    cdef View a, b
    cdef int d, c = 7 if last else 4, k = 4 if last else 5
    frame_sizes(size, q, x, w, y)
    frame = empty(5, size, x.dtype, CPU)
    memset(frame.view.data, 0, frame.view.numel * frame.view.itemsize)
    a, b = image_in_frame(frame, q, x, &axes), channels_innermost_view(x, &part)
    copy_view(&a, &b)
    axes.of[0], axes.of[8] = size[0], frame.view.strides[0]
    axes.of[c], axes.of[8 + c] = channels, 1
    for d in range(3):
        axes.of[1 + d], axes.of[9 + d] = y.shape[2 + d], frame.view.strides[1 + d] * q.stride[d]
        axes.of[k + d], axes.of[8 + k + d] = w.shape[2 + d], frame.view.strides[1 + d] * q.dilation[d]
    a, b = dense_view(&m.view, 8, &axes, &part), seen(&frame.view, 0, 8, &axes)
    copy_view(&a, &b)
    return m


cdef int fold_windows(const Geometry* q, TensorBase m, const View* x, const View* w, const View* y, const View* bias, bint last) except -1:
    """x = bias + what each of its places is met with, the adjoint of windows: m is (places, terms)."""
    cdef int64_t size[5]
    cdef int64_t channels = x.shape[1], taps = pixels_of(w), tap, at, d
    cdef int64_t k[3]
    cdef TensorBase frame
    cdef Axes axes, part
    cdef View* t[3]
    cdef View a, b
    frame_sizes(size, q, x, w, y)
    frame = empty(5, size, m.view.dtype, CPU)
    if bias == NULL:
        memset(frame.view.data, 0, frame.view.numel * frame.view.itemsize)
    else:
        for d in range(5):
            part.of[d], part.of[5 + d] = size[d], bias.strides[0] if d == 4 else 0
        b = seen(bias, 0, 5, &part)
        copy_view(&frame.view, &b)
    t[0], t[1], t[2] = &a, &a, &b
    for tap in range(taps):
        k[0], k[1], k[2] = tap // (w.shape[3] * w.shape[4]), tap // w.shape[4] % w.shape[3], tap % w.shape[4]
        at = 0
        axes.of[0], axes.of[5], axes.of[4], axes.of[9] = size[0], frame.view.strides[0], channels, 1
        part.of[4], part.of[9] = channels, 1 if last else taps
        part.of[8] = channels * taps                     # a place
        for d in range(2, -1, -1):
            at += k[d] * q.dilation[d] * frame.view.strides[1 + d]
            axes.of[1 + d], axes.of[6 + d] = y.shape[2 + d], frame.view.strides[1 + d] * q.stride[d]
            part.of[1 + d] = y.shape[2 + d]
            part.of[5 + d] = part.of[6 + d] * y.shape[2 + d]
        part.of[0] = size[0]
        a, b = seen(&frame.view, at, 5, &axes), seen(&m.view, tap * channels if last else tap, 5, &part)
        launch(ADD, m.view.dtype, CPU, 1, 3, t, NULL, a.numel)
    a, b = channels_innermost_view(x, &axes), image_in_frame(frame, q, x, &part)
    copy_view(&a, &b)
    return 0


cdef bint rows_of(View* m, const View* w, Axes* axes, bint* last) noexcept:
    """Describe weights that lie without gaps as a matrix (results, terms); whether they do, and whether channels are innermost."""
    cdef int64_t after = w.shape[1], channels = w.shape[1], d
    axes.of[0], axes.of[1], axes.of[2], axes.of[3] = w.shape[0], w.numel // w.shape[0], w.numel // w.shape[0], 1
    m[0] = seen(w, 0, 2, axes)
    if w.contiguous:
        last[0] = False
        return True
    last[0] = True
    if w.strides[1] != 1 and channels > 1:
        return False
    for d in range(4, 1, -1):
        if w.shape[d] > 1 and w.strides[d] != after:
            return False
        after *= w.shape[d]
    return w.strides[0] == after or w.shape[0] == 1


cdef bint few_places(Part part, const View* v) noexcept:
    """Whether there are results, and few enough places."""
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    return ((w.dtype == F32 or w.dtype == F64 or w.dtype == BF16) and v[0].numel > 0 and v[1].numel > 0 and v[2].numel > 0
            and y.numel // y.shape[1] * 4 <= w.shape[0])


cdef bint run_unfolded(Part part, const Geometry* q, const View* v, TensorBase bias, double least) except -1:
    """Convolve as a product of windows and weights, if that costs less; whether it did.

    A weight is read at memory's pace, which takes as long as a tenth of a product of 16; windows are written and read a few times.
    """
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef const View* x = &v[1] if part == RESULT else &v[0] if part == INPUT_GRADIENT else &v[2]
    cdef const View* s = NULL if bias is None else &bias.view
    cdef int64_t size[5]
    cdef Axes axes, turned, sums
    cdef View m, n
    cdef TensorBase a, b, wide
    cdef bint last
    cdef int64_t places = y.numel // y.shape[1]
    if q.groups > 1 or not rows_of(&m, w, &axes, &last):
        return False
    if w.numel * (places / 16.0 + 0.1) + 0.1 * w.numel // w.shape[0] * places + 0.05 * frame_sizes(size, q, x, w, y) + 10000 > least:
        return False
    if part == WEIGHT_GRADIENT:
        a, b = places_of(y, w.dtype), unfold_windows(q, x, w, y, last)
        turned.of[0], turned.of[1], turned.of[2], turned.of[3] = y.shape[1], places, 1, y.shape[1]
        n = seen(&a.view, 0, 2, &turned)
        multiply(PRODUCT, w.dtype, CPU, &m, &n, &b.view, NULL, None, None)
        return True
    if part == INPUT_GRADIENT:
        if w.dtype == BF16:                      # sums of taps are rounded once
            wide = matrix(m.shape[0], m.shape[1], F32)
            copy_view(&wide.view, &m)
            m = wide.view
        a, b = places_of(y, m.dtype), matrix(places, m.shape[1], m.dtype)
        multiply(PRODUCT, m.dtype, CPU, &b.view, &a.view, &m, NULL, None, None)
        fold_windows(q, b, x, w, y, s, last)
        return True
    a, b = unfold_windows(q, x, w, y, last), matrix(places, w.shape[0], w.dtype)
    turned.of[0], turned.of[1], turned.of[2], turned.of[3] = m.shape[1], m.shape[0], 1, m.shape[1]
    n = seen(&m, 0, 2, &turned)
    if s != NULL:
        sums.of[0], sums.of[1], sums.of[2], sums.of[3] = places, w.shape[0], 0, s.strides[0]
        m = seen(s, 0, 2, &sums)
    multiply(PRODUCT, w.dtype, CPU, &b.view, &a.view, &n, NULL if s == NULL else &m, None, None)
    copy_image(y, b, True)
    return True


# -- small planes ------------------------------------------------------------------------------------------


cdef TensorBase channels_last_room(const View* v, int64_t images):
    """Room for images whose channels lie innermost: (N, D, H, W, C)."""
    cdef int64_t sizes[5]
    sizes[0], sizes[1], sizes[2], sizes[3], sizes[4] = images, v.shape[2], v.shape[3], v.shape[4], v.shape[1]
    return empty(5, sizes, v.dtype, CPU)


cdef View some_images(const View* v, int64_t first, int64_t images, int64_t* dims) noexcept:
    """Some images of v."""
    cdef View u = v[0]
    cdef int d
    u.data += first * v.strides[0] * v.itemsize
    u.shape, u.strides, u.numel = dims, dims + 5, images * (v.numel // v.shape[0])
    for d in range(5):
        dims[d], dims[5 + d] = v.shape[d], v.strides[d]
    dims[0] = images
    return u


cdef View turned_view(TensorBase m, int64_t* dims, const View* v) noexcept:
    """m (N, D, H, W, C) seen as (N, C, D, H, W), with the sizes of v."""
    cdef View u = v[0]
    cdef int d
    u.data, u.contiguous, u.shape, u.strides = m.view.data, False, dims, dims + 5
    for d in range(5):
        dims[d] = v.shape[d]
        dims[5 + d] = m.view.strides[0 if d == 0 else 4 if d == 1 else d - 1]
    return u


cdef inline bint fills_turned(Part part, const Geometry* q, const View* v) noexcept:
    """Whether vectors are filled in copies whose channels lie innermost, and not as the planes lie.

    One kernel each: 7 x 7 on 7 x 7 pixels took twice the time, 3 x 3 by 2 on 14 x 14 half as much again.  Groups of 8 channels by
    strides: one and a half to two and a half times for 14 x 14 and 7 x 7.
    """
    cdef const View* w = &v[2]
    cdef int64_t pixels = pixels_of(&v[0]), others = pixels_of(&v[1])
    if q.n != 2 or v[0].strides[1] == 1 or v[1].strides[1] == 1 or min(pixels, others) < 2:
        return False
    if w.shape[1] == 1:
        return (q.groups >= 16 and w.shape[0] == q.groups and min(pixels, others) <= SMALL and max(pixels, others) <= 4 * SMALL
                and (w.dtype == F32 or w.dtype == BF16 or w.dtype == F16))
    return (part == RESULT and q.groups > 1 and 4 < w.shape[1] <= 8 and 4 < w.shape[0] // q.groups <= 8 and w.dtype == F32
            and min(q.stride[1], q.stride[2]) > 1 and w.shape[3] * w.shape[4] > 1)


cdef bint run_turned(Part part, Op op, Op each, const Geometry* q, const View* v, TensorBase bias, int64_t work) except -1:
    """Convolve in copies whose channels lie innermost, some images at a time, if vectors are filled there; whether it did.

    ``each`` has the kernels for channels that have one each, ``op`` those for groups.
    """
    cdef View* t[4]
    cdef View y, x, w = v[2], to, given
    cdef Param p[11]
    cdef int64_t dims[40]
    cdef TensorBase of_y, of_x
    cdef int i
    cdef int64_t images = v[0].shape[0], n = 0, many
    if not fills_turned(part, q, v):
        return False
    many = max(<int64_t>1, min(images, TOGETHER // (max(v[0].numel, v[1].numel) // images)))
    of_y, of_x = channels_last_room(&v[0], many), channels_last_room(&v[1], many)
    t[0], t[1], t[2], t[3] = &y, &x, &w, NULL if bias is None else &bias.view
    for i in range(3):
        p[i].i, p[3 + i].i, p[6 + i].i = q.stride[i], q.pad[i], q.dilation[i]
    p[9].i = q.groups
    p[10].i = bias is not None
    while n < images:
        many = min(many, images - n)
        to, given = some_images(&v[0], n, many, dims), some_images(&v[1], n, many, dims + 10)
        y, x = turned_view(of_y, dims + 20, &to), turned_view(of_x, dims + 30, &given)
        copy_view(&x, &given)
        launch(each if w.shape[1] == 1 else op, w.dtype, CPU, 1, 4, t, p, work)
        copy_view(&to, &y)
        n += many
    return True
