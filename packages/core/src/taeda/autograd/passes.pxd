# The backward passes under way in a thread.

cdef Py_ssize_t asking                   # hooks alive that ask what a pass will run
cdef Py_ssize_t queued                   # callbacks that wait, in all threads

cdef int passes_under_way(int change) noexcept                          # how many in this thread, after the change
cdef int begin_pass(list targets, object needed) except -1              # for hooks that ask
cdef int end_pass() except -1
cdef int run_callbacks(int depth, bint wanted) except -1                # of the pass at this depth; forgotten if not wanted
