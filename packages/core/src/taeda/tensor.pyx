# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The class Tensor: operators, as a container and as a number, copies, each a line into an op.

What it says of itself is in ``tensor_attributes``, its place in the graph in ``tensor_autograd``, its ways to other places and types in
``tensor_conversions``.  Named methods come from the ops: ``install_methods`` puts the METHODS of every ops module into the class once,
at import.
"""
cimport cython
from cpython.number cimport PyIndex_Check

from taeda._override cimport operator_seen
from taeda.autograd.grad_mode cimport grad_enabled, inference_enabled
from taeda.autograd.node cimport UNRECORDED, grad_fn_of, stale
from taeda.dtype cimport differentiable, is_complex_, is_float, name_of
from taeda.elements cimport element as number_at, nested
from taeda.kernels.cpu.abi cimport BOOL
from taeda.tensor_attributes cimport TensorAttributes
from taeda.tensor_autograd cimport TensorAutograd, fill_from
from taeda.tensor_base cimport CPU, META, TensorBase, alias, is_wrapper, refresh, twin
from taeda.tensor_conversions cimport TensorConversions

import copy
import warnings

from taeda import _above, _override, _override_protocol, stand_ins
from taeda import tensor_base as _tensor_base
from taeda._override_attributes import attributes_for
from taeda.device import CPU as CPU_DEVICE, as_device
from taeda.dtype import get_default_dtype
from taeda.ops import METHODS as M
from taeda.ops import binary as _b
from taeda.ops import compare as _c
from taeda.ops import conversion as _convert
from taeda.ops import creation as _creation
from taeda.ops import slices as _slices
from taeda.ops.copying import check_layout
from taeda.tensor_attributes import FIELDS
from taeda.tensor_autograd import GRAPH_FIELDS
from taeda.tensor_base import user_attributes
from taeda.tensor_conversions import CONVERSIONS

cdef extern from *:
    """
    static void taeda_install(PyObject *type, PyObject *name, PyObject *value) {
        PyDict_SetItem(((PyTypeObject *)type)->tp_dict, name, value);
        PyType_Modified((PyTypeObject *)type);
    }
    /* A program may give the class attributes of its own, as it may PyTorch's: the interpreter refuses that for compiled classes. */
    static void taeda_open(PyObject *type) { ((PyTypeObject *)type)->tp_flags &= ~Py_TPFLAGS_IMMUTABLETYPE; }
    """
    void install "taeda_install"(object type, object name, object value)
    void open_class "taeda_open"(object type)

cdef object add = M["add"], sub = M["sub"], rsub = _b.rsub, mul = M["mul"], div = M["div"], floor_divide = M["floor_divide"]
cdef object remainder = M["remainder"], pow_ = M["pow"], neg = M["neg"], abs_ = M["abs"], bitwise_not = M["bitwise_not"]
cdef object add_ = M["add_"], sub_ = M["sub_"], mul_ = M["mul_"], div_ = M["div_"]
cdef object eq = M["eq"], ne = M["ne"], lt = M["lt"], le = M["le"], gt = M["gt"], ge = M["ge"]
cdef object and_ = M["bitwise_and"], or_ = M["bitwise_or"], xor_ = M["bitwise_xor"]
cdef object getitem = None, setitem = None, matmul = None, tensor_str = None
cdef tuple NUMBERS = (int, float, bool, complex)


cdef object operand(object other):
    """The other side of an operator as a Tensor or number; NotImplemented for what is neither."""
    if isinstance(other, TensorBase) or isinstance(other, NUMBERS):
        return other
    if hasattr(other, "__array_interface__"):
        return _convert.as_tensor(other) if hasattr(other, "ctypes") or getattr(other, "shape", ()) else other.item()
    if isinstance(other, (str, bytes, list, tuple, dict)) or other is None:
        return NotImplemented
    return other if PyIndex_Check(other) or hasattr(other, "__float__") or _override.takes_over(type(other)) else NotImplemented


cdef inline object of_two(object op, object x, object other):
    """The operator ``x op other``."""
    other = operand(other)
    if other is NotImplemented:
        return other
    try:
        return op(x, other)
    except TypeError as error:           # where no class has answered, the other side may have a reflected operator
        if hasattr(error, "unanswered"):
            return NotImplemented
        raise


cdef object equals(object op, object x, object other):
    """``x == other`` of a subclass, which is asked alone: the other's class is asked by Python, before or after."""
    cdef list over = _override.overloaded_args((x,))
    if not over or not isinstance(other, TensorBase):
        return of_two(op, x, other)
    try:
        return _override.call_overrides(_override.told(op.reported or op, op), op.function, over, (x, other), {})
    except TypeError as error:
        if hasattr(error, "unanswered"):
            return NotImplemented
        raise


