# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The class Tensor: operators and properties here, each one line into an op; named methods come from the ops.

``install_methods`` puts the METHODS of every ops module into the class once, at import.
"""
cimport cython
from cpython.buffer cimport (PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES,
                             PyBUF_WRITABLE)
from cpython.object cimport PyObject_GenericSetAttr
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from taeda.autograd.engine cimport run
from taeda.autograd.node cimport grad_fn_of
from taeda.dispatch cimport scalar_tensor
from taeda.dtype cimport differentiable, dtype_of, is_complex_, is_float, name_of, torch_name
from taeda.kernels.cpu.abi cimport BF16, BOOL, C64, C128, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64
from taeda.tensor_base cimport CPU, META, TensorBase, alias, refresh

import warnings
import weakref

from taeda.device import CPU as CPU_DEVICE, META as META_DEVICE
from taeda import tensor_base as _tensor_base
from taeda.autograd.engine import leaf_hook
from taeda.autograd.hooks import Handle
from taeda.autograd.node import node_of
from taeda.dtype import NAMES, dtype as dtype_class
from taeda.ops import METHODS as M
from taeda import _override
from taeda.ops import binary as _b
from taeda.ops import compare as _c
from taeda.ops import creation as _creation
from taeda.ops import views as _v

cdef extern from "narrow.h" nogil:
    float f16_to_f32(uint16_t h)
    float bf16_to_f32(uint16_t h)

cdef extern from *:
    """
    static void taeda_install(PyObject *type, PyObject *name, PyObject *value) {
        PyDict_SetItem(((PyTypeObject *)type)->tp_dict, name, value);
        PyType_Modified((PyTypeObject *)type);
    }
    """
    void install "taeda_install"(object type, object name, object value)

cdef object add = M["add"], sub = M["sub"], rsub = _b.rsub, mul = M["mul"], div = M["div"], floor_divide = M["floor_divide"]
cdef object remainder = M["remainder"], pow_ = M["pow"], neg = M["neg"], abs_ = M["abs"], bitwise_not = M["bitwise_not"]
cdef object add_ = M["add_"], sub_ = M["sub_"], mul_ = M["mul_"], div_ = M["div_"]
cdef object eq = M["eq"], ne = M["ne"], lt = M["lt"], le = M["le"], gt = M["gt"], ge = M["ge"]
cdef object and_ = M["bitwise_and"], or_ = M["bitwise_or"], xor_ = M["bitwise_xor"]
cdef object DEVICES = (CPU_DEVICE, META_DEVICE, META_DEVICE, META_DEVICE)     # by DeviceCode; a stand-in counts as meta
cdef object Size = _tensor_base.Size
cdef object getitem = None, setitem = None, matmul = None, tensor_str = None
cdef tuple NUMBERS = (int, float, bool, complex)
cdef object new_size = tuple.__new__         # a shape without Size's own checks
cdef set warned = set()


cdef object warn_once(str what, str text):
    """Warn the first time in a process, as PyTorch does."""
    if what not in warned:
        warned.add(what)
        warnings.warn(text, UserWarning, stacklevel=2)


cdef object operand(object other):
    """The other side of an operator as a Tensor or number; NotImplemented for what is neither."""
    if isinstance(other, TensorBase) or isinstance(other, NUMBERS):
        return other
    if hasattr(other, "__array_interface__"):
        return _creation.as_tensor(other) if hasattr(other, "ctypes") or getattr(other, "shape", ()) else other.item()
    if isinstance(other, (str, bytes, list, tuple, dict)) or other is None:
        return NotImplemented
    return other if hasattr(other, "__index__") or hasattr(other, "__float__") or _override.takes_over(type(other)) else NotImplemented


cdef object array_or(object other):
    """A NumPy array or number as a Tensor or a Python number; anything else as it is."""
    return operand(other) if hasattr(other, "__array_interface__") else other


cdef object index_of(object dim):
    """A dimension's number, which a float cannot be."""
    if hasattr(dim, "__index__"):
        return dim.__index__()
    raise TypeError(f"[size] dim must be int, not {type(dim).__name__}")


cdef object default_torch_function = _override.default_torch_function

cdef extern from *:
    """
    static PyObject *taeda_bare(PyObject *base, PyObject *cls, PyObject *args) {
        return ((PyTypeObject *)base)->tp_new((PyTypeObject *)cls, args, NULL);
    }
    """
    object tp_new_of "taeda_bare"(object base, object cls, object args)


cdef TensorBase bare(object cls):
    """An instance of Tensor or a subclass without content: no __new__ or __init__ of the subclass is run."""
    if not isinstance(cls, type) or not issubclass(cls, Tensor):
        raise TypeError(f"[as_subclass] cls must be a subclass of Tensor, got {cls!r}")
    return <TensorBase>tp_new_of(Tensor, cls, ())


cdef int fill_from(TensorBase t, TensorBase source) except -1:
    """Give a fresh tensor the memory and layout of another, without history."""
    cdef int d
    t.set_ndim(source.view.ndim)
    for d in range(source.view.ndim):
        t.view.shape[d], t.view.strides[d] = source.view.shape[d], source.view.strides[d]
    t.view.dtype, t.view.itemsize = source.view.dtype, source.view.itemsize
    t.storage, t.offset, t.device = source.storage, source.offset, source.device
    refresh(t)
    return 0


