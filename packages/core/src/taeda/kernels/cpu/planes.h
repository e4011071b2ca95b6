/* move_planes.h for elements of 1 to 16 bytes, and BY_SIZE, which picks one: BY_SIZE(4, block, y, ...) is block_U32(y, ...). */
#ifndef TAEDA_PLANES_H
#define TAEDA_PLANES_H
#include <stdint.h>

typedef uint8_t U8 __attribute__((may_alias));
typedef uint16_t U16 __attribute__((aligned(1), may_alias));
typedef uint32_t U32 __attribute__((aligned(1), may_alias));
typedef uint64_t U64 __attribute__((aligned(1), may_alias));
typedef uint64_t U128 __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t U256 __attribute__((vector_size(32), aligned(1), may_alias));
enum { BLOCK_AHEAD = 2 };        /* so many tiles ahead, a block's rows are fetched: no two of them lie side by side */

#define T U8
#define ELEMENT uint8_t
#define LANES 16
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define BACKWARDS 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#include "move_planes.h"
#define T U16
#define ELEMENT uint16_t
#define LANES 8
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#define BACKWARDS 7, 6, 5, 4, 3, 2, 1, 0
#include "move_planes.h"
#define T U32
#define ELEMENT uint32_t
#define LANES 4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#define BACKWARDS 3, 2, 1, 0
#include "move_planes.h"
#define T U64
#define ELEMENT uint64_t
#define LANES 2
#define LOW 0, 2
#define HIGH 1, 3
#define BACKWARDS 1, 0
#include "move_planes.h"
#define T U128
#define ELEMENT uint64_t
#define LANES 1
#include "move_planes.h"

#define BY_SIZE(e, NAME, ...)                                                                                            \
    switch (e) {                                                                                                         \
    case 1: NAME##_U8(__VA_ARGS__); break;                                                                               \
    case 2: NAME##_U16(__VA_ARGS__); break;                                                                              \
    case 4: NAME##_U32(__VA_ARGS__); break;                                                                              \
    case 8: NAME##_U64(__VA_ARGS__); break;                                                                              \
    default: NAME##_U128(__VA_ARGS__);                                                                                   \
    }
#endif
