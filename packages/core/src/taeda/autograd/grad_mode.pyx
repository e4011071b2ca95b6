# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Grad modes, one flag a thread: no_grad, enable_grad, set_grad_enabled, inference_mode."""
import functools
import warnings

cdef extern from *:
    """
    static __thread int taeda_grad_mode = 1;
    static __thread int taeda_inference_mode = 0;
    /* How many threads have each flag set otherwise: while none has, nobody looks at its own, which costs a call. */
    static int taeda_without_grad = 0, taeda_inferring = 0;
    static int taeda_get_grad(void) { return !taeda_without_grad || taeda_grad_mode; }
    static int taeda_get_inference(void) { return taeda_inferring && taeda_inference_mode; }
    static int taeda_set_grad(int on) {
        int was = taeda_grad_mode;
        on = on != 0;
        if (on != was) __atomic_fetch_add(&taeda_without_grad, on ? -1 : 1, __ATOMIC_SEQ_CST);
        taeda_grad_mode = on;
        return was;
    }
    static int taeda_set_inference(int on) {
        int was = taeda_inference_mode;
        on = on != 0;
        if (on != was) __atomic_fetch_add(&taeda_inferring, on ? 1 : -1, __ATOMIC_SEQ_CST);
        taeda_inference_mode = on;
        return was;
    }
    """
    int get_grad "taeda_get_grad"() noexcept nogil
    int get_inference "taeda_get_inference"() noexcept nogil
    int put_grad "taeda_set_grad"(int on) noexcept nogil
    int put_inference "taeda_set_inference"(int on) noexcept nogil


cdef bint grad_enabled() noexcept nogil:
    return get_grad() and not get_inference()

cdef bint inference_enabled() noexcept nogil:
    return get_inference()

cdef bint set_grad(bint on) noexcept nogil:
    return put_grad(on)


def is_grad_enabled():
    """Whether operations are being recorded in this thread.

    >>> import taeda
    >>> with taeda.no_grad():
    ...     taeda.is_grad_enabled()
    False
    """
    return get_grad() != 0


def is_inference_mode_enabled():
    """Whether inference mode is on in this thread.

    >>> import taeda
    >>> with taeda.inference_mode():
    ...     taeda.is_inference_mode_enabled()
    True
    """
    return get_inference() != 0


def _set_grad_enabled(bint on):
    return put_grad(on)


GENERATOR = 0x20                        # inspect.CO_GENERATOR; importing inspect costs 4 ms


class _Mode:
    """A context manager that also decorates functions, generators and coroutines."""

    def __call__(self, function):
        if isinstance(function, type):
            warnings.warn("Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions or "
                          "methods: decorate __init__ and nothing else to keep what this does.", FutureWarning, stacklevel=1)
            function.__init__ = self(function.__init__)
            return function
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & GENERATOR:
            @functools.wraps(function)
            def generator(*args, **kwargs):
                # the mode holds while the generator's own code runs, not while its caller's does
                running = function(*args, **kwargs)
                sent, failure = None, None
                while True:
                    try:
                        with self.clone():
                            value = running.throw(failure) if failure is not None else running.send(sent)
                    except StopIteration as stop:
                        return stop.value
                    failure = None
                    try:
                        sent = yield value
                    except GeneratorExit:
                        with self.clone():
                            running.close()
                        raise
                    except BaseException as error:
                        sent, failure = None, error
            return generator

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with self.clone():
                return function(*args, **kwargs)
        return wrapped

    def clone(self):
        """Return another such mode, to be entered for itself."""
        return type(self)()


class no_grad(_Mode):
    """Record nothing: results do not require grad.

    >>> import taeda
    >>> x = taeda.ones(2, requires_grad=True)
    >>> with taeda.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function=None):
        mode = object.__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self):
        self.was = put_grad(0)

    def __exit__(self, *error):
        put_grad(self.was)


class enable_grad(_Mode):
    """Record again inside a ``no_grad`` block; also a decorator of functions.

    >>> import taeda
    >>> x = taeda.ones(2, requires_grad=True)
    >>> with taeda.no_grad():
    ...     with taeda.enable_grad():
    ...         y = x * 2
    >>> y.requires_grad
    True
    """

    def __new__(cls, function=None):
        mode = object.__new__(cls)
        return mode if function is None else mode(function)

    def __enter__(self):
        self.was = put_grad(1)

    def __exit__(self, *error):
        put_grad(self.was)


class set_grad_enabled(_Mode):
    """Turn recording on or off: at once when called, and back at the end of a ``with`` block.  TypeError for what is no bool.

    >>> import taeda
    >>> x, training = taeda.ones(2, requires_grad=True), False
    >>> with taeda.set_grad_enabled(training):
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(f"[set_grad_enabled] mode must be bool, not {type(mode).__name__}")
        self.mode = mode
        self.was = put_grad(mode)

    def __repr__(self):
        return f"taeda.autograd.grad_mode.set_grad_enabled(mode={self.mode})"

    def __call__(self, function):
        put_grad(self.was)                # as a decorator it acts in the calls alone
        return super().__call__(function)

    def __enter__(self):
        put_grad(self.mode)

    def __exit__(self, *error):
        put_grad(self.was)

    def clone(self):
        return type(self)(self.mode)


class inference_mode(_Mode):
    """As ``no_grad``, and tensors made inside can never be part of a graph later; also a decorator of functions.

    >>> import taeda
    >>> w = taeda.ones(2, requires_grad=True)
    >>> with taeda.inference_mode():
    ...     y = w * 2
    >>> y.requires_grad, y.is_inference()
    (False, True)
    """

    def __new__(cls, mode=True):
        made = object.__new__(cls)
        if callable(mode):
            made.mode = True
            return made(mode)
        made.mode = bool(mode)
        return made

    def __enter__(self):
        self.was = put_grad(not self.mode and get_grad()), put_inference(self.mode)

    def __exit__(self, *error):
        put_grad(self.was[0])
        put_inference(self.was[1])

    def clone(self):
        return type(self)(self.mode)


switches = {"multithreading": True, "view replay": False, "grad layout": True}


class _Switch(_Mode):
    """A switch that PyTorch has and that changes nothing here: it is remembered, and set back at the end of a block."""

    what = ""

    def __init__(self, mode):
        self.mode = bool(mode)
        self.was = switches[self.what]
        switches[self.what] = self.mode

    def __call__(self, function):
        switches[self.what] = self.was
        return super().__call__(function)

    def __enter__(self):
        switches[self.what] = self.mode

    def __exit__(self, *error):
        switches[self.what] = self.was

    def clone(self):
        return type(self)(self.mode)


class set_multithreading_enabled(_Switch):
    """Accepted: a backward pass runs in the thread that calls it, and its kernels on the threads of ``set_num_threads``."""

    what = "multithreading"


class _force_original_view_tracking(_Switch):
    """Accepted: the history of a view is always made anew from its layout."""

    what = "view replay"


class enforce_grad_layout_policy(_Switch):
    """Accepted: a new ``.grad`` always has the layout of its leaf."""

    what = "grad layout"

    def __init__(self, enable=True):
        super().__init__(enable)


def is_multithreading_enabled():
    """What ``set_multithreading_enabled`` was last set to."""
    return switches["multithreading"]


def is_view_replay_enabled():
    return switches["view replay"]
