# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What a tensor says of itself: shape, memory, dtype; its dimensions in another order; and what a user hangs on it.

``TensorAttributes`` adds no field and no C method to TensorBase, as Tensor adds none to it: an instance of either is made
and freed as a TensorBase.
"""
cimport cython
from cpython.bool cimport PyBool_Check
from cpython.long cimport PyLong_CheckExact
from cpython.number cimport PyIndex_Check
from cpython.object cimport PyObject

cdef extern from "Python.h":
    object PyObject_GenericGetDict(object o, void *context)
    int PyObject_GenericSetDict(object o, object value, void *context) except -1

from taeda.dtype cimport dtype_of, is_complex_, is_float
from taeda.tensor_base cimport CPU, META, is_wrapper, refresh

from taeda._once import warn_once
from taeda.device import CPU as CPU_DEVICE, META as META_DEVICE
from taeda.layout import MemoryFormat, strided as STRIDED
from taeda.ops import complex_numbers as _complex, conversion as _convert

# by DeviceCode; a stand-in counts as meta
cdef object DEVICES = (CPU_DEVICE, META_DEVICE, META_DEVICE, META_DEVICE, CPU_DEVICE)


cdef object index_of(object dim):
    """A dimension's number, which a float cannot be."""
    if PyLong_CheckExact(dim):
        return dim
    if PyIndex_Check(dim) and not PyBool_Check(dim):
        return dim.__index__()
    raise TypeError(f"[size] dim must be int, not {type(dim).__name__}")


