# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Which kernels compute a convolution or one of its gradients: by shapes and layouts alone, each rule measured.

Kernels of one tap are products of matrices where images lie as matrices (conv_product), and so are windows side by side
(conv_patches); small square ones go to Winograd's method
where it wins; depthwise ones have kernels of their own; those of bfloat16 are sums of pairs where the processor has them
(conv_pairs).  Where pixels of a row lie side by side, conv_pixels gathers the terms of every result and conv_taps shifts products
tap by tap; kernels/cpu/conv takes everything else.

Taps at the ends of a kernel that meet only padding are left out first: a dilation of 12 on an image of 6x6 has one tap of nine.
Where many others meet it in many places, conv_places computes each place by the taps that it has.
"""
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memset

from taeda.dispatch cimport Op, define, empty, launch
from taeda.kernels.cpu.abi cimport BF16, F16, F32, F64, Param, View
from taeda.kernels.cpu.conv_segments cimport SEGMENTS, Segment, segments
from taeda.registry cimport copy_view
from taeda.tensor_base cimport CPU, TensorBase

from taeda.ops.conv_geometry cimport INPUT_GRADIENT, RESULT, WEIGHT_GRADIENT, Geometry, Part, pixels_of, side_by_side
from taeda.ops.conv_patches cimport run_patches
from taeda.ops.conv_product cimport run_product, seen_pixels
from taeda.ops.conv_unfolded cimport few_places, run_turned, run_unfolded
from taeda.ops.winograd cimport cost as winograds_cost, knows, plain_cost, results_along

cdef bint fast = True              # whether Winograd's method may be used: taeda.backends.cpu.conv_precision

cdef enum:
    PLANES = 1 << 18               # elements of an image that the kernels for one result split and keep at hand
    TAPS = 256                     # of a depthwise kernel
    ROW = 1 << 13                  # elements of a signal that a depthwise kernel frames in the caches

cdef Op PIXELS = define("convolution", NULL, 0, 0, "convolution_pixels")
cdef Op PLACES = define("convolution", NULL, 0, 0, "convolution_places")
cdef Op DEPTHWISE = define("convolution", NULL, 0, 0, "convolution_depthwise")
cdef Op CHANNELS = define("convolution", NULL, 0, 0, "convolution_channels")
cdef Op INPUT_PIXELS = define("convolution_input", NULL, 0, 0, "convolution_input_pixels")
cdef Op INPUT_TAPS = define("convolution_input", NULL, 0, 0, "convolution_input_taps")
cdef Op INPUT_DEPTHWISE = define("convolution_input", NULL, 0, 0, "convolution_input_depthwise")
cdef Op INPUT_CHANNELS = define("convolution_input", NULL, 0, 0, "convolution_input_channels")
cdef Op WEIGHT_DEPTHWISE = define("convolution_weight", NULL, 0, 0, "convolution_weight_depthwise")
cdef Op WEIGHT_CHANNELS = define("convolution_weight", NULL, 0, 0, "convolution_weight_channels")
cdef Op WEIGHT_PLACES = define("convolution_weight", NULL, 0, 0, "convolution_weight_places")
cdef Op PAIRS = define("convolution", NULL, 0, 0, "convolution_pairs")
cdef Op INPUT_PAIRS = define("convolution_input", NULL, 0, 0, "convolution_input_pairs")
cdef Op WEIGHT_PAIRS = define("convolution_weight", NULL, 0, 0, "convolution_weight_pairs")
cdef Op WINOGRAD = define("winograd", NULL)              # the same three parts, or 1: then op is asked
cdef Op WINOGRAD_INPUT = define("winograd_input", NULL)
cdef Op WINOGRAD_WEIGHT = define("winograd_weight", NULL)


def set_fast(bint value):
    """Say whether convolutions may take Winograd's method."""
    global fast
    fast = value


cdef inline void lift(View* v, TensorBase x, int64_t* dims) noexcept:
    """A 5-d view of a 3-d to 5-d tensor; dims has room for ten numbers."""
    cdef int d, at = 0, missing = 5 - x.view.ndim
    v[0] = x.view
    v.ndim = 5
    v.shape, v.strides = dims, dims + 5
    for d in range(5):
        if 2 <= d < 2 + missing:
            dims[d], dims[5 + d] = 1, 0
        else:
            dims[d], dims[5 + d] = x.view.shape[at], x.view.strides[at]
            at += 1


