# What the rooms of losses share.
cdef int reduction_code(str op, object reduction) except -1     # 0 none, 1 mean, 2 sum; ValueError for any other
