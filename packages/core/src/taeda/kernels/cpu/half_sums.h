/* Rows of float16 or bfloat16 added up by destination: those that are named are widened, summed in float32 in the order of the
 * index, and rounded once; the others are not touched.
 *
 * a. Each destination has a chain of what goes there.  It is found by a table of hashes, open-addressed, at most half full.
 * b. Chains are independent, so threads take some each, with the same result however many there are.
 */
#ifndef TAEDA_HALF_SUMS_H
#define TAEDA_HALF_SUMS_H
#include "narrow.h"

enum { HALF_SUM_COLUMNS = 512 };

typedef struct {
    int64_t count;         /* destinations */
    int64_t *where;        /* what the index says of each */
    int32_t *first, *last; /* of its chain, ended by -1 */
    int32_t *next, *table;
    int bits;              /* of the table's size */
} Chains;

static inline size_t chains_bytes(int64_t n) {
    int bits = 4;
    while ((int64_t)1 << bits < 2 * n) bits++;
    return (size_t)n * 20 + (sizeof(int32_t) << bits);
}

/* Chain n < 2^31 indices, but for those that are ``skip``, in a room of chains_bytes(n). */
static void chains_make(Chains *c, const int64_t *at, int64_t n, int64_t skip, void *room) {
    c->count = 0;
    c->where = (int64_t *)room;
    c->first = (int32_t *)(c->where + n);
    c->last = c->first + n;
    c->next = c->last + n;
    c->table = c->next + n;
    for (c->bits = 4; (int64_t)1 << c->bits < 2 * n; c->bits++);
    const uint64_t mask = ((uint64_t)1 << c->bits) - 1;
    memset(c->table, 0xff, sizeof(int32_t) << c->bits);
    for (int64_t i = 0; i < n; i++) {
        uint64_t h = (uint64_t)at[i] * 0x9e3779b97f4a7c15u >> (64 - c->bits);
        int32_t g;
        if (at[i] == skip) continue;
        while ((g = c->table[h]) >= 0 && c->where[g] != at[i]) h = (h + 1) & mask;
        if (g < 0) {
            g = c->table[h] = (int32_t)c->count++;
            c->where[g] = at[i];
            c->first[g] = (int32_t)i;
        } else {
            c->next[c->last[g]] = (int32_t)i;
        }
        c->last[g] = (int32_t)i;
        c->next[i] = -1;
    }
}

/* y += the rows i of v, A apart, of chain g; over how many they are, where ``mean`` is wanted */
static void chain_sum(const Chains *c, int64_t g, int code, uint16_t *y, const uint16_t *v, int64_t A, int mean) {
    _Alignas(64) float total[HALF_SUM_COLUMNS], row[HALF_SUM_COLUMNS];
    if (A < 8 && !mean) {
        const int wide = code == TAEDA_BF16;
        for (int64_t j = 0; j < A; j++) {
            float sum = wide ? bf16_to_f32(y[j]) : f16_to_f32(y[j]);
            for (int32_t i = c->first[g]; i >= 0; i = c->next[i]) sum += wide ? bf16_to_f32(v[i * A + j]) : f16_to_f32(v[i * A + j]);
            y[j] = wide ? f32_to_bf16(sum) : f32_to_f16(sum);
        }
        return;
    }
    for (int64_t lo = 0; lo < A; lo += HALF_SUM_COLUMNS) {
        const int64_t m = A - lo < HALF_SUM_COLUMNS ? A - lo : HALF_SUM_COLUMNS;
        int64_t count = 0;
        widen(code, (char *)total, (const char *)(y + lo), 1, m);
        for (int32_t i = c->first[g]; i >= 0; i = c->next[i], count++) {
            widen(code, (char *)row, (const char *)(v + i * A + lo), 1, m);
            for (int64_t j = 0; j < m; j++) total[j] += row[j];
        }
        if (mean) for (int64_t j = 0; j < m; j++) total[j] /= (float)count;
        narrow(code, (char *)(y + lo), 1, (const char *)total, m);
    }
}
#endif
