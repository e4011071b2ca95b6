# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What a tensor says of itself: shape, memory, dtype; its place in the graph; and what a user hangs on it.

``TensorAttributes`` adds no field and no C method to TensorBase, as Tensor adds none to it: an instance of either is made
and freed as a TensorBase.
"""
cimport cython
from cpython.bool cimport PyBool_Check
from cpython.object cimport PyObject

cdef extern from "Python.h":
    object PyObject_GenericGetDict(object o, void *context)
    int PyObject_GenericSetDict(object o, object value, void *context) except -1

from taeda.autograd.engine cimport run
from taeda.autograd.node cimport grad_fn_of
from taeda.dispatch cimport scalar_tensor
from taeda.dtype cimport differentiable, dtype_of, is_complex_, is_float, name_of
from taeda.tensor_base cimport CPU, META, alias, is_wrapper, refresh

cdef enum:
    SPARSE = 4               # the device code of a sparse tensor

import warnings
import weakref

from taeda._once import warn_once
from taeda.autograd.leaves import leaf_hook
from taeda.autograd.hooks import Handle
from taeda.autograd.node import node_of
from taeda.dtype import dtype as dtype_class
from taeda.layout import strided as STRIDED
from taeda.operands import RELAID
from taeda.ops import conversion as _convert

cdef object index_of(object dim):
    """A dimension's number, which a float cannot be."""
    if hasattr(dim, "__index__") and not PyBool_Check(dim):
        return dim.__index__()
    raise TypeError(f"[size] dim must be int, not {type(dim).__name__}")


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