@cython.binding(False)                  # plain method descriptors: they check that self is a Tensor
cdef class Tensor(TensorBase):
    """A multi-dimensional array that autograd can follow.

    Made by ``taeda.tensor``, ``taeda.zeros`` and the like; ``Tensor(2, 3)`` gives uninitialised float32.

    >>> import taeda
    >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __array_priority__ = 1000

    def __init__(self, *args, device=None, dtype=None, **kwargs):
        cdef TensorBase made
        if self.storage is not None:                # filled in by _make_subclass
            return
        if len(args) == 1 and isinstance(args[0], TensorBase):
            made = <TensorBase>args[0].detach()
        elif len(args) == 1 and not isinstance(args[0], (int, _tensor_base.Size)) and hasattr(args[0], "__len__"):
            made = <TensorBase>_creation.tensor(args[0], dtype=dtype_of(F32))
        else:
            made = <TensorBase>_creation.empty(*(args or (0,)))
        fill_from(self, made)

    @staticmethod
    def _make_subclass(cls, data, require_grad=False):
        """Return an instance of a subclass on the memory of ``data``."""
        cdef TensorBase t = bare(cls)
        fill_from(t, <TensorBase?>data)
        if require_grad:
            (<object>t).requires_grad = True
        return t

    def as_subclass(self, cls):
        """Return the tensor as an instance of a subclass: the same memory, the same place in the graph."""
        cdef TensorBase t = bare(cls), source = self
        if self.requires_grad_ and grad_fn_of(self) is None:       # a leaf's gradient goes to that leaf
            source = <TensorBase>self.view_as(self)
        fill_from(t, source)
        t.grad_fn_, t.output_nr, t.requires_grad_ = grad_fn_of(source), source.output_nr, source.requires_grad_
        t.base, t.history = source.base, source.history
        t.detached_version, t.inference = source.detached_version, source.inference
        return t

    # -- classes that take calls over (taeda.overrides) ---------------------------------------------

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """Run ``func`` and give its results this subclass; a subclass may override it and see every call."""
        return default_torch_function(cls, func, types, args, kwargs)

    # -- attributes that a user sets (any name), kept without a __dict__ a tensor ------------------

    def __getattr__(self, name):
        if self.extra is not None and "attributes" in self.extra and name in self.extra["attributes"]:
            return self.extra["attributes"][name]
        if name == "__dict__":
            return self.extras().setdefault("attributes", {})
        raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")

    def __setattr__(self, name, value):
        try:
            PyObject_GenericSetAttr(self, name, value)
        except AttributeError:
            if hasattr(type(self), name):
                raise
            self.extras().setdefault("attributes", {})[name] = value

    def __delattr__(self, name):
        if self.extra is not None and name in self.extra.get("attributes", {}):
            del self.extra["attributes"][name]
        elif name == "grad":
            self.grad_ = None
        else:
            object.__delattr__(self, name)

    cdef dict extras(self):
        if self.extra is None:
            self.extra = {}
        return self.extra

    # -- arithmetic --------------------------------------------------------------------------------

    def __add__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else add(self, other)

    def __radd__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else add(self, other)

    def __sub__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else sub(self, other)

    def __rsub__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else rsub(self, other)

    def __mul__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else mul(self, other)

    def __rmul__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else mul(self, other)

    def __truediv__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else div(self, other)

    def __rtruediv__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else (
            self.reciprocal() * other if not isinstance(other, TensorBase) else div(other, self))

    def __floordiv__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else floor_divide(self, other)

    def __rfloordiv__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else _b.floor_divide(other, self)

    def __mod__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else remainder(self, other)

    def __rmod__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else _b.remainder(other, self)

    def __pow__(self, other, modulo):
        other = operand(other)
        return NotImplemented if other is NotImplemented or modulo is not None else pow_(self, other)

    def __rpow__(self, other, modulo):
        other = operand(other)
        return NotImplemented if other is NotImplemented or modulo is not None else _b.pow(other, self)

    def __matmul__(self, other):
        return matmul(self, other) if isinstance(other, TensorBase) or _override.takes_over(type(other)) else NotImplemented

    def __rmatmul__(self, other):
        array = hasattr(other, "__array_interface__") and other.__array_interface__["shape"]
        return matmul(_creation.as_tensor(other), self) if array else NotImplemented

    def __neg__(self):
        return neg(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return abs_(self)

    def __invert__(self):
        if differentiable(self.view.dtype):
            raise TypeError(f"[bitwise_not] ~ (operator.invert) is only implemented on integer and Boolean-type tensors, got "
                            f"{name_of(self.view.dtype)}")
        return bitwise_not(self)

    def __and__(self, other):
        return and_(self, array_or(other))

    def __rand__(self, other):
        return and_(self, array_or(other))

    def __or__(self, other):
        return or_(self, array_or(other))

    def __ror__(self, other):
        return or_(self, array_or(other))

    def __xor__(self, other):
        return xor_(self, array_or(other))

    def __rxor__(self, other):
        return xor_(self, array_or(other))

    def __lshift__(self, other):
        return _c.bitwise_left_shift(self, other)

    def __rlshift__(self, other):
        return _c.bitwise_left_shift(other, self)

    def __rshift__(self, other):
        return _c.bitwise_right_shift(self, other)

    def __rrshift__(self, other):
        return _c.bitwise_right_shift(other, self)

    def __ilshift__(self, other):
        return _c.bitwise_left_shift_(self, other)

    def __irshift__(self, other):
        return _c.bitwise_right_shift_(self, other)

    def __iadd__(self, other):
        return add_(self, operand(other))

    def __isub__(self, other):
        return sub_(self, operand(other))

    def __imul__(self, other):
        return mul_(self, operand(other))

    def __itruediv__(self, other):
        return div_(self, operand(other))

    def __ifloordiv__(self, other):
        return _b.floor_divide_(self, operand(other))

    def __imod__(self, other):
        return _b.remainder_(self, operand(other))

    def __ipow__(self, other):
        return _b.pow_(self, operand(other))

    def __iand__(self, other):
        return _c.bitwise_and_(self, other)

    def __ior__(self, other):
        return _c.bitwise_or_(self, other)

    def __ixor__(self, other):
        return _c.bitwise_xor_(self, other)

    def __eq__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else eq(self, other)

    def __ne__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else ne(self, other)

    def __lt__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else lt(self, other)

    def __le__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else le(self, other)

    def __gt__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else gt(self, other)

    def __ge__(self, other):
        other = operand(other)
        return NotImplemented if other is NotImplemented else ge(self, other)

    def __hash__(self):
        return <Py_ssize_t><void*>self >> 4

    # -- as a container and as a number ------------------------------------------------------------

    def __getitem__(self, index):
        return getitem(self, index)

    def __setitem__(self, index, value):
        setitem(self, index, value)

    def __delitem__(self, index):
        raise TypeError("[tensor] Tensor does not support deleting items")

    def __len__(self):
        if self.view.ndim == 0:
            raise TypeError("[tensor] len() of a 0-d tensor")
        return self.view.shape[0]

    def __iter__(self):
        if self.view.ndim == 0:
            raise TypeError("[tensor] iteration over a 0-d tensor")
        return iter(_v.unbind(self, 0))

    def __reversed__(self):
        return self if self.view.ndim == 0 else self.flip(0)

    def __contains__(self, element):
        if not isinstance(element, (TensorBase, int, float, bool, complex)):
            raise RuntimeError(f"[tensor] Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
                               f"{type(element).__name__}.")
        return bool((self == element).any())

    def __bool__(self):
        if self.view.numel != 1:
            if self.view.numel == 0:
                raise RuntimeError(f"[bool] Boolean value of Tensor with no values is ambiguous; its shape is {tuple(self.shape)}")
            raise RuntimeError(f"[bool] Boolean value of Tensor with more than one value is ambiguous; its shape is "
                               f"{tuple(self.shape)}; use .any() or .all()")
        return bool(self.item())

    def __int__(self):
        return int(self.only("int"))

    def __float__(self):
        return float(self.only("float"))

    def __complex__(self):
        return complex(self.only("complex"))

    cdef object only(self, str what):
        if self.view.numel != 1:
            raise ValueError(f"[{what}] only one element tensors can be converted to Python scalars; the shape is "
                             f"{tuple(self.shape)}")
        value = self.item()
        if type(value) is complex and what != "complex":
            if value.imag != 0:
                raise RuntimeError(f"[{what}] value cannot be converted to type {what} without overflow: {value} has an imaginary "
                                   "part")
            value = value.real
        return value

    def __index__(self):
        if self.view.numel != 1 or is_float(self.view.dtype) or is_complex_(self.view.dtype):
            raise TypeError(f"[index] only integer tensors of a single element can be converted to an index, got "
                            f"{name_of(self.view.dtype)} of shape {tuple(self.shape)}")
        return int(self.item())

    def item(self):
        """Return the only element as a Python number."""
        cdef char* p = self.view.data
        cdef int code = self.view.dtype
        if self.view.numel != 1:
            raise RuntimeError(f"[item] a Tensor with {self.view.numel} elements cannot be converted to Scalar; its shape is "
                               f"{tuple(self.shape)}")
        if self.device != CPU:
            raise RuntimeError("[item] Tensor.item() cannot be called on meta tensors: they have no data")
        return element(p, code)

    def tolist(self):
        """Return the elements as nested lists of Python numbers (a number for a 0-d tensor)."""
        if self.device != CPU:
            raise NotImplementedError("[tolist] Cannot copy out of meta tensor; no data!")
        if self.view.ndim == 0:
            return self.item()
        return nested(self, 0, self.view.data)

    def __repr__(self):
        return tensor_str(self)

    def __format__(self, spec):
        return self.item().__format__(spec) if self.view.ndim == 0 and self.device == CPU and type(self) is Tensor else (
            object.__format__(self, spec) if spec else str(self))

    # -- what it is --------------------------------------------------------------------------------

    @property
    def shape(self):
        """The sizes of its dimensions, a :class:`taeda.Size`."""
        return new_size(Size, self.shape_tuple())

    def size(self, dim=None):
        """Return the shape, or the size of one dimension."""
        if dim is None:
            return new_size(Size, self.shape_tuple())
        dim, n = index_of(dim), max(self.view.ndim, 1)
        if dim < -n or dim >= n or self.view.ndim == 0:
            raise IndexError(f"[size] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
        return self.view.shape[<int>(dim + n if dim < 0 else dim)]

    def stride(self, dim=None):
        """Return the strides in elements, or one of them."""
        if dim is None:
            return self.stride_tuple()
        dim, n = index_of(dim), max(self.view.ndim, 1)
        if dim < -n or dim >= n or self.view.ndim == 0:
            raise IndexError(f"[stride] Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {dim})")
        return self.view.strides[<int>(dim + n if dim < 0 else dim)]

    @property
    def dtype(self):
        return dtype_of(self.view.dtype)

    @property
    def ndim(self):
        return self.view.ndim

    @property
    def itemsize(self):
        return self.view.itemsize

    @property
    def nbytes(self):
        return self.view.numel * self.view.itemsize

    @property
    def layout(self):
        from taeda.layout import strided
        return strided

    def dim(self):
        """Return the number of dimensions."""
        return self.view.ndim

    ndimension = dim

    def numel(self):
        """Return the number of elements."""
        return self.view.numel

    nelement = numel

    def element_size(self):
        """Return the bytes of one element."""
        return self.view.itemsize

    def storage_offset(self):
        """Return the first element's place in the storage, in elements."""
        return self.offset

    def data_ptr(self):
        """Return the address of the first element."""
        return <size_t>self.view.data

    def untyped_storage(self):
        """Return the storage that this tensor and its views share."""
        return self.storage

    def get_device(self):
        """Return the GPU's number, -1 on the CPU."""
        return -1

    def is_floating_point(self):
        return is_float(self.view.dtype)

    def is_complex(self):
        return is_complex_(self.view.dtype)

    def is_signed(self):
        return self.dtype.is_signed

    def is_same_size(self, TensorBase other not None):
        return self.shape_tuple() == other.shape_tuple()

    def is_set_to(self, TensorBase other not None):
        """Whether both look at the same memory with the same layout."""
        return (self.storage is other.storage and self.offset == other.offset and self.shape_tuple() == other.shape_tuple()
                and self.stride_tuple() == other.stride_tuple())

    def is_inference(self):
        return self.inference

    def is_pinned(self):
        return False

    def is_shared(self):
        return False

    def is_nonzero(self):
        return bool(self)

    def is_conj(self):
        return False

    def is_neg(self):
        return False

    is_cuda = property(lambda self: False)
    is_sparse = property(lambda self: False)
    is_quantized = property(lambda self: False)
    is_nested = property(lambda self: False)
    is_mkldnn = property(lambda self: False)
    is_mps = property(lambda self: False)
    name = property(lambda self: None)

    @property
    def is_cpu(self):
        return self.device == CPU

    @property
    def is_meta(self):
        return self.device == META

    @property
    def T(self):
        """The dimensions in reverse order."""
        if self.view.ndim != 2:
            warn_once("T", "[T] the use of x.T on tensors of dimension other than 2 to reverse their shape is deprecated and "
                           "will throw an error in a future release; consider x.mT to transpose batches of matrices or "
                           "x.permute(*range(x.ndim - 1, -1, -1)) to reverse the dimensions")
        return self.permute(tuple(range(self.view.ndim - 1, -1, -1)))

    @property
    def mT(self):
        """The last two dimensions exchanged."""
        if self.view.ndim == 0:
            return self
        if self.view.ndim < 2:
            raise RuntimeError(f"[mT] tensor.mT is only supported on matrices or batches of matrices. Got {self.view.ndim}-D tensor.")
        return self.transpose(-2, -1)

    @property
    def H(self):
        """The matrix's conjugate transpose."""
        if self.view.ndim not in (0, 2):
            raise RuntimeError(f"[H] tensor.H is only supported on matrices (2-D tensors). Got {self.view.ndim}-D tensor.")
        return (self.T if self.view.ndim else self).conj()

    @property
    def mH(self):
        """The last two dimensions exchanged, conjugated if complex."""
        return self.mT.conj()

    @property
    def real(self):
        """The real parts, a view."""
        return self._parts().real(self) if is_complex_(self.view.dtype) else self

    @real.setter
    def real(self, value):
        self.real.copy_(_creation.as_tensor(value))

    @property
    def imag(self):
        """The imaginary parts, a view; RuntimeError for a real tensor."""
        return self._parts().imag(self)

    @imag.setter
    def imag(self, value):
        self.imag.copy_(_creation.as_tensor(value))

    def _parts(self):
        from taeda.ops import complex_numbers
        return complex_numbers

    def adjoint(self):
        """Return the last two dimensions exchanged, conjugated if complex."""
        return self.mH

    def dim_order(self):
        """Return the dimensions from the outermost to the innermost in memory."""
        strides, sizes = self.stride_tuple(), self.shape_tuple()
        return tuple(sorted(range(self.view.ndim), key=lambda d: (-strides[d], -sizes[d] if strides[d] == 0 else 0, d)))

    # -- autograd ----------------------------------------------------------------------------------

    @property
    def requires_grad(self):
        return self.requires_grad_ or grad_fn_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, on):
        if not isinstance(on, bool):
            raise RuntimeError(f"[requires_grad] requires_grad must be a bool, got {on!r}")
        if grad_fn_of(self) is not None:
            if not on:
                raise RuntimeError("[requires_grad] you can only change requires_grad flags of leaf variables. If you want to use a "
                                   "computed variable in a subgraph that doesn't require differentiation use "
                                   "var_no_grad = var.detach().")
            return
        if on and not differentiable(self.view.dtype):
            raise RuntimeError(f"[requires_grad] only Tensors of floating point and complex dtype can require gradients, got "
                               f"{name_of(self.view.dtype)}")
        if on and self.inference:
            raise RuntimeError("[requires_grad] Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self.requires_grad_ = on

    @property
    def is_leaf(self):
        return grad_fn_of(self) is None

    @property
    def grad_fn(self):
        return node_of(self)

    @property
    def grad(self):
        if self.grad_ is None and self.grad_fn_ is not None and not self.retains_grad_:
            warnings.warn("[grad] The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                          "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for "
                          "a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.", UserWarning, stacklevel=2)
        return self.grad_

    @grad.setter
    def grad(self, value):
        cdef TensorBase g
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(f"[grad] assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            g = <TensorBase>value
            if g is self:
                raise RuntimeError("[grad] can't assign Variable as its own grad")
            wanted = dtype_of(self.view.dtype) if self.extra is None else self.extra.get("grad_dtype", dtype_of(self.view.dtype))
            if wanted is not None and dtype_of(g.view.dtype) is not wanted:
                raise RuntimeError(f"[grad] assigned grad has data of a different type: {name_of(g.view.dtype)}, the tensor takes "
                                   f"gradients of {wanted.name}; hint: set its grad_dtype")
            if g.shape_tuple() != self.shape_tuple():
                raise RuntimeError(f"[grad] assigned grad has data of a different size: {tuple(g.shape)}, the tensor has "
                                   f"{tuple(self.shape)}")
        self.grad_ = value

    @property
    def grad_dtype(self):
        """The dtype that a leaf's gradient is brought to; None: whatever comes."""
        if grad_fn_of(self) is not None:
            raise RuntimeError("[grad_dtype] grad_dtype can only be accessed on leaf tensors.")
        return dtype_of(self.view.dtype) if self.extra is None else self.extra.get("grad_dtype", dtype_of(self.view.dtype))

    @grad_dtype.setter
    def grad_dtype(self, value):
        if value is not None and not isinstance(value, dtype_class):
            raise RuntimeError(f"[grad_dtype] grad_dtype must be a taeda.dtype or None, but got {type(value).__name__}")
        if grad_fn_of(self) is not None:
            raise RuntimeError("[grad_dtype] grad_dtype can only be set on leaf tensors.")
        if value is not None and self.grad_ is not None and self.grad_.dtype is not value:
            raise RuntimeError(f"[grad_dtype] Cannot set grad_dtype to {value.name} because there is already a gradient with dtype "
                               f"{self.grad_.dtype.name}. Please clear the gradient (.grad = None) before changing grad_dtype.")
        self.extras()["grad_dtype"] = value

    @property
    def volatile(self):
        """Always False: no_grad took its place."""
        warnings.warn("[volatile] volatile was removed (Variable.volatile is always False)", UserWarning, stacklevel=2)
        return False

    @volatile.setter
    def volatile(self, value):
        warnings.warn("[volatile] volatile was removed and now has no effect. Use `with taeda.no_grad():` instead.", UserWarning,
                      stacklevel=2)

    @property
    def data(self):
        """The same memory outside of autograd: writes through it are not seen by the version check."""
        cdef TensorBase t = alias(self)
        t.detached_version = True
        return t

    @data.setter
    def data(self, value):
        if not isinstance(value, TensorBase):
            raise TypeError(f"[data] Variable data has to be a tensor, but got {type(value).__name__}")
        if self.requires_grad_ and not differentiable((<TensorBase>value).view.dtype):
            raise RuntimeError(f"[data] data set to a tensor that requires gradients must be floating point or complex dtype, "
                               f"got {name_of((<TensorBase>value).view.dtype)}")
        fill_from(self, <TensorBase>value)

    @property
    def _version(self):
        return self.storage.version

    @property
    def _base(self):
        return self.base

    def _is_view(self):
        return self.base is not None

    @property
    def retains_grad(self):
        return self.retains_grad_

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add the gradients of this tensor to the ``.grad`` of the leaves that it came from.

        ``gradient`` is the cotangent (1 for a scalar when absent).  Raises RuntimeError for a tensor that
        does not require grad, or is no scalar and has no gradient given.
        """
        cdef TensorBase g
        if gradient is None and inputs is None and self.view.numel == 1 and is_float(self.view.dtype) and (
                grad_fn_of(self) is not None or self.requires_grad_):
            g = scalar_tensor(1, self.view.dtype, self.storage.device)
            if self.view.ndim:
                g = <TensorBase>(<object>g).reshape(self.shape_tuple())
            run([self], [g], create_graph if retain_graph is None else retain_graph, create_graph, None, True)
            return
        from taeda.autograd import backward
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook):
        """Call ``hook(grad)`` when the tensor's gradient is computed; what it returns replaces the gradient."""
        if not self.requires_grad:
            raise RuntimeError("[register_hook] cannot register a hook on a tensor that doesn't require gradient")
        fn = grad_fn_of(self)
        if fn is None:
            return leaf_hook(self, "hooks", hook)
        return Handle(fn._hooks().setdefault(("tensor", self.output_nr), {}), hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call ``hook(tensor)`` after the leaf's ``.grad`` was added to."""
        if not self.requires_grad:
            raise RuntimeError("[register_post_accumulate_grad_hook] cannot register a hook on a tensor that doesn't require gradient")
        if grad_fn_of(self) is not None:
            raise RuntimeError("[register_post_accumulate_grad_hook] post accumulate grad hooks cannot be registered on non-leaf tensors")
        return leaf_hook(self, "post_accumulate_hooks", hook)

    def retain_grad(self):
        """Keep this non-leaf tensor's gradient in ``.grad``."""
        if not self.requires_grad:
            raise RuntimeError("[retain_grad] can't retain_grad on Tensor that has requires_grad=False")
        fn = grad_fn_of(self)
        if fn is not None and not self.retains_grad_:
            self.retains_grad_ = True
            fn._hooks()[("retain", self.output_nr)] = weakref.ref(self)

    @property
    def _backward_hooks(self):
        return None if self.extra is None else self.extra.get("hooks")

    # -- to other places and types -----------------------------------------------------------------

    def cpu(self, memory_format=None):
        """Return the tensor on the CPU."""
        return self.to("cpu")

    def cuda(self, device=None, non_blocking=False, memory_format=None):
        """Return the tensor on a GPU; RuntimeError where there is none."""
        return self.to("cuda" if device is None else device)

    def type(self, dtype=None, non_blocking=False, **kwargs):
        """Return the legacy type name, or the tensor in another dtype."""
        if dtype is None:
            return f"taeda.{torch_name(self.view.dtype)}Tensor"
        if isinstance(dtype, str):
            from taeda.dtype import LEGACY_NAMES
            name = dtype.rpartition(".")[2].removesuffix("Tensor")
            if name not in LEGACY_NAMES:
                raise ValueError(f"[type] invalid type: {dtype!r}; expected e.g. 'taeda.FloatTensor'")
            dtype = LEGACY_NAMES[name]
        elif not isinstance(dtype, dtype_class) and isinstance(getattr(dtype, "dtype", None), dtype_class):  # FloatTensor
            dtype = dtype.dtype
        if not isinstance(dtype, dtype_class):
            raise TypeError(f"[type] dtype must be a type, str, or dtype object, got {dtype!r}")
        return self.to(dtype)

    def numpy(self, *, force=False):
        """Return a NumPy array on the same memory; ``force`` detaches first."""
        if self.device != CPU:
            raise TypeError("[numpy] can't convert a meta tensor to numpy: it has no data")
        if self.requires_grad and not force:
            raise RuntimeError("[numpy] Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        import numpy
        return numpy.asarray(ArrayHolder(self.detach()))

    def __array__(self, dtype=None, copy=None):
        a = self.numpy()
        if dtype is not None and a.dtype != dtype:
            if copy is False:
                raise ValueError("[__array__] a copy is needed to convert the dtype")
            return a.astype(dtype)
        return a.copy() if copy else a

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return _creation.as_tensor(array)

    @property
    def __array_interface__(self):
        """NumPy's description of the memory; tensors that NumPy cannot see have none."""
        if self.device != CPU or self.requires_grad or self.dtype.name not in ArrayHolder.CODES:
            raise AttributeError(f"a {name_of(self.view.dtype)} tensor on {DEVICES[self.device]} has no __array_interface__")
        return ArrayHolder(self).__array_interface__

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        fill_buffer(self, buffer, flags)

    def __releasebuffer__(self, Py_buffer* buffer):
        free(buffer.internal)

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        from taeda.dlpack import to_capsule
        return to_capsule(self, max_version, copy, stream, dl_device)

    def __dlpack_device__(self):
        if self.device != CPU:
            raise ValueError(f"[dlpack] Unknown device type {DEVICES[self.device]} for Dlpack")
        return 1, 0

    def __deepcopy__(self, memo):
        cdef TensorBase t
        if grad_fn_of(self) is not None:
            raise RuntimeError("[deepcopy] Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                               "the moment. If you were attempting to deepcopy a module, detach() the tensor first.")
        if id(self) in memo:
            return memo[id(self)]
        key = ("taeda storage", id(self.storage))
        if key not in memo:
            memo[key] = self.storage.clone()
        made = alias(self)
        made.storage = memo[key]
        refresh(made)
        t = made if type(self) is Tensor else Tensor._make_subclass(type(self), made)
        memo[id(self)] = t
        if self.requires_grad_:
            (<object>t).requires_grad = True
        if self.grad_ is not None:
            t.grad_ = self.grad_.__deepcopy__(memo)
        import copy
        for name, value in user_attributes(self).items():
            setattr(t, name, copy.deepcopy(value, memo))
        return t

    def __copy__(self):
        made = alias(self)
        made.requires_grad_ = self.requires_grad_
        made = made if type(self) is Tensor else <TensorBase>Tensor._make_subclass(type(self), made, self.requires_grad_)
        for name, value in user_attributes(self).items():
            setattr(made, name, value)
        return made

    def __reduce_ex__(self, protocol):
        from taeda.serialization import reduce_tensor
        return reduce_tensor(self)

    def share_memory_(self):
        raise RuntimeError("[share_memory_] tensors cannot be moved to shared memory; DataLoader shares its batches itself")

    def pin_memory(self, device=None):
        """Return the tensor: without a GPU there is nothing to pin for."""
        return self

    def apply_(self, function):
        """Replace each element by ``function(element)``; slow, for experiments."""
        values = [function(v) for v in self.detach().reshape(-1).tolist()]
        return self.copy_(_creation.tensor(values, dtype=self.dtype).reshape(self.shape))

    def new(self, *args):
        """Return a tensor of this dtype: empty, of the given sizes (not filled), or with the given content."""
        if len(args) == 1 and not isinstance(args[0], (int, _tensor_base.Size)):
            return self.new_tensor(args[0])
        return self.new_empty(*(args or (0,)))

    def map_(self, Tensor other not None, function):
        """Replace each element by ``function(element, other's element)``."""
        pairs = zip(self.detach().reshape(-1).tolist(), other.expand(self.shape).reshape(-1).tolist())
        return self.copy_(_creation.tensor([function(a, b) for a, b in pairs], dtype=self.dtype).reshape(self.shape))


class ArrayHolder:
    """What NumPy keeps as the owner of an array that lies on a tensor's memory."""

    CODES = {"float32": "<f4", "float64": "<f8", "int64": "<i8", "int32": "<i4", "int16": "<i2", "int8": "|i1", "uint8": "|u1",
             "bool": "|b1", "float16": "<f2", "complex64": "<c8", "complex128": "<c16", "uint16": "<u2", "uint32": "<u4",
             "uint64": "<u8"}

    def __init__(self, tensor):
        self.tensor = tensor
        if tensor.dtype.name not in self.CODES:
            raise TypeError(f"[numpy] Got unsupported ScalarType {tensor.dtype.name}")
        self.__array_interface__ = {
            "version": 3, "shape": tuple(tensor.shape), "typestr": self.CODES[tensor.dtype.name],
            "strides": tuple([s * tensor.itemsize for s in tensor.stride()]),
            "data": (tensor.data_ptr() or tensor.untyped_storage().data_ptr() or EMPTY, is_readonly(tensor)),
        }


# dtype -> struct's format; these bytes outlive every buffer that points to them
cdef bint LONG_IS_64 = sizeof(long) == 8         # then NumPy's int64 is a long
cdef dict FORMATS = {"float32": b"f", "float64": b"d", "int64": b"l" if LONG_IS_64 else b"q", "int32": b"i", "int16": b"h", "int8": b"b", "uint8": b"B",
                     "bool": b"?", "float16": b"e", "complex64": b"Zf", "complex128": b"Zd", "uint16": b"H", "uint32": b"I",
                     "uint64": b"L" if LONG_IS_64 else b"Q"}


cdef int fill_buffer(TensorBase t, Py_buffer* b, int flags) except -1:
    """Describe t's memory for the buffer protocol.

    The owner is another tensor on the same memory: t may be given other memory while the buffer is open.
    """
    cdef Py_ssize_t* block
    cdef int d
    form = FORMATS.get(name_of(t.view.dtype))
    if (<object>t).requires_grad:
        raise BufferError("[buffer] a tensor that requires grad has no buffer; use tensor.detach()")
    if t.device != CPU or form is None:
        raise BufferError(f"[buffer] a {name_of(t.view.dtype)} tensor on {DEVICES[t.device]} has no buffer")
    if flags & PyBUF_WRITABLE and t.storage.readonly_:
        raise BufferError("[buffer] the tensor lies on read-only memory")
    strided = flags & PyBUF_STRIDES == PyBUF_STRIDES and flags & PyBUF_C_CONTIGUOUS != PyBUF_C_CONTIGUOUS
    if flags & PyBUF_F_CONTIGUOUS == PyBUF_F_CONTIGUOUS:
        fits = (<object>t).permute(tuple(range(t.view.ndim))[::-1]).is_contiguous()
    else:
        fits = t.view.contiguous or strided and flags & PyBUF_ANY_CONTIGUOUS != PyBUF_ANY_CONTIGUOUS
    if not fits:
        raise BufferError(f"[buffer] the tensor is not contiguous: shape {t.shape_tuple()}, strides {t.stride_tuple()}")
    block = <Py_ssize_t*>malloc(max(2 * t.view.ndim, 1) * sizeof(Py_ssize_t))
    if block == NULL:
        raise MemoryError("[buffer] no memory for the description of a tensor")
    for d in range(t.view.ndim):
        block[d], block[t.view.ndim + d] = t.view.shape[d], t.view.strides[d] * t.view.itemsize
    b.buf = t.view.data if t.view.data != NULL else EMPTY_BYTES
    b.obj = alias(t)
    b.len, b.itemsize, b.readonly = t.view.numel * t.view.itemsize, t.view.itemsize, t.storage.readonly_
    b.ndim = t.view.ndim
    b.format = <char*><bytes>form if flags & PyBUF_FORMAT else NULL
    b.shape = block if flags & PyBUF_ND else NULL
    b.strides = block + t.view.ndim if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
    b.suboffsets = NULL
    b.internal = block
    return 0


cdef char EMPTY_BYTES[64]
EMPTY = <size_t>&EMPTY_BYTES[0]          # NumPy wants an address for arrays without elements too


def is_readonly(TensorBase t):
    """Whether the tensor lies on memory that must not be written."""
    return t.storage.readonly_


def user_attributes(TensorBase t):
    """Return the attributes that a user has set on the tensor, by name."""
    found = dict(getattr(t, "__dict__", None) or {})
    if t.extra is not None:
        found.update(t.extra.get("attributes", {}))
    return found


cdef object element(char* p, int code):
    if code == F32:
        return <double>(<float*>p)[0]
    if code == F64:
        return (<double*>p)[0]
    if code == I64:
        return (<int64_t*>p)[0]
    if code == I32:
        return (<int32_t*>p)[0]
    if code == U8:
        return (<uint8_t*>p)[0]
    if code == BOOL:
        return (<uint8_t*>p)[0] != 0
    if code == I8:
        return (<int8_t*>p)[0]
    if code == I16:
        return (<int16_t*>p)[0]
    if code == U16:
        return (<uint16_t*>p)[0]
    if code == U32:
        return (<uint32_t*>p)[0]
    if code == U64:
        return (<uint64_t*>p)[0]
    if code == F16:
        return <double>f16_to_f32((<uint16_t*>p)[0])
    if code == BF16:
        return <double>bf16_to_f32((<uint16_t*>p)[0])
    if code == C64:
        return complex((<float*>p)[0], (<float*>p)[1])
    if code == C128:
        return complex((<double*>p)[0], (<double*>p)[1])
    return complex(f16_to_f32((<uint16_t*>p)[0]), f16_to_f32((<uint16_t*>p)[1]))


cdef list nested(TensorBase t, int d, char* p):
    cdef int64_t i, step = t.view.strides[d] * t.view.itemsize
    cdef int last = t.view.ndim - 1
    if t.view.numel == 0 and d == last:
        return []
    if d == last:
        return [element(p + i * step, t.view.dtype) for i in range(t.view.shape[d])]
    return [nested(t, d + 1, p + i * step) for i in range(t.view.shape[d])]


# Names that the C fields of TensorBase have too: these cannot stand in the class body.

def _device_property(self):
    """The device that the memory is on."""
    return DEVICES[(<TensorBase>self).device]

def _output_nr(self):
    """Which output of its grad_fn this is."""
    return (<TensorBase>self).output_nr

def _requires_grad(self, requires_grad=True):
    """Set whether autograd follows the tensor, in place."""
    self.requires_grad = requires_grad
    return self

def _storage(self):
    """Return the storage seen as elements of this dtype (``untyped_storage`` is the plain one)."""
    from taeda.typed_storage import TypedStorage
    return TypedStorage(self)

def _conversion(method, name):
    """Make the method that converts to one dtype: x.float(), x.long(), ..."""
    target = NAMES[name]

    def convert(self, memory_format=None):
        return self.to(target)

    convert.__doc__ = f"Return the tensor as {name}."
    convert.__name__, convert.__qualname__ = method, f"Tensor.{method}"
    return convert

for method, name in {"float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16", "long": "int64", "int": "int32",
                     "short": "int16", "char": "int8", "byte": "uint8", "bool": "bool", "cfloat": "complex64", "cdouble": "complex128",
                     "chalf": "complex32"}.items():
    install(Tensor, method, _conversion(method, name))

install(Tensor, "device", property(_device_property))
install(Tensor, "output_nr", property(_output_nr))
install(Tensor, "requires_grad_", _requires_grad)
install(Tensor, "storage", _storage)


def _new(cls, *args, **kwargs):
    """Make the instance of a subclass; ``super().__new__(cls, data)`` gives it its content, as PyTorch's does."""
    cdef TensorBase t = bare(cls)
    if len(args) == 1 and not kwargs and (isinstance(args[0], TensorBase) or hasattr(args[0], "__len__")):
        Tensor.__init__(t, args[0])
    return t

def _init_subclass(cls, attributes=True, **kwargs):
    """Let a subclass's ``__torch_function__`` see its attributes too (``attributes=False``: the operations alone)."""
    if attributes and _override.takes_over(cls):
        _override.attributes_for(cls, Tensor)

install(Tensor, "__new__", staticmethod(_new))
install(Tensor, "__init_subclass__", classmethod(_init_subclass))
_override.set_tensor_class(Tensor)
_override.NOWRAP.update([Tensor.__dict__[_name].__get__ for _name in ("_base", "grad")])


def install_methods(methods):
    """Put functions into the class Tensor under the given names."""
    for name, function in methods.items():
        install(Tensor, name, function)


def install_late(get, put, product, text):
    """Hand in what the operators need from rooms that are imported after this one."""
    global getitem, setitem, matmul, tensor_str
    getitem, setitem, matmul, tensor_str = get, put, product, text
    get.reported, put.reported = Tensor.__getitem__, Tensor.__setitem__


_tensor_base.set_tensor_type(Tensor)
