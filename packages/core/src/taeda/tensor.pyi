# Made by tools/make_stubs.py.
from builtins import bool as _bool, complex as _complex, float as _float, int as _int
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from taeda.ops import return_types as return_types
from taeda.device import device as _device
from taeda.dtype import dtype as _dtype
from taeda.generator import Generator
from taeda.tensor_base import Size

class Tensor:
    """A multi-dimensional array that autograd can follow."""
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @staticmethod
    def _make_subclass(cls: Any, data: Tensor, require_grad: _bool = ...) -> Any: ...
    @staticmethod
    def _make_wrapper_subclass(cls: Any, size: _int | Sequence[_int], strides: Any = ..., storage_offset: Any = ..., memory_format: Any = ..., dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., pin_memory: _bool = ..., requires_grad: _bool = ..., dispatch_sizes_strides_policy: Any = ..., dispatch_device: _bool = ..., dispatch_layout: _bool = ..., _extra_dispatch_keys: Any = ..., storage_size: Any = ...) -> Any: ...
    def as_subclass(self, cls: Any) -> Any: ...
    @property
    def shape(self) -> Size: ...
    @property
    def dtype(self) -> _dtype: ...
    @property
    def device(self) -> _device: ...
    @property
    def ndim(self) -> _int: ...
    @property
    def itemsize(self) -> _int: ...
    @property
    def nbytes(self) -> _int: ...
    @property
    def requires_grad(self) -> _bool: ...
    @requires_grad.setter
    def requires_grad(self, value: _bool) -> None: ...
    @property
    def is_leaf(self) -> _bool: ...
    @property
    def grad_fn(self) -> Any: ...
    @property
    def grad(self) -> Tensor | None: ...
    @grad.setter
    def grad(self, value: Tensor | None) -> None: ...
    @property
    def data(self) -> Tensor: ...
    @data.setter
    def data(self, value: Tensor) -> None: ...
    @property
    def T(self) -> Tensor: ...
    @property
    def mT(self) -> Tensor: ...
    @property
    def H(self) -> Tensor: ...
    @property
    def mH(self) -> Tensor: ...
    @property
    def real(self) -> Tensor: ...
    @property
    def layout(self) -> Any: ...
    @property
    def is_cpu(self) -> _bool: ...
    @property
    def is_cuda(self) -> _bool: ...
    @property
    def is_meta(self) -> _bool: ...
    @property
    def output_nr(self) -> _int: ...
    @property
    def retains_grad(self) -> _bool: ...
    @property
    def _version(self) -> _int: ...
    @property
    def _base(self) -> Tensor | None: ...
    def __add__(self, other: Any) -> Tensor: ...
    def __radd__(self, other: Any) -> Tensor: ...
    def __sub__(self, other: Any) -> Tensor: ...
    def __rsub__(self, other: Any) -> Tensor: ...
    def __mul__(self, other: Any) -> Tensor: ...
    def __rmul__(self, other: Any) -> Tensor: ...
    def __truediv__(self, other: Any) -> Tensor: ...
    def __rtruediv__(self, other: Any) -> Tensor: ...
    def __floordiv__(self, other: Any) -> Tensor: ...
    def __rfloordiv__(self, other: Any) -> Tensor: ...
    def __mod__(self, other: Any) -> Tensor: ...
    def __rmod__(self, other: Any) -> Tensor: ...
    def __pow__(self, other: Any) -> Tensor: ...
    def __rpow__(self, other: Any) -> Tensor: ...
    def __matmul__(self, other: Any) -> Tensor: ...
    def __rmatmul__(self, other: Any) -> Tensor: ...
    def __and__(self, other: Any) -> Tensor: ...
    def __rand__(self, other: Any) -> Tensor: ...
    def __or__(self, other: Any) -> Tensor: ...
    def __ror__(self, other: Any) -> Tensor: ...
    def __xor__(self, other: Any) -> Tensor: ...
    def __rxor__(self, other: Any) -> Tensor: ...
    def __lshift__(self, other: Any) -> Tensor: ...
    def __rshift__(self, other: Any) -> Tensor: ...
    def __iadd__(self, other: Any) -> Tensor: ...
    def __isub__(self, other: Any) -> Tensor: ...
    def __imul__(self, other: Any) -> Tensor: ...
    def __itruediv__(self, other: Any) -> Tensor: ...
    def __ifloordiv__(self, other: Any) -> Tensor: ...
    def __imod__(self, other: Any) -> Tensor: ...
    def __ipow__(self, other: Any) -> Tensor: ...
    def __iand__(self, other: Any) -> Tensor: ...
    def __ior__(self, other: Any) -> Tensor: ...
    def __ixor__(self, other: Any) -> Tensor: ...
    def __lt__(self, other: Any) -> Tensor: ...
    def __le__(self, other: Any) -> Tensor: ...
    def __gt__(self, other: Any) -> Tensor: ...
    def __ge__(self, other: Any) -> Tensor: ...
    def __neg__(self) -> Tensor: ...
    def __pos__(self) -> Tensor: ...
    def __abs__(self) -> Tensor: ...
    def __invert__(self) -> Tensor: ...
    def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
    def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]
    def __hash__(self) -> _int: ...
    def __len__(self) -> _int: ...
    def __bool__(self) -> _bool: ...
    def __int__(self) -> _int: ...
    def __float__(self) -> _float: ...
    def __complex__(self) -> _complex: ...
    def __index__(self) -> _int: ...
    def __iter__(self) -> Iterator[Tensor]: ...
    def __contains__(self, element: Any) -> _bool: ...
    def __getitem__(self, index: Any) -> Tensor: ...
    def __setitem__(self, index: Any, value: Any) -> None: ...
    def __array__(self, dtype: Any = ..., copy: Any = ...) -> Any: ...
    def __deepcopy__(self, memo: Any) -> Tensor: ...
    def __copy__(self) -> Tensor: ...
    def __format__(self, spec: str) -> str: ...
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __reversed__(self) -> Tensor: ...
    def _coalesced_(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return what only a tensor of sparse coordinate tensor layout has."""
    def _indices(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return what only a tensor of sparse coordinate tensor layout has."""
    def _is_view(self) -> _bool:
        ...
    def _nnz(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return what only a tensor of sparse coordinate tensor layout has."""
    def _storage_moved(self) -> Tensor:
        """Look up the address of the first element again."""
    def _values(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return what only a tensor of sparse coordinate tensor layout has."""
    def abs(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the absolute value."""
    def abs_(self) -> Tensor:
        """In-place :func:`abs`."""
    def absolute(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the absolute value."""
    def absolute_(self) -> Tensor:
        """In-place :func:`abs`."""
    def acos(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse cosine in radians; nan outside [-1, 1]."""
    def acos_(self) -> Tensor:
        """In-place :func:`acos`."""
    def acosh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse hyperbolic cosine: y = ln(x + sqrt(x^2 - 1)); nan below 1."""
    def acosh_(self) -> Tensor:
        """In-place :func:`acosh`."""
    def add(self, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return input + alpha * other."""
    def add_(self, other: Tensor | _complex, *, alpha: Tensor | _complex = ...) -> Tensor:
        """In-place :func:`add`."""
    def addbmm(self, batch1: Tensor, batch2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Add the sum of a batch's products: y = beta input + alpha sum_i batch1[i] batch2[i]."""
    def addbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ...) -> Tensor:
        """In place: input = beta input + alpha sum_i batch1[i] batch2[i]; see :func:`addbmm`."""
    def addcdiv(self, tensor1: Tensor, tensor2: Tensor, *, value: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return input + value * tensor1 / tensor2 (floating point only)."""
    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: Tensor | _complex = ...) -> Tensor:
        """In-place :func:`addcdiv`."""
    def addcmul(self, tensor1: Tensor, tensor2: Tensor, *, value: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return input + value * tensor1 * tensor2."""
    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: Tensor | _complex = ...) -> Tensor:
        """In-place :func:`addcmul`."""
    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Add a product of matrices: y = beta input + alpha mat1 mat2."""
    def addmm_(self, mat1: Tensor, mat2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ...) -> Tensor:
        """In place: input = beta input + alpha mat1 mat2. See :func:`addmm`."""
    def addmv(self, mat: Tensor, vec: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Add a product of a matrix and a vector: y = beta input + alpha mat vec."""
    def addmv_(self, mat: Tensor, vec: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ...) -> Tensor:
        """In place: input = beta input + alpha mat vec. See :func:`addmv`."""
    def addr(self, vec1: Tensor, vec2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Add an outer product: y[i, j] = beta input[i, j] + alpha vec1_i vec2_j."""
    def addr_(self, vec1: Tensor, vec2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ...) -> Tensor:
        """In place: input[i, j] = beta input[i, j] + alpha vec1_i vec2_j. See :func:`addr`."""
    def adjoint(self) -> Tensor:
        """Return the last two dimensions exchanged, conjugated if complex."""
    def all(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return whether all elements are nonzero: _bool, but uint8 of uint8; true of nothing."""
    def allclose(self, other: Tensor | _complex, rtol: Any = ..., atol: Any = ..., equal_nan: _bool = ...) -> _bool:
        """Return True if all elements are close: see :func:`isclose`."""
    def amax(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the largest elements over ``dim``; a gradient is split evenly among equals. NaN is the largest."""
    def amin(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the smallest elements over ``dim``; a gradient is split evenly among equals. NaN wins."""
    def aminmax(self, *, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> return_types.aminmax:
        """Return the smallest and the largest element, of all or along one dimension."""
    def angle(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the phase of each element in (-pi, pi]; of real numbers 0, or pi below zero."""
    def any(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return whether some element is nonzero: _bool, but uint8 of uint8. NaN is nonzero."""
    def apply_(self, function: Any) -> Any:
        """Replace each element by ``function(element)``; slow, for experiments."""
    def arccos(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse cosine in radians; nan outside [-1, 1]."""
    def arccos_(self) -> Tensor:
        """In-place :func:`acos`."""
    def arccosh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse hyperbolic cosine: y = ln(x + sqrt(x^2 - 1)); nan below 1."""
    def arccosh_(self) -> Tensor:
        """In-place :func:`acosh`."""
    def arcsin(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse sine in radians; nan outside [-1, 1]."""
    def arcsin_(self) -> Tensor:
        """In-place :func:`asin`."""
    def arcsinh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse hyperbolic sine: y = ln(x + sqrt(x^2 + 1))."""
    def arcsinh_(self) -> Tensor:
        """In-place :func:`asinh`."""
    def arctan(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse tangent in radians, in [-pi / 2, pi / 2]."""
    def arctan2(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the angle in radians of the points (other, input), in (-pi, pi]."""
    def arctan2_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`atan2`."""
    def arctan_(self) -> Tensor:
        """In-place :func:`atan`."""
    def arctanh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse hyperbolic tangent: y = ln((1 + x) / (1 - x)) / 2; nan outside [-1, 1]."""
    def arctanh_(self) -> Tensor:
        """In-place :func:`atanh`."""
    def argmax(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the index of the largest element (the first of equals), in the flat tensor or along ``dim``."""
    def argmin(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the index of the smallest element (the first of equals), in the flat tensor or along ``dim``."""
    def argsort(self, dim: _int | Sequence[_int] | None = ..., descending: _bool = ..., stable: _bool = ..., *, axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return the indices that sort along ``dim``."""
    def argwhere(self) -> Tensor:
        """Return the coordinates of the elements that are not zero; see nonzero."""
    def as_strided(self, size: _int | Sequence[_int], stride: Any, storage_offset: Any = ...) -> Tensor:
        """Return a view of the storage with any size, stride and offset that stay inside it."""
    def as_strided_(self, size: _int | Sequence[_int], stride: Any, storage_offset: Any = ...) -> Tensor:
        """Lay the tensor itself out anew on its storage."""
    def as_strided_scatter(self, src: Tensor | _complex, size: _int | Sequence[_int], stride: Any, storage_offset: Any = ...) -> Tensor:
        """Return a copy of input with src written into the layout that ``as_strided`` gives it."""
    def asin(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse sine in radians; nan outside [-1, 1]."""
    def asin_(self) -> Tensor:
        """In-place :func:`asin`."""
    def asinh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse hyperbolic sine: y = ln(x + sqrt(x^2 + 1))."""
    def asinh_(self) -> Tensor:
        """In-place :func:`asinh`."""
    def atan(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse tangent in radians, in [-pi / 2, pi / 2]."""
    def atan2(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the angle in radians of the points (other, input), in (-pi, pi]."""
    def atan2_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`atan2`."""
    def atan_(self) -> Tensor:
        """In-place :func:`atan`."""
    def atanh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse hyperbolic tangent: y = ln((1 + x) / (1 - x)) / 2; nan outside [-1, 1]."""
    def atanh_(self) -> Tensor:
        """In-place :func:`atanh`."""
    def backward(self, gradient: Any = ..., retain_graph: Any = ..., create_graph: _bool = ..., inputs: Any = ...) -> None:
        """Add the gradients of this tensor to the ``.grad`` of the leaves that it came from."""
    def baddbmm(self, batch1: Tensor, batch2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Add products of matrices pairwise: y[i] = beta input[i] + alpha batch1[i] batch2[i]."""
    def baddbmm_(self, batch1: Tensor, batch2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ...) -> Tensor:
        """In place: input[i] = beta input[i] + alpha batch1[i] batch2[i]. See :func:`baddbmm`."""
    def bernoulli(self, p: Any | None = ..., *, generator: Generator | None = ..., out: Tensor | None = ...) -> Tensor:
        """Return 1 where u < input and 0 elsewhere, u uniform on [0, 1)."""
    def bernoulli_(self, p: Any | None = ..., *, generator: Generator | None = ...) -> Tensor:
        """Overwrite with 1 where u < p and 0 elsewhere, u uniform on [0, 1)."""
    def bfloat16(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as bfloat16: ``x.to(taeda.bfloat16)``; itself where it is so already."""
    def bincount(self, weights: Any = ..., minlength: Any = ...) -> Tensor:
        """Return how often each of 0, 1, 2, ... occurs in ``input``, or the sums of the ``weights`` there."""
    def bitwise_and(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input & other (integers and bool)."""
    def bitwise_and_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`bitwise_and`."""
    def bitwise_left_shift(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input << other; 0 for shifts beyond the width."""
    def bitwise_left_shift_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`bitwise_left_shift`."""
    def bitwise_not(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the bitwise complement; of bool the negation."""
    def bitwise_not_(self) -> Tensor:
        """In-place :func:`bitwise_not`."""
    def bitwise_or(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input | other (integers and bool)."""
    def bitwise_or_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`bitwise_or`."""
    def bitwise_right_shift(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input >> other, arithmetic for signed integers."""
    def bitwise_right_shift_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`bitwise_right_shift`."""
    def bitwise_xor(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input ^ other (integers and bool)."""
    def bitwise_xor_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`bitwise_xor`."""
    def bmm(self, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Multiply matrices pairwise: y[i] = input[i] mat2[i]."""
    def bool(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as bool: ``x.to(taeda.bool)``; itself where it is so already."""
    def broadcast_to(self, *sizes: Any, size: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return :func:`expand` to ``size``, one tuple or number by number."""
    def byte(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as uint8: ``x.to(taeda.uint8)``; itself where it is so already."""
    def cauchy_(self, median: Any = ..., sigma: Any = ..., *, generator: Generator | None = ...) -> Tensor:
        """Overwrite with values from the Cauchy distribution: y = median + sigma tan(pi (u - 1/2))."""
    def ccol_indices(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return where each column begins among the elements, and their number at the end."""
    def cdouble(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as complex128: ``x.to(taeda.complex128)``; itself where it is so already."""
    def ceil(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the smallest integer that is not below x."""
    def ceil_(self) -> Tensor:
        """In-place :func:`ceil`."""
    def cfloat(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as complex64: ``x.to(taeda.complex64)``; itself where it is so already."""
    def chalf(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as complex32: ``x.to(taeda.complex32)``; itself where it is so already."""
    def char(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as int8: ``x.to(taeda.int8)``; itself where it is so already."""
    def cholesky(self, upper: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
        """Factor positive-definite matrices; the former interface of :func:`taeda.linalg.cholesky`."""
    def cholesky_inverse(self, upper: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return the inverses of the matrices whose Cholesky factors are given: (L L^H)^-1, or (U^H U)^-1."""
    def cholesky_solve(self, L: Any, upper: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
        """Solve A X = B where A = L L^H (U^H U with ``upper``) is given by its Cholesky factor."""
    def chunk(self, chunks: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
        """Return at most ``chunks`` views of equal size along ``dim`` (the last may be smaller)."""
    def clamp(self, min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return min(max(x, ``min``), ``max``); the bounds are numbers or tensors, and one may be None."""
    def clamp_(self, min: Any = ..., max: Any = ...) -> Tensor:
        """In-place :func:`clamp`."""
    def clamp_max(self, max: Any, *, out: Tensor | None = ...) -> Tensor:
        """Return min(x, ``max``)."""
    def clamp_max_(self, max: Any) -> Tensor:
        """In-place :func:`clamp_max`."""
    def clamp_min(self, min: Any, *, out: Tensor | None = ...) -> Tensor:
        """Return max(x, ``min``)."""
    def clamp_min_(self, min: Any) -> Tensor:
        """In-place :func:`clamp_min`."""
    def clip(self, min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return min(max(x, ``min``), ``max``); the bounds are numbers or tensors, and one may be None."""
    def clip_(self, min: Any = ..., max: Any = ...) -> Tensor:
        """In-place :func:`clamp`."""
    def clone(self, *, memory_format: Any = ...) -> Tensor:
        """Return a copy that autograd sees; the order of dimensions in memory is kept."""
    def coalesce(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the sparse tensor with its indices sorted, each once; values at one place are added."""
    def col_indices(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the column of each element."""
    def conj(self) -> Tensor:
        """Return the complex conjugate; a real tensor is returned as it is."""
    def conj_physical(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the complex conjugate; the same as :func:`conj` here, where conjugates are computed at once."""
    def conj_physical_(self) -> Tensor:
        """In-place :func:`conj_physical`."""
    def const_data_ptr(self) -> Tensor:
        """Return the address of the first element."""
    def contiguous(self, memory_format: Any = ...) -> Tensor:
        """Return the tensor itself if its elements lie in row-major order without gaps, else a copy that does."""
    def copy_(self, src: Tensor | _complex, non_blocking: _bool = ...) -> Tensor:
        """Copy ``src``, broadcast and converted, into the tensor; autograd sends the gradient to ``src``."""
    def copysign(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the magnitude of input with the sign of other."""
    def copysign_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`copysign`."""
    def corrcoef(self) -> Tensor:
        """Return the matrix of Pearson's correlation coefficients of variables in rows: c_jk / sqrt(c_jj c_kk)."""
    def cos(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the cosine of x radians."""
    def cos_(self) -> Tensor:
        """In-place :func:`cos`."""
    def cosh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the hyperbolic cosine: y = (e^x + e^-x) / 2."""
    def cosh_(self) -> Tensor:
        """In-place :func:`cosh`."""
    def count_nonzero(self, dim: _int | Sequence[_int] | None = ..., *more: Any, axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return how many elements are nonzero, over all dimensions or those in ``dim``, a tuple or one by one."""
    def cov(self, *, correction: Any = ..., fweights: Any = ..., aweights: Any = ...) -> Tensor:
        """Return the covariance matrix of variables in rows, observations in columns."""
    def cpu(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the tensor on the CPU: itself where it is there."""
    def cross(self, other: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return the cross products along ``dim``, by default the first dimension of size 3; see ``taeda.linalg.cross``."""
    def crow_indices(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return where each row begins among the elements, and their number at the end."""
    def cuda(self, device: _device | str | _int | None = ..., non_blocking: _bool = ..., memory_format: Any = ...) -> Tensor:
        """Return the tensor on a GPU; RuntimeError where there is none."""
    def cummax(self, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.cummax:
        """Return (values, indices) of the largest element so far along ``dim``; of equals the last. NaN stays."""
    def cummin(self, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.cummin:
        """Return (values, indices) of the smallest element so far along ``dim``; of equals the last. NaN stays."""
    def cumprod(self, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return the running products along ``dim``: y_i = x_0 ... x_i."""
    def cumprod_(self, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """In-place :func:`cumprod`."""
    def cumsum(self, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return the running sums along ``dim``: y_i = x_0 + ... + x_i. Integers and bool are summed in int64."""
    def cumsum_(self, dim: _int | Sequence[_int] | None = ..., *, dtype: _dtype | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """In-place :func:`cumsum`."""
    def data_ptr(self) -> _int:
        """Return the address of the first element; 0 where there is none."""
    def deg2rad(self, *, out: Tensor | None = ...) -> Tensor:
        """Turn degrees into radians: input * pi / 180."""
    def deg2rad_(self) -> Tensor:
        """In-place :func:`deg2rad`."""
    def dense_dim(self) -> Tensor:
        """Return the number of dimensions."""
    def det(self) -> Tensor:
        """Return the determinants of square matrices; see ``taeda.linalg.det``."""
    def detach(self) -> Tensor:
        """Return the same memory without history; in-place writes still count for saved tensors."""
    def detach_(self) -> Tensor:
        """Cut the tensor off its history, in place: it becomes a leaf that does not require grad."""
    def diag(self, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return the matrix with a vector on its diagonal, or a copy of the diagonal of a matrix."""
    def diag_embed(self, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
        """Put the vectors along input's last dimension on the diagonals of zero matrices, in dimensions dim1 and dim2."""
    def diagflat(self, offset: Any = ...) -> Tensor:
        """Return the matrix with input's elements, read as a vector, on a diagonal."""
    def diagonal(self, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
        """Return a view of a diagonal of two dimensions, as the last dimension of the result."""
    def diagonal_scatter(self, src: Tensor | _complex, offset: Any = ..., dim1: Any = ..., dim2: Any = ...) -> Tensor:
        """Return input with src written over input.diagonal(offset, dim1, dim2)."""
    def diff(self, n: Any = ..., dim: _int | Sequence[_int] | None = ..., prepend: Any = ..., append: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return the n-th difference along ``dim``: y_i = x_(i+1) - x_i, n times; of bool, where neighbours differ."""
    def digamma(self, *, out: Tensor | None = ...) -> Tensor:
        """Return psi(x), the derivative of ln Gamma(x); -inf at 0, nan at the negative integers."""
    def digamma_(self) -> Tensor:
        """In-place :func:`digamma`."""
    def dim(self) -> _int:
        """Return the number of dimensions."""
    def dim_order(self, *, ambiguity_check: _bool | list[Any] = ...) -> tuple[_int, ...]:
        """Return the dimensions from the outermost to the innermost in memory."""
    def dist(self, other: Tensor | _complex, p: Any | None = ...) -> Tensor:
        """Return the p-norm of input - other."""
    def div(self, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
        """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
    def div_(self, other: Tensor | _complex, *, rounding_mode: Any = ...) -> Tensor:
        """In-place :func:`div`."""
    def divide(self, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
        """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
    def divide_(self, other: Tensor | _complex, *, rounding_mode: Any = ...) -> Tensor:
        """In-place :func:`div`."""
    def dot(self, tensor: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return the sum of the products of two vectors: y = sum_i input_i tensor_i."""
    def double(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as float64: ``x.to(taeda.float64)``; itself where it is so already."""
    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Split along the third dimension."""
    def eig(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: removed in favor of taeda.linalg.eig, which returns complex tensors."""
    def element_size(self) -> _int:
        """Return the bytes of one element."""
    def eq(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input == other."""
    def eq_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`eq`."""
    def equal(self, other: Tensor | _complex) -> _bool:
        """Return True if both tensors have the same shape and equal elements (NaN equals nothing)."""
    def erf(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the error function: y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    def erf_(self) -> Tensor:
        """In-place :func:`erf`."""
    def erfc(self, *, out: Tensor | None = ...) -> Tensor:
        """Return 1 - erf(x), exact where erf(x) is near 1."""
    def erfc_(self) -> Tensor:
        """In-place :func:`erfc`."""
    def erfinv(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverse of the error function: erf(y) = x; nan outside [-1, 1]."""
    def erfinv_(self) -> Tensor:
        """In-place :func:`erfinv`."""
    def exp(self, *, out: Tensor | None = ...) -> Tensor:
        """Return e raised to each element: y = e^x."""
    def exp2(self, *, out: Tensor | None = ...) -> Tensor:
        """Return 2 raised to each element: y = 2^x."""
    def exp2_(self) -> Tensor:
        """In-place :func:`exp2`."""
    def exp_(self) -> Tensor:
        """In-place :func:`exp`."""
    def expand(self, *sizes: Any, size: _int | Sequence[_int] | None = ..., implicit: _bool = ...) -> Tensor:
        """Return a view with dimensions of size 1 repeated; -1 keeps a size, new dimensions come in front."""
    def expand_as(self, other: Tensor | _complex) -> Tensor:
        """Return :func:`expand` to the shape of another tensor."""
    def expm1(self, *, out: Tensor | None = ...) -> Tensor:
        """Return e^x - 1, exact to the last places for small x."""
    def expm1_(self) -> Tensor:
        """In-place :func:`expm1`."""
    def exponential_(self, lambd: Any = ..., *, generator: Generator | None = ...) -> Tensor:
        """Overwrite with values from the exponential distribution: y = -log(1 - u) / lambd."""
    def fill_(self, value: Tensor | _complex) -> Tensor:
        """Set every element to ``value``, a number or a 0-d tensor."""
    def fill_diagonal_(self, fill_value: Tensor | _complex, wrap: _bool = ...) -> Tensor:
        """Write a number on the main diagonal, in place; with wrap, start anew below it in a tall matrix."""
    def fix(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the integer part, rounding towards zero."""
    def fix_(self) -> Tensor:
        """In-place :func:`trunc`."""
    def flatten(self, start_dim: Any = ..., end_dim: Any = ...) -> Tensor:
        """Merge the dimensions from ``start_dim`` to ``end_dim`` into one."""
    def flip(self, *order: Any, dims: Any | None = ...) -> Tensor:
        """Reverse input along dims: y[i] = input[n - 1 - i]. The result is a copy."""
    def fliplr(self) -> Tensor:
        """Reverse input along dimension 1."""
    def flipud(self) -> Tensor:
        """Reverse input along dimension 0."""
    def float(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as float32: ``x.to(taeda.float32)``; itself where it is so already."""
    def float_power(self, exponent: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input^exponent, computed in float64 (complex128) whatever the dtypes; see also ``pow``."""
    def float_power_(self, exponent: Tensor | _complex) -> Tensor:
        """In-place :func:`float_power`, of float64 and complex128."""
    def floor(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the largest integer that is not above x."""
    def floor_(self) -> Tensor:
        """In-place :func:`floor`."""
    def floor_divide(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return floor(input / other)."""
    def floor_divide_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`floor_divide`."""
    def fmax(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the larger of each pair; the number where one is nan."""
    def fmin(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the smaller of each pair; the number where one is nan."""
    def fmod(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the remainder with the sign of ``input`` (C's fmod)."""
    def fmod_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`fmod`."""
    def frac(self, *, out: Tensor | None = ...) -> Tensor:
        """Return x - trunc(x)."""
    def frac_(self) -> Tensor:
        """In-place :func:`frac`."""
    def frexp(self, *, out: Tensor | None = ...) -> return_types.frexp:
        """Return (mantissa, exponent) with input = mantissa * 2^exponent, 1/2 <= abs(mantissa) < 1, exponent of int32."""
    def gather(self, dim: _int | Sequence[_int], index: Any, *, sparse_grad: _bool = ..., out: Tensor | None = ...) -> Tensor:
        """Take from input along dim where index says: y[i, j] = input[index[i, j], j] for dim 0 of a matrix."""
    def gcd(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the greatest common divisor of each pair of integers; gcd(0, n) = abs(n)."""
    def gcd_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`gcd`."""
    def ge(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input >= other."""
    def ge_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`ge`."""
    def geometric_(self, p: Any, *, generator: Generator | None = ...) -> Tensor:
        """Overwrite with trials up to the first success: y = ceil(log(u) / log(1 - p))."""
    def geqrf(self, *, out: Tensor | None = ...) -> return_types.geqrf:
        """Return LAPACK's form of A = Q R: R and, below it, the reflectors whose product is Q; and their scales tau."""
    def ger(self, vec2: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return all products of two vectors; the former name of ``outer``."""
    def get_device(self) -> _int:
        """Return the GPU's number, -1 on the CPU."""
    def greater(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input > other."""
    def greater_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`gt`."""
    def greater_equal(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input >= other."""
    def greater_equal_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`ge`."""
    def gt(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input > other."""
    def gt_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`gt`."""
    def half(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as float16: ``x.to(taeda.float16)``; itself where it is so already."""
    def hardshrink(self, lambd: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return x where abs(x) > lambd, else 0."""
    def hash_tensor(self, dim: _int | Sequence[_int] | None = ..., *, keepdim: _bool = ..., mode: _int = ..., out: Tensor | None = ...) -> Tensor:
        """Return the exclusive or of the elements' bits, over all dimensions or those in ``dim``: uint64."""
    def heaviside(self, values: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return the unit step: 0 where input < 0, ``values`` where it is 0, 1 where input > 0 (0 where it is nan)."""
    def heaviside_(self, values: Tensor) -> Tensor:
        """In-place :func:`heaviside`."""
    def histc(self, bins: Any = ..., min: Any = ..., max: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return the counts of ``bins`` equal intervals from ``min`` to ``max``; both 0: of the data's range."""
    def histogram(self, bins: Any = ..., *, range: Any = ..., weight: Tensor | None = ..., density: _bool = ..., out: Tensor | None = ...) -> return_types.histogram:
        """Return (hist, bin_edges): how many elements, or the sum of their weights, fall into each bin."""
    def hsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Split along the second dimension (the first of a vector)."""
    def hypot(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return sqrt(input^2 + other^2) without overflow."""
    def hypot_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`hypot`."""
    def i0(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the modified Bessel function of the first kind of order 0."""
    def i0_(self) -> Tensor:
        """In-place :func:`i0`."""
    def igamma(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the regularised lower incomplete gamma function P(a, x) of a = ``input`` >= 0 and x = ``other`` >= 0."""
    def igamma_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`igamma`."""
    def igammac(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x), see :func:`igamma`."""
    def igammac_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`igammac`."""
    def index_add(self, dim: _int | Sequence[_int], index: Any, source: Tensor, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return input with rows of source added: y[index[i]] += alpha * source[i] for dim 0, in index's order."""
    def index_add_(self, dim: _int | Sequence[_int], index: Any, source: Tensor, *, alpha: Tensor | _complex = ...) -> Tensor:
        """Add alpha times the rows of source to the rows of input that index names, in place; see :func:`index_add`."""
    def index_copy(self, dim: _int | Sequence[_int], index: Any, source: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return input with rows replaced by those of source: y[index[i]] = source[i] for dim 0."""
    def index_copy_(self, dim: _int | Sequence[_int], index: Any, source: Tensor) -> Tensor:
        """Write the rows of source over the rows of input that index names, in place; see :func:`index_copy`."""
    def index_fill(self, dim: _int | Sequence[_int], index: Any, value: Tensor | _complex) -> Tensor:
        """Return input with the rows that index names filled with a number (or a 0-d tensor)."""
    def index_fill_(self, dim: _int | Sequence[_int], index: Any, value: Tensor | _complex) -> Tensor:
        """Fill the rows of input that index names with a number, in place; see :func:`index_fill`."""
    def index_put(self, indices: Tensor, values: Tensor, accumulate: _bool = ...) -> Tensor:
        """Return a copy of input with values written where the index tensors point; see index_put_."""
    def index_put_(self, indices: Tensor, values: Tensor, accumulate: _bool = ...) -> Tensor:
        """Write values into input where the tuple of index tensors points, in place: input[indices] = values."""
    def index_reduce(self, dim: _int | Sequence[_int], index: Any, source: Tensor, reduce: Any, *, include_self: _bool = ..., out: Tensor | None = ...) -> Tensor:
        """Reduce the rows of ``source`` into the rows of ``input`` that ``index`` names: y[index[i]] = reduce(y[index[i]], source[i])."""
    def index_reduce_(self, dim: _int | Sequence[_int], index: Any, source: Tensor, reduce: Any, *, include_self: _bool = ...) -> Tensor:
        """In-place :func:`index_reduce`."""
    def index_select(self, dim: _int | Sequence[_int], index: Any, *, out: Tensor | None = ...) -> Tensor:
        """Take the rows of input along dim that the vector index names: y[i] = input[index[i]] for dim 0."""
    def indices(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the indices (dimensions, elements) of a coalesced tensor."""
    def inner(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the dot products of the last dimensions: y[..., ;...] = sum_k input[..., k] other[..., k]."""
    def int(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as int32: ``x.to(taeda.int32)``; itself where it is so already."""
    def inverse(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the inverses of square matrices; see ``taeda.linalg.inv``."""
    def ipu(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: there is no such device; use device='cpu'."""
    def is_coalesced(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return whether the indices are sorted and each is there once."""
    def is_complex(self) -> _bool:
        """Whether the dtype is complex."""
    def is_conj(self) -> _bool:
        """Whether this is a lazy conjugate: never, conjugates are computed at once."""
    def is_contiguous(self, memory_format: Any = ...) -> _bool:
        """Whether elements lie in row-major (or ``memory_format=taeda.channels_last``) order without gaps."""
    def is_distributed(self) -> _bool:
        """Return False: no tensor is spread over several processes."""
    def is_floating_point(self) -> _bool:
        """Whether the dtype is a floating-point one."""
    def is_inference(self) -> _bool:
        """Whether the tensor was made in inference mode."""
    def is_neg(self) -> _bool:
        """Whether this is a lazy negative: never, signs are changed at once."""
    def is_nonzero(self) -> _bool:
        """Whether the only element is not zero; RuntimeError unless there is one."""
    def is_pinned(self, device: _device | str | _int | None = ...) -> _bool:
        """Whether the memory is pinned for a GPU: there is none."""
    def is_same_size(self, other: Tensor) -> _bool:
        """Whether the other tensor has the same shape."""
    def is_set_to(self, tensor: Tensor) -> _bool:
        """Whether both look at the same memory with the same layout."""
    def is_shared(self) -> _bool:
        """Whether the memory is one that processes share; see :meth:`share_memory_`."""
    def is_signed(self) -> _bool:
        """Whether the dtype has negative numbers."""
    def isclose(self, other: Tensor | _complex, rtol: Any = ..., atol: Any = ..., equal_nan: _bool = ...) -> Tensor:
        """Return where |input - other| <= atol + rtol |other|; infinities are close to themselves alone."""
    def isfinite(self) -> Tensor:
        """Return where x is finite."""
    def isinf(self) -> Tensor:
        """Return where x is infinite."""
    def isnan(self) -> Tensor:
        """Return where x is not a number."""
    def isneginf(self, *, out: Tensor | None = ...) -> Tensor:
        """Return where the elements are -inf."""
    def isposinf(self, *, out: Tensor | None = ...) -> Tensor:
        """Return where the elements are inf."""
    def isreal(self) -> Tensor:
        """Return where the elements have no imaginary part."""
    def istft(self, n_fft: Any, hop_length: Any = ..., win_length: Any = ..., window: Any = ..., center: _bool = ..., normalized: _bool = ..., onesided: Any = ..., length: Any = ..., return_complex: _bool = ...) -> Tensor:
        """Return the signal whose :func:`stft` the input is: frames are transformed back, windowed, added up, and divided by the sum of the squared windows (the least-squares estimate of Griffin and Lim, Signal estimation from modified short-time Fourier transform, 1984)."""
    def item(self) -> Any:
        """Return the only element as a Python number; RuntimeError where there is not exactly one."""
    def kron(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the Kronecker product: y[i p + k, j q + l] = input[i, j] other[k, l], other being (p, q); any rank."""
    def kthvalue(self, k: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.kthvalue:
        """Return (values, indices) of the k-th smallest element along ``dim``, counted from 1."""
    def lcm(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the least common multiple of each pair of integers, 0 where one is 0; overflow wraps."""
    def lcm_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`lcm`."""
    def ldexp(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input * 2^other; with integers in ``other`` nothing overflows on the way to the result."""
    def ldexp_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`ldexp`."""
    def le(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input <= other."""
    def le_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`le`."""
    def lerp(self, end: Any, weight: Tensor | _float, *, out: Tensor | None = ...) -> Tensor:
        """Return input + weight * (end - input), from the nearer end so that weights 0 and 1 are exact (as PyTorch, from ``end`` below -1/2)."""
    def lerp_(self, end: Any, weight: Tensor | _float) -> Tensor:
        """In-place :func:`lerp`."""
    def less(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input < other."""
    def less_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`lt`."""
    def less_equal(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input <= other."""
    def less_equal_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`le`."""
    def lgamma(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the logarithm of the absolute value of the gamma function; inf at its poles 0, -1, -2, ..."""
    def lgamma_(self) -> Tensor:
        """In-place :func:`lgamma`."""
    def log(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the natural logarithm; nan below zero, -inf at zero."""
    def log10(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the logarithm to base 10; nan below zero, -inf at zero."""
    def log10_(self) -> Tensor:
        """In-place :func:`log10`."""
    def log1p(self, *, out: Tensor | None = ...) -> Tensor:
        """Return ln(1 + x), exact to the last places for small x."""
    def log1p_(self) -> Tensor:
        """In-place :func:`log1p`."""
    def log2(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the logarithm to base 2; nan below zero, -inf at zero."""
    def log2_(self) -> Tensor:
        """In-place :func:`log2`."""
    def log_(self) -> Tensor:
        """In-place :func:`log`."""
    def log_normal_(self, mean: Any = ..., std: Any = ..., *, generator: Generator | None = ...) -> Tensor:
        """Overwrite with y = exp(mean + std z), z standard normal."""
    def log_softmax(self, dim: _int | Sequence[_int], dtype: _dtype | None = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return log(softmax(x)) along a dimension, as x - log sum exp(x), without rounding small values to zero."""
    def logaddexp(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return ln(e^input + e^other) without overflow."""
    def logaddexp2(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return log2(2^input + 2^other) without overflow."""
    def logcumsumexp(self, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return the running log-sum-exp along ``dim``: y_i = log(exp(x_0) + ... + exp(x_i)), safe from overflow."""
    def logdet(self) -> Tensor:
        """Return the logarithms of the determinants of square matrices: -inf for 0, nan where a real one is negative."""
    def logical_and(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where both are nonzero."""
    def logical_and_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`logical_and`."""
    def logical_not(self, *, out: Tensor | None = ...) -> Tensor:
        """Return where x is zero."""
    def logical_not_(self) -> Tensor:
        """In-place :func:`logical_not`."""
    def logical_or(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where either is nonzero."""
    def logical_or_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`logical_or`."""
    def logical_xor(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where just one is nonzero."""
    def logical_xor_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`logical_xor`."""
    def logit(self, eps: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return ln(x / (1 - x)), the inverse of the sigmoid; x is clamped to [eps, 1 - eps] if ``eps`` is given."""
    def logit_(self, eps: Any = ...) -> Tensor:
        """In-place :func:`logit`."""
    def logsumexp(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return log sum exp over ``dim``, safe from overflow: y = m + log sum_i exp(x_i - m), m = max_i x_i."""
    def long(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as int64: ``x.to(taeda.int64)``; itself where it is so already."""
    def lstsq(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: removed in favor of taeda.linalg.lstsq, whose arguments are the other way round."""
    def lt(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input < other."""
    def lt_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`lt`."""
    def lu(self, pivot: _bool = ..., get_infos: _bool = ..., out: Tensor | None = ...) -> Tensor:
        """Return packed LU factors and pivots (and infos); the former interface of :func:`taeda.linalg.lu_factor`."""
    def lu_solve(self, LU_data: Any, LU_pivots: Any, *, out: Tensor | None = ...) -> Tensor:
        """Solve A X = b where ``LU_data, LU_pivots`` are A's LU factors; the former order of :func:`taeda.linalg.lu_solve`."""
    def map2_(self, x: Tensor, y: Any, callable: Any) -> Tensor:
        """Replace each element by ``callable(element, x's, y's)``; slow, for experiments."""
    def map_(self, other: Tensor, function: Callable[..., Any]) -> Tensor:
        """Replace each element by ``function(element, other's element)``; slow, for experiments."""
    def masked_fill(self, mask: Tensor, value: Tensor | _complex) -> Tensor:
        """Return input with value where mask is true: y = mask ? value : input; mask broadcasts with input."""
    def masked_fill_(self, mask: Tensor, value: Tensor | _complex) -> Tensor:
        """Write value into input where mask, which broadcasts to input, is true, in place; see :func:`masked_fill`."""
    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """Return input with the elements of source, in row-major order, where mask is true; mask broadcasts."""
    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """Write the elements of source, in order, into input where mask is true, in place; see :func:`masked_scatter`."""
    def masked_select(self, mask: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return the elements of input where mask is true, as a vector in row-major order; the two broadcast."""
    def matmul(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Multiply tensors as matrices, by PyTorch's rules of rank: y = input @ other."""
    def matrix_exp(self) -> Tensor:
        """Return the exponentials of square matrices; see ``taeda.linalg.matrix_exp``."""
    def matrix_power(self, n: Any, *, out: Tensor | None = ...) -> Tensor:
        """Return the n-th powers of square matrices; see ``taeda.linalg.matrix_power``."""
    @overload
    def max(self) -> Tensor:
        """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
    @overload
    def max(self, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.max:
        """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
    @overload
    def max(self, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.max:
        """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
    @overload
    def max(self, other: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return the largest element; with ``dim``, (values, indices); of two tensors, the elementwise maximum."""
    def maximum(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the larger of each pair; nan where either is nan."""
    def mean(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the mean of the elements, over all dimensions or those in ``dim``: y = (1/n) sum_i x_i."""
    @overload
    def median(self) -> Tensor:
        """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
    @overload
    def median(self, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.median:
        """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
    @overload
    def median(self, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.median:
        """Return the median; with ``dim``, (values, indices). Of an even number the lower one; NaN if there is a NaN."""
    @overload
    def min(self) -> Tensor:
        """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
    @overload
    def min(self, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.min:
        """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
    @overload
    def min(self, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.min:
        """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
    @overload
    def min(self, other: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return the smallest element; with ``dim``, (values, indices); of two tensors, the elementwise minimum."""
    def minimum(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the smaller of each pair; nan where either is nan."""
    def mm(self, mat2: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Multiply two matrices: y = input mat2."""
    def mode(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.mode:
        """Return (values, indices) of the most frequent element along ``dim``: of several the smallest, at its last place."""
    def module_load(self, other: Tensor | _complex, assign: _bool = ...) -> Tensor:
        """Return what ``load_state_dict`` puts in this tensor's place: other with ``assign``, else this tensor with other's values."""
    def moveaxis(self, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
        """Return a view with dimensions moved to other places, the rest in order."""
    def movedim(self, source: _int | Sequence[_int], destination: _int | Sequence[_int]) -> Tensor:
        """Return a view with dimensions moved to other places, the rest in order."""
    def msort(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the values sorted along the first dimension."""
    def mtia(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: there is no such device; use device='cpu'."""
    def mul(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input * other, element by element."""
    def mul_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`mul`."""
    def multinomial(self, num_samples: Any, replacement: _bool = ..., *, generator: Generator | None = ..., out: Tensor | None = ...) -> Tensor:
        """Return indices drawn with the probabilities (any positive multiple of them) of each row."""
    def multiply(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input * other, element by element."""
    def multiply_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`mul`."""
    def mv(self, vec: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Multiply a matrix (n, k) by a vector (k): y = input vec."""
    def mvlgamma(self, p: Any, *, out: Tensor | None = ...) -> Tensor:
        """Return the logarithm of the multivariate gamma function of dimension p."""
    def mvlgamma_(self, p: Any) -> Tensor:
        """In-place :func:`mvlgamma`."""
    def nan_to_num(self, nan: Any = ..., posinf: Any = ..., neginf: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Replace nan by ``nan``, inf and -inf by ``posinf`` and ``neginf`` (by default the largest finite values)."""
    def nan_to_num_(self, nan: Any = ..., posinf: Any = ..., neginf: Any = ...) -> Tensor:
        """In-place :func:`nan_to_num`."""
    def nanmean(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the mean of the elements that are not NaN."""
    @overload
    def nanmedian(self) -> Tensor:
        """Return the median of what is not NaN; see :func:`median`."""
    @overload
    def nanmedian(self, dim: _int, keepdim: _bool = ..., *, out: Any = ...) -> return_types.nanmedian:
        """Return the median of what is not NaN; see :func:`median`."""
    @overload
    def nanmedian(self, *, dim: _int, keepdim: _bool = ..., out: Any = ...) -> return_types.nanmedian:
        """Return the median of what is not NaN; see :func:`median`."""
    def nanquantile(self, q: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, interpolation: str = ..., out: Tensor | None = ...) -> Tensor:
        """Return the q-quantiles of the elements that are not nan; see :func:`quantile`."""
    def nansum(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the sum of the elements that are not NaN: y = sum_i [x_i = x_i] x_i."""
    def narrow(self, dim: _int | Sequence[_int], start: Any, length: Any) -> Tensor:
        """Return a view of ``length`` indices of ``dim`` from ``start`` on."""
    def narrow_copy(self, *args: Any, out: Tensor | None = ..., **kwargs: Any) -> Tensor:
        """Return what :func:`narrow` of the same arguments shows, copied to memory of its own."""
    def ndimension(self) -> _int:
        """Return the number of dimensions."""
    def ne(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input != other."""
    def ne_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`ne`."""
    def neg(self, *, out: Tensor | None = ...) -> Tensor:
        """Return -x; integers wrap around."""
    def neg_(self) -> Tensor:
        """In-place :func:`neg`."""
    def negative(self, *, out: Tensor | None = ...) -> Tensor:
        """Return -x; integers wrap around."""
    def negative_(self) -> Tensor:
        """In-place :func:`neg`."""
    def nelement(self) -> _int:
        """Return the number of elements: the product of the sizes."""
    def new(self, *args: Any, size: _int | Sequence[_int] | None = ..., device: _device | str | _int | None = ...) -> Tensor:
        """Return a tensor of this dtype: empty, of the given sizes (not filled), with the given content, or on a storage's memory."""
    def new_empty(self, *size: _int | Sequence[_int], dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
        """Return a tensor of the given size with the dtype and device of ``input``; what it holds is undefined."""
    def new_empty_strided(self, size: _int | Sequence[_int], stride: Any, *, dtype: _dtype | None = ..., layout: Any = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., pin_memory: _bool = ...) -> Tensor:
        """Return a tensor of the given size and strides with the dtype and device of ``input``; what it holds is undefined."""
    def new_full(self, size: _int | Sequence[_int], fill_value: Tensor | _complex, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ...) -> Tensor:
        """Return one value in the given size with the dtype and device of ``input``."""
    def new_ones(self, *size: _int | Sequence[_int], dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
        """Return ones of the given size with the dtype and device of ``input``."""
    def new_tensor(self, data: Any, *, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ...) -> Tensor:
        """Return a copy of ``data`` (numbers, nested lists, an array, a tensor) with the dtype and device of ``input``."""
    def new_zeros(self, *size: _int | Sequence[_int], dtype: _dtype | None = ..., device: _device | str | _int | None = ..., requires_grad: _bool = ..., layout: Any = ..., pin_memory: _bool = ..., **named: Any) -> Tensor:
        """Return zeros of the given size with the dtype and device of ``input``."""
    def nextafter(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the next floating-point number after input in the direction of other."""
    def nextafter_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`nextafter`."""
    def nonzero(self, *, out: Tensor | None = ..., as_tuple: _bool = ...) -> Any:
        """Return the coordinates of the elements that are not zero, in row-major order: (n, input.dim()) int64."""
    def nonzero_static(self, *, size: _int | Sequence[_int], fill_value: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return the first ``size`` rows of :func:`nonzero`, filled up with rows of ``fill_value``: a shape that no data change."""
    def norm(self, p: Any | None = ..., dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., out: Tensor | None = ..., dtype: _dtype | None = ..., *, axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the p-norm of all elements, or over the dimensions in ``dim``."""
    def normal_(self, mean: Any = ..., std: Any = ..., *, generator: Generator | None = ...) -> Tensor:
        """Overwrite with values from the normal distribution (Box and Muller, 1958)."""
    def not_equal(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return where input != other."""
    def not_equal_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`ne`."""
    def numel(self) -> _int:
        """Return the number of elements: the product of the sizes."""
    def numpy(self, *, force: _bool = ...) -> Any:
        """Return a NumPy array on the same memory: writes to one show in the other."""
    def orgqr(self, tau: Any, *, out: Tensor | None = ...) -> Tensor:
        """Return Q from geqrf's reflectors; see :func:`taeda.linalg.householder_product`."""
    def ormqr(self, tau: Any, other: Tensor | _complex, left: _bool = ..., transpose: _bool = ..., *, out: Tensor | None = ...) -> Tensor:
        """Multiply by the square Q of geqrf's reflectors without making it: Q C, or C Q where ``left`` is False."""
    def outer(self, vec2: Tensor, *, out: Tensor | None = ...) -> Tensor:
        """Return all products of two vectors: y[i, j] = input_i vec2_j."""
    def permute(self, *order: Any, dims: Any | None = ...) -> Tensor:
        """Return a view with the dimensions in another order."""
    def pin_memory(self, device: _device | str | _int | None = ...) -> Tensor:
        """Return the tensor: without a GPU there is nothing to pin for."""
    def pinverse(self, rcond: Any = ...) -> Tensor:
        """Return the Moore-Penrose inverses; see ``taeda.linalg.pinv``."""
    def polygamma(self, n: Any) -> Tensor:
        """Return the n-th derivative of psi; see :func:`polygamma`."""
    def polygamma_(self, n: Any) -> Tensor:
        """In-place :func:`polygamma`."""
    def positive(self) -> Tensor:
        """Return input itself. Raises RuntimeError for bool."""
    def pow(self, exponent: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input raised to exponent; either may be a number."""
    def pow_(self, exponent: Tensor | _complex) -> Tensor:
        """In-place :func:`pow`."""
    def prelu(self, weight: Tensor) -> Tensor:
        """Return x where x > 0, else weight x, with one weight for all or one a channel (dimension 1)."""
    def prod(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the product of the elements, of all or along one dimension: y = prod_i x_i."""
    def put(self, index: Any, source: Tensor, accumulate: _bool = ...) -> Tensor:
        """Return a copy of input with source written where index says; see :func:`put_`."""
    def put_(self, index: Any, source: Tensor, accumulate: _bool = ...) -> Tensor:
        """Write source into input.reshape(-1) where index says, or add it with accumulate, in place."""
    def qr(self, some: _bool = ..., *, out: Tensor | None = ...) -> return_types.qr:
        """Return Q and R, reduced where ``some``; the former interface of :func:`taeda.linalg.qr`."""
    def quantile(self, q: Any, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, interpolation: str = ..., out: Tensor | None = ...) -> Tensor:
        """Return the q-quantiles of all elements, or of those along ``dim``; nan where there is a nan."""
    def rad2deg(self, *, out: Tensor | None = ...) -> Tensor:
        """Turn radians into degrees: input * 180 / pi."""
    def rad2deg_(self) -> Tensor:
        """In-place :func:`rad2deg`."""
    def random_(self, *args: Any, generator: Generator | None = ..., **kwargs: Any) -> Tensor:
        """Overwrite with integers: ``random_()``, ``random_(to)``, ``random_(from, to)``."""
    def ravel(self) -> Tensor:
        """Return the elements in one dimension, as a view where possible."""
    def reciprocal(self, *, out: Tensor | None = ...) -> Tensor:
        """Return 1 / x."""
    def reciprocal_(self) -> Tensor:
        """In-place :func:`reciprocal`."""
    def record_stream(self, stream: Any) -> Tensor:
        """Raise NotImplementedError: streams belong to a GPU's allocator."""
    def register_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call ``hook(grad)`` when the tensor's gradient is computed; what it returns, unless None, replaces the gradient."""
    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> Any:
        """Call ``hook(tensor)`` after the leaf's ``.grad`` was added to: an optimizer may step there and free the gradient."""
    def reinforce(self, reward: Any) -> Tensor:
        """Raise RuntimeError: removed; ``taeda.distributions`` has log_prob in its place."""
    def relu(self) -> Tensor:
        """Return max(x, 0)."""
    def relu_(self) -> Tensor:
        """In-place :func:`relu`."""
    def remainder(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the remainder with the sign of ``other`` (Python's ``%``)."""
    def remainder_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`remainder`."""
    def renorm(self, p: Any, dim: _int | Sequence[_int], maxnorm: Any, *, out: Tensor | None = ...) -> Tensor:
        """Scale down the slices along ``dim`` whose p-norm exceeds ``maxnorm``, to that norm."""
    def renorm_(self, p: Any, dim: _int | Sequence[_int], maxnorm: Any) -> Tensor:
        """In-place :func:`renorm`."""
    def repeat(self, *args: Any, repeats: Any | None = ...) -> Tensor:
        """Repeat the tensor repeats[d] times along dimension d; see :func:`repeat`."""
    def repeat_interleave(self, repeats: Any | None = ..., dim: _int | Sequence[_int] | None = ..., *, output_size: Any = ...) -> Tensor:
        """Repeat each element of input repeats times (a number, or a vector of one for each element) along dim."""
    def requires_grad_(self, requires_grad: _bool = ...) -> Tensor:
        """Set whether autograd follows the tensor, in place, and return it; RuntimeError for an integer dtype."""
    def reshape(self, *sizes: Any, shape: _int | Sequence[_int] | None = ...) -> Tensor:
        """Return a view of another shape where memory allows it, else a copy."""
    def reshape_as(self, other: Tensor | _complex) -> Tensor:
        """Return :func:`reshape` to the shape of another tensor."""
    def resize(self, *sizes: Any) -> Tensor:
        """Return the elements in another shape of the same size. Deprecated in PyTorch: use :func:`taeda.reshape`."""
    def resize_(self, *sizes: Any, size: _int | Sequence[_int] | None = ..., memory_format: Any = ...) -> Tensor:
        """Give the tensor another shape, in place; its storage grows when it must, new elements are undefined."""
    def resize_as(self, tensor: Tensor) -> Tensor:
        """Return the elements in the shape of another tensor of the same size."""
    def resize_as_(self, other: Tensor | _complex, *, memory_format: Any = ...) -> Tensor:
        """Give the tensor the shape of another, in place; with ``preserve_format`` its channels lie as the other's do. See :func:`resize_`."""
    def resize_as_sparse_(self, the_template: Any) -> Tensor:
        """Raise NotImplementedError: for sparse tensors alone."""
    def resolve_conj(self) -> Tensor:
        """Return the tensor: conjugates are never lazy here."""
    def resolve_neg(self) -> Tensor:
        """Return the tensor: negatives are never lazy here."""
    def retain_grad(self) -> None:
        """Keep this non-leaf tensor's gradient in ``.grad``."""
    def roll(self, shifts: Any, dims: Any | None = ...) -> Tensor:
        """Shift input along dims; what leaves at one end comes in at the other: y[(i + shift) % n] = input[i]."""
    def rot90(self, k: Any = ..., dims: Any | None = ...) -> Tensor:
        """Turn input by k quarters in the plane of dims, from the first towards the second."""
    def round(self, *, decimals: Any = ..., out: Tensor | None = ...) -> Tensor:
        """Round to the nearest integer, halves to the even one; ``decimals`` places if given."""
    def round_(self, *, decimals: Any = ...) -> Tensor:
        """In-place :func:`round`."""
    def row_indices(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the row of each element."""
    def rsqrt(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the reciprocal of the square root: y = x^(-1/2); inf at zero, nan below."""
    def rsqrt_(self) -> Tensor:
        """In-place :func:`rsqrt`."""
    def scatter(self, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex | None = ..., *, value: Tensor | _complex | None = ..., reduce: Any = ..., out: Tensor | None = ...) -> Tensor:
        """Return input with src written along dim where index says: y[index[i, j], j] = src[i, j] for dim 0."""
    def scatter_(self, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex | None = ..., *, value: Tensor | _complex | None = ..., reduce: Any = ...) -> Tensor:
        """Write src, or the number value, into input where index says, in place; see :func:`scatter`."""
    def scatter_add(self, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input with src added along dim where index says: y[index[i, j], j] += src[i, j] for dim 0."""
    def scatter_add_(self, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex) -> Tensor:
        """Add src to input where index says, in place; see :func:`scatter_add`."""
    def scatter_reduce(self, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, reduce: Any, *, include_self: _bool = ..., out: Tensor | None = ...) -> Tensor:
        """Return input with src reduced into it along dim where index says."""
    def scatter_reduce_(self, dim: _int | Sequence[_int], index: Any, src: Tensor | _complex, reduce: Any, *, include_self: _bool = ...) -> Tensor:
        """Reduce src into input where index says, in place; see :func:`scatter_reduce`."""
    def select(self, dim: _int | Sequence[_int], index: Any) -> Tensor:
        """Return a view of one index of dimension ``dim``, which goes away."""
    def select_scatter(self, src: Tensor | _complex, dim: _int | Sequence[_int], index: Any) -> Tensor:
        """Return input with src written over input.select(dim, index)."""
    def set_(self, source: Tensor | None = ..., storage_offset: Any = ..., size: _int | Sequence[_int] | None = ..., stride: Any = ...) -> Tensor:
        """Make the tensor look at another storage (or another tensor's), with an offset, size and stride."""
    def sgn(self, *, out: Tensor | None = ...) -> Tensor:
        """Return z / |z|, 0 at 0: the sign of a real tensor."""
    def sgn_(self) -> Tensor:
        """In-place :func:`sgn`."""
    def share_memory_(self) -> Tensor:
        """Move the tensor's storage into memory that processes share, and return the tensor."""
    def short(self, *, memory_format: Any = ...) -> Tensor:
        """Return the tensor as int16: ``x.to(taeda.int16)``; itself where it is so already."""
    def sigmoid(self, *, out: Tensor | None = ...) -> Tensor:
        """Return 1 / (1 + e^-x)."""
    def sigmoid_(self) -> Tensor:
        """In-place :func:`sigmoid`."""
    def sign(self, *, out: Tensor | None = ...) -> Tensor:
        """Return -1, 0 or 1 by the sign of x."""
    def sign_(self) -> Tensor:
        """In-place :func:`sign`."""
    def signbit(self, *, out: Tensor | None = ...) -> Tensor:
        """Return where the sign bit is set."""
    def sin(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the sine of x radians."""
    def sin_(self) -> Tensor:
        """In-place :func:`sin`."""
    def sinc(self, *, out: Tensor | None = ...) -> Tensor:
        """Return sin(pi x) / (pi x), 1 at 0 and exactly 0 at the other integers."""
    def sinc_(self) -> Tensor:
        """In-place :func:`sinc`."""
    def sinh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the hyperbolic sine: y = (e^x - e^-x) / 2."""
    def sinh_(self) -> Tensor:
        """In-place :func:`sinh`."""
    @overload
    def size(self, dim: None = ...) -> Size:
        """Return the shape, or the size of one dimension, which ``axis`` may name too."""
    @overload
    def size(self, dim: _int) -> _int:
        """Return the shape, or the size of one dimension, which ``axis`` may name too."""
    @overload
    def size(self, *, axis: _int) -> _int:
        """Return the shape, or the size of one dimension, which ``axis`` may name too."""
    def slice_inverse(self, src: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., start: Any = ..., end: Any = ..., step: Any = ...) -> Tensor:
        """Return the tensor of which ``input`` is a slice: a view of its storage laid out as ``src`` is."""
    def slice_scatter(self, src: Tensor | _complex, dim: _int | Sequence[_int] | None = ..., start: Any = ..., end: Any = ..., step: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return input with src written over input[start:end:step] of dimension dim."""
    def slogdet(self, *, out: Tensor | None = ...) -> return_types.slogdet:
        """Return sign and log|det| of square matrices; see ``taeda.linalg.slogdet``."""
    def smm(self, mat2: Tensor) -> Tensor:
        """Return the product of a sparse and a dense matrix as a sparse tensor."""
    def softmax(self, dim: _int | Sequence[_int], dtype: _dtype | None = ..., *, out: Tensor | None = ...) -> Tensor:
        """Return exponentials that add up to one along a dimension: y = exp(x) / sum exp(x)."""
    def solve(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: removed in favor of taeda.linalg.solve, whose arguments are the other way round and which returns no LU."""
    def sort(self, dim: _int | Sequence[_int] | None = ..., descending: _bool = ..., *, stable: _bool = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.sort:
        """Return (values, indices) sorted along ``dim``; equal elements keep their order, NaN comes last."""
    def sparse_dim(self) -> Tensor:
        """Return 0: no dimension is sparse."""
    def sparse_mask(self, mask: Tensor) -> Tensor:
        """Return the elements where the sparse tensor ``mask`` has some, as a tensor of its indices."""
    def sparse_resize_(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return this sparse tensor with other sizes and numbers of dimensions, changed in place."""
    def sparse_resize_and_clear_(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return this sparse tensor with other sizes and no elements, changed in place."""
    def split(self, split_size_or_sections: Any = ..., dim: _int | Sequence[_int] | None = ..., *, split_size: Any = ...) -> tuple[Tensor, ...]:
        """Return a tuple of views along ``dim``: pieces of one size (the last may be smaller), or of the given sizes."""
    def split_with_sizes(self, split_sizes: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
        """Return views of the given sizes along ``dim``."""
    def sqrt(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the square root; nan below zero."""
    def sqrt_(self) -> Tensor:
        """In-place :func:`sqrt`."""
    def square(self, *, out: Tensor | None = ...) -> Tensor:
        """Return x^2; bools count as int64."""
    def square_(self) -> Tensor:
        """In-place :func:`square`."""
    def squeeze(self, dim: _int | Sequence[_int] | None = ..., *more: Any) -> Tensor:
        """Return a view without its dimensions of size 1, or without the given ones, a tuple or one by one, if their size is 1."""
    def squeeze_(self, dim: _int | Sequence[_int] | None = ..., *more: Any) -> Tensor:
        """Take the dimensions of size 1 out of the tensor itself, or the given ones if their size is 1."""
    def sspaddmm(self, mat1: Tensor, mat2: Tensor, *, beta: Tensor | _complex = ..., alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return beta input + alpha (mat1 @ mat2), of a sparse input and mat1, as a sparse tensor."""
    def std(self, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the standard deviation, the square root of :func:`var`; its gradient at 0 is taken as 0."""
    def stft(self, n_fft: Any, hop_length: Any = ..., win_length: Any = ..., window: Any = ..., center: _bool = ..., pad_mode: str = ..., normalized: _bool = ..., onesided: Any = ..., return_complex: Any = ..., align_to_window: Any = ...) -> Tensor:
        """Return the transforms of overlapping, windowed frames: X[f, t] = sum_k w_k x[t hop + k] exp(-2 pi i f k / n_fft)."""
    def storage(self) -> Any:
        """Return the storage seen as elements of this dtype (``untyped_storage`` is the plain one)."""
    def storage_offset(self) -> _int:
        """Return the first element's place in the storage, in elements."""
    def storage_type(self) -> Tensor:
        """Return the class of ``storage()``: FloatStorage and the like."""
    @overload
    def stride(self, dim: None = ...) -> tuple[_int, ...]:
        """Return the strides in elements, or that of one dimension, which ``axis`` may name too."""
    @overload
    def stride(self, dim: _int) -> _int:
        """Return the strides in elements, or that of one dimension, which ``axis`` may name too."""
    @overload
    def stride(self, *, axis: _int) -> _int:
        """Return the strides in elements, or that of one dimension, which ``axis`` may name too."""
    def sub(self, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return input - alpha * other."""
    def sub_(self, other: Tensor | _complex, *, alpha: Tensor | _complex = ...) -> Tensor:
        """In-place :func:`sub`."""
    def subtract(self, other: Tensor | _complex, *, alpha: Tensor | _complex = ..., out: Tensor | None = ...) -> Tensor:
        """Return input - alpha * other."""
    def subtract_(self, other: Tensor | _complex, *, alpha: Tensor | _complex = ...) -> Tensor:
        """In-place :func:`sub`."""
    def sum(self, dim: _int | Sequence[_int] | None = ..., keepdim: _bool = ..., *, dtype: _dtype | None = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the sum of the elements, over all dimensions or those in ``dim``."""
    def sum_to_size(self, *sizes: Any, size: _int | Sequence[_int] | None = ...) -> Tensor:
        """Sum down to ``size``, which must broadcast to the input's shape: the adjoint of ``expand``."""
    def svd(self, some: _bool = ..., compute_uv: _bool = ..., *, out: Tensor | None = ...) -> return_types.svd:
        """Return U, S and V with A = U diag(S) V^H; the former interface of :func:`taeda.linalg.svd`, which returns V^H."""
    def swapaxes(self, dim0: Any, dim1: Any) -> Tensor:
        """Return a view with two dimensions exchanged."""
    def swapaxes_(self, dim0: Any, dim1: Any) -> Tensor:
        """Exchange two dimensions of the tensor itself; its memory stays as it is."""
    def swapdims(self, dim0: Any, dim1: Any) -> Tensor:
        """Return a view with two dimensions exchanged."""
    def swapdims_(self, dim0: Any, dim1: Any) -> Tensor:
        """Exchange two dimensions of the tensor itself; its memory stays as it is."""
    def symeig(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: removed in favor of taeda.linalg.eigh, which reads the lower triangle by default."""
    def t(self) -> Tensor:
        """Return the transpose of a matrix; a vector or scalar as it is."""
    def t_(self) -> Tensor:
        """Transpose a matrix itself; its memory stays as it is."""
    def take(self, index: Any, *, out: Tensor | None = ...) -> Tensor:
        """Return input.reshape(-1)[index], of index's shape."""
    def take_along_dim(self, indices: Tensor, dim: _int | Sequence[_int] | None = ..., *, out: Tensor | None = ...) -> Tensor:
        """Take from input along dim where indices says, both broadcast apart from dim; flat without dim."""
    def tan(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the tangent of x radians."""
    def tan_(self) -> Tensor:
        """In-place :func:`tan`."""
    def tanh(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the hyperbolic tangent."""
    def tanh_(self) -> Tensor:
        """In-place :func:`tanh`."""
    def tensor_split(self, indices_or_sections: Any = ..., dim: _int | Sequence[_int] | None = ..., *, indices: Tensor | None = ..., sections: Any = ...) -> tuple[Tensor, ...]:
        """Return views along ``dim``: so many of nearly equal size, or cut before the given indices."""
    def tile(self, *sizes: Any, dims: Any | None = ...) -> Tensor:
        """Repeat input as repeat does; dimensions without a number are kept."""
    def to(self, *args: Any, dtype: _dtype | None = ..., device: _device | str | _int | None = ..., non_blocking: _bool = ..., copy: _bool = ..., memory_format: Any = ..., other: Tensor | _complex | None = ...) -> Tensor:
        """Return the tensor in another dtype or on another device: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other)``."""
    def to_dense(self, dtype: _dtype | None = ..., *, masked_grad: Any = ...) -> Tensor:
        """Return the tensor, which is dense already, in ``dtype``."""
    def to_device(self, device: _device | str | _int, /, *, stream: Any = ...) -> Tensor:
        """Return the tensor on a device; itself if it is there. CPU tensors know no streams: ValueError for one."""
    def to_sparse(self, sparse_dim: Any = ..., *, layout: Any = ..., blocksize: Any = ..., dense_dim: Any = ...) -> Tensor:
        """Return the tensor in a sparse layout, its elements that are not zero."""
    def to_sparse_bsc(self, blocksize: Any, dense_dim: Any = ...) -> Tensor:
        """Return a matrix in compressed sparse column format of blocks."""
    def to_sparse_bsr(self, blocksize: Any, dense_dim: Any = ...) -> Tensor:
        """Return a matrix in compressed sparse row format of blocks: those that have an element other than zero."""
    def to_sparse_coo(self) -> Tensor:
        """Return the tensor in coordinate format."""
    def to_sparse_csc(self, dense_dim: Any = ...) -> Tensor:
        """Return a matrix in compressed sparse column format."""
    def to_sparse_csr(self, dense_dim: Any = ...) -> Tensor:
        """Return a matrix, or a batch of them, in compressed sparse row format; its elements have the last ``dense_dim`` dimensions."""
    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers (a number for a 0-d tensor)."""
    def topk(self, k: Any, dim: _int | Sequence[_int] | None = ..., largest: _bool = ..., sorted: _bool = ..., *, out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ...) -> return_types.topk:
        """Return (values, indices) of the k largest (or smallest) elements along ``dim``, in order; of equals PyTorch's."""
    def trace(self) -> Tensor:
        """Return the sum of the diagonal of a matrix: y = sum_i x_ii."""
    def transpose(self, dim0: Any, dim1: Any) -> Tensor:
        """Return a view with two dimensions exchanged."""
    def transpose_(self, dim0: Any, dim1: Any) -> Tensor:
        """Exchange two dimensions of the tensor itself; its memory stays as it is."""
    def triangular_solve(self, A: Any, upper: _bool = ..., transpose: _bool = ..., unitriangular: _bool = ..., *, out: Tensor | None = ...) -> return_types.triangular_solve:
        """Solve A X = b (A^T X = b with ``transpose``) where A is a triangle; return X and a copy of A."""
    def tril(self, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Keep the lower triangles of input's matrices: y[i, j] = input[i, j] where j - i <= diagonal, else 0."""
    def tril_(self, diagonal: Any = ...) -> Tensor:
        """Clear input above a diagonal, in place; see :func:`tril`."""
    def triu(self, diagonal: Any = ..., *, out: Tensor | None = ...) -> Tensor:
        """Keep the upper triangles of input's matrices: y[i, j] = input[i, j] where j - i >= diagonal, else 0."""
    def triu_(self, diagonal: Any = ...) -> Tensor:
        """Clear input below a diagonal, in place; see :func:`triu`."""
    def true_divide(self, other: Tensor | _complex, *, rounding_mode: Any = ..., out: Tensor | None = ...) -> Tensor:
        """Return input / other; ``rounding_mode`` "trunc" rounds towards zero, "floor" downwards."""
    def true_divide_(self, other: Tensor | _complex, *, rounding_mode: Any = ...) -> Tensor:
        """In-place :func:`div`."""
    def trunc(self, *, out: Tensor | None = ...) -> Tensor:
        """Return the integer part, rounding towards zero."""
    def trunc_(self) -> Tensor:
        """In-place :func:`trunc`."""
    def type(self, dtype: _dtype | None = ..., non_blocking: _bool = ..., **kwargs: Any) -> Any:
        """Return the legacy type name, or the tensor in another dtype, which a name, a legacy class or a dtype says."""
    def type_as(self, other: Tensor | _complex) -> Tensor:
        """Return the tensor in the dtype of another."""
    def unbind(self, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
        """Return a tuple of views, one for each index of ``dim``."""
    def unflatten(self, dim: _int | Sequence[_int], sizes: _int | Sequence[_int]) -> Tensor:
        """Split dimension ``dim`` into ``sizes`` (one may be -1)."""
    def unfold(self, dimension: Any, size: _int | Sequence[_int], step: Any) -> Tensor:
        """Return a view of all windows of ``size`` along a dimension, ``step`` apart, as a new last dimension."""
    def uniform_(self, *args: Any, generator: Generator | None = ..., **kwargs: Any) -> Tensor:
        """Overwrite with values from the uniform distribution on [from, to): y = u (to - from) + from."""
    def unique(self, sorted: _bool = ..., return_inverse: _bool = ..., return_counts: _bool = ..., dim: _int | Sequence[_int] | None = ...) -> Any:
        """Return the different values in ascending order, or the different slices along ``dim``."""
    def unique_consecutive(self, return_inverse: _bool = ..., return_counts: _bool = ..., dim: _int | Sequence[_int] | None = ...) -> Any:
        """Return the values, or slices along ``dim``, without those equal to the one before."""
    def unsafe_chunk(self, chunks: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
        """Return :func:`chunk` into pieces that are no views: see :func:`unsafe_split`."""
    def unsafe_split(self, split_size: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
        """Return :func:`split` into pieces that are no views."""
    def unsafe_split_with_sizes(self, split_sizes: Any, dim: _int | Sequence[_int] | None = ...) -> tuple[Tensor, ...]:
        """Return :func:`split_with_sizes` into pieces that are no views: see :func:`unsafe_split`."""
    def unsqueeze(self, dim: _int | Sequence[_int]) -> Tensor:
        """Return a view with a dimension of size 1 put in at ``dim``."""
    def unsqueeze_(self, dim: _int | Sequence[_int]) -> Tensor:
        """Put a dimension of size 1 into the tensor itself."""
    def untyped_storage(self) -> Any:
        """Return the storage, in bytes, that this tensor and its views share."""
    def values(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return the values of the elements, one for each index; of a COO tensor once it is coalesced."""
    def var(self, dim: _int | Sequence[_int] | None = ..., unbiased: Any = ..., keepdim: _bool = ..., *, correction: Any = ..., out: Tensor | None = ..., axis: _int | Sequence[_int] | None = ..., keepdims: _bool | None = ...) -> Tensor:
        """Return the variance over all dimensions or those in ``dim``."""
    def vdot(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return the dot product of two vectors, the first conjugated (which changes nothing for real ones)."""
    def view(self, *shape: _int | Sequence[_int], size: _int | Sequence[_int] | None = ..., dtype: _dtype | None = ...) -> Tensor:
        """Return the same memory under another shape (-1: worked out), or seen as another dtype."""
    def view_as(self, other: Tensor | _complex) -> Tensor:
        """Return :func:`view` with the shape of another tensor."""
    def vsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Split along the first dimension of at least two."""
    def where(self, condition: Tensor, other: Tensor | _complex) -> Tensor:
        """Return input where condition is true and other where it is not; see :func:`where`."""
    def xlogy(self, other: Tensor | _complex, *, out: Tensor | None = ...) -> Tensor:
        """Return input * ln(other), 0 where input is 0 and other is no nan."""
    def xlogy_(self, other: Tensor | _complex) -> Tensor:
        """In-place :func:`xlogy`."""
    def xpu(self, *args: Any, **kwargs: Any) -> Tensor:
        """Raise RuntimeError: there is no such device; use device='cpu'."""
    def zero_(self) -> Tensor:
        """Set every element to 0."""
def install_late(get: Any, put: Any, product: Any, text: Any) -> Any: ...
def install_methods(methods: Any) -> Any: ...
def number_over(other: Tensor | _complex, x: Tensor) -> Any: ...
def swapped(function: Any) -> Any: ...
def told(self: Any, *, tensor_contents: Any = ...) -> Any: ...
def warn_always(on: Any) -> Any: ...
