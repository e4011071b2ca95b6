/* Copies of a few bytes, and of rows of some: two pieces of one size that overlap, where a call of memcpy costs more than the bytes. */
#ifndef TAEDA_FEW_BYTES_H
#define TAEDA_FEW_BYTES_H
#include <stdint.h>
#include <string.h>

typedef uint64_t Bytes16 __attribute__((vector_size(16)));
typedef uint64_t Bytes32 __attribute__((vector_size(32)));

/* Both pieces are read before one is written. */
#define TWO_PIECES(T, n) \
    do { \
        T first, last; \
        memcpy(&first, x, sizeof(T)); \
        memcpy(&last, x + (n) - sizeof(T), sizeof(T)); \
        memcpy(y, &first, sizeof(T)); \
        memcpy(y + (n) - sizeof(T), &last, sizeof(T)); \
    } while (0)
/* n bytes, up to 64 */
static inline __attribute__((always_inline)) void few_bytes(char *y, const char *x, int64_t n) {
    if (n >= 32) TWO_PIECES(Bytes32, n);
    else if (n >= 16) TWO_PIECES(Bytes16, n);
    else if (n >= 8) TWO_PIECES(uint64_t, n);
    else if (n >= 4) TWO_PIECES(uint32_t, n);
    else if (n >= 2) TWO_PIECES(uint16_t, n);
    else if (n) *y = *x;
}

#define ROWS_OF_PIECES(T) for (int64_t i = 0; i < rows; i++, x += from, y += to) TWO_PIECES(T, n)
/* `rows` rows of n bytes, which lie `from` apart at x and `to` at y; nothing is written between them.  What a row is made of is settled
 * once: a choice for each took three times as long as the row. */
static inline void rows_of_bytes(char *y, int64_t to, const char *x, int64_t from, int64_t n, int64_t rows) {
    if (n > 64) {
        for (int64_t i = 0; i < rows; i++, x += from, y += to) {
            int64_t at = 0;
            for (; n - at > 32; at += 32) memcpy(y + at, x + at, 32);
            memcpy(y + n - 32, x + n - 32, 32);
        }
    } else if (n >= 32) ROWS_OF_PIECES(Bytes32);
    else if (n >= 16) ROWS_OF_PIECES(Bytes16);
    else if (n >= 8) ROWS_OF_PIECES(uint64_t);
    else if (n >= 4) ROWS_OF_PIECES(uint32_t);
    else if (n >= 2) ROWS_OF_PIECES(uint16_t);
    else for (int64_t i = 0; i < rows; i++) y[i * to] = x[i * from];
}
#endif
