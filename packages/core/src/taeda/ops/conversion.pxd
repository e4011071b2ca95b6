# What modules that meet other libraries' arrays ask.


cdef inline bint has(object x, str name) except -1:
    """Whether an object has an attribute; its class is asked first, since to read NumPy's costs a microsecond."""
    return hasattr(type(x), name) or hasattr(x, name)
