# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Saved tensors: what a node keeps for its vjp, and the user's hooks that pack and unpack it.

A node of an op keeps plain tensors and their versions in itself.  A ``SavedTensor`` stands in their place where pack
hooks are at work, and always in a user-written Function, which may save any number.  It never refers to the node that
owns it: no cycle, so the graph is freed by counting.
"""
from taeda.autograd.grad_mode cimport grad_enabled, set_grad
from taeda.tensor_base cimport alias, twin

from _thread import _local

from taeda import _above
from taeda.autograd.anomaly_mode import last_write


cdef int packing = 0
threads = _local()                      # .stack: list of (pack, unpack); .refusal: text of disable_saved_tensors_hooks


def push_hooks(pack, unpack):
    """Pack what this thread saves from now on."""
    global packing
    refusal = getattr(threads, "refusal", None)
    if refusal is not None:
        raise RuntimeError(refusal)
    if not hasattr(threads, "stack"):
        threads.stack = []
    threads.stack.append((pack, unpack))
    packing += 1


def pop_hooks():
    """Undo the last :func:`push_hooks` of this thread."""
    global packing
    threads.stack.pop()
    packing -= 1


def refuse_hooks(text):
    """Raise RuntimeError with this text where saved-tensor hooks are pushed; None allows them. Returns what was set."""
    before = getattr(threads, "refusal", None)
    if text is not None and getattr(threads, "stack", None):
        raise RuntimeError(text)
    threads.refusal = text
    return before


cdef object hooks_on_top():
    stack = getattr(threads, "stack", None)
    return stack[len(stack) - 1] if stack else None


cdef object freed(object node):
    return RuntimeError(
        f"[{node.name()}] Trying to backward through the graph a second time (or directly access saved "
        "tensors after they have already been freed). Saved intermediate values of the graph are freed when "
        "you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward through "
        "the graph a second time or if you need to access saved tensors after calling backward. Hint: detach() what is "
        "kept from one iteration for the next, such as a hidden state.")


class ChangedInPlace(RuntimeError):
    """What a node saved has been written over."""


ChangedInPlace.__name__ = ChangedInPlace.__qualname__ = "RuntimeError"         # what users see, as of PyTorch


cdef int check_version(object node, TensorBase t, int64_t version) except -1:
    if t.storage.version == version or t.detached_version:
        return 0
    stepped = t.requires_grad_ and t.grad_fn_ is None and t.output_nr >= 0         # a leaf
    own = f", which is output {-1 - t.output_nr} of {node.name()}," if t.output_nr < 0 else ""
    raise ChangedInPlace(
        f"[{node.name()}] one of the variables needed for gradient computation has been modified by an "
        f"inplace operation: a tensor of shape {tuple(t.shape_tuple())}{own} is at version {t.storage.version}; "
        f"expected version {version} instead; hint: clone it before the in-place operation, or use "
        f"the out-of-place form{', and call backward before an optimizer steps' if stepped else ''}{last_write(t.storage)}")


cdef TensorBase in_graph(TensorBase t, object node, int nr):
    """A saved tensor as output ``nr`` of a node again, where the graph is recorded."""
    return as_output(t, node, nr) if grad_enabled() else t


cdef TensorBase as_output(TensorBase t, object node, int nr):
    """A saved tensor as output ``nr`` of a node: a user's backward may ask whether it requires grad, recorded or not."""
    cdef TensorBase a = twin(t)
    a.grad_fn_, a.output_nr, a.requires_grad_ = node, nr, True
    if t.extra is not None and "tangent" in t.extra:
        a.extra = {"forward_base": t}
    return a


cdef SavedTensor keep(TensorBase t, int own, object hooks):
    """Save t, output ``own`` of the node (or -1), through ``hooks`` if there are any."""
    cdef SavedTensor s = SavedTensor.__new__(SavedTensor)
    s.version, s.own = t.storage.version, own
    s.tensor = t
    if own >= 0:
        s.tensor = twin(t)
        s.tensor.output_nr = -1 - own
    if hooks is not None:
        set_hooks(s, hooks)
    return s


cdef SavedTensor forgotten():
    cdef SavedTensor s = SavedTensor.__new__(SavedTensor)
    s.let_go()
    return s


cdef int set_hooks(SavedTensor s, object hooks) except -1:
    cdef TensorBase t = s.tensor
    cdef bint was = set_grad(False)
    s.requires_grad = (<object>t).requires_grad and s.own < 0
    if s.requires_grad:
        s.grad_fn, s.output_nr = (<object>t).grad_fn, t.output_nr
        if s.grad_fn is None:
            s.grad_fn = _above.leaf_edge(t)
    version = t.storage.version
    try:
        s.pack, s.unpack_hook = hooks
        s.packed = s.pack(t if s.own < 0 else alias(t))
    finally:
        set_grad(was)
    if t.storage.version != version:
        raise RuntimeError("[saved_tensors_hooks] A saved tensor pack hook is modifying its input in place. Tensors provided as input "
                           "to pack hook can not be modified by in-place operations as this can lead to unexpected side-effects; "
                           "clone it first")
    s.tensor = None
    return 0


cdef class SavedTensor:
    """A tensor as a node saved it (``grad_fn._raw_saved_self``); ``register_hooks`` says how it is stored."""

    def register_hooks(self, pack_hook, unpack_hook):
        """Store ``pack_hook(tensor)`` in place of the tensor, and use ``unpack_hook`` of that in backward."""
        if self.released:
            raise RuntimeError("[register_hooks] Calling register_hooks on a saved tensor after it has been freed. Saved intermediate "
                               "values of the graph are freed when you call .backward() or autograd.grad(). Specify "
                               "retain_graph=True if you need to backward through the graph a second time.")
        if self.unpack_hook is not None:
            raise RuntimeError("[register_hooks] Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only "
                               "one pair of hooks is allowed at a time.")
        if self.tensor is None:
            raise RuntimeError("[register_hooks] Calling register_hooks on a saved tensor with value None is forbidden")
        for hook in (pack_hook, unpack_hook):
            if not callable(hook):
                raise TypeError(f"[register_hooks] a hook must be callable, got {type(hook).__name__}")
        set_hooks(self, (pack_hook, unpack_hook))

    @property
    def data(self):
        """What the pack hook returned, or the tensor itself."""
        return self.tensor if self.unpack_hook is None else self.packed

    @property
    def unpack_function(self):
        """The unpack hook, or None."""
        return self.unpack_hook

    def unpack(self, node):
        """Return the tensor as it was saved, its version checked."""
        return self.load(node)

    cdef int let_go(self) except -1:
        self.released = True
        self.tensor, self.packed, self.grad_fn = None, None, None
        return 0

    cdef TensorBase load(self, object node):
        cdef TensorBase t
        cdef bint was
        if self.released:
            raise freed(node)
        if self.unpack_hook is None:
            t = self.tensor
            check_version(node, t, self.version)
            return as_output(t, node, self.own) if self.own >= 0 else t
        was = set_grad(False)
        try:
            found = self.unpack_hook(self.packed)
        finally:
            set_grad(was)
        if not isinstance(found, TensorBase):
            raise TypeError(f"[saved_tensors_hooks] Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                            f"{type(found).__name__}")
        t = <TensorBase>found
        if self.own >= 0:
            return as_output(t, node, self.own)
        return as_output(t, self.grad_fn, self.output_nr) if self.requires_grad else t
