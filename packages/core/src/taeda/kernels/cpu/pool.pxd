# Geometry of pooling windows for Cython: the parameters of the windowed kernels are kernel, stride, padding, dilation,
# size in and size out, each of depth, height and width.  A 2-d pool is one over volumes of depth one, a 1-d pool of height one as well.
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Param

cdef extern from "pool.h" nogil:
    ctypedef struct Pool:
        int64_t kd, kh, kw, sd, sh, sw, pd, ph, pw, dd, dh, dw, D, H, W, OD, OH, OW, tiled
    int64_t pool_room(const Pool* g)
    void pool_table(Pool* g, int64_t* room)


cdef inline Pool geometry(const Param* p) noexcept nogil:
    cdef Pool g
    g.kd = p[0].i; g.kh = p[1].i; g.kw = p[2].i
    g.sd = p[3].i; g.sh = p[4].i; g.sw = p[5].i
    g.pd = p[6].i; g.ph = p[7].i; g.pw = p[8].i
    g.dd = p[9].i; g.dh = p[10].i; g.dw = p[11].i
    g.D = p[12].i; g.H = p[13].i; g.W = p[14].i
    g.OD = p[15].i; g.OH = p[16].i; g.OW = p[17].i
    return g
