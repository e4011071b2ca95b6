"""Quasirandom points: PyTorch's ``torch.quasirandom``, bit for bit, scrambled too.

Point i of a Sobol sequence is the exclusive or of direction numbers, one for each bit of i's Gray code, so a point differs from the
one before it by a single number. The Gray code is linear over GF(2): the difference of two points is that of the bits in which their
codes differ, and any number of points is skipped at once.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import taeda
from taeda.ops.sampling import _sobol_points
from taeda.quasirandom.direction_numbers import MAXBIT, MAXDIM, direction_numbers

if TYPE_CHECKING:
    from taeda import Tensor
    from taeda.dtype import dtype as Dtype

__all__ = ["SobolEngine"]


class SobolEngine:
    """A Sobol sequence of points in [0, 1)^dimension, drawn piece by piece.

    ``dimension`` is 1 to 21201. With ``scramble`` the direction numbers are multiplied by random lower triangular matrices and
    the points shifted at random (Owen, Matousek), both drawn from ``seed``, or from the default generator. A sequence has
    2**30 points.

    >>> import taeda
    >>> engine = taeda.quasirandom.SobolEngine(dimension=2)
    >>> engine.draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    >>> engine.fast_forward(1).draw_base2(2)
    tensor([[0.3750, 0.3750],
            [0.8750, 0.8750],
            [0.6250, 0.1250],
            [0.1250, 0.6250]])
    """

    MAXBIT = MAXBIT
    MAXDIM = MAXDIM

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if isinstance(dimension, bool) or not hasattr(dimension, "__index__"):
            raise TypeError(f"[SobolEngine] dimension must be an int, not {type(dimension).__name__}")
        if not 1 <= dimension <= MAXDIM:
            raise ValueError(f"[SobolEngine] Supported range of dimensionality for SobolEngine is [1, {MAXDIM}], got {dimension}")
        self.seed = seed
        self.scramble = scramble
        self.dimension = dimension
        self.sobolstate = taeda.tensor(direction_numbers(operator.index(dimension)), device="cpu")
        if scramble:
            self._scramble()
        else:
            self.shift = taeda.zeros(dimension, dtype=taeda.int64, device="cpu")
        self.quasi = self.shift.clone()
        self._first_point = (self.quasi / 2**MAXBIT).reshape(1, -1)
        self.num_generated = 0

    def draw(self, n: int = 1, out: Tensor | None = None, dtype: Dtype | None = None) -> Tensor:
        """Return the next n points, of shape (n, dimension); ``dtype`` is float32 or float64, by default the default dtype.

        Raises RuntimeError for a negative n, or none where none was drawn yet; NotImplementedError for another dtype; ValueError
        past the sequence's 2**30 points.
        """
        n = self._count("draw", n)
        if dtype is None:
            dtype = taeda.get_default_dtype()
        fresh = self.num_generated == 0
        if n < fresh:
            raise RuntimeError(f"[draw] Trying to create tensor with negative dimension {n - fresh}: [{n - fresh}, {self.dimension}]")
        if n > fresh and dtype not in (taeda.float32, taeda.float64):
            raise NotImplementedError(f"[draw] not implemented for {dtype}; draw float32 or float64 and convert")
        result = taeda.empty((n, self.dimension), dtype=dtype, device="cpu")
        if fresh:
            result[:1].copy_(self._first_point)
        if n > fresh:
            self._fill(result[int(fresh):])
        self.num_generated += n
        return result if out is None else out.resize_as_(result).copy_(result)

    def draw_base2(self, m: int, out: Tensor | None = None, dtype: Dtype | None = None) -> Tensor:
        """Return the next 2**m points; ValueError where that does not bring the number of points drawn to a power of two."""
        total = self.num_generated + 2**m
        if total & (total - 1):
            raise ValueError(
                "[draw_base2] The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: n={self.num_generated}+2**{m}={total}. "
                "If you still want to do this, please use 'SobolEngine.draw()' instead.")
        return self.draw(2**m, out=out, dtype=dtype)

    def reset(self) -> SobolEngine:
        """Go back to the first point."""
        self.quasi.copy_(self.shift)
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Skip n points, at the cost of none; ValueError for a negative n, or past the sequence's 2**30 points."""
        n = self._count("fast_forward", n)
        if n < 0:
            raise ValueError(f"[fast_forward] n must not be negative, got {n}; reset() goes back to the first point")
        before = self._index()
        self.num_generated += n
        self.quasi ^= self._difference(before, self._index())
        return self

    def __repr__(self) -> str:
        words = [f"dimension={self.dimension}"]
        if self.scramble:
            words.append("scramble=True")
        if self.seed is not None:
            words.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(words)})"

    # -- the sequence --------------------------------------------------------------------------------

    def _count(self, op: str, n: int) -> int:
        """Return n, an int with which the sequence does not end."""
        if not hasattr(n, "__index__"):
            raise TypeError(f"[{op}] n must be an int, not {type(n).__name__}")
        if self.num_generated + n > 1 << MAXBIT:
            raise ValueError(f"[{op}] a Sobol sequence has 2**{MAXBIT} points; {self.num_generated} were drawn, {n} are asked for")
        return operator.index(n)

    def _index(self) -> int:
        """Return the index of the point that ``quasi`` holds: the last one drawn, before any the first."""
        return max(self.num_generated - 1, 0)

    def _difference(self, i: int, j: int) -> Tensor:
        """Return what turns point i into point j: the xor of the direction numbers where their Gray codes differ."""
        bits = (i ^ i >> 1) ^ (j ^ j >> 1)
        difference = taeda.zeros(self.dimension, dtype=taeda.int64, device="cpu")
        for b in range(bits.bit_length()):
            if bits >> b & 1:
                difference ^= self.sobolstate[:, b]
        return difference

    def _fill(self, points: Tensor) -> None:
        """Write the points after ``quasi``'s, scaled to [0, 1), and leave ``quasi`` at the last of them."""
        _sobol_points(points, self.quasi, self.sobolstate, self._index(), 2.0**-MAXBIT)

    def _scramble(self) -> None:
        """Draw a shift and, for each dimension, a lower triangular matrix over GF(2) that multiplies its direction numbers."""
        generator = None
        if self.seed is not None:
            generator = taeda.Generator()
            generator.manual_seed(self.seed)
        bits = taeda.arange(MAXBIT, device="cpu")
        self.shift = (taeda.randint(2, (self.dimension, MAXBIT), device="cpu", generator=generator) << bits).sum(1)
        matrices = taeda.randint(2, (self.dimension, MAXBIT, MAXBIT), device="cpu", generator=generator).tril_()
        matrices.diagonal(dim1=1, dim2=2).fill_(1)
        high = bits.flip(0)                                            # row 0 and column 0 go with the highest bit
        digits = (self.sobolstate[:, :, None] >> high & 1).float()
        products = digits @ matrices.float().transpose(1, 2)           # sums of up to 30 ones: exact
        self.sobolstate = ((products.long() & 1) << high).sum(2)
