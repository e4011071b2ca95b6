# What the tensor class calls.
cpdef object getitem(object input, object index)
cpdef object setitem(object input, object index, object value)
