"""Pruning methods: what prunes one tensor, a forward pre-hook with a way to compute a mask; see :mod:`taeda.nn.utils.prune`."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import taeda
from taeda import Tensor
from taeda.nn.modules.module import Module


class BasePruningMethod(ABC):
    """What prunes one tensor: a forward pre-hook with a way to compute a mask.

    A subclass has a ``PRUNING_TYPE`` ("unstructured", "structured" with a ``dim``, or "global"), by which a container
    hands it what earlier methods have left, and writes ``compute_mask``.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> class Negative(prune.BasePruningMethod):
    ...     PRUNING_TYPE = "unstructured"
    ...     def compute_mask(self, t, default_mask):
    ...         return default_mask * (t >= 0)
    >>> layer = nn.Linear(2, 1)
    >>> _ = layer.weight.data.copy_(taeda.tensor([[-1.0, 2.0]]))
    >>> _ = Negative.apply(layer, "weight")
    >>> layer.weight.tolist()
    [[-0.0, 2.0]]
    """

    PRUNING_TYPE: str
    _tensor_name: str

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return the mask of t, 0 where it is pruned; default_mask is that of earlier prunings."""

    def apply_mask(self, module: Module) -> Tensor:
        """Return mask * original."""
        assert self._tensor_name is not None, f"Module {module} has to be pruned"
        mask, original = (getattr(module, self._tensor_name + end) for end in ("_mask", "_orig"))
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune ``module.name``: compute the mask, register it and the hook.

        Args:
            args, kwargs: of the class.
            importance_scores: what the mask is computed from instead of the tensor itself.

        Returns:
            the hook, a container if the tensor was pruned before.
        """
        method = cls._joined(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        if importance_scores is None:
            importance_scores = original
        elif importance_scores.shape != original.shape:
            raise AssertionError(
                f"[prune] importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {original.shape}"
            )
        first = not isinstance(method, PruningContainer)
        if first:
            module.register_parameter(name + "_orig", original)
            del module._parameters[name]
            default_mask = taeda.ones_like(original)
        else:
            default_mask = getattr(module, name + "_mask").detach().clone(memory_format=taeda.contiguous_format)
        try:
            mask = method.compute_mask(importance_scores, default_mask=default_mask)
            module.register_buffer(name + "_mask", mask)
            setattr(module, name, method.apply_mask(module))
            module.register_forward_pre_hook(method)
        except Exception:
            if first:
                module.register_parameter(name, module._parameters[name + "_orig"])
                del module._parameters[name + "_orig"]
            raise
        return method

    @staticmethod
    def _joined(module: Module, name: str, method: BasePruningMethod) -> BasePruningMethod:
        """Return ``method``, in a container together with the one that prunes the tensor already."""
        method._tensor_name = name
        old = [(k, h) for k, h in module._forward_pre_hooks.items() if prunes(h, name)]
        if len(old) > 1:
            raise AssertionError(
                f"[prune] Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a PruningContainer."
            )
        if not old:
            return method
        before: Any
        key, before = old[0]
        del module._forward_pre_hooks[key]
        container = before if isinstance(before, PruningContainer) else PruningContainer(before)
        container.add_pruning_method(method)
        return container

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None
    ) -> Tensor:
        """Return a tensor pruned, without a module."""
        if importance_scores is None:
            importance_scores = t
        elif importance_scores.shape != t.shape:
            raise AssertionError(
                f"[prune] importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        default_mask = taeda.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(importance_scores, default_mask=default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned tensor the parameter; the mask is gone and what it hid stays 0."""
        name = self._tensor_name
        assert name is not None, f"Module {module} has to be pruned before pruning can be removed"
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original: Any = module._parameters[name + "_orig"]
        original.data = weight.data
        del module._parameters[name + "_orig"], module._buffers[name + "_mask"]
        setattr(module, name, original)


def prunes(hook: Any, name: str) -> bool:
    """Say whether a forward pre-hook is one that prunes the tensor of this name."""
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


