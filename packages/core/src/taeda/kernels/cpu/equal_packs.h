/* What packs.h includes once a pack P with keys of B bits: selection and sort that leave equal keys where PyTorch leaves them.
 *
 * Its topk and kthvalue are not stable, but what they give is the same every time: it follows from the comparisons and swaps of
 * introspective selection and sort (Musser, 1997), of a heap, and of quickselect (Hoare, 1961).  Those are done here in the same steps,
 * on packs that are compared by their keys alone. */
#define BEFORE(u, v) ((u) >> B < (v) >> B)

static inline void PACKED(swap)(P *u, P *v) {
    const P t = *u;
    *u = *v;
    *v = t;
}
static void PACKED(insertion_by_key)(P *a, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        const P v = a[i];
        int64_t j = i;
        for (; j > 0 && BEFORE(v, a[j - 1]); j--) a[j] = a[j - 1];
        a[j] = v;
    }
}
/* In a heap of n whose last are on top, the place `hole` is filled from below down to a leaf, and v rises from there. */
static void PACKED(sift)(P *a, int64_t hole, int64_t n, P v) {
    const int64_t top = hole;
    while (2 * hole + 2 < n) {
        int64_t child = 2 * hole + 2;
        child -= BEFORE(a[child], a[child - 1]);
        a[hole] = a[child];
        hole = child;
    }
    if (2 * hole + 2 == n) {
        a[hole] = a[n - 1];
        hole = n - 1;
    }
    for (int64_t up = (hole - 1) / 2; hole > top && BEFORE(a[up], v); up = (hole - 1) / 2) {
        a[hole] = a[up];
        hole = up;
    }
    a[hole] = v;
}
/* the k first of n as a heap in front */
static void PACKED(heap_of_first)(P *a, int64_t n, int64_t k) {
    for (int64_t i = k / 2 - 1; i >= 0; i--) PACKED(sift)(a, i, k, a[i]);
    for (int64_t i = k; i < n; i++) {
        const P v = a[i];
        if (!BEFORE(v, a[0])) continue;
        a[i] = a[0];
        PACKED(sift)(a, 0, k, v);
    }
}
static void PACKED(sort_heap)(P *a, int64_t n) {
    while (n > 1) {
        const P v = a[--n];
        a[n] = a[0];
        PACKED(sift)(a, 0, n, v);
    }
}
/* around the median of three, which goes to a[lo]; returns where the right part begins */
static int64_t PACKED(part_by_key)(P *a, int64_t lo, int64_t hi) {
    const int64_t x = lo + 1, y = lo + (hi - lo) / 2, z = hi - 1;
    int64_t i = lo + 1, j = hi, middle;
    if (BEFORE(a[x], a[y])) middle = BEFORE(a[y], a[z]) ? y : BEFORE(a[x], a[z]) ? z : x;
    else middle = BEFORE(a[x], a[z]) ? x : BEFORE(a[y], a[z]) ? z : y;
    PACKED(swap)(a + lo, a + middle);
    for (;;) {
        while (BEFORE(a[i], a[lo])) i++;
        do j--; while (BEFORE(a[lo], a[j]));
        if (i >= j) return i;
        PACKED(swap)(a + i++, a + j);
    }
}
static int PACKED(parts_allowed)(int64_t n) {
    int depth = 0;
    for (; n > 1; n >>= 1) depth += 2;
    return depth;
}
static void PACKED(select_by_key)(P *a, int64_t n, int64_t k) {
    int64_t lo = 0, hi = n;
    for (int depth = PACKED(parts_allowed)(n); hi - lo > 3; depth--) {
        if (depth == 0) {
            PACKED(heap_of_first)(a + lo, hi - lo, k + 1 - lo);
            PACKED(swap)(a + lo, a + k);
            return;
        }
        const int64_t cut = PACKED(part_by_key)(a, lo, hi);
        if (cut <= k) lo = cut; else hi = cut;
    }
    PACKED(insertion_by_key)(a + lo, hi - lo);
}
static void PACKED(parts_by_key)(P *a, int64_t lo, int64_t hi, int depth) {
    for (; hi - lo > 16; depth--) {
        if (depth == 0) {
            PACKED(heap_of_first)(a + lo, hi - lo, hi - lo);
            PACKED(sort_heap)(a + lo, hi - lo);
            return;
        }
        const int64_t cut = PACKED(part_by_key)(a, lo, hi);
        PACKED(parts_by_key)(a, cut, hi, depth - 1);
        hi = cut;
    }
}
static void PACKED(topk_by_key)(P *a, int64_t n, int64_t k, int sorted) {
    if (64 * k <= n) {
        PACKED(heap_of_first)(a, n, k);
        PACKED(sort_heap)(a, k);
        return;
    }
    PACKED(select_by_key)(a, n, k - 1);
    if (!sorted) return;
    PACKED(parts_by_key)(a, 0, k - 1, PACKED(parts_allowed)(k - 1));
    PACKED(insertion_by_key)(a, k - 1);
}
/* kthvalue's: three are put in order at the left end, the middle one of them is the pivot */
static void PACKED(quickselect_by_key)(P *a, int64_t n, int64_t k) {
    int64_t lo = 0, hi = n - 1;
    while (hi > lo + 1) {
        int64_t i = lo + 1, j = hi;
        PACKED(swap)(a + lo + (hi - lo) / 2, a + lo + 1);
        if (BEFORE(a[hi], a[lo + 1])) PACKED(swap)(a + lo + 1, a + hi);
        if (BEFORE(a[hi], a[lo])) PACKED(swap)(a + lo, a + hi);
        if (BEFORE(a[lo], a[lo + 1])) PACKED(swap)(a + lo + 1, a + lo);
        const P pivot = a[lo];
        for (;;) {
            do i++; while (BEFORE(a[i], pivot));
            do j--; while (BEFORE(pivot, a[j]));
            if (j < i) break;
            PACKED(swap)(a + i, a + j);
        }
        PACKED(swap)(a + lo, a + j);
        if (j <= k) lo = i;
        if (j >= k) hi = j - 1;
    }
    if (hi == lo + 1 && BEFORE(a[hi], a[lo])) PACKED(swap)(a + lo, a + hi);
}
#undef BEFORE
