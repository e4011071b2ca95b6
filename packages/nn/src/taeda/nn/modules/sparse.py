"""Embeddings: rows of a table by index, one by one or in bags."""

from __future__ import annotations

from typing import Any

import taeda
from taeda import Tensor, ops
from taeda.nn import functional as F, init
from taeda.nn.modules.module import Module
from taeda.nn.parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    """A table of vectors, of which a row may stand for padding: what both layers below share."""

    num_embeddings: int
    embedding_dim: int
    padding_idx: int | None
    weight: Tensor

    def _take_padding_idx(self, padding_idx: int | None, name: str = "Padding_idx") -> None:
        """Keep the row of padding, counted from the start; errors call it by ``name``, as PyTorch's do."""
        n = self.num_embeddings
        if padding_idx is not None:
            if not -n <= padding_idx < n:
                raise AssertionError(
                    f"[{type(self).__name__}] {name} must be within num_embeddings, got {padding_idx} for {n} rows"
                )
            padding_idx = padding_idx % n
        self.padding_idx = padding_idx

    def _take_weight(self, weight: Tensor | None, requires_grad: bool, device: Any, dtype: Any) -> None:
        """Keep a table that is given, or draw one."""
        shape = (self.num_embeddings, self.embedding_dim)
        if weight is None:
            self.weight = Parameter(taeda.empty(shape, device=device, dtype=dtype), requires_grad)
            self.reset_parameters()
            return
        if tuple(weight.shape) != shape:
            raise AssertionError(
                f"[{type(self).__name__}] Shape of weight does not match num_embeddings and embedding_dim: "
                f"{tuple(weight.shape)} for {shape}"
            )
        self.weight = Parameter(weight, requires_grad)

    def reset_parameters(self) -> None:
        """Draw the table anew; the row of padding is zero."""
        init.normal_(self.weight)
        self._fill_padding_idx_with_zero()

    def _fill_padding_idx_with_zero(self) -> None:
        if self.padding_idx is not None:
            with taeda.no_grad():
                self.weight[self.padding_idx].fill_(0)

    def _cure(self, *args: Any, **kwargs: Any) -> str | None:
        x = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor):
            return None
        if x.is_floating_point():
            return f"{type(self).__name__} takes indices: did you mean x.long()? It got {x.dtype}"
        if x.numel() and not x.is_meta:
            low, high = int(x.min()), int(x.max())
            if low < 0 or high >= self.num_embeddings:
                return f"{type(self).__name__}(num_embeddings={self.num_embeddings}) got indices from {low} to {high}"
        return None


class Embedding(_Table):
    """y[...] = weight[x[...]]: a table of vectors, looked up by index.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: their size.
        padding_idx: a row of zeros that gets no gradient.
        max_norm: rows that are used and longer than this are scaled down first.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it is used.
        sparse: the gradient of the weight is a sparse tensor, which SparseAdam, SGD and Adagrad take.

    Shapes:
        x: integers (*); y: (*, embedding_dim); weight: (num_embeddings, embedding_dim), drawn from N(0, 1).

    Raises:
        IndexError: an index is not in [0, num_embeddings).

    >>> import taeda
    >>> from taeda import nn
    >>> table = nn.Embedding(10, 3, padding_idx=0)
    >>> table(taeda.tensor([[0, 2, 0, 5]]))[0, 0]
    tensor([0., 0., 0.], grad_fn=<SelectBackward0>)
    """

    __constants__ = ["num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse"]

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self._take_padding_idx(padding_idx)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        self._take_weight(_weight, not _freeze, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        if self.max_norm is None and not self.scale_grad_by_freq:
            return ops.embedding(input, self.weight, self.padding_idx, False, self.sparse)
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        if self.sparse is not False:
            text += ", sparse=True"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """Make a layer of the table ``embeddings`` (n, d), not trained unless ``freeze=False``.

        >>> import taeda
        >>> from taeda import nn
        >>> nn.Embedding.from_pretrained(taeda.tensor([[1.0, 2.0]]))(taeda.tensor(0))
        tensor([1., 2.])
        """
        if embeddings.dim() != 2:
            raise AssertionError(
                f"[Embedding] Embeddings parameter is expected to be 2-dimensional, got {embeddings.dim()}"
            )
        rows, cols = embeddings.shape
        return cls(
            num_embeddings=rows,
            embedding_dim=cols,
            _weight=embeddings,
            _freeze=freeze,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
        )


class EmbeddingBag(_Table):
    """y[b] = the sum, mean or maximum of the rows of a table that bag b names; ``Embedding`` and a reduction in one.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: their size.
        max_norm: rows that are used and longer than this are scaled down first.
        norm_type: the p of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it is used.
        mode: sum, mean or max.
        sparse: the gradient of the weight is a sparse tensor, which SparseAdam, SGD and Adagrad take.
        include_last_offset: whether ``offsets`` ends with the number of indices.
        padding_idx: a row of zeros that is left out of every bag.

    Shapes:
        x: integers (B, n), a bag a row; or (n,), with the bags' starts ``offsets`` (B,); per_sample_weights: as x;
        y: (B, embedding_dim); weight: (num_embeddings, embedding_dim), drawn from N(0, 1).

    >>> import taeda
    >>> from taeda import nn
    >>> bags = nn.EmbeddingBag.from_pretrained(taeda.tensor([[1.0, 2.0], [3.0, 4.0]]), mode="sum")
    >>> bags(taeda.tensor([0, 1, 1]), taeda.tensor([0, 2]))
    tensor([[4., 6.],
            [3., 4.]])
    """

    __constants__ = [
        "num_embeddings", "embedding_dim", "max_norm", "norm_type", "scale_grad_by_freq", "mode", "sparse",
        "include_last_offset", "padding_idx",
    ]  # fmt: skip

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self._take_padding_idx(padding_idx, "padding_idx")
        self._take_weight(_weight, True, device, dtype)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def forward(
        self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None
    ) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq is not False:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """Make a layer of the table ``embeddings`` (n, d), not trained unless ``freeze=False``."""
        if embeddings.dim() != 2:
            raise AssertionError(
                f"[EmbeddingBag] Embeddings parameter is expected to be 2-dimensional, got {embeddings.dim()}"
            )
        rows, cols = embeddings.shape
        made = cls(
            num_embeddings=rows,
            embedding_dim=cols,
            _weight=embeddings,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        made.weight.requires_grad = not freeze
        return made
