/* A parallel region of one thread is a call.
 *
 * libgomp makes a team for it all the same, which takes half a microsecond: as long as a small op as a whole.  Every kernel is linked
 * with --wrap=GOMP_parallel, so that the compiler's calls of GOMP_parallel come here.  Outside of a region the work-sharing
 * constructs see a team of one, so a region's body needs no other form.  Inside of one they would see its team: take the share of
 * one of its threads only, and wait at a barrier that the others never reach.  There libgomp makes the team of one.
 *
 * A plain loop beside the region, for one thread, still saves a tenth of the smallest convolution (2.1 us, so 1.9): it is written where calls
 * as small as that are made.
 */
#ifdef _OPENMP
int omp_in_parallel(void);
void __real_GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
__attribute__((visibility("hidden"))) void __wrap_GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags) {
    if (threads == 1 && !omp_in_parallel()) body(data);
    else __real_GOMP_parallel(body, data, threads, flags);
}
#endif
