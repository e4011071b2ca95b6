# dtype objects and the promotion table.
cdef class dtype:
    cdef readonly str name          # "float32"
    cdef readonly str suffix        # "f32": the ending of kernel names
    cdef readonly int code          # enum of kernels/cpu/abi.h
    cdef readonly int itemsize
    cdef readonly bint is_floating_point
    cdef readonly bint is_complex
    cdef readonly bint is_signed

cdef dtype dtype_of(int code)
cdef int code_of(object dt, str op) except -1          # TypeError if dt is no dtype
cdef int promote(int a, int b) noexcept                # of two tensors of the same priority
cdef int refuse_float8(int a, int b) except -1          # RuntimeError if one of two different dtypes is a float of one byte
cdef int default_float() noexcept
cdef int itemsize_of(int code) noexcept
cdef bint is_float(int code) noexcept
cdef bint is_complex_(int code) noexcept
cdef bint differentiable(int code) noexcept            # floating-point or complex
cdef double largest_of(int code) noexcept              # the largest finite number of a floating-point dtype, or of a complex one's parts
cdef int real_code(int code) noexcept                  # complex64 -> float32
cdef int complex_code(int code) noexcept               # float32 -> complex64; of the default dtype for integers
cdef bint is_integral(int code) noexcept               # integers and bool
cdef str name_of(int code)                             # "float32"
cdef str torch_name(int code)                          # "Float", "Long": as in PyTorch's messages
