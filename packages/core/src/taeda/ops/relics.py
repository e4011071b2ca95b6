"""Methods that only older programs call, or those that know other kinds of tensors and devices."""

from __future__ import annotations

from taeda.operands import need_tensor
from taeda.ops.conversion import mapped

__all__: list = []


def __div__(input, other):
    """Return input / other: Python 2's name."""
    return input.__truediv__(other)


def __rdiv__(input, other):
    """Return other / input."""
    return input.__rtruediv__(other)


def __idiv__(input, other):
    """Divide in place."""
    return input.__itruediv__(other)


def __long__(input):
    """Return the only element as an int."""
    return int(input)


def __nonzero__(input):
    """Whether the only element is not zero."""
    return bool(input)


def map2_(input, x, y, callable):
    """Replace each element by ``callable(element, x's, y's)``; slow, for experiments.

    >>> import taeda
    >>> x, y = taeda.tensor([1.0, 2.0]), taeda.tensor([10.0, 20.0])
    >>> taeda.zeros(2).map2_(x, y, lambda element, a, b: element + a * b)
    tensor([10., 40.])
    """
    need_tensor("map2_", "x", x)
    need_tensor("map2_", "y", y)
    return input.copy_(mapped("map2_", input, (x, y), callable))


def module_load(input, other, assign=False):
    """Return what ``load_state_dict`` puts in this tensor's place: other with ``assign``, else this tensor with other's values."""
    need_tensor("module_load", "other", other)
    return other.detach() if assign else input.copy_(other).detach()


def reinforce(input, reward):
    """Raise RuntimeError: removed; ``taeda.distributions`` has log_prob in its place."""
    raise RuntimeError("[reinforce] reinforce() was removed; use taeda.distributions: -Categorical(probs).log_prob(action) * reward")


def sparse_dim(input):
    """Return 0: no dimension is sparse."""
    return 0


def dense_dim(input):
    """Return the number of dimensions."""
    return input.ndim


def _refusing(name, text):
    def raises(input, *args, **kwargs):
        raise RuntimeError(f"[{name}] {text}")

    raises.__name__ = raises.__qualname__ = name
    raises.__doc__ = f"Raise RuntimeError: {text}."
    return raises


_NO_DEVICE = "there is no such device; use device='cpu'"


METHODS = {
    "__div__": __div__, "__idiv__": __idiv__, "__long__": __long__, "__nonzero__": __nonzero__, "__rdiv__": __rdiv__,
    "dense_dim": dense_dim, "map2_": map2_, "module_load": module_load, "reinforce": reinforce,
    "sparse_dim": sparse_dim,
    **{name: _refusing(name, _NO_DEVICE) for name in ("ipu", "mtia", "xpu")},
}  # fmt: skip