class PruningContainer(BasePruningMethod):
    """Several prunings of one tensor, each among what the earlier ones have left.

    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> layer = prune.l1_unstructured(nn.Linear(4, 2), "weight", 0.5)
    >>> _ = prune.l1_unstructured(layer, "weight", 0.5)
    >>> int(layer.weight_mask.sum())
    2
    """

    _tensor_name: Any = None

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod | None, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Append a method.

        Raises:
            TypeError: it is none.
            ValueError: it prunes another tensor.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"[prune] {type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"[prune] Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod | None]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: Any) -> Any:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Return default_mask with what the last method prunes of the rest."""
        method: Any = self._pruning_methods[-1]
        where: Any
        if method.PRUNING_TYPE == "unstructured":
            where = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            if not hasattr(method, "dim"):
                raise AttributeError(
                    '[prune] Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
                )
            dim = method.dim + t.ndim if method.dim < 0 else method.dim
            if dim < 0:
                raise IndexError(f"[prune] Index is out of bounds for tensor with dimensions {t.ndim}")
            where = _along(t, dim, default_mask.sum(dim=[d for d in range(t.ndim) if d != dim]) != 0)
        elif method.PRUNING_TYPE == "global":
            where = (slice(None),) * t.ndim
        else:
            raise ValueError(f"[prune] Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.to(dtype=t.dtype)
        mask[where] = method.compute_mask(t[where], default_mask=default_mask[where]).to(dtype=mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prune nothing, and make the parameter ready for later masks.

    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> layer = nn.Linear(4, 1, bias=False)
    >>> _ = prune.Identity.apply(layer, "weight")
    >>> layer.weight_mask
    tensor([[1., 1., 1., 1.]])
    """

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        """See ``BasePruningMethod.apply``."""
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """What prunes an amount: a number of entries, or a share of them."""

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def _count(self, size: int) -> int:
        count = _compute_nparams_toprune(self.amount, size)
        _validate_pruning_amount(count, size)
        return count


