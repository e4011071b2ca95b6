"""LBFGS: a quasi-Newton method with limited memory, and the strong Wolfe line search."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import taeda
from taeda import Tensor
from taeda.optim.checks import check_hyper, check_one_element
from taeda.optim.composed import to_scalar
from taeda.optim.optimizer import Optimizer

__all__ = ["LBFGS"]

SUFFICIENT_DECREASE = 1e-4  # Nocedal and Wright's c1
CURVATURE = 0.9  # ... and c2
LEAST_CURVATURE = 1e-10  # of a pair that is remembered: below, the inverse Hessian would lose its sign


class LBFGS(Optimizer):
    """Limited-memory BFGS; one step makes up to ``max_iter`` iterations, and evaluates the model many times.

    p += t d with d = -H g, where H is the inverse Hessian that the last ``history_size`` pairs of steps s and
    changes of gradient y stand for (two-loop recursion), begun as (s·y / y·y) I.

    Args:
        params: tensors, or (name, tensor) pairs: one group only.
        lr: step length t, of the first iteration min(1, 1 / |g|_1) lr; a number or a one-element tensor.
        max_iter: iterations of a step.
        max_eval: evaluations of a step; None: max_iter * 5 // 4.
        tolerance_grad: a step ends where no element of the gradient is larger.
        tolerance_change: a step ends where neither the loss nor a parameter changes by more.
        history_size: pairs that are remembered.
        line_search_fn: None, or 'strong_wolfe' for a search of t that satisfies the strong Wolfe conditions.

    Raises ValueError for a negative lr and for more than one group; ``step`` raises RuntimeError for another
    line search.
    Source: Nocedal and Wright, "Numerical optimization", 2006, algorithms 7.4, 3.5 and 3.6.

    >>> import taeda
    >>> from taeda import optim
    >>> w = taeda.tensor([-1.0, 2.0], requires_grad=True)
    >>> opt = optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(4):
    ...     loss = opt.step(closure)
    >>> (w - 1).abs().max() < 1e-3
    tensor(True)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_one_element("LBFGS", "lr", lr)
        check_hyper("LBFGS", (lr, "learning rate"))
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError(f"[LBFGS] doesn't support per-parameter options (parameter groups), got {len(self.param_groups)} groups")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    # -- all parameters as one vector ------------------------------------------------------------------

    def _gather_flat_grad(self) -> Tensor:
        parts = []
        for p in self._params:
            part = taeda.zeros_like(p) if p.grad is None else p.grad.to_dense()
            parts.append((taeda.view_as_real(part) if part.is_complex() else part).reshape(-1))
        return taeda.cat(parts, 0)

    def _numel(self) -> int:
        """Return how many elements the vector has; a complex one counts twice."""
        return sum(2 * p.numel() if p.is_complex() else p.numel() for p in self._params)

    def _add_grad(self, length: Any, direction: Tensor) -> None:
        """p += length direction."""
        start = 0
        for p in self._params:
            flat = taeda.view_as_real(p) if p.is_complex() else p
            part = direction[start : start + flat.numel()].view_as(flat)
            flat.add_(part, alpha=float(length))
            start += flat.numel()

    def _clone_param(self) -> list[Tensor]:
        return [p.clone(memory_format=taeda.contiguous_format) for p in self._params]

    def _set_param(self, kept: list[Tensor]) -> None:
        for p, data in zip(self._params, kept, strict=True):
            p.copy_(data)

    def _directional_evaluate(
        self, closure: Callable[[], Any], start: list[Tensor], length: Any, direction: Tensor
    ) -> tuple[float, Tensor]:
        """Return loss and gradient ``length`` along the direction, and go back to the start."""
        self._add_grad(length, direction)
        loss = float(closure())
        grad = self._gather_flat_grad()
        self._set_param(start)
        return loss, grad

    def _search(
        self, closure: Callable[[], Any], t: Any, d: Tensor, loss: float, grad: Tensor, slope: Tensor, trials: int
    ) -> tuple[Any, Tensor, Any, int]:
        """Search a length along the direction; return loss, gradient and length, and how often the model was evaluated."""
        name = self.param_groups[0]["line_search_fn"]
        if name != "strong_wolfe":
            raise RuntimeError(f"[LBFGS] only 'strong_wolfe' is supported as line_search_fn, got {name!r}")
        evaluate = partial(self._directional_evaluate, closure)
        return _strong_wolfe(evaluate, self._clone_param(), t, d, loss, grad, slope, max_ls=trials)

    # -- a step ----------------------------------------------------------------------------------------

    @taeda.no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]  # which is needed here
        """Run up to ``max_iter`` iterations, evaluating the model by ``closure``; return its first loss."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"[LBFGS] Expected exactly one param_group, but got {len(self.param_groups)}")
        closure = taeda.enable_grad()(closure)
        group = self.param_groups[0]
        lr = to_scalar(group["lr"])
        state = self.state[self._params[0]]  # of all parameters, kept with the first: there it is cast when loaded
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        first_loss = closure()
        loss, evaluations = float(first_loss), 1
        state["func_evals"] += 1
        grad = self._gather_flat_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss

        memory = _Memory(state, group["history_size"])
        d, t = state.get("d"), state.get("t")
        before, loss_before = state.get("prev_flat_grad"), state.get("prev_loss")
        for n in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                memory.forget()
                d = grad.neg()
            else:
                memory.remember(d.mul(t), grad.sub(before))
                d = memory.direction(grad)
            before = grad.clone(memory_format=taeda.contiguous_format) if before is None else before.copy_(grad)
            loss_before = loss

            t = min(1.0, 1.0 / grad.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(d)
            if slope > -group["tolerance_change"]:
                break
            if group["line_search_fn"] is None:
                self._add_grad(t, d)
                used = int(n != group["max_iter"])  # the last evaluation would be of no use to a stochastic model
                if used:
                    loss, grad = float(closure()), self._gather_flat_grad()
            else:
                loss, grad, t, used = self._search(closure, t, d, loss, grad, slope, group["max_eval"] - evaluations)
                self._add_grad(t, d)
            evaluations += used
            state["func_evals"] += used
            if n == group["max_iter"] or evaluations >= group["max_eval"] or _converged(group, grad, d.mul(t), loss - loss_before):
                break
        state["d"] = d
        state["t"] = t
        memory.save()
        state["prev_flat_grad"] = before
        state["prev_loss"] = loss_before
        return first_loss


def _converged(group: dict[str, Any], grad: Tensor, move: Tensor, gain: float) -> bool:
    """Say whether gradient, move and change of the loss are as small as the group asks for."""
    return bool(
        grad.abs().max() <= group["tolerance_grad"]
        or move.abs().max() <= group["tolerance_change"]
        or abs(gain) < group["tolerance_change"]
    )


class _Memory:
    """The last pairs of steps and changes of gradient; state's names of them are PyTorch's."""

    def __init__(self, state: dict[str, Any], size: int) -> None:
        self._state = state
        self._size = size
        self.changes: list[Tensor] = state.get("old_dirs", [])
        self.steps: list[Tensor] = state.get("old_stps", [])
        self.inverse: list[Any] = state.get("ro", [])
        self.scale: Any = state.get("H_diag")

    def forget(self) -> None:
        self.changes, self.steps, self.inverse, self.scale = [], [], [], 1

    def remember(self, step: Tensor, change: Tensor) -> None:
        curvature = change.dot(step)
        if curvature <= LEAST_CURVATURE:
            return
        if len(self.changes) == self._size:
            for kept in (self.changes, self.steps, self.inverse):
                kept.pop(0)
        self.changes.append(change)
        self.steps.append(step)
        self.inverse.append(1.0 / curvature)
        self.scale = curvature / change.dot(change)

    def direction(self, grad: Tensor) -> Tensor:
        """Return -H grad."""
        weights = self._state.setdefault("al", [None] * self._size)
        d = grad.neg()
        for i in reversed(range(len(self.steps))):
            weights[i] = self.steps[i].dot(d) * self.inverse[i]
            d.sub_(self.changes[i] * weights[i])
        d = d * self.scale
        for i in range(len(self.steps)):
            d.add_(self.steps[i] * (weights[i] - self.changes[i].dot(d) * self.inverse[i]))
        return d

    def save(self) -> None:
        self._state["old_dirs"] = self.changes
        self._state["old_stps"] = self.steps
        self._state["ro"] = self.inverse
        self._state["H_diag"] = self.scale


class _Trial(NamedTuple):
    """A point of the line: how far along it lies, and loss, gradient and slope there."""

    length: Any
    loss: float
    grad: Tensor
    slope: Tensor


def _cubic_interpolate(x1: Any, f1: Any, g1: Any, x2: Any, f2: Any, g2: Any, bounds: tuple[Any, Any] | None = None) -> Any:
    """Return where the cubic with values f and slopes g at x1 and x2 is least within the bounds (x1 and x2); their middle if nowhere.

    >>> from taeda.optim.lbfgs import _cubic_interpolate
    >>> _cubic_interpolate(0.0, 1.0, -2.0, 3.0, 4.0, 4.0)  # (x - 1)^2
    1.0
    """
    low, high = bounds if bounds is not None else (x1, x2) if x1 <= x2 else (x2, x1)
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt() if isinstance(square, Tensor) else square**0.5
    (left, g_left), (right, g_right) = ((x1, g1), (x2, g2)) if x1 <= x2 else ((x2, g2), (x1, g1))
    share = (g_right + d2 - d1) / (g_right - g_left + 2 * d2)
    return min(max(right - (right - left) * share, low), high)


def _between(a: _Trial, b: _Trial, *bounds: Any) -> Any:
    return _cubic_interpolate(a.length, a.loss, a.slope, b.length, b.loss, b.slope, bounds)


class _WolfeSearch:
    """Trials along a direction, and whether the loss of one is low enough and its slope flat enough."""

    def __init__(self, evaluate: Callable[[Any], _Trial], start: _Trial, c1: float, c2: float, most: int) -> None:
        self.evaluate = evaluate
        self.start = start
        self.c1, self.c2 = c1, c2
        self.left = most  # trials that may still be made
        self.made = 0

    def attempt(self, length: Any) -> _Trial:
        """Evaluate one more length."""
        self.left -= 1
        self.made += 1
        return self.evaluate(length)

    def too_high(self, trial: _Trial) -> bool:
        return bool(trial.loss > self.start.loss + self.c1 * trial.length * self.start.slope)

    def flat(self, trial: _Trial) -> bool:
        return bool(abs(trial.slope) <= -self.c2 * self.start.slope)

    def bracket(self, length: Any) -> list[_Trial]:
        """Return the ends of an interval that holds what is searched for, or that alone where a trial meets it."""
        last, trial = self.start, self.attempt(length)
        while self.left:
            if self.too_high(trial) or (self.made > 2 and trial.loss >= last.loss) or (not self.flat(trial) and trial.slope >= 0):
                return [last, trial]
            if self.flat(trial):
                return [trial]
            low, high = trial.length + 0.01 * (trial.length - last.length), trial.length * 10
            last, trial = trial, self.attempt(_between(last, trial, low, high))
        return [self.start, trial]

    def zoom(self, ends: list[_Trial], largest: Any, tolerance: float) -> _Trial:
        """Return the better end of an interval that is shrunk until it is what is searched for, or no element (of `largest`) moves more."""
        stuck = False
        best = 0 if ends[0].loss <= ends[1].loss else 1  # which end is the better one
        while self.left:
            low, high = sorted((ends[0].length, ends[1].length))
            if (high - low) * largest < tolerance:
                break
            length = _between(ends[0], ends[1], low, high)
            # a trial close to an end teaches little: the second in a row, or one at the end, is moved inside
            margin = 0.1 * (high - low)
            close = min(high - length, length - low) < margin
            move = close and (stuck or length >= high or length <= low)
            if move:
                length = high - margin if abs(length - high) < abs(length - low) else low + margin
            stuck = close and not move
            trial = self.attempt(length)
            if self.too_high(trial) or trial.loss >= ends[best].loss:
                ends[1 - best] = trial
                best = 0 if ends[0].loss <= ends[1].loss else 1
                continue
            enough = self.flat(trial)
            if not enough and trial.slope * (ends[1 - best].length - ends[best].length) >= 0:
                ends[1 - best] = ends[best]
            ends[best] = trial
            if enough:
                break
        return ends[best]


def _strong_wolfe(
    obj_func: Callable[[Any, Any, Tensor], tuple[Any, Tensor]],
    x: Any,
    t: Any,
    d: Tensor,
    f: Any,
    g: Tensor,
    gtd: Any,
    c1: float = SUFFICIENT_DECREASE,
    c2: float = CURVATURE,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[Any, Tensor, Any, int]:
    """Search a length whose loss is low enough and whose slope is flat enough; return loss, gradient, length and the evaluations.

    First the length grows until an interval holds such a point, then cubic interpolation shrinks the interval.

    Args:
        obj_func: gives loss and gradient at x + t d, of (x, t, d).
        x: the start, which is only handed on.
        t: the length to begin with.
        d: the direction.
        f: loss of the start.
        g: gradient of the start.
        gtd: slope of the start along d.
        c1: of the decrease that is enough: f(t) <= f + c1 t gtd.
        c2: of the slope that is flat: |f'(t)| <= -c2 gtd.
        tolerance_change: the search ends where no element would move by as much.
        max_ls: number of trials after the first.
    """

    def evaluate(length: Any) -> _Trial:
        loss, grad = obj_func(x, length, d)
        return _Trial(length, loss, grad, grad.dot(d))

    search = _WolfeSearch(evaluate, _Trial(0, f, g, gtd), c1, c2, max_ls + 1)
    ends = search.bracket(t)
    found = ends[0] if len(ends) == 1 else search.zoom(ends, d.abs().max(), tolerance_change)
    return found.loss, found.grad, found.length, search.made
