# Who looks at calls now: for what is no call of an Overridable.

cdef bint mode_sees() except -1             # a mode that does not look inside of calls
cdef bint class_sees(object x) except -1    # the class of x
cdef bint operator_seen(object x, object other) except -1     # somebody who knows an operator of the two by its own name

# What is in force in this thread: how many modes; whether no class is told of operators; whether none is asked about functions.
cdef enum switch:
    MODES
    NO_OPERATORS
    NO_FUNCTIONS

cdef int in_force(switch which) noexcept
cdef void put_in_force(switch which, int to) noexcept

# What Tensor has under the protocols' names, by which classes that have something else are known.
cdef int name_functions(object plain, object disabled) except -1
cdef int name_operators(object plain, object disabled) except -1
cdef bint has_operators(object cls) noexcept        # whether a class has a __torch_dispatch__ of its own
cdef void expect_dispatchers() noexcept             # there is such a class from now on