class _Unstructured(_Amount):
    """What prunes the entries of the largest scores, or of the smallest."""

    PRUNING_TYPE = "unstructured"
    _largest: bool

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._count(t.numel())
        mask = default_mask.clone(memory_format=taeda.contiguous_format)
        if count:
            mask.view(-1)[taeda.topk(self._scores(t).reshape(-1), k=count, largest=self._largest).indices] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Prune entries at random.

    Args:
        amount: a share of the entries (a float in [0, 1]) or their number.

    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> layer = nn.Linear(4, 1, bias=False)
    >>> _ = prune.RandomUnstructured.apply(layer, "weight", amount=0.5)
    >>> layer.weight_mask.sum()
    tensor(2.)
    """

    _largest = True

    def _scores(self, t: Tensor) -> Tensor:
        return taeda.rand_like(t)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:  # type: ignore[override]
        """See ``BasePruningMethod.apply``."""
        return super().apply(module, name, amount=amount)


class L1Unstructured(_Unstructured):
    """Prune the entries nearest to 0.

    Args:
        amount: a share of the entries (a float in [0, 1]) or their number.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> layer = nn.Linear(4, 1, bias=False)
    >>> _ = layer.weight.data.copy_(taeda.tensor([[0.1, -2.0, 0.3, 4.0]]))
    >>> _ = prune.L1Unstructured.apply(layer, "weight", amount=2)
    >>> layer.weight
    tensor([[ 0., -2.,  0.,  4.]], grad_fn=<MulBackward0>)
    """

    _largest = False

    def _scores(self, t: Tensor) -> Tensor:
        return t.abs()

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        """See ``BasePruningMethod.apply``."""
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


def _along(t: Tensor, dim: int, index: Tensor) -> tuple[Any, ...]:
    where: list[Any] = [slice(None)] * t.ndim
    where[dim] = index
    return tuple(where)


class _Structured(_Amount):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _channels(self, t: Tensor) -> int:
        """Return how many channels to prune, after checking that t has some."""
        _validate_structured_pruning(t)
        _validate_pruning_dim(t, self.dim)
        return self._count(t.shape[self.dim])

    def _keep(self, t: Tensor, default_mask: Tensor, index: Tensor) -> Tensor:
        mask = taeda.zeros_like(t)
        mask[_along(t, self.dim, index)] = 1
        mask *= default_mask.to(dtype=mask.dtype)
        return mask


class RandomStructured(_Structured):
    """Prune channels at random.

    Args:
        amount: a share of the channels (a float in [0, 1]) or their number.
        dim: along which they are counted.

    >>> import taeda
    >>> from taeda.nn.utils import prune
    >>> (prune.RandomStructured(amount=2, dim=0).prune(taeda.ones(4, 3)).sum(1) == 0).sum()
    tensor(2)
    """

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._channels(t)
        if count == 0:
            return default_mask
        scores = taeda.rand(t.shape[self.dim])
        return self._keep(t, default_mask, scores > taeda.kthvalue(scores, k=count).values)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, dim: int = -1) -> BasePruningMethod:  # type: ignore[override]
        """See ``BasePruningMethod.apply``."""
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_Structured):
    """Prune the channels of the smallest norm.

    Args:
        amount: a share of the channels (a float in [0, 1]) or their number.
        n: of the norm, as ``taeda.norm`` takes it.
        dim: along which channels are counted.

    >>> import taeda
    >>> from taeda.nn.utils import prune
    >>> prune.LnStructured(amount=1, n=2, dim=0).prune(taeda.tensor([[3.0, 4.0], [1.0, 1.0]]))
    tensor([[3., 4.],
            [0., 0.]])
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._channels(t)
        if count == 0:
            return default_mask
        norm = _compute_norm(t, self.n, self.dim)
        return self._keep(
            t, default_mask, taeda.topk(norm, k=t.shape[self.dim] - count, largest=True).indices
        )

    @classmethod
    def apply(  # type: ignore[override]
        cls,
        module: Module,
        name: str,
        amount: float,
        n: Any,
        dim: int,
        importance_scores: Tensor | None = None,
    ) -> BasePruningMethod:
        """See ``BasePruningMethod.apply``."""
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prune by a mask that is given.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.nn.utils import prune
    >>> layer = nn.Linear(4, 1, bias=False)
    >>> _ = prune.CustomFromMask.apply(layer, "weight", taeda.tensor([[1, 0, 0, 1]]))
    >>> (layer.weight != 0).tolist()
    [[True, False, False, True]]
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"[prune] default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        """See ``BasePruningMethod.apply``."""
        return super().apply(module, name, mask=mask)


def _validate_pruning_amount_init(amount: Any) -> None:
    if not isinstance(amount, numbers.Real):
        raise TypeError(f"[prune] Invalid type for amount: {amount}. Must be int or float.")
    if float(amount) < 0 or (not isinstance(amount, numbers.Integral) and float(amount) > 1):
        raise ValueError(
            f"[prune] amount={amount} should either be a float in the range [0, 1] or a non-negative integer"
        )


def _validate_pruning_amount(amount: Any, tensor_size: int) -> None:
    if isinstance(amount, numbers.Integral) and int(amount) > tensor_size:
        raise ValueError(
            f"[prune] amount={amount} should be smaller than the number of parameters to prune={tensor_size}"
        )


def _validate_structured_pruning(t: Tensor) -> None:
    if t.ndim <= 1:
        raise ValueError(
            "[prune] Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {t.ndim} dims"
        )


def _validate_pruning_dim(t: Tensor, dim: int) -> None:
    if dim >= t.ndim:
        raise IndexError(f"[prune] Invalid index {dim} for tensor of size {t.shape}")


def _compute_nparams_toprune(amount: Any, tensor_size: int) -> int:
    return int(amount) if isinstance(amount, numbers.Integral) else round(amount * tensor_size)


def _compute_norm(t: Tensor, n: Any, dim: int) -> Tensor:
    others = list(range(t.ndim))
    del others[dim]
    return taeda.norm(t, p=n, dim=others)