@cython.binding(False)                  # plain method descriptors: they check that self is a tensor
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
cdef class TensorAttributes(TensorBase):

    @property
    def __dict__(self):
        return PyObject_GenericGetDict(self, NULL)

    @__dict__.setter
    def __dict__(self, value):                      # another's may be given: both then have the same attributes
        PyObject_GenericSetDict(self, value, NULL)

    # -- what it is --------------------------------------------------------------------------------

    @property
    def shape(self):
        """The sizes of its dimensions, a :class:`taeda.Size`, which is a tuple.

        >>> import taeda
        >>> x = taeda.zeros(2, 3)
        >>> x.shape, x.shape[1], x.shape == (2, 3)
        (taeda.Size([2, 3]), 3, True)
        """
        return self.sizes()

    def size(self, dim=None, *, axis=None):
        """Return the shape, or the size of one dimension, which ``axis`` may name too.

        >>> import taeda
        >>> taeda.ones(2, 3).size(), taeda.ones(2, 3).size(-1)
        (taeda.Size([2, 3]), 3)
        """
        if axis is not None:
            dim = axis
        if dim is None:
            return self.sizes()
        dim, n = index_of(dim), max(self.view.ndim, 1)
        if dim < -n or dim >= n or self.view.ndim == 0:
            raise IndexError(f"[size] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
        return self.view.shape[<int>(dim + n if dim < 0 else dim)]

    def stride(self, dim=None, *, axis=None):
        """Return the strides in elements, or that of one dimension, which ``axis`` may name too.

        >>> import taeda
        >>> taeda.ones(2, 3).stride(), taeda.ones(2, 3).t().stride(0)
        ((3, 1), 1)
        """
        if axis is not None:
            dim = axis
        if dim is None:
            return self.stride_tuple()
        dim, n = index_of(dim), max(self.view.ndim, 1)
        if dim < -n or dim >= n or self.view.ndim == 0:
            raise IndexError(f"[stride] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
        return self.view.strides[<int>(dim + n if dim < 0 else dim)]

    @property
    def dtype(self):
        """The dtype of the elements; :meth:`to` converts.

        >>> import taeda
        >>> taeda.tensor([1, 2]).dtype, taeda.tensor([1.0]).dtype
        (taeda.int64, taeda.float32)
        """
        return dtype_of(self.view.dtype)

    @property
    def ndim(self):
        """The number of dimensions, as :meth:`dim` says too."""
        return self.view.ndim

    @property
    def itemsize(self):
        """The bytes of one element."""
        return self.view.itemsize

    @property
    def nbytes(self):
        """The bytes of all elements; the storage may have more.

        >>> import taeda
        >>> taeda.zeros(2, 3, dtype=taeda.float64).nbytes
        48
        """
        return self.view.numel * self.view.itemsize

    @property
    def layout(self):
        """How elements are found: ``taeda.strided``; sparse tensors have other layouts."""
        return STRIDED

    def dim(self):
        """Return the number of dimensions.

        >>> import taeda
        >>> taeda.zeros(2, 3).dim(), taeda.tensor(7.0).dim()
        (2, 0)
        """
        return self.view.ndim

    ndimension = dim

    def numel(self):
        """Return the number of elements: the product of the sizes.

        >>> import taeda
        >>> taeda.zeros(2, 3).numel(), taeda.zeros(0, 3).numel()
        (6, 0)
        """
        return self.view.numel

    nelement = numel

    def element_size(self):
        """Return the bytes of one element.

        >>> import taeda
        >>> taeda.ones(2, dtype=taeda.float64).element_size()
        8
        """
        return self.view.itemsize

    def storage_offset(self):
        """Return the first element's place in the storage, in elements.

        >>> import taeda
        >>> taeda.arange(6)[2:].storage_offset()
        2
        """
        return self.offset

    def data_ptr(self):
        """Return the address of the first element; 0 where there is none.

        >>> import taeda
        >>> x = taeda.zeros(2, 3)
        >>> x[1].data_ptr() - x.data_ptr()
        12
        """
        return 0 if is_wrapper(self) or self.view.numel == 0 else <size_t>self.view.data

    def untyped_storage(self):
        """Return the storage, in bytes, that this tensor and its views share.

        >>> import taeda
        >>> x = taeda.zeros(2, 3)
        >>> x.untyped_storage().nbytes(), x[0].untyped_storage() is x.untyped_storage()
        (24, True)
        """
        return self.storage

    @property
    def _cdata(self):
        """A number that no other tensor has while this one lives."""
        return <size_t><PyObject *>self

    def storage_type(self):
        """Return the class of ``storage()``: FloatStorage and the like."""
        from taeda.typed_storage import class_of             # few programs need it
        return class_of(self.dtype)

    def get_device(self):
        """Return the GPU's number, -1 on the CPU."""
        return -1

    def is_floating_point(self):
        """Whether the dtype is a floating-point one.

        >>> import taeda
        >>> taeda.ones(1).is_floating_point(), taeda.tensor([1]).is_floating_point()
        (True, False)
        """
        return is_float(self.view.dtype)

    def is_complex(self):
        """Whether the dtype is complex.

        >>> import taeda
        >>> taeda.tensor([1j]).is_complex()
        True
        """
        return is_complex_(self.view.dtype)

    def is_signed(self):
        """Whether the dtype has negative numbers."""
        return self.dtype.is_signed

    def is_same_size(self, TensorBase other not None):
        """Whether the other tensor has the same shape.

        >>> import taeda
        >>> taeda.zeros(2, 3).is_same_size(taeda.ones(2, 3))
        True
        """
        return self.shape_tuple() == other.shape_tuple()

    def is_set_to(self, TensorBase tensor not None):
        """Whether both look at the same memory with the same layout.

        >>> import taeda
        >>> x = taeda.zeros(2, 3)
        >>> x.is_set_to(x.view(2, 3)), x.is_set_to(x.clone())
        (True, False)
        """
        return (self.storage is tensor.storage and self.offset == tensor.offset and self.shape_tuple() == tensor.shape_tuple()
                and self.stride_tuple() == tensor.stride_tuple())

    def is_inference(self):
        """Whether the tensor was made in inference mode."""
        return self.inference

    def is_pinned(self, device=None):
        """Whether the memory is pinned for a GPU: there is none."""
        return False

    def _storage_moved(self):
        """Look up the address of the first element again."""
        refresh(self)

    def is_shared(self):
        """Whether the memory is one that processes share; see :meth:`share_memory_`."""
        return self.storage.is_shared()

    def is_nonzero(self):
        """Whether the only element is not zero; RuntimeError unless there is one."""
        return bool(self)

    def is_conj(self):
        """Whether this is a lazy conjugate: never, conjugates are computed at once."""
        return False

    def is_neg(self):
        """Whether this is a lazy negative: never, signs are changed at once."""
        return False

    is_cuda = property(lambda self: False, doc="Whether the tensor is on a GPU: never, there is no backend for one.")
    is_sparse = property(lambda self: False, doc="Whether the layout is ``taeda.sparse_coo``.")
    is_sparse_csr = property(lambda self: False, doc="Whether the layout is ``taeda.sparse_csr``.")
    is_mps = is_ipu = is_maia = is_mtia = is_vulkan = is_xla = is_xpu = property(
        lambda self: False, doc="Whether the tensor is on that device: never, there is no backend for it.")
    is_quantized = property(lambda self: False, doc="Whether the elements are quantised: never.")
    is_nested = property(lambda self: False, doc="Whether the tensor is a nested one: never.")
    is_mkldnn = property(lambda self: False, doc="Whether the tensor is in MKLDNN's layout: never.")
    name = property(lambda self: None, doc="None, always: a name that Caffe2's tensors had.")

    @property
    def is_cpu(self):
        """Whether the tensor is on the CPU."""
        return self.device == CPU or is_wrapper(self) and (<object>self).device.type == "cpu"

    @property
    def is_meta(self):
        """Whether the tensor is on the meta device: it has a shape and a dtype, and no data."""
        return self.device == META or is_wrapper(self) and (<object>self).device.type == "meta"

    @property
    def T(self):
        """The dimensions in reverse order, a view; of other tensors than matrices with a warning, since ``mT`` is what is meant.

        >>> import taeda
        >>> taeda.tensor([[1, 2], [3, 4]]).T
        tensor([[1, 3],
                [2, 4]])
        """
        if self.view.ndim != 2:
            if self.view.ndim == 0:
                warn_once("T of a number", "Tensor.T is deprecated on 0-D tensors. It is the identity there.")
                return self.permute(())
            warn_once("T", "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw "
                           "an error in a future release. Consider `x.mT` to transpose batches of matrices or "
                           "`x.permute(*range(x.ndim - 1, -1, -1))` to reverse the dimensions")
            return self.permute(tuple(range(self.view.ndim - 1, -1, -1)))
        return self.permute(1, 0)

    @property
    def mT(self):
        """The last two dimensions exchanged, a view: the transposes of a batch of matrices.  RuntimeError for a tensor of one dimension.

        >>> import taeda
        >>> taeda.zeros(5, 2, 3).mT.shape
        taeda.Size([5, 3, 2])
        """
        if self.view.ndim == 0:
            warn_once("mT", "Tensor.mT is deprecated on 0-D tensors. It is the identity there.")
            return self
        if self.view.ndim < 2:
            raise RuntimeError(f"[mT] tensor.mT is only supported on matrices or batches of matrices. Got {self.view.ndim}-D tensor.")
        return self.transpose(-2, -1)

    @property
    def H(self):
        """The matrix's conjugate transpose; RuntimeError for another number of dimensions than 2.

        >>> import taeda
        >>> taeda.tensor([[1 + 1j, 2]]).H
        tensor([[1.-1.j],
                [2.-0.j]])
        """
        if self.view.ndim not in (0, 2):
            raise RuntimeError(f"[H] tensor.H is only supported on matrices (2-D tensors). Got {self.view.ndim}-D tensor.")
        if self.view.ndim == 0:
            warn_once("H", "Tensor.H is deprecated on 0-D tensors. Consider using x.conj().")
            return self.conj()
        return self.T.conj()

    @property
    def mH(self):
        """The last two dimensions exchanged, conjugated if complex.

        >>> import taeda
        >>> taeda.tensor([[1 + 1j, 2]]).mH
        tensor([[1.-1.j],
                [2.-0.j]])
        """
        if self.view.ndim == 0:
            warn_once("mH", "Tensor.mH is deprecated on 0-D tensors. Consider using x.conj().")
            return self.conj()
        return self.mT.conj()

    @property
    def real(self):
        """The real parts, a view; of a real tensor itself.

        >>> import taeda
        >>> z = taeda.tensor([1 + 2j])
        >>> z.real = 5
        >>> z
        tensor([5.+2.j])
        """
        return _complex.real(self) if is_complex_(self.view.dtype) else self

    @real.setter
    def real(self, value):
        self.real.copy_(_convert.as_tensor(value))

    @property
    def imag(self):
        """The imaginary parts, a view; RuntimeError for a real tensor.

        >>> import taeda
        >>> taeda.tensor([1 + 2j]).imag
        tensor([2.])
        """
        return _complex.imag(self)

    @imag.setter
    def imag(self, value):
        self.imag.copy_(_convert.as_tensor(value))

    def adjoint(self):
        """Return the last two dimensions exchanged, conjugated if complex."""
        if self.view.ndim == 0:
            warn_once("adjoint", "adjoint() is deprecated on 0-D tensors. Consider using x.conj().")
            return self.conj()
        return self.mH

    def dim_order(self, *, ambiguity_check=False):
        """Return the dimensions from the outermost to the innermost in memory.

        Args:
            ambiguity_check: True raises RuntimeError where other orders describe the same memory (a size of 1, two equal strides);
                a list of memory formats does unless the tensor has exactly one of these.

        >>> import taeda
        >>> taeda.zeros(1, 3, 4, 4).to(memory_format=taeda.channels_last).dim_order()
        (0, 2, 3, 1)
        """
        strides, sizes = self.stride_tuple(), self.shape_tuple()
        if ambiguity_check is not False:
            formats = [] if ambiguity_check is True else ambiguity_check
            if not isinstance(formats, list) or not all(isinstance(f, MemoryFormat) for f in formats):
                raise TypeError("[dim_order] The ambiguity_check argument must be a bool or a list of memory formats, got "
                                f"{ambiguity_check!r}")
            many = 1 in sizes or 0 in strides or any(a == b for a, b in zip(strides, strides[1:]))
            if many and sum(self.is_contiguous(memory_format=f) for f in formats) != 1:
                raise RuntimeError("[dim_order] The tensor does not have unique dim order, or cannot map to exact one of the given memory "
                                   f"formats, got shape {tuple(sizes)} with strides {tuple(strides)}")
        return tuple(sorted(range(self.view.ndim), key=lambda d: (-strides[d], -sizes[d] if strides[d] == 0 else 0, d)))


def device_of(self):
    """The device that the memory is on; :meth:`to` moves.

    >>> import taeda
    >>> taeda.zeros(2).device
    device(type='cpu')
    """
    if is_wrapper(<TensorBase>self):
        extra = (<TensorBase>self).extra
        return CPU_DEVICE if extra is None else extra.get("device", CPU_DEVICE)
    return DEVICES[(<TensorBase>self).device]


def storage(self):
    """Return the storage seen as elements of this dtype (``untyped_storage`` is the plain one)."""
    from taeda.typed_storage import storage_of
    return storage_of(self)


storage.__qualname__ = "Tensor.storage"
FIELDS = {"device": property(device_of), "storage": storage}         # what C fields of TensorBase have the names of
