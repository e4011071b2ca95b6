"""Wrappers of layers whose activations are not kept: ``taeda.utils.checkpoint`` around ``forward``, names of the state unchanged."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from taeda import nn
from taeda.autograd.graph import save_on_cpu
from taeda.utils.checkpoint import checkpoint

__all__ = [
    "ActivationWrapper", "CheckpointImpl", "CheckpointWrapper", "OffloadWrapper", "apply_activation_checkpointing", "checkpoint_wrapper",
    "offload_wrapper",
]  # fmt: skip

_CHECKPOINT_WRAPPED_MODULE = "_checkpoint_wrapped_module"
_CHECKPOINT_PREFIX = f"{_CHECKPOINT_WRAPPED_MODULE}."


class CheckpointImpl(enum.Enum):
    """Whether the part is one node of the graph (REENTRANT) or keeps its own."""

    REENTRANT = 1
    NO_REENTRANT = 2


class ActivationWrapper(nn.Module):
    """A module around another, whose attributes, items and names of parameters are those of the other."""

    def __init__(self, mod: nn.Module) -> None:
        super().__init__()
        self._checkpoint_wrapped_module = mod
        self._register_state_dict_hook(self._post_state_dict_hook)
        self.register_load_state_dict_pre_hook(self._pre_load_state_dict_hook)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__(_CHECKPOINT_WRAPPED_MODULE), name)

    def __getitem__(self, key: int) -> Any:
        return self._checkpoint_wrapped_module[key]  # type: ignore[index]

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield the parameters by the names that they have in the wrapped module."""
        for name, param in super().named_parameters(*args, **kwargs):
            yield name.replace(_CHECKPOINT_PREFIX, ""), param

    @staticmethod
    def _post_state_dict_hook(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> dict[str, Any]:
        for key in [key for key in state_dict if key.startswith(f"{prefix}{_CHECKPOINT_PREFIX}")]:
            state_dict[prefix + key[len(prefix) + len(_CHECKPOINT_PREFIX) :]] = state_dict.pop(key)
        return state_dict

    @staticmethod
    def _pre_load_state_dict_hook(module: nn.Module, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        for key in [key for key in state_dict if key.startswith(prefix)]:
            state_dict[f"{prefix}{_CHECKPOINT_PREFIX}{key[len(prefix) :]}"] = state_dict.pop(key)


class CheckpointWrapper(ActivationWrapper):
    """Runs ``checkpoint_fn`` (that of ``taeda.utils.checkpoint``) on the wrapped module.

    >>> import taeda
    >>> from taeda import nn
    >>> from taeda.distributed.algorithms._checkpoint.checkpoint_wrapper import CheckpointWrapper
    >>> layer = CheckpointWrapper(nn.Linear(2, 1, bias=False))
    >>> list(layer.state_dict()), layer.in_features, layer(taeda.ones(1, 2)).shape
    (['weight'], 2, taeda.Size([1, 1]))
    """

    def __init__(
        self,
        mod: nn.Module,
        checkpoint_impl: CheckpointImpl = CheckpointImpl.NO_REENTRANT,
        checkpoint_fn: Callable[..., Any] | None = None,
        **checkpoint_fn_kwargs: Any,
    ) -> None:
        super().__init__(mod)
        self.checkpoint_impl = checkpoint_impl
        run = partial(checkpoint, use_reentrant=checkpoint_impl is CheckpointImpl.REENTRANT) if checkpoint_fn is None else checkpoint_fn
        self.checkpoint_fn = partial(run, **checkpoint_fn_kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the module's output."""
        if kwargs and self.checkpoint_impl is CheckpointImpl.REENTRANT:  # which takes arguments by place alone
            names, n = list(kwargs), len(args)

            def by_place(*values: Any) -> Any:
                return self._checkpoint_wrapped_module(*values[:n], **dict(zip(names, values[n:], strict=True)))

            return self.checkpoint_fn(by_place, *args, *kwargs.values())
        return self.checkpoint_fn(self._checkpoint_wrapped_module, *args, **kwargs)


class OffloadWrapper(ActivationWrapper):
    """Keeps the activations of the wrapped module on the CPU."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the module's output."""
        with save_on_cpu():
            return self._checkpoint_wrapped_module(*args, **kwargs)


def offload_wrapper(module: nn.Module) -> nn.Module:
    """Return an ``OffloadWrapper`` of the module."""
    return OffloadWrapper(module)


def checkpoint_wrapper(
    module: nn.Module,
    checkpoint_impl: CheckpointImpl = CheckpointImpl.NO_REENTRANT,
    checkpoint_fn: Callable[..., Any] | None = None,
    **checkpoint_fn_kwargs: Any,
) -> nn.Module:
    """Return a ``CheckpointWrapper`` of the module."""
    return CheckpointWrapper(module, checkpoint_impl, checkpoint_fn, **checkpoint_fn_kwargs)


def apply_activation_checkpointing(
    model: nn.Module,
    checkpoint_wrapper_fn: Callable[[nn.Module], nn.Module] = checkpoint_wrapper,
    check_fn: Callable[[nn.Module], bool] = lambda module: True,
    auto_wrap_policy: Callable[..., bool] | None = None,
) -> None:
    """Wrap all modules inside of ``model``, innermost first, for which ``check_fn`` is True.

    Args:
        model: is changed, and not wrapped itself.
        checkpoint_wrapper_fn: makes a wrapper.
        check_fn: is asked about each module.
        auto_wrap_policy: is asked instead, by keywords: ``module``, ``recurse`` (whether to go into it, or to wrap it) and
            ``nonwrapped_numel`` (elements of its parameters that are not in wrapped modules yet).
    """

    def policy(module: nn.Module, recurse: bool, nonwrapped_numel: int) -> bool:
        if auto_wrap_policy is not None:
            return auto_wrap_policy(module=module, recurse=recurse, nonwrapped_numel=nonwrapped_numel)
        return recurse or check_fn(module)

    def wrap(module: nn.Module, inside: bool = True) -> tuple[nn.Module, int]:
        """Return the module or a wrapper of it, and how many elements of its parameters are wrapped."""
        size = sum(p.numel() for p in module.parameters())
        if not policy(module, True, size):
            return module, 0
        wrapped = 0
        for name, child in list(module.named_children()):
            made, n = wrap(child)
            setattr(module, name, made)
            wrapped += n
        return (checkpoint_wrapper_fn(module), size) if inside and policy(module, False, size - wrapped) else (module, wrapped)

    wrap(model, inside=False)
