# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The backward passes under way in a thread, as hooks and programs see them: what will run, and what is to be done at the end."""
from taeda.autograd.node cimport Node

from _thread import _local
from itertools import count as count_from

cdef extern from *:
    """
    static __thread int taeda_passes_under_way = 0;
    static int taeda_passes(int change) { return taeda_passes_under_way += change; }
    """
    int change_depth "taeda_passes"(int change) noexcept nogil

# .passes: those that hooks ask about, the innermost last; .callbacks: depth -> what waits for the end of that pass
threads = _local()


cdef int passes_under_way(int change) noexcept:
    return change_depth(change)


# -- what a pass will run, for hooks that wait for several gradients ---------------------------------------

cdef Py_ssize_t asking = 0               # hooks alive that ask
pass_ids = count_from(1)


cdef class Pass:
    """One backward pass, as a hook sees it."""

    cdef readonly object id
    cdef list targets
    cdef object needed
    cdef set reached

    @property
    def restricted(self):
        """Whether the pass was asked for the gradients of chosen inputs alone."""
        return self.needed is not None

    def will_run(self, target):
        """Whether a gradient may come to a node or leaf in this pass."""
        cdef list stack
        if self.reached is None:
            self.reached = set(self.targets)
            stack = [t for t in self.targets if isinstance(t, Node)]
            while stack:
                for e in (<Node>stack.pop()).edges:
                    if e is not None and e not in self.reached and (self.needed is None or e in self.needed):
                        self.reached.add(e)
                        if isinstance(e, Node):
                            stack.append(e)
        return target in self.reached


def ask(int change):
    """Say that there is one hook more (1) or less (-1) that needs :func:`current_pass`."""
    global asking
    asking += change


def current_pass():
    """Return the pass under way in this thread."""
    return threads.passes[len(threads.passes) - 1]


def current_id():
    """Return the number of the pass under way in this thread; None outside any.  Somebody must have asked (:func:`ask`)."""
    passes = getattr(threads, "passes", None)
    return passes[len(passes) - 1].id if passes else None


cdef int begin_pass(list targets, object needed) except -1:
    cdef Pass p = Pass.__new__(Pass)
    p.id, p.targets, p.needed = next(pass_ids), targets, needed
    if not hasattr(threads, "passes"):
        threads.passes = []
    threads.passes.append(p)
    return 1


cdef int end_pass() except -1:
    threads.passes.pop()
    return 0


# -- what a program wants done at the end of the pass --------------------------------------------------------

cdef Py_ssize_t queued = 0               # callbacks that wait, in all threads


def queue_callback(callback):
    """Call ``callback()`` once the backward pass that is under way in this thread is done; RuntimeError if there is none."""
    global queued
    cdef int depth = change_depth(0)
    if depth == 0:
        raise RuntimeError("[queue_callback] Final callbacks can only be installed during backward pass; call it from a hook or a backward")
    if not callable(callback):
        raise TypeError(f"[queue_callback] expected a function, got {type(callback).__name__}")
    if not hasattr(threads, "callbacks"):
        threads.callbacks = {}
    threads.callbacks.setdefault(depth, []).append(callback)
    queued += 1


cdef int run_callbacks(int depth, bint wanted) except -1:
    """Run those of the pass at this depth, also what they queue; of a pass that failed they are forgotten."""
    global queued
    cdef list waiting
    while True:
        waiting = getattr(threads, "callbacks", {}).pop(depth, None)
        if waiting is None:
            return 0
        queued -= len(waiting)
        for callback in waiting:
            if wanted:
                callback()
