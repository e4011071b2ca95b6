/* A parallel region of one thread is a call.
 *
 * libgomp makes a team for it all the same, which takes half a microsecond: as long as a small op as a whole.  Every kernel is linked
 * with --wrap=GOMP_parallel, so that the compiler's calls of GOMP_parallel come here.  Outside of a region the work-sharing
 * constructs see a team of one, so a region's body needs no other form.
 */
#ifdef _OPENMP
void __real_GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
__attribute__((visibility("hidden"))) void __wrap_GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) {
    if (threads == 1) body(data);
    else __real_GOMP_parallel(body, data, threads, flags);
}
#endif
