# What the families of normalisation share: how parameters are read and checked.
from taeda.dispatch cimport as_tensor, contiguous
from taeda.dtype cimport torch_name
from taeda.kernels.cpu.abi cimport BF16, F16, F32, Param, View
from taeda.ops.arguments cimport view_of
from taeda.tensor_base cimport TensorBase


cdef inline TensorBase optional(object x, str op):
    return None if x is None else contiguous(as_tensor(x, op))


cdef inline int check_parameter(str op, str name, TensorBase x, TensorBase w) except -1:
    """A weight, bias or running buffer must have x's dtype."""
    if w is not None and w.view.dtype != x.view.dtype:
        raise RuntimeError(f"[{op}] mixed dtype (CPU): expect {name} to have scalar type of {torch_name(x.view.dtype)}, "
                           f"as the input has, got {torch_name(w.view.dtype)}; convert one of them")
    return 0


cdef inline bint mixed(TensorBase x, tuple parameters) noexcept:
    """Is x narrow and are its parameters float32, as under autocast?  Then all is computed in float32, and rounded once."""
    cdef bint found = False
    if x.view.dtype != F16 and x.view.dtype != BF16:
        return False
    for p in parameters:
        if isinstance(p, TensorBase):
            found = True
            if (<TensorBase>p).view.dtype != F32:
                return False
    return found


cdef inline object along(TensorBase w, int ndim):
    """w as (C, 1, ...), to multiply (N, C, ...)."""
    return (<object>w).reshape((-1,) + (1,) * (ndim - 2))


cdef inline int channels(TensorBase x, Param* p) noexcept:
    """p: N, C, L of (N, C, ...)."""
    p[0].i = x.view.shape[0]
    p[1].i = x.view.shape[1]
    p[2].i = x.view.numel // (p[0].i * p[1].i) if x.view.numel else 0
    return 0
