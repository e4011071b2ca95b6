/* For kernels that work on several problems side by side, one a lane of a vector of LANE_BYTES, 32 if not said: included once per
 * dtype, with T and SUFFIX defined.  NAME(x) is x with the suffix, V the vector; who includes this undefines V.
 */
#ifndef TAEDA_SIDE_BY_SIDE_H
#define TAEDA_SIDE_BY_SIDE_H
#define UNROLL _Pragma("GCC unroll 8")
#define LOCAL static __attribute__((unused))
#define INLINE static inline __attribute__((always_inline, unused))
#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(a) JOIN(a, SUFFIX)
#ifndef LANE_BYTES
#define LANE_BYTES 32
#endif
#endif

typedef T NAME(lane) __attribute__((vector_size(LANE_BYTES), aligned(sizeof(T)), may_alias));
#define V NAME(lane)
