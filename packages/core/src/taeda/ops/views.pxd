# What other modules that take sizes share.
cdef tuple sizes_of(str op, tuple args)                   # of f(2, 3), f((2, 3)) or f([2, 3])
