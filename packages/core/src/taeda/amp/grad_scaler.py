"""GradScaler: losses are scaled up so that small gradients survive float16, and gradients scaled down before a step."""

from __future__ import annotations

import inspect
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

from taeda import Tensor, _spoken, cuda, float16, float32, full, int32, no_grad, ops

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """How far an optimizer has come since the last update."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _fresh_state() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Scales losses, unscales gradients, and skips the steps whose gradients are not finite.

    The scale is multiplied by ``backoff_factor`` after a skipped step, and by ``growth_factor`` after
    ``growth_interval`` steps without one.

    Args:
        device: type of the device, 'cpu' or 'cuda'; without a GPU a scaler for 'cuda' warns and is disabled.
        init_scale: first scale.
        growth_factor: above 1.
        backoff_factor: below 1.
        growth_interval: steps in a row without infinities or nans before the scale grows.
        enabled: False: ``scale`` and ``unscale_`` change nothing, and ``step`` only steps.

    Raises AssertionError for factors out of range.
    Source: Micikevicius et al., "Mixed precision training", 2018.

    >>> import taeda
    >>> from taeda.amp.grad_scaler import GradScaler
    >>> w = taeda.tensor([2.0], requires_grad=True)
    >>> class Descent:
    ...     param_groups = [{"params": [w]}]
    ...     def step(self):
    ...         w.data.sub_(w.grad)
    >>> scaler = GradScaler("cpu", init_scale=4.0)
    >>> scaler.scale((w * w).sum()).backward()
    >>> w.grad
    tensor([16.])
    >>> scaler.step(Descent())
    True
    >>> w
    tensor([-2.], requires_grad=True)
    >>> w.grad = taeda.tensor([float("inf")])
    >>> scaler.update()
    >>> scaler.step(Descent())
    False
    >>> scaler.update()
    >>> scaler.get_scale()
    2.0
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and not cuda.is_available():
            warnings.warn(
                f"{_spoken.name}.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2
            )
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError(f"[GradScaler] The growth factor must be > 1.0, got {growth_factor}")
        if backoff_factor >= 1.0:
            raise AssertionError(f"[GradScaler] The backoff factor must be < 1.0, got {backoff_factor}")
        self._init_scale = init_scale
        self._scale: Tensor | None = None                # both are made by the first scale(), on its tensor's device
        self._growth_tracker: Tensor | None = None
        self._init_growth_tracker = 0
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._per_optimizer_states: defaultdict[int, dict[str, Any]] = defaultdict(_fresh_state)

    def _lazy_init_scale_growth_tracker(self, dev: Any) -> None:
        self._scale = full((), self._init_scale, dtype=float32, device=dev)
        self._growth_tracker = full((), self._init_growth_tracker, dtype=int32, device=dev)

    def _check_scale_growth_tracker(self, what: str) -> tuple[Tensor, Tensor]:
        """Return scale and growth tracker; AssertionError where nothing was scaled yet."""
        if self._scale is None or self._growth_tracker is None:
            raise AssertionError(
                f"[GradScaler.{what}] Attempted {what} but _scale is None: nothing has been scaled yet; call scaler.scale(loss) and "
                "backward() before"
            )
        return self._scale, self._growth_tracker

    # -- an iteration: scale, unscale_, step, update ---------------------------------------------------

    def scale(self, outputs: Any) -> Any:
        """Multiply a tensor, or every tensor of nested lists, tuples or iterables, by the scale.

        Raises ValueError for what is neither.

        >>> import taeda
        >>> scaler = taeda.amp.GradScaler("cpu", init_scale=8.0)
        >>> scaler.scale(taeda.tensor(2.0))
        tensor(16.)
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._lazy_init_scale_growth_tracker(outputs.device)
            return outputs * self._check_scale_growth_tracker("scale")[0].to(outputs.device)
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled
        raise ValueError(
            f"[GradScaler.scale] outputs must be a Tensor or an iterable of Tensors, got {type(outputs).__name__}"
        )

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the scale, such as to clip them before the step.

        Raises RuntimeError for a second call before ``update``, ValueError for float16 gradients.
        """
        if not self._enabled:
            return
        scale, _ = self._check_scale_growth_tracker("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError(
                "[GradScaler.unscale_] unscale_() has already been called on this optimizer since the last update()."
            )
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("[GradScaler.unscale_] unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()           # a reciprocal in float32 would be rounded twice
        found = full((), 0.0, dtype=float32, device=scale.device)
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inverse, found, False)
        state["stage"] = OptState.UNSCALED

    def _unscale_grads_(self, optimizer: Any, inv_scale: Tensor, found_inf: Tensor, allow_fp16: bool) -> dict[Any, Tensor]:
        """Multiply all gradients; return for each of their devices whether one was not finite, as 0.0 or 1.0.

        PyTorch's name and arguments: scalers of other libraries, which keep gradients elsewhere, put theirs in its place.
        """
        inverse, known = float(inv_scale.item()), float(found_inf.item())
        grads: defaultdict[Any, list[Tensor]] = defaultdict(list)
        for group in optimizer.param_groups:
            for i, p in enumerate(group["params"]):
                if not isinstance(p, Tensor):
                    raise AssertionError(f"[GradScaler] expected param to be a Tensor, got {type(p).__name__}")
                if p.grad is None:
                    continue
                if p.grad.dtype == float16 and not allow_fp16:
                    raise ValueError(
                        f"[GradScaler] Attempting to unscale FP16 gradients: parameter {i}, of shape {tuple(p.shape)}; "
                        f"keep the parameters in float32 and run the model under autocast"
                    )
                if p.grad.is_sparse and p.grad.dtype == float16:
                    p.grad = p.grad.coalesce()              # what is at one place may overflow once it is added
                grads[p.grad.device].append(p.grad._values() if p.grad.is_sparse else p.grad)
        with no_grad():
            return {
                device: full((), max(known, float(ops.fused_unscale_(tensors, inverse))), dtype=float32, device=device)
                for device, tensors in grads.items()
            }

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Unscale the gradients unless that is done, and step the optimizer if all of them are finite.

        ``args`` and ``kwargs`` go to the optimizer's step.  Returns False for a step that was skipped; else what
        the optimizer's step returned, or True where that is None.

        Raises RuntimeError for a closure, and for a second call before ``update``.
        """
        if not self._enabled:
            return _stepped(optimizer.step(*args, **kwargs))
        if "closure" in kwargs:
            raise RuntimeError(
                "[GradScaler.step] Closure use is not currently supported if GradScaler is enabled."
            )
        self._check_scale_growth_tracker("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("[GradScaler.step] step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            return self._step_that_scales(optimizer, state, *args, **kwargs)
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if not state["found_inf_per_device"]:
            raise AssertionError(
                "[GradScaler.step] No inf checks were recorded for this optimizer: none of its parameters has a gradient"
            )
        result = self._maybe_opt_step(optimizer, state, *args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _maybe_opt_step(self, optimizer: Any, optimizer_state: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if any(found.item() for found in optimizer_state["found_inf_per_device"].values()):
            optimizer._opt_called = True                 # a schedule that follows is in its place
            return False
        return _stepped(optimizer.step(*args, **kwargs))

    def _step_that_scales(self, optimizer: Any, state: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Step an optimizer of the user's that unscales and skips by itself: it reads grad_scale and found_inf."""
        if "grad_scaler" in inspect.signature(optimizer.step).parameters:
            warnings.warn(
                "GradScaler is going to stop passing itself as a keyword argument to the passed optimizer; "
                "use its attributes `grad_scale` and `found_inf`",
                FutureWarning,
                stacklevel=3,
            )
            result = optimizer.step(*args, **kwargs, grad_scaler=self)
            state["stage"] = OptState.STEPPED
            return _stepped(result)
        if state["stage"] is OptState.READY:
            self._check_inf_per_device(optimizer)
        scale, _ = self._check_scale_growth_tracker("step")
        found = full((), 0.0, dtype=float32, device=scale.device)
        for part in state["found_inf_per_device"].values():
            found += part.to(scale.device)
        own = getattr(optimizer, "grad_scale", None)
        if state["stage"] is OptState.READY:
            own = scale if own is None else scale * own
        optimizer.grad_scale, optimizer.found_inf = own, found
        try:
            result = optimizer.step(*args, **kwargs)
        finally:
            del optimizer.grad_scale, optimizer.found_inf
        state["stage"] = OptState.STEPPED
        return False if found.item() and result is None else _stepped(result)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Change the scale by what the steps since the last update met, or to ``new_scale``.

        Raises AssertionError where no step was checked, and for a new_scale that is not one number on the scaler's
        device without grad.
        """
        if not self._enabled:
            return
        scale, tracker = self._check_scale_growth_tracker("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor):
                if new_scale.device.type != self._device or new_scale.numel() != 1 or new_scale.requires_grad:
                    raise AssertionError(
                        f"[GradScaler.update] new_scale should be a float or a 1-element tensor on {self._device} with "
                        f"requires_grad=False, got shape {tuple(new_scale.shape)} on {new_scale.device}"
                    )
                scale.copy_(new_scale.reshape(()))
            else:
                scale.fill_(new_scale)
        else:
            checks = [
                found.item()
                for state in self._per_optimizer_states.values()
                for found in state["found_inf_per_device"].values()
            ]
            if not checks:
                raise AssertionError("[GradScaler.update] No inf checks were recorded prior to update.")
            found = full((), float(any(checks)), dtype=float32)
            update_scale_(scale, tracker, found, self._growth_factor, self._backoff_factor, self._growth_interval)
        self._per_optimizer_states = defaultdict(_fresh_state)

    # -- what it holds ---------------------------------------------------------------------------------

    def get_scale(self) -> float:
        """Return the scale, 1.0 where disabled.

        >>> import taeda
        >>> taeda.amp.GradScaler("cpu", init_scale=8.0).get_scale(), taeda.amp.GradScaler("cpu", enabled=False).get_scale()
        (8.0, 1.0)
        """
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def _get_scale_async(self) -> Tensor | None:
        return self._scale

    def get_growth_factor(self) -> float:
        """Return the factor by which the scale grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set the factor by which the scale grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Return the factor by which the scale falls."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set the factor by which the scale falls."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Return after how many steps in a row the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps in a row the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else int(self._growth_tracker.item())

    def is_enabled(self) -> bool:
        """Whether anything is scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Return scale, factors, interval and count as numbers; an empty dict where disabled.

        >>> import taeda
        >>> taeda.amp.GradScaler("cpu", init_scale=8.0).state_dict()["scale"]
        8.0
        """
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict()`` returned, also PyTorch's; nothing where disabled.

        Raises RuntimeError for the empty dict of a disabled scaler.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "[GradScaler.load_state_dict] The source state dict is empty, possibly because it was saved from a "
                "disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None and self._growth_tracker is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "[GradScaler] may only be pickled at the beginning of an iteration, or at the end after scaler.update()."
                )
            state["_init_scale"] = self.get_scale()
            state["_init_growth_tracker"] = self._get_growth_tracker()
            state["_scale"] = state["_growth_tracker"] = None
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _check_inf_per_device(self, optimizer: Any) -> dict[Any, Tensor]:
        scale, _ = self._check_scale_growth_tracker("_check_inf_per_device")
        one, zero = (full((), value, dtype=float32, device=scale.device) for value in (1.0, 0.0))
        found = self._unscale_grads_(optimizer, one, zero, True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def _found_inf_per_device(self, optimizer: Any) -> dict[Any, Tensor]:
        found: dict[Any, Tensor] = self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]
        return found


def update_scale_(
    input: Tensor, growth_tracker: Tensor, found_inf: Tensor, scale_growth_factor: float, scale_backoff_factor: float, growth_interval: int
) -> Tensor:
    """Change a scale, and the count of steps in a row without infinities, by what the last step met: ``taeda._amp_update_scale_``."""
    with no_grad():
        if found_inf.item():
            input.mul_(scale_backoff_factor)
            growth_tracker.zero_()
            return input
        growth_tracker.add_(1)
        if growth_tracker.item() == growth_interval:
            grown = input * scale_growth_factor
            if grown.isfinite():
                input.copy_(grown)
            growth_tracker.zero_()
    return input


def unscale_(self: list[Tensor], found_inf: Tensor, inv_scale: Tensor) -> None:
    """Multiply tensors in place; ``found_inf`` becomes 1 if one is not finite: ``taeda._amp_foreach_non_finite_check_and_unscale_``."""
    with no_grad():
        if ops.fused_unscale_(list(self), float(inv_scale.item())):
            found_inf.fill_(1)


def _stepped(result: Any) -> Any:
    return True if result is None else result
