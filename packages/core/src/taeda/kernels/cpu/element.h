/* What the formulas of an optimizer's step are written in, for one dtype; included again for each, with ROUND (the name of what rounds to
 * it; 8 at its end does so with vectors), HALF and LIBM(name).
 *
 * An element is a number or, of halves, a vector of eight (sweep.h); a constant is always a number.  R(x) and RC(x) round an element and a
 * constant, ALL(x) makes an element of a constant, COUNT(n) is how many elements n numbers make.
 */
#undef R
#undef RC
#undef ALL
#undef SQRT
#undef ABS
#undef PICK
#undef COUNT
#undef LANES
#if HALF
#define TAEDA_JOINED(a, b) a##b
#define TAEDA_EIGHT(name) TAEDA_JOINED(name, 8)
#define R(x) TAEDA_EIGHT(ROUND)(x)
#define RC(x) ROUND(x)
#define ALL(x) ((x) - (taeda_f8){0})
#define SQRT(x) taeda_sqrt8(x)
#define ABS(x) taeda_abs8(x)
#define PICK(c, a, b) taeda_pick8(c, a, b)
#define COUNT(n) (((n) + 7) / 8)
#define LANES
#else
#define R(x) (x)
#define RC(x) (x)
#define ALL(x) (x)
#define SQRT(x) LIBM(sqrt)(x)
#define ABS(x) LIBM(fabs)(x)
#define PICK(c, a, b) ((c) ? (a) : (b))
#define COUNT(n) (n)
#define LANES _Pragma("omp simd")
#endif