cdef dict OPERATORS = {}         # those that PyTorch tells of by their own names -> as they are told of


cdef inline object known(str name, object op, object x, object other):
    """The operator ``x op other``, which programs know by its own name."""
    return of_two(OPERATORS[name] if operator_seen(x, other) else op, x, other)


cdef inline object reflected(str name, object op, object x, object other):
    """The operator ``other op x``."""
    other = operand(other)
    if other is NotImplemented:
        return other
    return of_two(OPERATORS[name], x, other) if operator_seen(x, other) else of_two(op, other, x)


def number_over(other, x):
    """A number divided by x, as PyTorch computes it."""
    return x.reciprocal() * other


cdef inline object either_way(object op, object x, object other):
    """``other op x`` of an op that knows no order; a tensor on the left (this one is then of a subclass, as Parameters are) stays there."""
    other = operand(other)
    if isinstance(other, TensorBase):
        return of_two(op, other, x)
    return NotImplemented if other is NotImplemented else of_two(op, x, other)


cdef object only(TensorBase t, str what):
    """The only element, as a real number where ``what`` is one."""
    if t.view.numel != 1:
        raise ValueError(f"[{what}] only one element tensors can be converted to Python scalars; the shape is "
                         f"{tuple((<object>t).shape)}; hint: .tolist() gives all of them, and stack makes one tensor of several")
    value = (<object>t).item()
    if type(value) is complex and what != "complex":
        if value.imag != 0:
            raise RuntimeError(f"[{what}] value cannot be converted to type {what} without overflow: {value} has an imaginary "
                               "part")
        value = value.real
    return value


cdef bint told_of_scalars = False
cdef bint always = False


def warn_always(bint on):
    """Warn each time of what is warned of once in a process (``taeda.set_warn_always``)."""
    global always, told_of_scalars
    always, told_of_scalars = on, told_of_scalars and not on


cdef object tell_of_scalars():
    """Say once in a process, as PyTorch does, that no gradient flows through a Python number; .item() and int() say nothing."""
    global told_of_scalars
    if grad_enabled():
        told_of_scalars = not always
        warnings.warn("Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
                      "Consider using tensor.detach() first.", UserWarning, stacklevel=1)


cdef object default_torch_function = _override_protocol.default_torch_function

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


cdef object wrapper(TensorBase t, size, strides, storage_offset, memory_format, dtype, device, bint requires_grad):
    """Make t a tensor without memory (see stand_ins.wrapper_shell)."""
    device = CPU_DEVICE if device is None else as_device(device)
    options = {} if memory_format is None else {"memory_format": memory_format}
    like = _creation.empty.function(tuple(size), dtype=dtype, device="meta", **options)
    strides = (<TensorBase>like).stride_tuple() if strides is None else tuple([int(s) for s in strides])
    if len(strides) != (<TensorBase>like).view.ndim:
        raise RuntimeError(f"[_make_wrapper_subclass] dimensionality of sizes ({len(tuple(size))}) must match dimensionality of "
                           f"strides ({len(strides)})")
    stand_ins.wrapper_shell(t, (<TensorBase>like).shape_tuple(), strides, storage_offset or 0, like,
                            None if device == CPU_DEVICE else device)
    if requires_grad:
        TensorAutograd.requires_grad.__set__(t, True)
    return t


cdef int fill_as(TensorBase t, TensorBase source) except -1:
    """Give a fresh tensor the memory, the layout and the place in the graph of another."""
    fill_from(t, source)
    t.grad_fn_, t.output_nr, t.requires_grad_ = grad_fn_of(source), source.output_nr, source.requires_grad_
    t.base, t.history = source.base, source.history
    t.detached_version, t.inference = source.detached_version, source.inference
    return 0


