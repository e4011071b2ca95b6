# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Number-theoretic and bit-level pointwise functions: divisors, exponents and mantissas, steps, infinities, degrees."""
from taeda.autograd.node cimport Node
from taeda.dispatch cimport (COMPARE, FLOAT, IN0, IN1, NOTHING, SAME, Op, as_tensor, binary, binary_, define, record, to_dtype,
                             unary, unary_, write_out)
from taeda.dtype cimport default_float, is_complex_, is_float, is_integral, name_of
from taeda.kernels.cpu.abi cimport BOOL, I32
from taeda.tensor_base cimport TensorBase

from taeda.autograd.node import named
from taeda.dispatch import in_place
from taeda.ops import return_types as types
from taeda.ops.creation import ones_like

cdef double RADIANS = 0.017453292519943295769      # pi / 180
cdef double DEGREES = 57.295779513082320877        # 180 / pi
cdef double LN2 = 0.69314718055994530942


cdef TensorBase second(object other, str op, str name):
    """The second operand, which may not be a number here."""
    if not isinstance(other, TensorBase):
        raise TypeError(f"[{op}] argument '{name}' (position 2) must be Tensor, not {type(other).__name__}")
    return <TensorBase>other


# gcd, lcm: of integers; the result is not negative, and gcd(0, n) = |n|, lcm(0, n) = 0
cdef Op GCD = define("gcd", NULL, NOTHING, SAME)
cdef Op LCM = define("lcm", NULL, NOTHING, SAME)

def gcd(input, other, *, out=None):
    """Return the greatest common divisor of each pair of integers; gcd(0, n) = abs(n).

    >>> import taeda
    >>> taeda.gcd(taeda.tensor([12, 0]), taeda.tensor([-18, 5]))
    tensor([6, 5])
    """
    return binary(GCD, as_tensor(input, "gcd"), second(other, "gcd", "other"), out)

def gcd_(input, other):
    """In-place :func:`gcd`."""
    return binary_(GCD, as_tensor(input, "gcd_"), second(other, "gcd_", "other"))

def lcm(input, other, *, out=None):
    """Return the least common multiple of each pair of integers, 0 where one is 0; overflow wraps.

    >>> import taeda
    >>> taeda.lcm(taeda.tensor([4, 0]), taeda.tensor([-6, 5]))
    tensor([12,  0])
    """
    return binary(LCM, as_tensor(input, "lcm"), second(other, "lcm", "other"), out)

def lcm_(input, other):
    """In-place :func:`lcm`."""
    return binary_(LCM, as_tensor(input, "lcm_"), second(other, "lcm_", "other"))


# heaviside: 0 where x < 0, v where x = 0, 1 where x > 0
cdef object heaviside_vjp(Node n, object g):
    raise RuntimeError("[heaviside] derivative for heaviside is not implemented; detach its operands")

cdef Op HEAVISIDE = define("heaviside", heaviside_vjp, NOTHING, SAME, None, "NotImplemented")

cdef int one_dtype(str op, object input, object values) except -1:
    cdef TensorBase x = as_tensor(input, op), v = second(values, op, "values")
    if x.view.dtype != v.view.dtype:
        raise RuntimeError(f"[{op}] heaviside is not yet implemented for tensors with different dtypes, got "
                           f"{name_of(x.view.dtype)} and {name_of(v.view.dtype)}; convert one with .to()")
    return 0