# -- kernels -------------------------------------------------------------------------------------------


cdef double by_winograd(Part part, const Geometry* q, const View* v) noexcept:
    """What this convolution of images, or gradient of one, costs by Winograd's method; infinity if that does not know it."""
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef int dtype = w.dtype
    if not fast or q.n < 2 or w.shape[1] * w.shape[0] < 16 * q.groups or w.shape[3] != w.shape[4] or q.stride[1] != q.stride[2] or not (
            dtype == F32 or dtype == F16 or dtype == BF16):
        return INFINITY
    if not knows(w.shape[3], q.stride[1], max(q.dilation[1], q.dilation[2])) or (part == INPUT_GRADIENT and q.stride[0] != 1):
        return INFINITY
    cdef int64_t rows = y.shape[3], cols = y.shape[4]
    if part == INPUT_GRADIENT:
        rows, cols = results_along(v[0].shape[3], q.pad[1], q.stride[1]), results_along(v[0].shape[4], q.pad[2], q.stride[2])
    return 6000 + q.groups * (winograds_cost(
        y.shape[0] * y.shape[2], rows, cols, w.shape[1], w.shape[0] // q.groups, w.shape[2], w.shape[3], q.stride[1], q.dilation[1],
        q.dilation[2], part == INPUT_GRADIENT) - 6000)                   # side by side, groups begin once


cdef double as_it_stands(Part part, const View* v) noexcept:
    """What it costs as a sum; 1.1 times that is what Winograd's method must stay under."""
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    return plain_cost(y.shape[0] * pixels_of(y), <double>w.shape[0] * w.shape[1] * pixels_of(w))


cdef inline bint is_depthwise(Part part, const Geometry* q, const View* w, const View* x) noexcept:
    """Whether every channel has one kernel of its own that conv_depthwise knows."""
    if q.n > 2 or q.groups == 1 or w.shape[0] != q.groups or w.shape[1] != 1:
        return False
    if q.n == 2 and w.shape[3] == w.shape[4] and (w.shape[3] == 3 or w.shape[3] == 5 or w.shape[3] == 7) and (
            q.dilation[1] == 1 and q.dilation[2] == 1 and q.stride[1] == q.stride[2] and q.stride[1] <= 3):
        return True                              # loops of their own, also for strided gradients
    if part == WEIGHT_GRADIENT or w.shape[3] * w.shape[4] > TAPS or x.shape[4] > ROW:
        return False
    return q.stride[2] <= 4 if part == RESULT else q.stride[1] * q.stride[2] == 1


cdef inline bint is_depthwise_last(const Geometry* q, const View* w, const View* a, const View* b) noexcept:
    """Whether every channel of two images or volumes whose channels lie innermost has one kernel of its own."""
    return (q.n >= 2 and q.groups > 1 and w.shape[0] == q.groups and w.shape[1] == 1 and a.strides[1] == 1 and b.strides[1] == 1
            and (w.dtype == F32 or w.dtype == F64 or w.dtype == F16 or w.dtype == BF16))


cdef inline bint is_grouped_last(Part part, const Geometry* q, const View* w, const View* a, const View* b) noexcept:
    """Whether groups have two or four channels and as many results, which fill vectors together: conv_channels shuffles them."""
    cdef int64_t results = w.shape[0] // q.groups, lanes = 4 if w.dtype == F64 else 8
    if part == WEIGHT_GRADIENT or q.n < 2 or q.groups == 1 or results != w.shape[1] or a.strides[1] != 1 or b.strides[1] != 1:
        return False
    if w.shape[0] % lanes or not (w.dtype == F32 or w.dtype == F64 or w.dtype == F16 or w.dtype == BF16):
        return False
    return results == 2 or (results == 4 and lanes == 8)


cdef bint adds_taps(const Geometry* q, const View* w, const View* dx, const View* g) noexcept:
    """Whether an input gradient is computed tap by tap: strided, of few channels, or where much of dx meets only padding."""
    cdef int64_t terms = w.shape[0] // q.groups, channels = w.shape[1]
    if terms < (64 if q.groups > 1 else 16) or not side_by_side(g):
        return False                     # an addition costs as much as eight terms; blocks of one group's channels are thin
    if q.stride[0] * q.stride[1] * q.stride[2] > 1:
        return True
    return channels <= 4 or (channels <= 8 and terms >= 32) or 4 * pixels_of(dx) > 5 * pixels_of(g)


