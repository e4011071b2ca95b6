# How leaves take their gradients.
from taeda.tensor_base cimport TensorBase

cdef Py_ssize_t hooked_leaves            # leaves' tables of hooks that exist

cdef object joined(object old, TensorBase g, bint create_graph)
cdef object run_hooks(object hooks, object g)
cdef tuple replaced(object hook, object found, tuple gs)
cdef int finish_leaf(TensorBase leaf, object total, bint create_graph) except -1
cdef int settle(TensorBase leaf, dict leaves, bint create_graph, bint accumulate) except -1


cdef class LeafCounts:
    cdef dict left                       # leaf -> edges that have not done their part

    cdef int count(self, list targets, object needed) except -1
    cdef int see(self, object e, set seen, list stack, object needed) except -1
    cdef bint last(self, object leaf) except -1
