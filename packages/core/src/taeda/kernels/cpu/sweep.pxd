# The frame of the multi-tensor steps for Cython: one job over the blocks of all tensors (sweep.h).
from libc.stdint cimport int64_t

from taeda.kernels.cpu.abi cimport Param, View
from taeda.kernels.cpu.runtime cimport num_threads

cdef extern from "sweep.h" nogil:
    enum:
        BLOCK "TAEDA_BLOCK"
        WORTH_THREADS "TAEDA_WORTH_THREADS"
    ctypedef void (*step_fn "taeda_step")(int64_t n, char** ptr, const Param* c, const Param* own) noexcept nogil
    ctypedef struct Job "taeda_job":
        step_fn step
        const Param* c
        const Param* own
        int k, written, per
    int64_t taeda_sweep(View** t, int64_t n, const Job* job, int threads)
    int64_t pieces "taeda_pieces"(int64_t numel)


cdef inline int64_t sweep(View** t, const Param* p, step_fn step, int k, int shared, int per) noexcept nogil:
    """Step p[0] tensors of k views, the last of which is read only; ``shared`` constants, then ``per`` for each tensor."""
    cdef Job job
    job.step, job.c, job.own = step, p, p + shared
    job.k, job.written, job.per = k, k - 1, per
    return taeda_sweep(t, p[0].i, &job, num_threads)