cdef Op suited(Part part, Op op, const Geometry* q, const View* v):
    """The kernels for this convolution: v are result and factors."""
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* image = &v[2] if part == WEIGHT_GRADIENT else &v[0]
    cdef bint many
    if is_depthwise_last(q, w, image, &v[1]) or is_grouped_last(part, q, w, image, &v[1]):
        return CHANNELS if part == RESULT else INPUT_CHANNELS if part == INPUT_GRADIENT else WEIGHT_CHANNELS
    if image.strides[4] != 1 or v[1].strides[4] != 1 or not (
            w.dtype == F32 or w.dtype == F64 or w.dtype == F16 or w.dtype == BF16):
        return op
    if is_depthwise(part, q, w, &v[1]):
        return DEPTHWISE if part == RESULT else INPUT_DEPTHWISE if part == INPUT_GRADIENT else WEIGHT_DEPTHWISE
    if part == RESULT:       # sums this short, and one result of planes that fit the cache, have pixels as lanes there too
        many = w.shape[0] // q.groups > 1
        return PIXELS if (w.shape[1] * pixels_of(w) > 9 or pixels_of(w) == 1) and (many or w.shape[1] * pixels_of(&v[1]) > PLANES) else op
    if part == INPUT_GRADIENT:
        if adds_taps(q, w, image, &v[1]):
            return INPUT_TAPS
        return INPUT_PIXELS if w.shape[1] > 8 and w.shape[0] // q.groups > 16 else op
    return op


