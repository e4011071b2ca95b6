# The engine, for rooms that run a pass of their own.
from taeda.tensor_base cimport TensorBase

cdef object run(list roots, list grads, bint keep_graph, bint create_graph, list captures, bint accumulate)
