# Who looks at calls now: for what is no call of an Overridable.

cdef bint mode_sees() except -1             # a mode that does not look inside of calls
cdef bint class_sees(object x) except -1    # the class of x