cdef inline int64_t touches(TensorBase y, TensorBase x, TensorBase w) noexcept:
    """Element touches of y = convolution of x by w, counting sixteen multiplications as one."""
    cdef int64_t n = w.view.shape[0] if w.view.shape[0] > 0 else 1
    return x.view.numel + y.view.numel * (1 + w.view.numel // n // 16)


cdef inline void crop(View* v, int d, int64_t start, int64_t stop) noexcept:
    v.data += start * v.strides[d] * v.itemsize
    v.numel = v.numel // v.shape[d] * (stop - start)
    v.shape[d] = stop - start
    v.contiguous = 0


cdef bint drop_taps(Part part, Geometry* q, View* v) noexcept:
    """Leave out the taps at the ends of a kernel that meet nothing but padding: those of a large dilation, all but one where
    the image is one pixel.  Whether there were any; a weight's gradient is 0 there.
    """
    cdef View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef const View* x = &v[1] if part == RESULT else &v[0] if part == INPUT_GRADIENT else &v[2]
    cdef int64_t low, high, step
    cdef bint found = False
    cdef int d
    if (q.groups != 1 and w.shape[1] != 1) or not (w.itemsize == 2 or w.itemsize == 4 or w.itemsize == 8) or w.numel == 0 or (
            x.numel == 0 or y.numel == 0):
        return False
    for d in range(3):
        low, high, step = 0, w.shape[2 + d], q.dilation[d]
        while low < high - 1 and (y.shape[2 + d] - 1) * q.stride[d] + low * step < q.pad[d]:
            low += 1
        while high > low + 1 and (high - 1) * step - q.pad[d] >= x.shape[2 + d]:
            high -= 1
        if low * step > q.pad[d]:                # the first of the others would need a crop, not padding
            low = q.pad[d] // step
        if high - low < w.shape[2 + d]:
            found = True
            crop(w, 2 + d, low, high)
            q.pad[d] -= low * step
    return found


# -- places by the taps that they have -------------------------------------------------------------------


cdef double parted(const Segment[3][SEGMENTS] s, const int64_t* n, int64_t images, int64_t channels, int64_t lanes, int64_t width) noexcept:
    """What results cost in parts: in operations on 16 floats, as Winograd's method does.

    Tiles of 8 places by a panel; reading its weights costs a part as much as some more places, and ending a run of taps as eight terms.
    """
    cdef double cost = 0, panels = (lanes + width - 1) // width * (width / 16.0)
    cdef int64_t i, places, deep, high, across
    for i in range(n[0] * n[1] * n[2]):
        places = images
        places *= s[0][i // (n[1] * n[2])].stop - s[0][i // (n[1] * n[2])].start
        deep = s[0][i // (n[1] * n[2])].high - s[0][i // (n[1] * n[2])].low
        places *= s[1][i // n[2] % n[1]].stop - s[1][i // n[2] % n[1]].start
        high = s[1][i // n[2] % n[1]].high - s[1][i // n[2] % n[1]].low
        places *= s[2][i % n[2]].stop - s[2][i % n[2]].start
        across = s[2][i % n[2]].high - s[2][i % n[2]].low
        cost += ((places + 7) // 8 * 8 + 2) * panels * deep * high * (across * channels + 8)
    return cost


cdef double in_place(const Geometry* q, const View* v, double width) noexcept:
    """What the kernels of run() lose beside a sum as it stands, as a factor: lanes without a result, pixels between rows or gathering."""
    cdef double results = v[0].shape[1] // q.groups, row = v[0].shape[4], across = row + (v[2].shape[4] - 1) * q.dilation[2]
    cdef double rows = v[0].shape[3], lost
    if v[0].strides[4] != 1 or v[1].strides[4] != 1:
        if q.groups > 1 and 2 * results <= width:
            width /= 2
        return (results + width - 1) // width * width / results * (1.2 if q.groups > 1 else 1)     # each group packs and pads for itself
    lost = (across * (rows + (v[2].shape[3] - 1) * q.dilation[1]) if q.stride[1] == 1 else 2 * row * rows) / (row * rows) - 1
    return 1 + min(12 / results, min(lost, (row + 2 * width - 1) // (2 * width) * 2 * width / row - 1))


cdef bint run_weight_places(const Geometry* q, TensorBase out, const View* v, int64_t work) except -1:
    """Compute a weight gradient tap by tap over the pixels that each meets, if that saves enough; whether it did."""
    cdef View* t[3]
    cdef View u[3]
    cdef Param p[12]
    cdef Segment s[SEGMENTS]
    cdef int64_t d, i, n, reached, rows, lanes, width = 8 if v[0].dtype == F64 else 16
    cdef double share = 1, runs = v[1].shape[2], sums, cost, plain = as_it_stands(WEIGHT_GRADIENT, v)
    for d in range(3):
        n = segments(s, v[1].shape[2 + d], v[2].shape[2 + d], v[0].shape[2 + d], q.stride[d], q.pad[d], q.dilation[d], 1)
        reached = 0
        for i in range(n):
            reached += (s[i].stop - s[i].start) * (s[i].high - s[i].low)
        share *= <double>reached / (v[1].shape[2 + d] * v[0].shape[2 + d])
    if share > 0.95:
        return False
    if v[0].shape[4] > 1:
        runs *= v[1].shape[3]                    # of each tap: rows, unless it takes the whole of them
    p[11].i = 0
    rows, lanes = (v[0].shape[1] + 7) // 8 * 8, (v[0].shape[0] + width - 1) // width * width
    if q.stride[0] * q.stride[1] * q.stride[2] == 1:
        reached, n = (v[0].shape[0] + 7) // 8 * 8, (v[0].shape[1] + width - 1) // width * width
        if reached * n < rows * lanes:
            rows, lanes = reached, n
            p[11].i = 1
    sums = rows * lanes / 16.0 * pixels_of(&v[0])
    cost = sums * (share * v[1].shape[0] * pixels_of(&v[1]) + 8 * runs)
    cost += (v[1].numel * 0.1 + v[2].numel * 0.05 + 4 * sums) * 16 / width + 6000
    if v[1].strides[4] != 1 or v[2].strides[4] != 1:         # then conv_weight has output channels as lanes
        plain *= (v[0].shape[0] + width - 1) // width * width / <double>v[0].shape[0]
    if cost > min(plain, by_winograd(WEIGHT_GRADIENT, q, v)):
        return False
    for i in range(3):
        u[i] = v[i]
        t[i] = &u[i]
        p[i].i, p[3 + i].i, p[6 + i].i = q.stride[i], q.pad[i], q.dilation[i]
    p[9].i = 1
    p[10].i = 0
    launch(WEIGHT_PLACES, out.view.dtype, out.device, 1, 3, t, p, work)
    return True


cdef bint run_places(Part part, const Geometry* given, TensorBase out, const View* v, TensorBase bias, int64_t work) except -1:
    """Compute results, or a gradient, of the input only without a stride, by the taps that each place has, if that saves enough; whether it
    did.
    """
    cdef Segment s[3][SEGMENTS]
    cdef int64_t n[3]
    cdef View* t[4]
    cdef View u[3]
    cdef Param p[15]
    cdef Geometry q = given[0]
    cdef int64_t d, i, size, width, reached, places, lanes, terms
    cdef double least, cost, share = 1
    if v[0].numel == 0 or v[1].numel == 0 or v[2].numel == 0 or not (
            v[2].dtype == F32 or v[2].dtype == F64 or v[2].dtype == F16 or v[2].dtype == BF16):
        return False
    if part == WEIGHT_GRADIENT:
        return q.groups == 1 and run_weight_places(given, out, v, work)
    lanes, terms = v[0].shape[1] // q.groups, v[1].shape[1] // q.groups
    if lanes < 8:
        return False
    for i in range(3):
        u[i] = v[i]
        t[i] = &u[i]
    for d in range(3 if part == INPUT_GRADIENT else 0):      # the convolution of g by the kernel turned round
        if q.stride[d] != 1:
            return False
        q.pad[d] = (v[2].shape[2 + d] - 1) * q.dilation[d] - q.pad[d]
    for d in range(3):
        n[d] = segments(s[d], u[0].shape[2 + d], u[1].shape[2 + d], u[2].shape[2 + d], q.stride[d], q.pad[d], q.dilation[d], 1)
        reached = 0
        for i in range(n[d]):
            reached += (s[d][i].stop - s[d][i].start) * (s[d][i].high - s[d][i].low)
        share *= <double>reached / (u[0].shape[2 + d] * u[2].shape[2 + d])
    if share > (0.97 if q.groups > 1 and v[0].strides[4] != 1 else 0.95):
        return False
    width = 8 if v[2].dtype == F64 else 16
    least = min(as_it_stands(part, v) * in_place(given, v, width), by_winograd(part, given, v))
    places = u[0].numel // u[0].shape[1]
    cost = (u[2].numel * 0.1 + u[1].numel * 0.05 + u[0].numel * 0.05) * 16 / width + 6000
    if cost + share * places * u[2].numel / 16 > least:
        return False
    least -= cost
    for d in range(64):                          # segments of at least 1, 2, 4 or all places along each axis
        reached = 1
        for i in range(3):
            size = d >> 2 * i & 3
            if u[2].shape[2 + i] == 1 and size:
                reached = 0
                break
            size = u[0].shape[2 + i] if size == 3 else 1 << size
            n[i] = segments(s[i], u[0].shape[2 + i], u[1].shape[2 + i], u[2].shape[2 + i], q.stride[i], q.pad[i], q.dilation[i], size)
        if not reached:
            continue
        cost = q.groups * parted(s, n, u[0].shape[0], terms, lanes, width)
        if cost < least:
            least = cost
            for i in range(3):
                size = d >> 2 * i & 3
                p[11 + i].i = u[0].shape[2 + i] if size == 3 else 1 << size
            share = -1
    if share >= 0:
        return False
    for i in range(3):
        p[i].i, p[3 + i].i, p[6 + i].i = q.stride[i], q.pad[i], q.dilation[i]
    t[3] = NULL if bias is None else &bias.view
    p[9].i = q.groups
    p[10].i = bias is not None
    p[14].i = part == INPUT_GRADIENT
    launch(PLACES, out.view.dtype, out.device, 1, 4, t, p, work)
    return True


cdef double tapped(Part part, const Geometry* q, const View* v) noexcept:
    """The share of places and taps that meet the image, not padding."""
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef const View* x = &v[1] if part == RESULT else &v[0] if part == INPUT_GRADIENT else &v[2]
    cdef double share = 1
    cdef int64_t met, d, i, k, at
    for d in range(3):
        met = 0
        for k in range(w.shape[2 + d]):
            for i in range(y.shape[2 + d]):
                at = i * q.stride[d] + k * q.dilation[d] - q.pad[d]
                met += 0 <= at < x.shape[2 + d]
        share *= <double>met / (y.shape[2 + d] * w.shape[2 + d])
    return share


cdef double otherwise(Part part, const Geometry* q, const View* v, const View* whole) noexcept:
    """What a convolution of few places costs where no windows are written out: v without the taps that meet only padding.

    Planes of single taps are gathered from whole lines of weights.
    """
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef double share = tapped(part, q, v)
    share = w.numel * (y.shape[0] * pixels_of(y) * share / 16 + 1) + 6000
    if whole.contiguous and w.numel < whole.numel:
        share = max(share, 0.7 * whole.numel)
    return min(share, by_winograd(part, q, v))


# -- bfloat16 by pairs -----------------------------------------------------------------------------------


cdef bint suits_pairs(Part part, const Geometry* q, const View* v) noexcept:
    """Whether multiply-adds of pairs are fewer than what other kernels take on float32 copies.

    Panels have 16 lanes: few results are computed better where pixels are lanes, unless channels lie innermost.  Winograd's method
    costs a unit of its formula 1 to 1.25 operations here, the more where it follows channels that lie innermost.
    """
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    cdef int64_t results = w.shape[0] // q.groups, terms = w.shape[1], lanes = terms if part == INPUT_GRADIENT else results
    cdef bint last = v[0].strides[4] != 1 if part == INPUT_GRADIENT else v[1].strides[4] != 1
    cdef double steps = <double>(y.numel // y.shape[1]) * pixels_of(w) * q.groups
    if w.dtype != BF16 or v[0].numel == 0 or v[1].numel == 0 or v[2].numel == 0 or (terms == 1 and (q.groups > 1 or part == RESULT)):
        return False
    if lanes <= 8 and (q.groups == 1 or part != WEIGHT_GRADIENT) and (
            not last or (part == INPUT_GRADIENT and q.stride[0] * q.stride[1] * q.stride[2] > 1)):
        return False
    steps *= (lanes + 15) // 16
    if part == WEIGHT_GRADIENT:
        steps *= <double>terms * ((y.shape[4] + 1) // 2) / y.shape[4]
    else:
        steps *= ((terms if part == RESULT else results) + 1) // 2
    return steps < by_winograd(part, q, v) * (1.25 if last and part != WEIGHT_GRADIENT else 1)


cdef bint run_pairs(Part part, const Geometry* q, const View* v, TensorBase bias, int64_t work) except -1:
    """Convolve bfloat16 by the processor's multiply-adds of pairs; whether it has them and the kernel would."""
    cdef View* t[4]
    cdef View u[3]
    cdef Param p[11]
    cdef int64_t dims[10]
    cdef int64_t stride
    cdef int i, x = 1 if part == RESULT else 2
    cdef const View* w = &v[0] if part == WEIGHT_GRADIENT else &v[2]
    cdef const View* y = &v[0] if part == RESULT else &v[1]
    for i in range(3):
        u[i] = v[i]
        t[i] = &u[i]
    for i in range(5):
        dims[i], dims[5 + i] = v[x].shape[i], v[x].strides[i]
    if part != INPUT_GRADIENT:
        u[x].shape, u[x].strides, u[x].contiguous = dims, dims + 5, False
    for i in range(3):
        stride = q.stride[i]
        if part != INPUT_GRADIENT and w.shape[2 + i] == 1 and q.pad[i] == 0:         # one tap sees every stride-th pixel
            dims[2 + i], dims[7 + i] = y.shape[2 + i], dims[7 + i] * stride
            stride = 1
        p[i].i, p[3 + i].i, p[6 + i].i = stride, q.pad[i], q.dilation[i]
    u[x].numel = u[x].shape[0] * u[x].shape[1] * pixels_of(&u[x])
    t[3] = NULL if bias is None else &bias.view
    p[9].i = q.groups
    p[10].i = bias is not None
    return launch(PAIRS if part == RESULT else INPUT_PAIRS if part == INPUT_GRADIENT else WEIGHT_PAIRS, BF16, CPU, 1, 4, t, p, work) == 0


cdef int compute(Part part, Op op, const Geometry* given, TensorBase out, TensorBase a, TensorBase b, TensorBase bias) except -1:
    """Fill out with a part of a convolution: its result of a = x and b = w, or a gradient from a = g and b, the other operand.

    What makes less work comes first: taps that meet only padding are dropped, and the pixels that none meets.  Then each kernel is
    asked in turn whether it takes the shapes.
    """
    cdef View v[3]
    cdef int64_t dims[30]
    cdef int64_t work = touches(out, a, b) if part == RESULT else touches(a, out, b) if part == INPUT_GRADIENT else touches(a, b, out)
    cdef Geometry kept = given[0]
    cdef const Geometry* q = &kept
    cdef View u[3]                               # with all taps
    cdef int64_t whole[10]
    cdef int d
    cdef bint dropped
    cdef View place                              # where a weight's gradient, or what is left of it, belongs
    cdef TensorBase left, _seen                  # _seen: holds the memory of x
    cdef int64_t pixels[15]
    cdef int y = 0 if part == RESULT else 1, x = 1 if part == RESULT else 0 if part == INPUT_GRADIENT else 2, w = 3 - x - y
    lift(&v[0], out, dims)
    lift(&v[1], a, dims + 10)
    lift(&v[2], b, dims + 20)
    for d in range(3):
        u[d] = v[d]
    lift(&u[0 if part == WEIGHT_GRADIENT else 2], out if part == WEIGHT_GRADIENT else b, whole)
    for d in range(3):                           # a single result has no stride: kernels for strides take ten times as long
        if v[y].shape[2 + d] == 1 and v[x].shape[2 + d] + 2 * kept.pad[d] == kept.dilation[d] * (v[w].shape[2 + d] - 1) + 1:
            kept.stride[d] = 1
    dropped = out.device == CPU and drop_taps(part, &kept, v)
    if out.device == CPU and a.device == CPU and b.device == CPU and few_places(part, u) and run_unfolded(
            part, given, u, bias, otherwise(part, q, v, &u[0 if part == WEIGHT_GRADIENT else 2])):
        return 0
    if out.device == CPU and a.device == CPU and b.device == CPU and run_patches(part, given, out, u, bias):
        return 0
    if out.device == CPU and is_grouped_last(part, q, &v[2], &v[0], &v[1]):
        return run(part, op, q, out, bias, v, work, False)
    if out.device == CPU and suits_pairs(part, q, v) and tapped(part, q, v) > 0.5:
        if dropped and part == WEIGHT_GRADIENT:
            memset(out.view.data, 0, out.view.numel * out.view.itemsize)
        if run_pairs(part, q, v, bias, work):
            return 0
    if out.device == CPU and part != INPUT_GRADIENT:
        _seen = seen_pixels(&kept, &v[w], &v[y], &v[x], pixels)
    if dropped and q.groups > 1 and part != WEIGHT_GRADIENT:      # kernels for one channel read weights without gaps
        left = empty(5, v[2].shape, b.view.dtype, b.device)
        copy_view(&left.view, &v[2])
        v[2] = left.view
    if out.device == CPU and part != WEIGHT_GRADIENT and run_turned(
            part, op, CHANNELS if part == RESULT else INPUT_CHANNELS, q, v, bias, work):
        return 0
    if part == WEIGHT_GRADIENT and out.device == CPU and (dropped or not out.view.contiguous):       # kernels write it without gaps
        if dropped:
            memset(out.view.data, 0, out.view.numel * out.view.itemsize)
        place, left = v[0], empty(5, v[0].shape, out.view.dtype, out.device)
        v[0] = left.view
        if not run_places(part, q, left, v, bias, work):
            run(part, op, q, left, bias, v, work, not dropped)
        copy_view(&place, &v[0])
        return 0
    if out.device == CPU and run_places(part, q, out, v, bias, work):
        return 0
    return run(part, op, q, out, bias, v, work, not dropped)


cdef int run(Part part, Op op, const Geometry* q, TensorBase out, TensorBase bias, View* v, int64_t work, bint whole) except -1:
    """Choose the kernels and launch them; ``whole`` if the views are those of the tensors."""
    cdef View* t[4]
    cdef Param p[11]
    cdef Op other
    cdef int i
    for i in range(3):
        t[i] = &v[i]
        p[i].i, p[3 + i].i, p[6 + i].i = q.stride[i], q.pad[i], q.dilation[i]
    t[3] = NULL if bias is None else &bias.view
    p[9].i = q.groups
    p[10].i = bias is not None
    if run_product(part, q, out, v, bias):
        return 0
    if whole and by_winograd(part, q, v) < 1.1 * as_it_stands(part, v):
        other = WINOGRAD if part == RESULT else WINOGRAD_INPUT if part == INPUT_GRADIENT else WINOGRAD_WEIGHT
        if launch(other, out.view.dtype, out.device, 1, 4, t, p, work) == 0:
            return 0                     # else something was not finite: the sums say where
    if launch(suited(part, op, q, v), out.view.dtype, out.device, 1, 4, t, p, work):
        launch(op, out.view.dtype, out.device, 1, 4, t, p, work)       # takes everything
    return 0