cdef TensorBase by_constructor(tuple args, dict options):
    """What ``Tensor(...)`` makes, of the default dtype and, whatever the default device, on the CPU: memory of the sizes, a copy of a
    sequence, or a tensor that it shares."""
    if options.keys() - {"device"}:
        raise TypeError(f"[Tensor] takes no {sorted(options)}: it makes the default dtype; use taeda.tensor(data, dtype=...)")
    if options.get("device") is not None and as_device(options["device"]) != CPU_DEVICE:
        raise RuntimeError(f"[Tensor] legacy constructor expects device type: cpu but device type: {options['device']} was passed; "
                           "use taeda.tensor(data, device=...)")
    if len(args) != 1 or isinstance(args[0], (int, _tensor_base.Size)) or not hasattr(args[0], "__len__"):
        return <TensorBase>_creation.empty(*(args or (0,)), device=CPU_DEVICE)
    if isinstance(args[0], TensorBase):
        if "device" in options:
            raise RuntimeError("[Tensor] Legacy tensor constructor of the form Tensor(tensor, device=device) is not supported; "
                               "use as_tensor(tensor, device=device)")
        return <TensorBase>args[0].view_as(args[0])
    if isinstance(args[0], (str, bytes, dict)):
        raise TypeError(f"[Tensor] new(): data must be a sequence (got {type(args[0]).__name__})")
    return <TensorBase>_convert.tensor(args[0], dtype=get_default_dtype(), device=CPU_DEVICE)


