# Storage + layout + dtype + autograd slots of a tensor; no operators (those are in tensor.pyx).
from cpython.object cimport PyObject
from libc.stdint cimport int8_t, int64_t, uint8_t

from taeda.kernels.cpu.abi cimport View
from taeda.storage cimport CPU, META, SPARSE, STAND_IN, Storage


cdef enum:
    INLINE_DIM = 6  # shapes and strides up to this rank live in the object itself


cdef class TensorBase:
    cdef View view                      # what kernels see; view.strides are in elements
    cdef int64_t dims[2 * INLINE_DIM]
    cdef Storage storage
    cdef int64_t offset                 # elements from the start of the storage
    cdef uint8_t device                 # DeviceCode
    cdef int8_t device_index
    cdef bint requires_grad_            # asked for on a leaf, or inherited through grad_fn
    cdef bint wrapped_number            # came from a Python scalar: weak in type promotion
    cdef bint detached_version          # made by .data: in-place writes do not bump the version
    cdef bint inference                 # made in inference mode
    cdef bint retains_grad_
    cdef int output_nr                  # which output of grad_fn this is
    cdef object grad_fn_                # Node or None; read it through autograd.node.grad_fn_of
    cdef object grad_
    cdef TensorBase base                # the tensor this is a differentiable view of, or None
    cdef int64_t history                # of a base: count of rebases; of a view: the count it saw
    cdef object extra                   # None, or a dict of what only few tensors have: hooks, the dtype of the gradient
    cdef PyObject* attributes           # NULL, or the __dict__: what a user has set on it
    cdef object __weakref__

    cdef int set_ndim(self, int ndim) except -1      # room for ndim sizes and strides
    cdef tuple shape_tuple(self)
    cdef tuple stride_tuple(self)
    cdef object sizes(self)                          # the shape as users see it, a Size


cdef enum Kind:             # of tensors without memory: the uppermost bits of their addresses, which no process has
    SPARSE_SHELL = 2        # device code SPARSE
    BATCHED = 4             # stands in for a batch of vmap; device code STAND_IN
    WRAPPED = 5             # of a class with a __torch_dispatch__; device code STAND_IN


cdef inline size_t kind_of(const View* v) noexcept:
    """The Kind of a tensor without memory; 0 of any other, and on the meta device."""
    return <size_t>v.data >> 60


cdef inline bint is_wrapper(TensorBase t) noexcept:
    return t.device == STAND_IN and kind_of(&t.view) == WRAPPED


cdef TensorBase twin(TensorBase x)                   # the same for a tensor of a program's class, which it keeps with its attributes
cdef TensorBase new_tensor()                         # an empty Tensor object without memory
cdef TensorBase alias(TensorBase x)                  # new tensor, same storage and dims, no history
cdef void refresh(TensorBase t) noexcept             # numel, contiguous and data from dims, offset, storage