def heaviside(input, values, *, out=None):
    """Return the unit step: 0 where input < 0, ``values`` where it is 0, 1 where input > 0 (0 where it is nan).

    >>> import taeda
    >>> taeda.heaviside(taeda.tensor([-1.0, 0.0, 2.0]), taeda.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    one_dtype("heaviside", input, values)
    return binary(HEAVISIDE, input, values, out)

def heaviside_(input, values):
    """In-place :func:`heaviside`."""
    one_dtype("heaviside_", input, values)
    return binary_(HEAVISIDE, input, values)


# logaddexp2: log2(2^a + 2^b)
cdef object logaddexp2_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    d = b - a
    d = d.masked_fill((a == b) & (d != d), 0.0) * LN2
    return (g * (-d).sigmoid() if n.needs(0) else None, g * d.sigmoid() if n.needs(1) else None)

cdef Op LOGADDEXP2 = define("logaddexp2", logaddexp2_vjp, IN0 + IN1, SAME)

def logaddexp2(input, other, *, out=None):
    """Return log2(2^input + 2^other) without overflow.

    y = log2(2^a + 2^b), without overflow.

    >>> import taeda
    >>> taeda.logaddexp2(taeda.tensor([1.0]), taeda.tensor([1.0]))
    tensor([2.])
    """
    return binary(LOGADDEXP2, as_tensor(input, "logaddexp2"), second(other, "logaddexp2", "other"), out)


# nextafter: the float after a in the direction of b; a moves along with it unless they are equal
cdef object nextafter_vjp(Node n, object g):
    a, b = n.load(0), n.load(1)
    return g.masked_fill(a == b, 0.0) if n.needs(0) else None, g.masked_fill(a != b, 0.0) * 0 if n.needs(1) else None

cdef Op NEXTAFTER = define("nextafter", nextafter_vjp, IN0 + IN1, SAME)

def nextafter(input, other, *, out=None):
    """Return the next floating-point number after input in the direction of other.

    >>> import taeda
    >>> taeda.nextafter(taeda.tensor(1.0), taeda.tensor(2.0)) - 1
    tensor(1.1921e-07)
    """
    return binary(NEXTAFTER, as_tensor(input, "nextafter"), second(other, "nextafter", "other"), out)

def nextafter_(input, other):
    """In-place :func:`nextafter`."""
    return binary_(NEXTAFTER, as_tensor(input, "nextafter_"), second(other, "nextafter_", "other"))


# ldexp: x 2^k; with an integer k in one rounding, else as x * 2^k
cdef object ldexp_vjp(Node n, object g):
    return ldexp(g, n.extra)

cdef Op LDEXP = define("ldexp", ldexp_vjp, NOTHING, SAME)

def ldexp(input, other, *, out=None):
    """Return input * 2^other; with integers in ``other`` nothing overflows on the way to the result.

    >>> import taeda
    >>> taeda.ldexp(taeda.tensor([1.0, 3.0]), taeda.tensor([4, -1]))
    tensor([16.0000,  1.5000])
    """
    cdef TensorBase x = as_tensor(input, "ldexp"), k = second(other, "ldexp", "other"), y, exponents
    if k.view.dtype == BOOL and is_float(x.view.dtype):
        raise NotImplementedError("[ldexp] not implemented for exponents of dtype bool; convert them with .int()")
    if not is_integral(k.view.dtype) or k.view.dtype == BOOL or is_complex_(x.view.dtype):
        y = named(input * 2.0 ** other, "LdexpBackward0")
        return y if out is None else write_out(out, y, "ldexp")
    if is_integral(x.view.dtype):
        x = to_dtype(x, default_float())
    # no float has room for more than 2^2200 between its smallest and its largest number
    exponents = to_dtype((<object>k).clamp(-2200, 2200), x.view.dtype)
    y = binary(LDEXP, x.detach(), exponents)
    record(LDEXP, y, (x,), None, k)
    if y.grad_fn_ is not None and y.shape_tuple() != x.shape_tuple():
        (<Node>y.grad_fn_).input_shapes = (x.shape_tuple(),)
    return y if out is None else write_out(out, y, "ldexp")

def ldexp_(input, other):
    """In-place :func:`ldexp`."""
    return in_place("ldexp_", ldexp, input, other)


# frexp: x = m 2^e with 1/2 <= |m| < 1; dm = dx / 2^e
cdef object frexp_vjp(Node n, object g):
    return ldexp(g, -n.extra)

cdef Op FREXP = define("frexp", frexp_vjp, NOTHING, SAME, "frexp_mantissa")
cdef Op EXPONENT = define("frexp_exponent", NULL, NOTHING, SAME)

def frexp(input, *, out=None):
    """Return (mantissa, exponent) with input = mantissa * 2^exponent, 1/2 <= abs(mantissa) < 1, exponent of int32.

    Raises RuntimeError for integers.

    >>> import taeda
    >>> taeda.frexp(taeda.tensor([3.0, 0.25]))
    taeda.return_types.frexp(
    mantissa=tensor([0.7500, 0.5000]),
    exponent=tensor([ 2, -1], dtype=taeda.int32))
    """
    cdef TensorBase x = as_tensor(input, "frexp"), m, e
    if not is_float(x.view.dtype):
        raise RuntimeError(f"[frexp] only supports floating-point dtypes, got {name_of(x.view.dtype)}")
    m = unary(FREXP, x.detach())
    e = to_dtype(unary(EXPONENT, x.detach()), I32)
    record(FREXP, m, (x,), None, e)
    if out is not None:
        m, e = write_out(out[0], m, "frexp"), write_out(out[1], e, "frexp")
    return types.frexp((m, e))


# deg2rad: x pi / 180; rad2deg: x 180 / pi
cdef object deg2rad_vjp(Node n, object g):
    return g * RADIANS

cdef object rad2deg_vjp(Node n, object g):
    return g * DEGREES

cdef Op DEG2RAD = define("deg2rad", deg2rad_vjp, NOTHING, FLOAT, None, "Deg2RadBackward0")
cdef Op RAD2DEG = define("rad2deg", rad2deg_vjp, NOTHING, FLOAT, None, "Rad2DegBackward0")

def deg2rad(input, *, out=None):
    """Turn degrees into radians: input * pi / 180.

    y = x pi / 180.

    >>> import taeda
    >>> taeda.deg2rad(taeda.tensor([180.0, 90.0]))
    tensor([3.1416, 1.5708])
    """
    return unary(DEG2RAD, input, out)

def deg2rad_(input):
    """In-place :func:`deg2rad`."""
    return unary_(DEG2RAD, as_tensor(input, "deg2rad_"))

def rad2deg(input, *, out=None):
    """Turn radians into degrees: input * 180 / pi.

    y = 180 x / pi.

    >>> import taeda
    >>> taeda.rad2deg(taeda.tensor([3.1416]))
    tensor([180.0004])
    """
    return unary(RAD2DEG, input, out)

def rad2deg_(input):
    """In-place :func:`rad2deg`."""
    return unary_(RAD2DEG, as_tensor(input, "rad2deg_"))


# queries
cdef Op ISPOSINF = define("isposinf", NULL, NOTHING, COMPARE)
cdef Op ISNEGINF = define("isneginf", NULL, NOTHING, COMPARE)

cdef object infinite(Op op, object input, object out):
    cdef TensorBase x = as_tensor(input, op.name)
    if is_complex_(x.view.dtype):
        raise RuntimeError(f"[{op.name}] does not support complex inputs, got {name_of(x.view.dtype)}")
    if out is not None and second(out, op.name, "out").view.dtype != BOOL:
        raise RuntimeError(f"[{op.name}] does not support non-boolean outputs, got {out.dtype}")
    if is_integral(x.view.dtype):
        y = (<object>x).new_zeros(x.shape_tuple(), dtype=bool)
        return y if out is None else write_out(out, y, op.name)
    return unary(op, x, out)

def isposinf(input, *, out=None):
    """Return where the elements are inf.

    >>> import taeda
    >>> taeda.isposinf(taeda.tensor([float("inf"), 1.0]))
    tensor([ True, False])
    """
    return infinite(ISPOSINF, input, out)

def isneginf(input, *, out=None):
    """Return where the elements are -inf.

    >>> import taeda
    >>> taeda.isneginf(taeda.tensor([float("-inf"), 1.0]))
    tensor([ True, False])
    """
    return infinite(ISNEGINF, input, out)

def isreal(input):
    """Return where the elements have no imaginary part.

    >>> import taeda
    >>> taeda.isreal(taeda.tensor([1 + 0j, 1j]))
    tensor([ True, False])
    """
    cdef TensorBase x = as_tensor(input, "isreal")
    if is_complex_(x.view.dtype):
        return input.imag == 0
    return ones_like(input, dtype=bool)

def positive(input):
    """Return input itself.  Raises RuntimeError for bool.

    >>> import taeda
    >>> taeda.positive(taeda.tensor([-1, 2]))
    tensor([-1,  2])
    """
    if as_tensor(input, "positive").view.dtype == BOOL:
        raise RuntimeError("[positive] The `+` operator, on a bool tensor is not supported.")
    return input


PUBLIC = (
    "deg2rad", "deg2rad_", "frexp", "gcd", "gcd_", "heaviside", "isneginf", "isposinf", "isreal", "lcm", "lcm_", "ldexp", "ldexp_",
    "logaddexp2", "nextafter", "positive", "rad2deg", "rad2deg_",
)
__all__ = PUBLIC + ("heaviside_", "nextafter_")
METHODS = {name: globals()[name] for name in __all__}