@cython.binding(False)                  # plain method descriptors: they check that self is a Tensor
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
cdef class Tensor(TensorConversions):
    """A multi-dimensional array that autograd can follow.

    Made by ``taeda.tensor``, ``taeda.zeros`` and the like; ``Tensor(2, 3)`` gives uninitialised memory of the default dtype.

    >>> import taeda
    >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __array_priority__ = 1000

    def __init__(self, *args, **kwargs):
        if self.storage is None:                    # else filled in by __new__ or _make_subclass
            fill_as(self, by_constructor(args, kwargs))

    @staticmethod
    def _make_subclass(cls, data, require_grad=False):
        """Return an instance of a subclass on the memory of ``data``."""
        cdef TensorBase t = bare(cls)
        fill_from(t, <TensorBase?>data)
        if require_grad:
            TensorAutograd.requires_grad.__set__(t, True)     # a half-made object's own __torch_function__ is not asked
        return t

    @staticmethod
    def _make_wrapper_subclass(cls, size, strides=None, storage_offset=None, memory_format=None, dtype=None, layout=None, device=None,
                               pin_memory=False, requires_grad=False, dispatch_sizes_strides_policy=None, dispatch_device=False,
                               dispatch_layout=False, _extra_dispatch_keys=None, storage_size=None):
        """Return an instance of a class with a ``__torch_dispatch__``: it has sizes, strides and a dtype, and no memory."""
        if not isinstance(cls, type) or not issubclass(cls, Tensor):
            raise TypeError(f"[_make_wrapper_subclass] Creating a Tensor subclass from a class that does not inherit from Tensor is not "
                            f"possible, got {cls!r}")
        if not _override_protocol.dispatches(cls):
            raise TypeError(f"[_make_wrapper_subclass] {cls.__name__} must define __torch_dispatch__")
        if dispatch_sizes_strides_policy is not None:
            raise NotImplementedError("[_make_wrapper_subclass] dispatch_sizes_strides_policy: the sizes and strides are those given; "
                                      "no __torch_dispatch__ is asked for them")
        return wrapper(bare(cls), size, strides, storage_offset, memory_format, dtype, device, requires_grad)

    def as_subclass(self, cls):
        """Return the tensor as an instance of a subclass, a view: the same memory, so that writes count for both."""
        cdef TensorBase t = bare(cls), source = self
        if self.requires_grad_:
            source = <TensorBase>self.view_as(self)
        fill_as(t, source)
        if source is self and not self.inference and self.device <= META:
            if self.base is None:
                t.base = self
            if not grad_enabled():
                t.history = UNRECORDED
        return t

    # -- classes that take calls over (taeda.overrides) ---------------------------------------------

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """Run ``func`` and give its results this subclass; a subclass may override it and see every call."""
        return default_torch_function(cls, func, types, args, kwargs)

    __torch_dispatch__ = staticmethod(_override_protocol.disabled_torch_dispatch)

    # -- arithmetic --------------------------------------------------------------------------------

    def __add__(self, other):
        return of_two(add, self, other)

    def __radd__(self, other):
        return either_way(add, self, other)

    def __sub__(self, other):
        return of_two(sub, self, other)

    def __rsub__(self, other):
        return known("__rsub__", rsub, self, other)

    def __mul__(self, other):
        return of_two(mul, self, other)

    def __rmul__(self, other):
        return either_way(mul, self, other)

    def __truediv__(self, other):
        return of_two(div, self, other)

    def __rtruediv__(self, other):
        other = operand(other)
        if other is NotImplemented:
            return other
        if not isinstance(other, TensorBase):
            return reflected("__rdiv__", _b.div if _override.takes_over(type(other)) else number_over, self, other)
        return of_two(div, other, self)

    def __floordiv__(self, other):
        return known("__floordiv__", floor_divide, self, other)

    def __rfloordiv__(self, other):
        return reflected("__rfloordiv__", _b.floor_divide, self, other)

    def __mod__(self, other):
        return of_two(remainder, self, other)

    def __rmod__(self, other):
        return reflected("__rmod__", _b.remainder, self, other)

    def __pow__(self, other, modulo):
        return of_two(pow_, self, other) if modulo is None else NotImplemented

    def __rpow__(self, other, modulo):
        return reflected("__rpow__", _b.pow, self, other) if modulo is None else NotImplemented

    def __matmul__(self, other):
        return of_two(matmul, self, other) if isinstance(other, TensorBase) or _override.takes_over(type(other)) else NotImplemented

    def __rmatmul__(self, other):
        if not isinstance(other, TensorBase) and _override.takes_over(type(other)):
            return of_two(_override.function_for(matmul.function, "matmul", "taeda.ops.matmul"), other, self)
        array = isinstance(other, TensorBase) or hasattr(other, "__array_interface__") and other.__array_interface__["shape"]
        return of_two(matmul, _convert.as_tensor(other), self) if array else NotImplemented

    def __neg__(self):
        return neg(self)

    def __pos__(self):
        if operator_seen(self, None):
            return M["positive"](self)
        if (<TensorBase>self).view.dtype == BOOL:
            raise RuntimeError("[positive] The `+` operator, on a bool tensor is not supported.")
        return self

    def __abs__(self):
        return abs_(self)

    def __invert__(self):
        if differentiable(self.view.dtype):
            raise TypeError(f"[bitwise_not] ~ (operator.invert) is only implemented on integer and Boolean-type tensors, got "
                            f"{name_of(self.view.dtype)}")
        return bitwise_not(self)

    def __and__(self, other):
        return known("__and__", and_, self, other)

    def __rand__(self, other):
        return either_way(and_, self, other)

    def __or__(self, other):
        return known("__or__", or_, self, other)

    def __ror__(self, other):
        return either_way(or_, self, other)

    def __xor__(self, other):
        return known("__xor__", xor_, self, other)

    def __rxor__(self, other):
        return either_way(xor_, self, other)

    def __lshift__(self, other):
        return known("__lshift__", _c.bitwise_left_shift, self, other)

    def __rlshift__(self, other):
        return reflected("__rlshift__", _c.bitwise_left_shift, self, other)

    def __rshift__(self, other):
        return known("__rshift__", _c.bitwise_right_shift, self, other)

    def __rrshift__(self, other):
        return reflected("__rrshift__", _c.bitwise_right_shift, self, other)

    def __ilshift__(self, other):
        return known("__ilshift__", _c.bitwise_left_shift_, self, other)

    def __irshift__(self, other):
        return known("__irshift__", _c.bitwise_right_shift_, self, other)

    def __iadd__(self, other):
        return of_two(add_, self, other)

    def __isub__(self, other):
        return of_two(sub_, self, other)

    def __imul__(self, other):
        return of_two(mul_, self, other)

    def __itruediv__(self, other):
        return of_two(div_, self, other)

    def __ifloordiv__(self, other):
        return of_two(M["floor_divide_"], self, other)

    def __imod__(self, other):
        return of_two(M["remainder_"], self, other)

    def __ipow__(self, other):
        return of_two(_b.pow_, self, other)

    def __iand__(self, other):
        return known("__iand__", _c.bitwise_and_, self, other)

    def __ior__(self, other):
        return known("__ior__", _c.bitwise_or_, self, other)

    def __ixor__(self, other):
        return known("__ixor__", _c.bitwise_xor_, self, other)

    def __eq__(self, other):
        op = OPERATORS["__eq__"] if operator_seen(self, other if isinstance(other, TensorBase) else None) else eq
        return of_two(op, self, other) if type(self) is Tensor or type(other) is Tensor else equals(op, self, other)

    def __ne__(self, other):
        return of_two(ne, self, other)

    def __lt__(self, other):
        return of_two(lt, self, other)

    def __le__(self, other):
        return of_two(le, self, other)

    def __gt__(self, other):
        return of_two(gt, self, other)

    def __ge__(self, other):
        return of_two(ge, self, other)

    def __hash__(self):
        return <Py_ssize_t><void*>self                    # id(self): programs look tensors up by it, as by PyTorch's

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
        return iter(self.unbind() if is_wrapper(self) else _slices.unbind(self, 0))

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
        return int(only(self, "int"))

    def __float__(self):
        if self.requires_grad and not told_of_scalars:
            tell_of_scalars()
        return float(only(self, "float"))

    def __complex__(self):
        if self.requires_grad and not told_of_scalars:
            tell_of_scalars()
        return complex(only(self, "complex"))

    def __index__(self):
        if self.view.numel != 1 or is_float(self.view.dtype) or is_complex_(self.view.dtype):
            raise TypeError(f"[index] only integer tensors of a single element can be converted to an index, got "
                            f"{name_of(self.view.dtype)} of shape {tuple(self.shape)}")
        return int(self.item())

    def item(self):
        """Return the only element as a Python number; RuntimeError where there is not exactly one.

        >>> import taeda
        >>> taeda.tensor([[7]]).item(), taeda.tensor(0.5).item()
        (7, 0.5)
        """
        cdef char* p = self.view.data
        cdef int code = self.view.dtype
        if self.view.numel != 1:
            raise RuntimeError(f"[item] a Tensor with {self.view.numel} elements cannot be converted to Scalar; its shape is "
                               f"{tuple(self.shape)}")
        if type(self) is not Tensor and _override.asks(self):
            return _above.local_scalar(self)
        if self.device != CPU:
            raise RuntimeError("[item] Tensor.item() cannot be called on meta tensors: they have no data")
        return number_at(p, code)

    def tolist(self):
        """Return the elements as nested lists of Python numbers (a number for a 0-d tensor).

        >>> import taeda
        >>> taeda.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
        if type(self) is not Tensor and _override.asks(self):
            raise RuntimeError(f"[tolist] .tolist() is not supported for tensor subclasses, got {type(self).__name__}")
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

    # -- copies ------------------------------------------------------------------------------------

    def __deepcopy__(self, memo):
        cdef TensorBase t
        if grad_fn_of(self) is not None:
            raise RuntimeError("[deepcopy] Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
                               "the moment. If you were attempting to deepcopy a module, detach() the tensor first.")
        if id(self) in memo:
            return memo[id(self)]
        if is_wrapper(self):
            return stand_ins.copy_of_wrapper(self, memo)
        if self.device == CPU and self.view.numel:       # a storage that was made smaller since is copied at its new size
            check_layout("deepcopy", self.shape_tuple(), self.stride_tuple(), self.offset, self.view.itemsize, self.storage.nbytes_)
        made = alias(self)
        made.storage = (<object>self.storage).__deepcopy__(memo)        # which other tensors and storages in the copy share
        made.inference = inference_enabled()
        refresh(made)
        t = made if type(self) is Tensor else Tensor._make_subclass(type(self), made)
        memo[id(self)] = t
        if self.requires_grad_ or stale(self):
            (<object>t).requires_grad = True
        if self.grad_ is not None:
            t.grad_ = self.grad_.__deepcopy__(memo)
        for name, value in user_attributes(self).items():
            setattr(t, name, copy.deepcopy(value, memo))
        return t

    def __copy__(self):
        made = twin(self)
        made.requires_grad_ = self.requires_grad_
        if is_wrapper(self):
            return made
        made = made if type(self) is Tensor else <TensorBase>Tensor._make_subclass(type(self), made, self.requires_grad_)
        for name, value in user_attributes(self).items():
            setattr(made, name, value)
        return made

    def __reduce_ex__(self, protocol):
        return _above.reduce_tensor(self)


