"""Exponential families: densities h(x) exp(sum_i theta_i t_i(x) - A(theta)) with natural parameters theta."""

from __future__ import annotations

from typing import Any

import taeda
from taeda.distributions.distribution import Distribution, sum_rightmost
from taeda.tensor import Tensor

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """What follows from the natural parameters and the log-normaliser A that a subclass has: the entropy, and divergences.

    The mean of t_i is the derivative of A in theta_i, so that the entropy is A - sum_i theta_i dA/dtheta_i less the mean of log h
    (Nielsen and Nock, 2010, "Entropies and cross-entropies of exponential families").

    >>> import taeda
    >>> from taeda.distributions import ExponentialFamily, Normal
    >>> issubclass(Normal, ExponentialFamily)
    True
    >>> round(ExponentialFamily.entropy(Normal(taeda.tensor(0.0), taeda.tensor(1.0))).item(), 4)       # log sqrt(2 pi e)
    1.4189
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"[{type(self).__name__}] has no _natural_params")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError(f"[{type(self).__name__}] has no _log_normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        """The mean of log h."""
        raise NotImplementedError(f"[{type(self).__name__}] has no _mean_carrier_measure")

    def _normalizer_and_means(self) -> tuple[list[Tensor], Tensor, Any]:
        """Return the natural parameters, A, and the derivatives of A in them."""
        with taeda.enable_grad():
            natural = [p.detach().requires_grad_() for p in self._natural_params]
            normalizer = self._log_normalizer(*natural)
            return natural, normalizer, taeda.autograd.grad(normalizer.sum(), natural, create_graph=True)

    def entropy(self) -> Tensor:
        natural, normalizer, means = self._normalizer_and_means()
        found: Any = normalizer - self._mean_carrier_measure
        for parameter, mean in zip(natural, means, strict=True):
            found = found - sum_rightmost(parameter * mean, mean.dim() - normalizer.dim())
        return found
