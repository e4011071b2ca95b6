# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Generator: the state of a stream of random numbers, exchangeable with PyTorch's CPU generator.

The stream is the Mersenne Twister of kernels/cpu/random.h.  ``get_state`` writes PyTorch's 5056 bytes, so a
state saved by one library continues in the other.  One generator may be read by many threads: a reader holds
its lock.  A child after a fork makes new locks, since the thread that held an old one does not exist there.
"""
cimport cython
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from taeda.dispatch cimport empty_shape
from taeda.kernels.cpu.abi cimport U8
from taeda.tensor_base cimport CPU, TensorBase

import os

from taeda import device as devices

cdef extern from "pythread.h" nogil:
    void* PyThread_allocate_lock()
    void PyThread_free_lock(void* lock)
    int PyThread_acquire_lock(void* lock, int wait)
    void PyThread_release_lock(void* lock)

DEFAULT_SEED = 67280421310721

cdef enum:
    STATE_BYTES = 5056

# PyTorch's state as it lies in memory: the words of the engine are stored as 64-bit integers.
cdef struct State:
    uint64_t seed
    int32_t left
    int32_t seeded
    uint64_t next
    uint64_t words[624]
    double normal_x
    double normal
    double normal_rho
    int32_t has_normal
    int32_t pad
    float normal_f32
    uint8_t has_normal_f32
    uint8_t pad2[3]

cdef int64_t forks = 0


def _forked():
    global forks
    forks += 1


os.register_at_fork(after_in_child=_forked)


@cython.binding(False)                  # plain method descriptors: they check that self is a Generator
@cython.embedsignature(True)            # and say what they take
@cython.embedsignature.format("clinic")
cdef class Generator:
    """A stream of random numbers with a state of its own.

    A new generator has PyTorch's default seed, 67280421310721; the default generator, which functions use when
    they are given none, starts from a seed that the system draws.

    >>> import taeda
    >>> g = taeda.Generator().manual_seed(0)
    >>> taeda.rand(2, generator=g)
    tensor([0.4963, 0.7682])

    Args:
        device: only the CPU has generators so far.

    Raises:
        RuntimeError: for another device.
    """

    def __cinit__(self, device="cpu"):
        code = CPU if device is None else devices.code_of(device, "Generator")
        if code != CPU:
            raise RuntimeError(f"[Generator] device {device} has no random numbers; use device='cpu'")
        mt_seed(&self.mt, DEFAULT_SEED)

    def __dealloc__(self):
        if self.lock != NULL:
            PyThread_free_lock(self.lock)

    cdef int acquire(self) except -1:
        cdef void* lock = self.lock
        if lock == NULL or self.epoch != forks:
            lock = PyThread_allocate_lock()            # of a fork's parent: left to it, it may be held
            if lock == NULL:
                raise MemoryError("[Generator] the system has no more locks")
            self.lock = lock
            self.epoch = forks
        if not PyThread_acquire_lock(lock, 0):
            with nogil:
                PyThread_acquire_lock(lock, 1)
        return 0

    cdef void release(self) noexcept:
        PyThread_release_lock(self.lock)

    @property
    def device(self):
        """The device whose tensors this generator fills."""
        return devices.CPU

    def manual_seed(self, seed):
        """Start the stream of ``seed`` and return self.

        Args:
            seed: an int in [-2^63, 2^64); a negative one counts from 2^64.

        Raises:
            RuntimeError: where it is no int.  ValueError: where it is out of range.

        >>> import taeda
        >>> taeda.Generator().manual_seed(-1).initial_seed()
        18446744073709551615
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise RuntimeError(f"[manual_seed] expected an int, but got {type(seed).__name__}: {seed!r}")
        cdef object number = int(seed)
        if not -(1 << 63) <= number < (1 << 64):
            raise ValueError(f"[manual_seed] a seed must be in [-2^63, 2^64), got {number}")
        self.acquire()
        mt_seed(&self.mt, number % (1 << 64))
        self.release()
        return self

    def seed(self):
        """Start the stream of a seed of 53 bits that the system draws, and return the seed."""
        number = int.from_bytes(os.urandom(8), "little") >> 11
        self.manual_seed(number)
        return number

    def initial_seed(self):
        """Return the seed that the stream started from."""
        return self.mt.seed

    def get_state(self):
        """Return the state as a uint8 tensor of 5056 bytes, laid out as PyTorch lays it out."""
        cdef TensorBase t = empty_shape((STATE_BYTES,), U8, CPU)
        cdef State* s = <State*>t.view.data
        cdef int i
        memset(s, 0, STATE_BYTES)
        self.acquire()
        s.seed, s.left, s.seeded, s.next = self.mt.seed, self.mt.left, 1, self.mt.next
        for i in range(624):
            s.words[i] = self.mt.state[i]
        if self.mt.has_normal:
            s.normal, s.has_normal = self.mt.normal, 1
        if self.mt.has_normal_f32:
            s.normal_f32, s.has_normal_f32 = self.mt.normal_f32, 1
        self.release()
        return t

    def set_state(self, new_state):
        """Continue from a state that ``get_state`` gave, here or in PyTorch.

        Args:
            new_state: uint8 tensor of 5056 bytes.

        Raises:
            TypeError: where it is no uint8 tensor on the CPU.  RuntimeError: where its size or content is wrong.
        """
        cdef TensorBase t
        cdef State s
        cdef char* to = <char*>&s
        cdef MT19937 mt
        cdef int i
        if not isinstance(new_state, TensorBase):
            raise TypeError(f"[set_state] the state must be a uint8 tensor, got {type(new_state).__name__}")
        t = <TensorBase>new_state
        if t.view.dtype != U8 or t.device != CPU:
            raise TypeError(f"[set_state] the state must be a uint8 tensor on the CPU, got {new_state.dtype} on "
                            f"{new_state.device}")
        if t.view.ndim != 1 or t.view.numel != STATE_BYTES:
            raise RuntimeError(f"[set_state] the state must have {STATE_BYTES} bytes, got shape {t.shape_tuple()}")
        for i in range(STATE_BYTES):
            to[i] = t.view.data[i * t.view.strides[0]]
        # the words still to be read must lie inside the block
        if s.seeded != 1 or s.left < 1 or s.left > 624 or s.next > 624 or s.next + <uint64_t>s.left > 625:
            raise RuntimeError(f"[set_state] not a valid mt19937 state: seeded {s.seeded}, left {s.left}, next {s.next}")
        mt.seed, mt.left, mt.next = s.seed, s.left, <uint32_t>s.next
        for i in range(624):
            mt.state[i] = <uint32_t>s.words[i]
        mt.normal, mt.has_normal = s.normal, s.has_normal != 0
        mt.normal_f32, mt.has_normal_f32 = s.normal_f32, s.has_normal_f32 != 0
        self.acquire()
        self.mt = mt
        self.release()
        return self

    def clone_state(self):
        """Return a new generator that continues as this one would."""
        cdef Generator g = Generator()
        self.acquire()
        g.mt = self.mt
        self.release()
        return g

    def graphsafe_get_state(self):
        """Raise NotImplementedError: only a GPU's generator is captured in graphs."""
        raise NotImplementedError("[graphsafe_get_state] is not supported by the CPU's generator; use clone_state()")

    def graphsafe_set_state(self, state):
        """Raise NotImplementedError: only a GPU's generator is captured in graphs."""
        raise NotImplementedError("[graphsafe_set_state] is not supported by the CPU's generator; use set_state()")

    def get_offset(self):
        """Raise RuntimeError: only a GPU's stream counts an offset."""
        raise RuntimeError("[get_offset] the CPU's generator does not use an offset")

    def set_offset(self, offset):
        """Raise RuntimeError: only a GPU's stream counts an offset."""
        raise RuntimeError("[set_offset] the CPU's generator does not use an offset")

    def __reduce__(self):
        return Generator, (self.device,), (self.initial_seed(), None, self.get_state())

    def __setstate__(self, state):
        """Take (seed, offset, state), as PyTorch's pickles have it."""
        if not isinstance(state, tuple) or len(state) != 3:
            raise TypeError(f"[Generator] a pickled state is (seed, offset, state), got {type(state).__name__}")
        self.set_state(state[2])

    def __deepcopy__(self, memo):
        return self.clone_state()

    def __repr__(self):
        return f"<taeda.Generator device='cpu' initial_seed={self.mt.seed}>"


def _rebuild(bytes content):
    """Build a generator from the content of older pickles; newer ones hold its seed and state, as PyTorch's do."""
    cdef Generator g = Generator()
    if len(content) != sizeof(MT19937):
        raise RuntimeError(f"[Generator] a pickled state has {sizeof(MT19937)} bytes, got {len(content)}")
    memcpy(&g.mt, <const char*>content, sizeof(MT19937))
    if g.mt.left < 1 or g.mt.left > 624 or g.mt.next > 624 or g.mt.next + <uint32_t>g.mt.left > 625:
        raise RuntimeError("[Generator] the pickled state is not a valid mt19937 state")
    return g


cdef Generator default = Generator()
default.seed()
default_generator = default


cdef Generator generator_of(object generator, str op):
    if generator is None:
        return default
    if isinstance(generator, Generator):
        return <Generator>generator
    raise TypeError(f"[{op}] argument 'generator' must be a taeda.Generator, not {type(generator).__name__}")