# names that C fields of TensorBase have too cannot stand in a class body, and conversions are made
for method, attribute in {**FIELDS, **GRAPH_FIELDS, **CONVERSIONS}.items():
    install(Tensor, method, attribute)


def _new(cls, *args, **kwargs):
    """Make the instance of a subclass; ``super().__new__(cls, data)`` gives it its content, as PyTorch's does."""
    cdef TensorBase t = bare(cls)
    fill_as(t, by_constructor(args, kwargs))
    return t

def _init_subclass(cls, attributes=True, **kwargs):
    """Let a subclass's ``__torch_function__`` see its attributes too (``attributes=False``: the operations alone)."""
    _override_protocol.note_class(cls)
    if attributes and _override.takes_over(cls):
        attributes_for(cls, Tensor)

def told(self, *, tensor_contents=None):
    """Return the tensor as text; a class may give what stands in place of the values."""
    return tensor_str(self, tensor_contents=tensor_contents)


told.__name__, told.__qualname__ = "__repr__", "Tensor.__repr__"
install(Tensor, "__new__", staticmethod(_new))
install(Tensor, "__init_subclass__", classmethod(_init_subclass))
for part in (TensorConversions, TensorAutograd, TensorAttributes):              # vars(Tensor) is all of it
    for name, attribute in part.__dict__.items():
        if name not in Tensor.__dict__:
            install(Tensor, name, attribute)
