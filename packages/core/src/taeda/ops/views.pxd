# What other modules that take sizes share.
cdef tuple sizes_of(str op, tuple args)                   # of f(2, 3), f((2, 3)) or f([2, 3])
cdef tuple or_named(str op, tuple args, str name, object value)         # the arguments, or the sequence that was given by its name
