# One flag for the whole process: is where a node was made written down?
cdef bint anomaly

cdef int note_origin(object node) except -1        # the calling line into the node's metadata
cdef object guarded(object run_node, object node, object g)
