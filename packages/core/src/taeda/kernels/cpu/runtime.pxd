# What all CPU kernels share: the thread count and memory from the caching allocator.
cdef int num_threads                                   # >= 1; 1 in a forked child

cdef void* cpu_alloc(size_t nbytes) noexcept nogil     # 64-byte aligned; NULL when there is no memory
cdef void cpu_free(void* block, size_t nbytes) noexcept nogil
cdef void* shelf_alloc(size_t nbytes) noexcept         # the same where the interpreter's lock is held: quicker for small blocks
cdef void shelf_free(void* block, size_t nbytes) noexcept
