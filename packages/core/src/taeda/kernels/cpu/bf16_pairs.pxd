# What convolutions of bfloat16 by pairs share: bf16_pairs.h, which wants tiles.h before it (conv_planes first), panels, steps of sums.
from libc.stdint cimport int64_t, uint16_t

from taeda.kernels.cpu.work cimport up

cdef extern from "bf16_pairs.h":
    ctypedef unsigned int Pair
    int bf16_runs() nogil
    void pairs_weave(Pair *d, const uint16_t *a, const uint16_t *b, int64_t n) nogil
    void pairs_weave_apart(Pair *d, const uint16_t *a, const uint16_t *b, int64_t step, int64_t n) nogil
    void pairs_of_channels(Pair *d, const uint16_t *s, int64_t taps, int64_t n) nogil
    void pairs_apart(uint16_t *a, uint16_t *b, const Pair *s, int64_t n) nogil
    void pairs_turn(const Pair *s, int64_t sld, Pair *d, int64_t dld, int64_t rows, int64_t cols) nogil
    float pairs_widened(uint16_t x) nogil
    int pairs_finite(const uint16_t *s, int64_t n) nogil
    int64_t pairs_height(int64_t width) nogil
    void pairs_tile(int64_t width, int64_t n, const uint16_t **at, const int64_t *off, const uint16_t *w, float *y) nogil
    void pairs_round(uint16_t *d, const float *s, int64_t n) nogil

cdef enum:
    UNFIT = 1
    WIDTH = 64            # lanes of a panel
    STEPS = 128           # pairs of a sum between two additions to memory: a panel's weights are 32 KiB


cdef inline int64_t width_of(int64_t panel, int64_t lanes) noexcept nogil:
    return min(<int64_t>WIDTH, up(lanes - panel * WIDTH, 16))
