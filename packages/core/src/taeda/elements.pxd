# A tensor's elements as Python numbers, and its memory as other libraries see it.
from taeda.tensor_base cimport TensorBase

cdef object element(char* p, int code)                            # of a dtype
cdef list nested(TensorBase t, int d, char* p)                    # lists of the elements from dimension d on
cdef int fill_buffer(TensorBase t, Py_buffer* b, int flags) except -1
