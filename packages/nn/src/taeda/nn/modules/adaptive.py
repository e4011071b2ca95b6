"""Softmax over many classes, most of them rare."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import taeda
from taeda import Tensor
from taeda.nn import functional as F
from taeda.nn.modules.container import ModuleList, Sequential
from taeda.nn.modules.linear import Linear
from taeda.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax in two steps: the frequent classes and the clusters of the rare ones, then one within a cluster.

    Classes are numbered by falling frequency.  A cluster is computed only for the samples whose target is in it, and
    from fewer features the rarer it is (Grave et al., 2017).

    Args:
        in_features: F below.
        n_classes: how many classes there are.
        cutoffs: first class of each cluster, increasing.
        div_value: cluster i is computed from F / div_value^i features.
        head_bias: whether the first step has a bias.

    Shapes:
        x: (N, F) or (F,); target: (N,) or (); output: log-probability of each target, (N,) or (); loss: the mean of
        minus it.

    Raises:
        ValueError: cutoffs are not increasing integers in [1, n_classes - 1].

    >>> import taeda
    >>> from taeda import nn
    >>> soft = nn.AdaptiveLogSoftmaxWithLoss(8, 20, cutoffs=[5, 10], div_value=2.0)
    >>> output, loss = soft(taeda.randn(3, 8), taeda.tensor([0, 7, 19]))
    >>> output.shape, bool(loss.isclose(-output.mean())), soft.log_prob(taeda.randn(3, 8)).shape
    (taeda.Size([3]), True, taeda.Size([3, 20]))
    """

    in_features: int
    n_classes: int
    cutoffs: list[int]
    div_value: float
    head_bias: bool
    head: Linear
    tail: ModuleList

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError(
                "[AdaptiveLogSoftmaxWithLoss] cutoffs should be a sequence of length larger than 0"
            )
        if (
            any(int(c) != c for c in cutoffs)
            or not all(a < b for a, b in pairwise(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
        ):
            raise ValueError(
                "[AdaptiveLogSoftmaxWithLoss] cutoffs should be a sequence of unique, positive integers sorted in an "
                f"increasing order, where each value is between 1 and n_classes-1; got {cutoffs} of {n_classes}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        options = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i, (start, stop) in enumerate(pairwise(self.cutoffs)):
            hidden = int(in_features // (div_value ** (i + 1)))
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, bias=False, **options),
                    Linear(hidden, stop - start, bias=False, **options),
                )
            )

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        self.head.reset_parameters()
        for cluster in self.tail:
            for layer in cluster:  # type: ignore[attr-defined]
                layer.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        self._check(input_, target_)
        batched = target_.ndim == 1
        x, target = (input_, target_) if batched else (input_.unsqueeze(0), target_.unsqueeze(0))
        within = x.new_zeros(target.shape[0])  # log-probability of each target within its cluster
        at = target  # class or cluster in the head
        for i, (start, stop) in enumerate(pairwise(self.cutoffs)):
            inside = (target >= start) & (target < stop)
            rows = inside.nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            logp = F.log_softmax(self.tail[i](x.index_select(0, rows)), dim=1)
            own = (target.index_select(0, rows) - start).unsqueeze(1)
            within = within.index_copy(0, rows, logp.gather(1, own).squeeze(1))
            at = at.masked_fill(inside, self.shortlist_size + i)
        head = F.log_softmax(self.head(x), dim=1)
        output = within + head.gather(1, at.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _check(self, x: Tensor, target: Tensor) -> None:
        if target.ndim > 1:
            raise RuntimeError(
                "[AdaptiveLogSoftmaxWithLoss] 0D or 1D target tensor expected, multi-target not supported; got shape "
                f"{tuple(target.shape)}"
            )
        if target.ndim == 1 and x.shape[0] != target.shape[0]:
            raise RuntimeError(
                "[AdaptiveLogSoftmaxWithLoss] Input and target should have the same size in the batch dimension; got "
                f"{tuple(x.shape)} and {tuple(target.shape)}"
            )
        if x.ndim != target.ndim + 1:
            raise RuntimeError(
                f"[AdaptiveLogSoftmaxWithLoss] {target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but "
                f"found inputs with size {x.size()}"
            )
        if target.numel() and bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"[AdaptiveLogSoftmaxWithLoss] Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{int(target.min())}, {int(target.max())}] were found."
            )

    def _get_full_log_prob(self, input: Tensor, head_output: Tensor) -> Tensor:
        head = F.log_softmax(head_output, dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            own = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(cluster(input), dim=1) + own)
        return taeda.cat(parts, 1)

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the log-probabilities of all classes, (N, n_classes), of x (N, F)."""
        return self._get_full_log_prob(input, self.head(input))

    def predict(self, input: Tensor) -> Tensor:
        """Return the likeliest class of each sample, (N,): ``log_prob(input).argmax(1)``, which is seldom computed whole."""
        head_output = self.head(input)
        output = taeda.argmax(head_output, dim=1)
        rare = output >= self.shortlist_size
        if bool(rare.any()):
            full = self._get_full_log_prob(input[rare], head_output[rare])
            output[rare] = taeda.argmax(full, dim=1)
        return output
