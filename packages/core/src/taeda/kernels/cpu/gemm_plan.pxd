# How a product of matrices is cut: C into blocks, and K into pieces where C has too few.  Shapes and strides alone decide.
from libc.math cimport sqrt
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.work cimport up

cdef extern from *:            # of tiles.h and blocks.h
    enum:
        FEW_ROWS
        COLUMNS

cdef enum:
    BLOCK_MACS = 3 << 17      # smallest block worth a turn of the thread pool
    BLOCK_AREA = 512 * 512    # largest block of C: larger ones leave threads idle
    SPLIT_K = 256             # smallest piece of a long K when C alone gives few blocks to cut
    SPLIT_AREA = 128 * 128    # largest C whose partial sums are kept
    OUTER_AREA = 1 << 16      # results of an outer product that a thread takes at a turn
    VECTOR_MACS = 1 << 16     # of a product with a vector that a thread takes at a turn
    LONG_VECTOR = 1 << 13     # results that a vector times rows of a matrix keeps in the first-level cache
    COLUMN_COLS = 64          # of the narrowest block of columns
    WIDE_COLS = 192           # of a block of many
    NARROW_COLS = 256         # with fewer there are few blocks of columns: for few rows only
    COLUMN_ROWS = 384         # from here on rows that lie pages apart are packed too often
    COLUMN_AREA = 1 << 20     # of A, which each block reads: what the third-level cache holds
    STRIP_ROWS = 96           # of C at a time: whole tiles of 6 or 8, their part of A stays in L2

ctypedef struct Job:
    View *c
    View *a
    View *b
    View *s
    int64_t M, N, K           # the whole matrix
    int64_t nm, nn, nk        # number of blocks
    int64_t mg, ng, kb        # blocks are whole multiples of so many rows and columns, shared out evenly; so many terms
    bint by_columns
    char *partial             # nk matrices of M x N when K is cut
    Param alpha, beta, alpha_imag, beta_imag      # the last two of complex ones alone


cdef inline int64_t edge(int64_t i, int64_t blocks, int64_t size, int64_t grain) noexcept nogil:
    """Where block number i begins."""
    return min(i * up(size, grain) // grain // blocks * grain, size)


cdef inline bint along_rows(const Job *j) noexcept nogil:
    """Is this a vector times a matrix whose rows lie in memory one behind the other, so that results are sums of rows?"""
    cdef int nd = j.c.ndim
    if j.M == 1:
        return j.b.strides[nd - 1] == 1 and j.N > 1 and j.K > 1
    return j.N == 1 and j.a.strides[nd - 2] == 1 and j.M > 1 and j.K > 1


cdef inline void cut_terms(Job *j, int64_t parts) noexcept nogil:
    """Cut K into that many pieces, whose sums are kept apart."""
    j.kb = up((j.K + parts - 1) // parts, 16)
    j.nk = (j.K + j.kb - 1) // j.kb


cdef inline bint by_columns(const Job *j, int scattered) noexcept nogil:
    """Does each thread best pack the columns of B that it needs?  Rows of A that are scattered are packed for each block anew."""
    if j.M <= FEW_ROWS or j.M > 2 * j.N or j.M * j.K > COLUMN_AREA or j.N < (NARROW_COLS if j.M > NARROW_COLS else 2 * COLUMN_COLS):
        return False
    if scattered == COLUMNS:
        return j.M < STRIP_ROWS and j.N >= 4 * WIDE_COLS
    return j.M < COLUMN_ROWS or scattered == 0


cdef inline void plan(Job *j, int64_t batch, int64_t most, int64_t weight, int64_t rows, int scattered) noexcept nogil:
    """Cut C into blocks, at most that many, of tiles of some rows, and K into pieces where C has too few.

    Shapes, strides and a term's multiply-adds alone decide.
    """
    cdef int64_t M = j.M, N = j.N, K = j.K, macs = M * N * K * weight, area, parts, mb = M, nb = N
    j.nm = j.nn = j.nk = j.mg = j.ng = 1
    j.by_columns = False
    j.kb = K
    if macs <= BLOCK_MACS:
        return
    if K == 1 and batch == 1 and M > 1 and N <= OUTER_AREA:       # whole rows of C, from end to end
        j.nm = (M + OUTER_AREA // N - 1) // (OUTER_AREA // N)
        return
    if min(M, N) == 1 and along_rows(j):
        if batch == 1 and M * N <= LONG_VECTOR:
            cut_terms(j, min(macs // VECTOR_MACS, <int64_t>16))
        elif M * N > LONG_VECTOR:
            j.nm, j.nn = (M + LONG_VECTOR - 1) // LONG_VECTOR, (N + LONG_VECTOR - 1) // LONG_VECTOR
        return
    if batch == 1 and M * N <= SPLIT_AREA and K >= 4 * SPLIT_K and K >= 4 * max(M, N):
        cut_terms(j, min(K // SPLIT_K, max(<int64_t>16, K >> 30)))
        return
    if M == 1 or N == 1:
        area = VECTOR_MACS // K if K < 4096 else 16
        if M == 1:
            nb = min(N, up(area, 16))
        else:
            mb = min(M, up(area, 16))
    elif batch == 1 and by_columns(j, scattered):
        j.by_columns = True
        nb = N // (max(min(N // COLUMN_COLS, <int64_t>8), N // WIDE_COLS) // 2 * 2)
    elif batch < 16 and macs < 12 * BLOCK_MACS:         # in two, so that two threads have one each
        if N >= 2 * M or (N > M and N >= 4 * COLUMN_COLS):
            nb = N // 2
        else:
            mb = M // 2
    elif batch < 16:
        parts = min(macs // (6 * BLOCK_MACS), most)
        area = min(max(M * N // parts, 256), BLOCK_AREA)
        mb = min(M, up(<int64_t>sqrt(<double>area), 24))
        nb = min(N, up(area // mb, 16))
        mb = min(M, up(area // nb, 24))
    else:
        mb = min(M, 512)
        nb = min(N, 512)
    j.nm, j.nn = max(M // mb, 1), max(N // nb, 1)
    j.mg, j.ng = rows, 16
    if K > (1 << 30):
        j.kb = 1 << 30
        j.nk = (K + j.kb - 1) // j.kb