cdef dict extras(TensorBase t):
    if t.extra is None:
        t.extra = {}
    return t.extra


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
                return self
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
        return self._parts().real(self) if is_complex_(self.view.dtype) else self

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
        return self._parts().imag(self)

    @imag.setter
    def imag(self, value):
        self.imag.copy_(_convert.as_tensor(value))

    def _parts(self):
        from taeda.ops import complex_numbers
        return complex_numbers

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
            from taeda.ops.copying import MemoryFormat
            formats = [] if ambiguity_check is True else ambiguity_check
            if not isinstance(formats, list) or not all(isinstance(f, MemoryFormat) for f in formats):
                raise TypeError("[dim_order] The ambiguity_check argument must be a bool or a list of memory formats, got "
                                f"{ambiguity_check!r}")
            many = 1 in sizes or 0 in strides or any(a == b for a, b in zip(strides, strides[1:]))
            if many and sum(self.is_contiguous(memory_format=f) for f in formats) != 1:
                raise RuntimeError("[dim_order] The tensor does not have unique dim order, or cannot map to exact one of the given memory "
                                   f"formats, got shape {tuple(sizes)} with strides {tuple(strides)}")
        return tuple(sorted(range(self.view.ndim), key=lambda d: (-strides[d], -sizes[d] if strides[d] == 0 else 0, d)))

    # -- autograd ----------------------------------------------------------------------------------

    @property
    def requires_grad(self):
        """Whether autograd follows the tensor; only that of a leaf of a floating-point or complex dtype can be set (RuntimeError else).

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> x.requires_grad, (x * 2).requires_grad, x.detach().requires_grad
        (True, True, False)
        """
        return self.requires_grad_ or self.grad_fn_ is not None or grad_fn_of(self) is not None

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
        """Whether no recorded operation made the tensor: only leaves that require grad get a ``.grad`` from :meth:`backward`.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> x.is_leaf, (x * 2).is_leaf
        (True, False)
        """
        return grad_fn_of(self) is None

    @property
    def grad_fn(self):
        """The node of the operation that made the tensor; None for a leaf.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> x.grad_fn, (x * 2).grad_fn.name()
        (None, 'MulBackward0')
        """
        return node_of(self)

    @property
    def grad(self):
        """The sum of the gradients that :meth:`backward` brought to this leaf; None until then, and again where it is set to None.

        What is assigned has the tensor's shape, dtype and device (RuntimeError else).

        >>> import taeda
        >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
        >>> (x ** 2).sum().backward()
        >>> x.grad
        tensor([2., 4.])
        """
        if self.grad_ is None and self.grad_fn_ is not None and not self.retains_grad_:
            warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                          "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for "
                          "a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.", UserWarning, stacklevel=1)
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
            if g.device != self.device and (<object>g).device != (<object>self).device:
                raise RuntimeError(f"[grad] assigned grad is on {(<object>g).device}, the tensor on {(<object>self).device}")
            if g.shape_tuple() != self.shape_tuple():
                raise RuntimeError(f"[grad] assigned grad has data of a different size: {tuple(g.shape)}, the tensor has "
                                   f"{tuple(self.shape)}")
        self.grad_ = value

    @grad.deleter
    def grad(self):
        self.grad_ = None

    @property
    def _grad(self):
        # the gradient by its inner name, which does not warn
        return self.grad_

    @_grad.setter
    def _grad(self, value):
        TensorAttributes.grad.__set__(self, value)

    @_grad.deleter
    def _grad(self):
        self.grad_ = None

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
        extras(self)["grad_dtype"] = value

    @property
    def volatile(self):
        """Always False: no_grad took its place."""
        warnings.warn("volatile was removed (Variable.volatile is always False)", UserWarning, stacklevel=1)
        return False

    @volatile.setter
    def volatile(self, value):
        warnings.warn("volatile was removed and now has no effect. Use `with taeda.no_grad():` instead.", UserWarning,
                      stacklevel=1)

    @property
    def data(self):
        """The same memory outside of autograd: writes through it are not seen by the version check.  ``detach`` is the safer way.

        >>> import taeda
        >>> w = taeda.ones(2, requires_grad=True)
        >>> w.data -= 0.5
        >>> w
        tensor([0.5000, 0.5000], requires_grad=True)
        """
        cdef TensorBase t
        if is_wrapper(self):
            return (<object>self).detach()
        t = alias(self)
        t.detached_version = True
        return t

    @data.setter
    def data(self, value):
        if not isinstance(value, TensorBase):
            raise TypeError(f"[data] Variable data has to be a tensor, but got {type(value).__name__}")
        if self.requires_grad_ and not differentiable((<TensorBase>value).view.dtype):
            raise RuntimeError(f"[data] data set to a tensor that requires gradients must be floating point or complex dtype, "
                               f"got {name_of((<TensorBase>value).view.dtype)}")
        if (self.device == SPARSE) != ((<TensorBase>value).device == SPARSE):
            raise RuntimeError("[data] Attempted to set .data of a tensor, but the two have incompatible tensor types: one of them is "
                               "sparse; hint: to_dense() or to_sparse()")
        RELAID[0] += 1
        fill_from(self, <TensorBase>value)

    @property
    def _cdata(self):
        """A number that no other tensor has while this one lives."""
        return <size_t><PyObject *>self

    @property
    def _version(self):
        if self.inference:
            raise RuntimeError("[_version] Inference tensors do not track version counter.")
        return self.storage.version

    @property
    def _base(self):
        return self.base

    def _is_view(self):
        return self.base is not None

    @property
    def retains_grad(self):
        """Whether :meth:`retain_grad` was called on a tensor that is no leaf."""
        return self.retains_grad_

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add the gradients of this tensor to the ``.grad`` of the leaves that it came from.

        Args:
            gradient: the cotangent, of this tensor's shape; 1 for a scalar when absent.
            retain_graph: keep the graph for another pass (as ``create_graph``, unless said).
            create_graph: record the pass itself, for derivatives of higher order.
            inputs: the leaves that get a gradient; all when absent.

        Raises:
            RuntimeError: the tensor does not require grad, has several elements and no ``gradient``, or its graph was freed.

        >>> import taeda
        >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
        >>> (x ** 2).backward(taeda.tensor([1.0, 10.0]))
        >>> x.grad
        tensor([ 2., 40.])
        """
        cdef TensorBase g
        if gradient is None and inputs is None and self.view.numel == 1 and is_float(self.view.dtype) and not is_wrapper(self) and (
                grad_fn_of(self) is not None or self.requires_grad_):
            g = scalar_tensor(1, self.view.dtype, self.storage.device)
            if self.view.ndim:
                g = <TensorBase>(<object>g).reshape(self.shape_tuple())
            run([self], [g], create_graph if retain_graph is None else retain_graph, create_graph, None, True)
            return
        from taeda.autograd import backward
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook):
        """Call ``hook(grad)`` when the tensor's gradient is computed; what it returns, unless None, replaces the gradient.

        The handle that is returned can ``remove()`` the hook.  RuntimeError for a tensor that does not require grad.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 10)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        if not self.requires_grad:
            raise RuntimeError("[register_hook] cannot register a hook on a tensor that doesn't require gradient")
        fn = grad_fn_of(self)
        if fn is None:
            return leaf_hook(self, "hooks", hook)
        return Handle(fn._hooks().setdefault(("tensor", self.output_nr), {}), hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call ``hook(tensor)`` after the leaf's ``.grad`` was added to: an optimizer may step there and free the gradient.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
        >>> (3 * x).sum().backward()
        tensor([3., 3.])
        """
        if not self.requires_grad:
            raise RuntimeError("[register_post_accumulate_grad_hook] cannot register a hook on a tensor that doesn't require gradient")
        if grad_fn_of(self) is not None:
            raise RuntimeError("[register_post_accumulate_grad_hook] post accumulate grad hooks cannot be registered on non-leaf tensors")
        return leaf_hook(self, "post_accumulate_hooks", hook)

    def retain_grad(self):
        """Keep this non-leaf tensor's gradient in ``.grad``.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> y = x * 3
        >>> y.retain_grad()
        >>> (y ** 2).sum().backward()
        >>> y.grad
        tensor([6., 6.])
        """
        if not self.requires_grad:
            raise RuntimeError("[retain_grad] can't retain_grad on Tensor that has requires_grad=False")
        fn = grad_fn_of(self)
        if fn is not None and not self.retains_grad_:
            self.retains_grad_ = True
            fn._hooks()[("retain", self.output_nr)] = weakref.ref(self)

    @property
    def _backward_hooks(self):
        return None if self.extra is None else self.extra.get("hooks")

    @_backward_hooks.setter
    def _backward_hooks(self, hooks):
        extra = extras(self)
        extra.pop("hooks", None)
        if hooks is not None:
            for hook in hooks.values():
                self.register_hook(hook)
