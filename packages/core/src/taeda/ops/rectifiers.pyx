# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Activations in pieces: limits, thresholds and shrinkages, each with its derivative as a kernel."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (IN0, IN1, SAME, Op, as_tensor, binary_params, define, unary_params, unary_params_, write_out)
from taeda.dtype cimport is_float, name_of
from taeda.kernels.cpu.abi cimport Param
from taeda.tensor_base cimport TensorBase

PUBLIC = ("hardshrink",)
__all__ = PUBLIC + ("hardsigmoid", "hardsigmoid_", "hardswish", "hardswish_", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_",
                    "softshrink")
METHODS = {}

cdef dict BACKWARD = {}                          # op -> the op of its derivative


cdef int fill(tuple constants, Param* p) except -1:
    cdef int i
    for i in range(len(constants)):
        p[i].f = constants[i]
    return 0

cdef TensorBase checked(str op, object input):
    cdef TensorBase x = as_tensor(input, op)
    if not is_float(x.view.dtype):
        raise NotImplementedError(f"[{op}] not implemented for dtype {name_of(x.view.dtype)}; convert it with .float()")
    return x

cdef TensorBase forward(Op op, object input, tuple constants):
    cdef Param p[2]
    fill(constants, p)
    return unary_params(op, checked(op.name, input), p, constants)

cdef TensorBase forward_(Op op, object input, tuple constants):
    cdef Param p[2]
    fill(constants, p)
    return unary_params_(op, checked(op.name + "_", input), p, constants)

cdef TensorBase backward(Op op, object g, object x, tuple constants):
    cdef Param p[2]
    fill(constants, p)
    return binary_params(op, g, x, p, constants)

cdef object pieces_vjp(Node n, object g):
    return backward(<Op>BACKWARD[n.op.name], g, n.load(0), n.extra)

# within a piece the derivative is a constant
cdef object pieces_backward_vjp(Node n, object h):
    return (backward(<Op>n.op, h, n.load(0), n.extra) if n.needs(0) else None), None


# leaky_relu: x where x > 0, else slope x
cdef Op LEAKY_RELU = define("leaky_relu", pieces_vjp, IN0, SAME, "rectifier_leaky")
BACKWARD["leaky_relu"] = define("leaky_relu_backward", pieces_backward_vjp, IN1, SAME, "rectifier_leaky_backward")

def leaky_relu(input, negative_slope=0.01):
    """Return x where x > 0, else negative_slope * x."""
    return forward(LEAKY_RELU, input, (float(negative_slope),))

def leaky_relu_(input, negative_slope=0.01):
    """In-place :func:`leaky_relu`."""
    return forward_(LEAKY_RELU, input, (float(negative_slope),))


# hardtanh: x limited to [low, high]; no derivative at the two ends, unlike clamp's
cdef Op HARDTANH = define("hardtanh", pieces_vjp, IN0, SAME, "rectifier_hardtanh")
BACKWARD["hardtanh"] = define("hardtanh_backward", pieces_backward_vjp, IN1, SAME, "rectifier_hardtanh_backward")

def hardtanh(input, min_val=-1.0, max_val=1.0):
    """Return x limited to [min_val, max_val], with a derivative of 0 at the two ends themselves.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.hardtanh(taeda.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return forward(HARDTANH, input, (float(min_val), float(max_val)))

def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """In-place :func:`hardtanh`."""
    return forward_(HARDTANH, input, (float(min_val), float(max_val)))


# hardsigmoid: min(max(x + 3, 0), 6) / 6
cdef Op HARDSIGMOID = define("hardsigmoid", pieces_vjp, IN0, SAME, "rectifier_hardsigmoid")
BACKWARD["hardsigmoid"] = define("hardsigmoid_backward", pieces_backward_vjp, IN1, SAME, "rectifier_hardsigmoid_backward")

def hardsigmoid(input):
    """Return min(max(x + 3, 0), 6) / 6."""
    return forward(HARDSIGMOID, input, ())

def hardsigmoid_(input):
    """In-place :func:`hardsigmoid`."""
    return forward_(HARDSIGMOID, input, ())


# hardswish: x min(max(x + 3, 0), 6) / 6; its derivative is a line between -3 and 3
cdef object hardswish_backward_vjp(Node n, object h):
    g, x = n.load(0), n.load(1)
    inside = (x > -3) & (x < 3)
    return (backward(<Op>n.op, h, x, ()) if n.needs(0) else None,
            (h * g / 3).where(inside, h.new_zeros(())) if n.needs(1) else None)

cdef Op HARDSWISH = define("hardswish", pieces_vjp, IN0, SAME, "rectifier_hardswish")
BACKWARD["hardswish"] = define("hardswish_backward", hardswish_backward_vjp, IN0 + IN1, SAME, "rectifier_hardswish_backward")

def hardswish(input):
    """Return x min(max(x + 3, 0), 6) / 6 (Howard et al., Searching for MobileNetV3, 2019)."""
    return forward(HARDSWISH, input, ())

def hardswish_(input):
    """In-place :func:`hardswish`."""
    return forward_(HARDSWISH, input, ())


# softshrink: x moved by lambd towards 0; hardshrink: x itself; both 0 from -lambd to lambd, nan stays
cdef Op SOFTSHRINK = define("softshrink", pieces_vjp, IN0, SAME, "rectifier_softshrink")
cdef Op HARDSHRINK = define("hardshrink", pieces_vjp, IN0, SAME, "rectifier_hardshrink")
for _name in ("softshrink", "hardshrink"):
    BACKWARD[_name] = define(_name + "_backward", pieces_backward_vjp, IN1, SAME, "rectifier_shrink_backward")

def softshrink(input, lambd=0.5):
    """Return x moved by lambd towards 0, and 0 where it would cross; RuntimeError where lambd is negative.

    >>> import taeda
    >>> from taeda import ops
    >>> ops.softshrink(taeda.tensor([-2.0, 0.25, 2.0]))
    tensor([-1.5000,  0.0000,  1.5000])
    """
    checked("softshrink", input)
    if lambd < 0:
        raise RuntimeError(f"[softshrink] lambda must be greater or equal to 0, but found to be {lambd}.")
    return forward(SOFTSHRINK, input, (float(lambd),))

def hardshrink(input, lambd=0.5, *, out=None):
    """Return x where abs(x) > lambd, else 0."""
    y = forward(HARDSHRINK, input, (float(lambd),))
    return y if out is None else write_out(out, y, "hardshrink")

METHODS["hardshrink"] = hardshrink
