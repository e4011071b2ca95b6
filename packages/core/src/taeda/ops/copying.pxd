# New memory, as deterministic runs want it.
from taeda.tensor_base cimport TensorBase

cdef TensorBase fill_new(TensorBase x)      # itself, filled where that is asked for: with nan, the largest integer, or True
