# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Tensors that have sizes and a dtype, and no memory that a kernel could read: what compiled code sees of other kinds of tensors.

a. ``stand_in`` makes the tensor part of taeda.func's BatchedTensor, which stands for a batch of vmap.
b. ``sparse_shell`` makes that of a sparse tensor, ``wrapper_shell`` that of a program's class with a ``__torch_dispatch__``
   (``_make_wrapper_subclass``).

Each has a device code that no kernel runs on, and an address that no process has: ``registry.launch`` refuses both.
"""
from libc.stdint cimport int64_t

from taeda.storage cimport Storage, foreign_storage
from taeda.tensor_base cimport BATCHED, SPARSE, SPARSE_SHELL, STAND_IN, WRAPPED, TensorBase, is_wrapper, refresh, twin

import copy

from taeda.autograd.grad_mode import no_grad
from taeda.tensor_base import user_attributes

cdef Storage NOWHERE = foreign_storage(<char*>(<size_t>BATCHED << 60), 0, (), True)


def stand_in(TensorBase t, TensorBase value, int batch_dim):
    """Make t look like ``value`` without its batch dimension; it has no data, and kernels refuse it."""
    cdef int d, i = 0
    t.set_ndim(value.view.ndim - 1)
    for d in range(value.view.ndim):
        if d != batch_dim:
            t.view.shape[i], t.view.strides[i] = value.view.shape[d], value.view.strides[d]
            i += 1
    t.view.dtype, t.view.itemsize = value.view.dtype, value.view.itemsize
    t.storage, t.offset = NOWHERE, 0
    refresh(t)
    t.device = STAND_IN
    return t


def sparse_shell(TensorBase t, tuple sizes, TensorBase values):
    """Make t look like a tensor of the sizes and of the dtype of ``values``, without memory: what a sparse tensor is to compiled code."""
    cdef int d
    t.set_ndim(len(sizes))
    for d in range(len(sizes)):
        t.view.shape[d], t.view.strides[d] = sizes[d], 0
    t.view.dtype, t.view.itemsize = values.view.dtype, values.view.itemsize
    t.storage, t.offset = foreign_storage(<char*>(<size_t>SPARSE_SHELL << 60), 0, (), False), 0
    refresh(t)
    t.device = SPARSE
    return t


def take_history(TensorBase t, TensorBase source):
    """Make the place in the graph of ``source``, a new result, that of t."""
    t.grad_fn_, t.output_nr, t.requires_grad_ = source.grad_fn_, source.output_nr, source.requires_grad_


def wrote(TensorBase t):
    """Count a change in place of a sparse tensor, for those who saved it."""
    t.storage.version += 1


def count_write(TensorBase x):
    """Count a change in place that a class has made, for those who saved the tensor."""
    if is_wrapper(x):
        x.storage.version += 1


def is_stand_in(x):
    """Whether x is a tensor that only stands in for a batch, or was made from one by an op without a rule."""
    return isinstance(x, TensorBase) and (<TensorBase>x).device == STAND_IN and not is_wrapper(<TensorBase>x)


def wrapper_shell(TensorBase t, tuple sizes, tuple strides, int64_t offset, TensorBase like, shown):
    """Give t sizes, strides and the dtype of ``like``, and no memory: what a class's own tensors are to compiled code.

    ``shown`` is the device that it says it is on, None for the CPU.
    """
    cdef int d
    t.set_ndim(len(sizes))
    for d in range(len(sizes)):
        t.view.shape[d], t.view.strides[d] = sizes[d], strides[d]
    t.view.dtype, t.view.itemsize = like.view.dtype, like.view.itemsize
    t.storage, t.offset = foreign_storage(<char*>(<size_t>WRAPPED << 60), 0, (), False), offset
    refresh(t)
    t.device = STAND_IN
    if shown is not None:
        t.extra = {"device": shown}
    return t


def is_wrapper_tensor(x):
    """Whether x is a tensor of a program's class without memory of its own (``_make_wrapper_subclass``)."""
    return isinstance(x, TensorBase) and is_wrapper(<TensorBase>x)


def copy_of_wrapper(TensorBase x, memo):
    """A deep copy by the class's own ``clone``."""
    with no_grad():
        t = (<object>x).clone()
    if type(t) is not type(x):
        raise RuntimeError(f"[deepcopy] The default implementation of __deepcopy__() for wrapper subclasses only works for subclass types "
                           f"that properly implement clone(): it gives a {type(t).__name__}, not a {type(x).__name__}")
    memo[id(x)] = t
    if x.requires_grad_:
        t.requires_grad = True
    if x.grad_ is not None:
        (<TensorBase>t).grad_ = x.grad_.__deepcopy__(memo)
    for name, value in user_attributes(x).items():
        if name not in user_attributes(<TensorBase>t):
            setattr(t, name, copy.deepcopy(value, memo))
    return t


def twin_of(TensorBase x):
    """Return another tensor of the same class and content, without history."""
    return twin(x)