install(Tensor, "__repr__", told)
_override.set_tensor_class(Tensor)
_override_protocol.set_dispatch(Tensor.__dict__["__torch_dispatch__"], Tensor.__dict__["__torch_function__"])
_override_protocol.NOWRAP.update([Tensor.__dict__[_name].__get__ for _name in ("_base", "grad")])


def install_methods(methods):
    """Put functions into the class Tensor under the given names."""
    for name, function in methods.items():
        install(Tensor, name, function)
    open_class(Tensor)


def install_late(get, put, product, text):
    """Hand in what the operators need from rooms that are imported after this one."""
    global getitem, setitem, matmul, tensor_str
    getitem, setitem, matmul, tensor_str = get, put, product, text
    get.reported, put.reported = Tensor.__getitem__, Tensor.__setitem__
    OPERATORS["__rdiv__"] = M["__rdiv__"]
    for name, op in (("__eq__", eq), ("__floordiv__", floor_divide), ("__and__", and_), ("__or__", or_), ("__xor__", xor_),
                     ("__rsub__", rsub), ("__lshift__", _c.bitwise_left_shift), ("__rshift__", _c.bitwise_right_shift),
                     ("__iand__", _c.bitwise_and_),
                     ("__ior__", _c.bitwise_or_), ("__ixor__", _c.bitwise_xor_), ("__ilshift__", _c.bitwise_left_shift_),
                     ("__irshift__", _c.bitwise_right_shift_)):
        tell_of(name, op.function)
    for name, op in (("__rfloordiv__", _b.floor_divide), ("__rmod__", _b.remainder), ("__rpow__", _b.pow),
                     ("__rlshift__", _c.bitwise_left_shift), ("__rrshift__", _c.bitwise_right_shift)):
        tell_of(name, swapped(op.function))


def swapped(function):
    """The operator whose left side comes second."""
    def operator(input, other):
        return function(other, input)
    return operator


cdef int tell_of(str name, object function) except -1:
    OPERATORS[name] = _override.Method(function, name, f"Tensor.{name}", "taeda.tensor")
    OPERATORS[name].reported = Tensor.__dict__[name]
    return 0


_tensor_base.set_tensor_type(Tensor)
