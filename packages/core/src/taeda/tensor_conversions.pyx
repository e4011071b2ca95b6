# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A tensor's ways to other places and types: devices, dtypes, NumPy, buffers, DLPack, memory that processes share.

``TensorConversions`` stands between TensorAutograd and Tensor and adds no field, as they add none.
"""
cimport cython
from cpython.ref cimport PyObject
from libc.stdlib cimport free

from taeda.autograd.grad_mode cimport grad_enabled
from taeda.dtype cimport torch_name
from taeda.elements cimport fill_buffer
from taeda.tensor_base cimport CPU, META, TensorBase, alias

from taeda import _above, _spoken
from taeda._override import asks
from taeda.device import as_device
from taeda.dtype import LEGACY_NAMES, NAMES, dtype as dtype_class, get_default_dtype
from taeda.elements import ArrayHolder
from taeda.layout import preserve_format
from taeda.ops import conversion as _convert
from taeda.tensor_base import Size

cdef extern from *:
    Py_ssize_t references "Py_REFCNT"(PyObject* x)

cdef object asarray = None


@cython.binding(False)                  # plain method descriptors: they check that self is a tensor
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
cdef class TensorConversions(TensorAutograd):
    """What Tensor inherits of ways to other places and types."""

    def cpu(self, *, memory_format=preserve_format):
        """Return the tensor on the CPU: itself where it is there."""
        if memory_format is not preserve_format:
            return self.to("cpu", memory_format=memory_format)
        return self if self.device == CPU else self.to("cpu")

    def cuda(self, device=None, non_blocking=False, memory_format=None):
        """Return the tensor on a GPU; RuntimeError where there is none."""
        return self.to("cuda" if device is None else device)

    def type(self, dtype=None, non_blocking=False, **kwargs):
        """Return the legacy type name, or the tensor in another dtype, which a name, a legacy class or a dtype says.

        >>> import taeda
        >>> x = taeda.tensor([1, 0])
        >>> x.type(), x.type(taeda.bool)
        ('taeda.LongTensor', tensor([ True, False]))
        """
        if dtype is None:
            return f"{_spoken.name}.{torch_name(self.view.dtype)}Tensor"
        if isinstance(dtype, str):
            if ".cuda." in dtype:
                return self.cuda()
            name = dtype.rpartition(".")[2].removesuffix("Tensor")
            if name and name not in LEGACY_NAMES:
                raise ValueError(f"[type] invalid type: {dtype!r}; expected e.g. 'taeda.FloatTensor'")
            dtype = LEGACY_NAMES[name] if name else get_default_dtype()     # 'torch.Tensor'
        elif isinstance(dtype, type) and issubclass(dtype, TensorBase):
            dtype = get_default_dtype()
        elif not isinstance(dtype, dtype_class) and isinstance(getattr(dtype, "dtype", None), dtype_class):  # FloatTensor
            if getattr(dtype, "is_cuda", False) is True:
                return self.cuda()
            dtype = dtype.dtype
        if not isinstance(dtype, dtype_class):
            raise TypeError(f"[type] dtype must be a type, str, or dtype object, got {dtype!r}")
        if not isinstance(non_blocking, bool):
            raise TypeError(f"[type] argument 'non_blocking' must be bool, not {type(non_blocking).__name__}")
        return self.to(dtype)

    def numpy(self, *, force=False):
        """Return a NumPy array on the same memory: writes to one show in the other.

        RuntimeError for a tensor that requires grad, unless ``force`` is true; TypeError for what NumPy lacks, as bfloat16.

        >>> import taeda
        >>> x = taeda.zeros(2)
        >>> x.numpy()[0] = 7
        >>> x
        tensor([7., 0.])
        """
        if asks(self):
            raise RuntimeError("[numpy] .numpy() is not supported for tensor subclasses.")
        if self.device != CPU:
            raise TypeError("[numpy] can't convert a meta tensor to numpy: it has no data")
        if self.requires_grad and not force and grad_enabled():
            raise RuntimeError("[numpy] Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        global asarray
        if asarray is None:                      # NumPy is not needed to import taeda
            from numpy import asarray
        return asarray(ArrayHolder(alias(self)))

    def __array__(self, dtype=None, copy=None):
        a = self.numpy()
        if dtype is not None and a.dtype != dtype:
            if copy is False:
                raise ValueError("[__array__] a copy is needed to convert the dtype")
            return a.astype(dtype)
        return a.copy() if copy else a

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return _convert.as_tensor(array)

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        fill_buffer(self, buffer, flags)

    def __releasebuffer__(self, Py_buffer* buffer):
        free(buffer.internal)

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        from taeda.dlpack import to_capsule
        return to_capsule(self, max_version, copy, stream, dl_device)

    def __dlpack_device__(self):
        if self.device != CPU:
            raise ValueError(f"[dlpack] Unknown device type {(<object>self).device} for Dlpack")
        return 1, 0

    def share_memory_(self):
        """Move the tensor's storage into memory that processes share, and return the tensor.

        What one process writes, all see: children of a fork, and whoever is sent the tensor through
        ``taeda.multiprocessing``.  Every tensor on the storage moves with it; an array that ``numpy()`` gave before does not.

        >>> import taeda
        >>> taeda.zeros(3).share_memory_().is_shared()
        True
        """
        alone = self if references(<PyObject*>self.storage) == 1 else None       # nobody else knows the storage
        _above.share(self.storage, alone)
        return self

    def pin_memory(self, device=None):
        """Return the tensor: without a GPU there is nothing to pin for."""
        return self

    def apply_(self, function):
        """Replace each element by ``function(element)``; slow, for experiments.

        >>> import taeda
        >>> taeda.tensor([1.0, 2.0]).apply_(lambda element: element + 0.5)
        tensor([1.5000, 2.5000])
        """
        return self if self.device == META else self.copy_(_convert.mapped("apply_", self, (), function))

    def new(self, *args, size=None, device=None):
        """Return a tensor of this dtype: empty, of the given sizes (not filled), with the given content, or on a storage's memory."""
        if size is not None:
            args = (Size(size),)
        if device is None and (len(args) != 1 or isinstance(args[0], (int, Size))):
            return (<object>self).new_empty(*(args or (0,)))            # of this one's layout
        if device is not None and len(args) == 1 and isinstance(args[0], TensorBase):
            raise RuntimeError("[new] Legacy tensor new of the form tensor.new(tensor, device=device) is not supported; "
                               "use as_tensor(tensor, device=device)")
        if device is not None and as_device(device).type != (<object>self).device.type:
            raise RuntimeError(f"[new] legacy constructor expects device type: {(<object>self).device.type} but device type: "
                               f"{as_device(device).type} was passed; use new_empty or taeda.tensor(data, device=...)")
        return _above.legacy_new(self.dtype, args, (<object>self).device if device is None else device)

    def map_(self, TensorBase other not None, function):
        """Replace each element by ``function(element, other's element)``; slow, for experiments.

        >>> import taeda
        >>> taeda.tensor([1.0, 2.0]).map_(taeda.tensor([3.0, 4.0]), lambda a, b: a * b)
        tensor([3., 8.])
        """
        return self.copy_(_convert.mapped("map_", self, (other,), function))


def conversion(str method, str name):
    """Make the method that converts to one dtype: x.float(), x.long(), ..."""
    target = NAMES[name]

    def convert(self, *, memory_format=preserve_format):
        return self.to(target) if memory_format is preserve_format else self.to(target, memory_format=memory_format)

    convert.__doc__ = f"""Return the tensor as {name}: ``x.to(taeda.{name})``; itself where it is so already.

        >>> import taeda
        >>> taeda.tensor([1, 0]).{method}().dtype
        taeda.{name}
        """
    convert.__name__, convert.__qualname__ = method, f"Tensor.{method}"
    return convert


# name of the method -> what it converts to
CONVERSIONS = {method: conversion(method, name) for method, name in {
    "float": "float32", "double": "float64", "half": "float16", "bfloat16": "bfloat16", "long": "int64", "int": "int32", "short": "int16",
    "char": "int8", "byte": "uint8", "bool": "bool", "cfloat": "complex64", "cdouble": "complex128", "chalf": "complex32"}.items()}
