# Is the graph being recorded in this thread?
cdef bint grad_enabled() noexcept nogil
cdef bint inference_enabled() noexcept nogil
cdef bint set_grad(bint on) noexcept nogil          # returns what it was
