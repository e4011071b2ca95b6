# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A tensor's place in the graph of derivatives: whether autograd follows it, what made it, its gradient, hooks, views.

``TensorAutograd`` stands between TensorAttributes and TensorConversions and adds no field, as they add none.
"""
cimport cython

from taeda.autograd.engine cimport run
from taeda.autograd.node cimport grad_fn_of, stale
from taeda.dispatch cimport scalar_tensor
from taeda.dtype cimport differentiable, dtype_of, is_float, name_of
from taeda.operands cimport relaid
from taeda.tensor_base cimport SPARSE, alias, is_wrapper, refresh

import warnings
import weakref

from taeda import _spoken
from taeda.autograd.backward import backward
from taeda.autograd.hooks import Handle
from taeda.autograd.leaves import leaf_hook
from taeda.autograd.node import node_of
from taeda.dtype import dtype as dtype_class


cdef int fill_from(TensorBase t, TensorBase source) except -1:
    """Give a fresh tensor the memory and layout of another, without history."""
    cdef int d
    t.set_ndim(source.view.ndim)
    for d in range(source.view.ndim):
        t.view.shape[d], t.view.strides[d] = source.view.shape[d], source.view.strides[d]
    t.view.dtype, t.view.itemsize = source.view.dtype, source.view.itemsize
    t.storage, t.offset, t.device = source.storage, source.offset, source.device
    refresh(t)
    return 0


cdef dict extras(TensorBase t):
    if t.extra is None:
        t.extra = {}
    return t.extra


@cython.binding(False)                  # plain method descriptors: they check that self is a tensor
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
cdef class TensorAutograd(TensorAttributes):

    @property
    def requires_grad(self):
        """Whether autograd follows the tensor; only that of a leaf of a floating-point or complex dtype can be set (RuntimeError else).

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> x.requires_grad, (x * 2).requires_grad, x.detach().requires_grad
        (True, True, False)
        """
        return self.requires_grad_ or self.grad_fn_ is not None or stale(self)

    @requires_grad.setter
    def requires_grad(self, on):
        if not isinstance(on, bool):
            raise RuntimeError(f"[requires_grad] requires_grad must be a bool, got {on!r}")
        if grad_fn_of(self) is not None:
            raise RuntimeError("[requires_grad] you can only change requires_grad flags of leaf variables." + (
                "" if on else " If you want to use a computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."))
        if on and not differentiable(self.view.dtype):
            raise RuntimeError(f"[requires_grad] only Tensors of floating point and complex dtype can require gradients, got "
                               f"{name_of(self.view.dtype)}")
        if on and self.inference:
            raise RuntimeError("[requires_grad] Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        if on and not self.requires_grad_ and self.base is None:
            self.history += 1                       # views that there are require grad from now on, but lead nowhere
        self.requires_grad_ = on

    @property
    def is_leaf(self):
        """Whether no recorded operation made the tensor: only leaves that require grad get a ``.grad`` from :meth:`backward`.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> x.is_leaf, (x * 2).is_leaf
        (True, False)
        """
        return grad_fn_of(self) is None

    @property
    def grad_fn(self):
        """The node of the operation that made the tensor; None for a leaf.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> x.grad_fn, (x * 2).grad_fn.name()
        (None, 'MulBackward0')
        """
        return node_of(self)

    @property
    def grad(self):
        """The sum of the gradients that :meth:`backward` brought to this leaf; None until then, and again where it is set to None.

        What is assigned has the tensor's shape, dtype and device (RuntimeError else).

        >>> import taeda
        >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
        >>> (x ** 2).sum().backward()
        >>> x.grad
        tensor([2., 4.])
        """
        if self.grad_ is None and self.grad_fn_ is not None and not self.retains_grad_:
            warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                          "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for "
                          "a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.", UserWarning, stacklevel=1)
        return self.grad_

    @grad.setter
    def grad(self, value):
        cdef TensorBase g
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(f"[grad] assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
            g = <TensorBase>value
            if g is self:
                raise RuntimeError("[grad] can't assign Variable as its own grad")
            wanted = dtype_of(self.view.dtype) if self.extra is None else self.extra.get("grad_dtype", dtype_of(self.view.dtype))
            if wanted is not None and dtype_of(g.view.dtype) is not wanted:
                raise RuntimeError(f"[grad] attempting to assign a gradient with dtype {name_of(g.view.dtype)} to a tensor with grad_dtype "
                                   f"{wanted.name}: assigned grad has data of a different type; hint: set its grad_dtype")
            if g.device != self.device and (<object>g).device != (<object>self).device:
                raise RuntimeError(f"[grad] assigned grad is on {(<object>g).device}, the tensor on {(<object>self).device}")
            if g.shape_tuple() != self.shape_tuple():
                raise RuntimeError(f"[grad] attempting to assign a gradient of size '{list(g.shape)}' to a tensor of size "
                                   f"'{list(self.shape)}': assigned grad has data of a different size")
        self.grad_ = value

    @grad.deleter
    def grad(self):
        self.grad_ = None

    @property
    def _grad(self):
        # the gradient by its inner name, which does not warn
        return self.grad_

    @_grad.setter
    def _grad(self, value):
        TensorAutograd.grad.__set__(self, value)

    @_grad.deleter
    def _grad(self):
        self.grad_ = None

    @property
    def grad_dtype(self):
        """The dtype that a leaf's gradient is brought to; None: whatever comes."""
        if grad_fn_of(self) is not None:
            raise RuntimeError("[grad_dtype] grad_dtype can only be accessed on leaf tensors.")
        return dtype_of(self.view.dtype) if self.extra is None else self.extra.get("grad_dtype", dtype_of(self.view.dtype))

    @grad_dtype.setter
    def grad_dtype(self, value):
        if value is not None and not isinstance(value, dtype_class):
            raise RuntimeError(f"[grad_dtype] grad_dtype must be a taeda.dtype or None, but got {type(value).__name__}")
        if grad_fn_of(self) is not None:
            raise RuntimeError("[grad_dtype] grad_dtype can only be set on leaf tensors.")
        if value is not None and self.grad_ is not None and self.grad_.dtype is not value:
            raise RuntimeError(f"[grad_dtype] Cannot set grad_dtype to {value.name} because there is already a gradient with dtype "
                               f"{self.grad_.dtype.name}. Please clear the gradient (.grad = None) before changing grad_dtype.")
        extras(self)["grad_dtype"] = value

    @property
    def volatile(self):
        """Always False: no_grad took its place."""
        warnings.warn("volatile was removed (Variable.volatile is always False)", UserWarning, stacklevel=1)
        return False

    @volatile.setter
    def volatile(self, value):
        warnings.warn(_spoken.said("volatile was removed and now has no effect. Use `with taeda.no_grad():` instead."),
                      UserWarning, stacklevel=1)

    @property
    def data(self):
        """The same memory outside of autograd: writes through it are not seen by the version check.  ``detach`` is the safer way.

        >>> import taeda
        >>> w = taeda.ones(2, requires_grad=True)
        >>> w.data -= 0.5
        >>> w
        tensor([0.5000, 0.5000], requires_grad=True)
        """
        cdef TensorBase t
        if is_wrapper(self):
            return (<object>self).detach()
        t = alias(self)
        t.detached_version = True
        return t

    @data.setter
    def data(self, value):
        if not isinstance(value, TensorBase):
            raise TypeError(f"[data] Variable data has to be a tensor, but got {type(value).__name__}")
        if self.requires_grad_ and not differentiable((<TensorBase>value).view.dtype):
            raise RuntimeError(f"[data] data set to a tensor that requires gradients must be floating point or complex dtype, "
                               f"got {name_of((<TensorBase>value).view.dtype)}")
        if (self.device == SPARSE) != ((<TensorBase>value).device == SPARSE):
            raise RuntimeError("[data] Attempted to set .data of a tensor, but the two have incompatible tensor types: one of them is "
                               "sparse; "
                               "hint: to_dense() or to_sparse()")
        relaid(1)
        fill_from(self, <TensorBase>value)

    @property
    def _version(self):
        if self.inference:
            raise RuntimeError("[_version] Inference tensors do not track version counter.")
        return self.storage.version

    @property
    def _base(self):
        return self.base

    def _is_view(self):
        return self.base is not None

    @property
    def retains_grad(self):
        """Whether :meth:`retain_grad` was called on a tensor that is no leaf."""
        return self.retains_grad_

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add the gradients of this tensor to the ``.grad`` of the leaves that it came from.

        Args:
            gradient: the cotangent, of this tensor's shape; 1 for a scalar when absent.
            retain_graph: keep the graph for another pass (as ``create_graph``, unless said).
            create_graph: record the pass itself, for derivatives of higher order.
            inputs: the leaves that get a gradient; all when absent.

        Raises:
            RuntimeError: the tensor does not require grad, has several elements and no ``gradient``, or its graph was freed.

        >>> import taeda
        >>> x = taeda.tensor([1.0, 2.0], requires_grad=True)
        >>> (x ** 2).backward(taeda.tensor([1.0, 10.0]))
        >>> x.grad
        tensor([ 2., 40.])
        """
        cdef TensorBase g
        if gradient is None and inputs is None and self.view.numel == 1 and is_float(self.view.dtype) and not is_wrapper(self) and (
                grad_fn_of(self) is not None or self.requires_grad_):
            g = scalar_tensor(1, self.view.dtype, self.storage.device)
            if self.view.ndim:
                g = <TensorBase>(<object>g).reshape(self.shape_tuple())
            run([self], [g], create_graph if retain_graph is None else retain_graph, create_graph, None, True)
            return
        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def register_hook(self, hook):
        """Call ``hook(grad)`` when the tensor's gradient is computed; what it returns, unless None, replaces the gradient.

        The handle that is returned can ``remove()`` the hook.  RuntimeError for a tensor that does not require grad.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 10)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        """
        if not self.requires_grad:
            raise RuntimeError("[register_hook] cannot register a hook on a tensor that doesn't require gradient")
        fn = grad_fn_of(self)
        if fn is None:
            return leaf_hook(self, "hooks", hook)
        return Handle(fn._hooks().setdefault(("tensor", self.output_nr), {}), hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call ``hook(tensor)`` after the leaf's ``.grad`` was added to: an optimizer may step there and free the gradient.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
        >>> (3 * x).sum().backward()
        tensor([3., 3.])
        """
        if not self.requires_grad:
            raise RuntimeError("[register_post_accumulate_grad_hook] cannot register a hook on a tensor that doesn't require gradient")
        if grad_fn_of(self) is not None:
            raise RuntimeError("[register_post_accumulate_grad_hook] post accumulate grad hooks cannot be registered on non-leaf tensors")
        return leaf_hook(self, "post_accumulate_hooks", hook)

    def retain_grad(self):
        """Keep this non-leaf tensor's gradient in ``.grad``.

        >>> import taeda
        >>> x = taeda.ones(2, requires_grad=True)
        >>> y = x * 3
        >>> y.retain_grad()
        >>> (y ** 2).sum().backward()
        >>> y.grad
        tensor([6., 6.])
        """
        if not self.requires_grad:
            raise RuntimeError("[retain_grad] can't retain_grad on Tensor that has requires_grad=False")
        fn = grad_fn_of(self)
        if fn is not None and not self.retains_grad_:
            self.retains_grad_ = True
            fn._hooks()[("retain", self.output_nr)] = weakref.ref(self)

    @property
    def _backward_hooks(self):
        return None if self.extra is None else self.extra.get("hooks")

    @_backward_hooks.setter
    def _backward_hooks(self, hooks):
        extra = extras(self)
        extra.pop("hooks", None)
        if hooks is not None:
            for hook in hooks.values():
                self.register_hook(hook)


def output_nr(self):
    """Which output of its grad_fn this is."""
    return (<TensorBase>self).output_nr


def requires_grad_(self, requires_grad=True):
    """Set whether autograd follows the tensor, in place, and return it; RuntimeError for an integer dtype.

    >>> import taeda
    >>> taeda.ones(2).requires_grad_()
    tensor([1., 1.], requires_grad=True)
    """
    if not isinstance(requires_grad, bool):
        raise TypeError(f"[requires_grad_] argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
    if not isinstance(self, TensorBase):
        raise TypeError(f"[requires_grad_] the method of a Tensor was given {self!r} for one")
    if not requires_grad or grad_fn_of(self) is None:
        self.requires_grad = requires_grad
    return self


requires_grad_.__qualname__ = "Tensor.requires_grad_"
GRAPH_FIELDS = {"output_nr": property(output_nr), "requires_grad_": requires_grad_}      # what C fields of TensorBase have the names of
