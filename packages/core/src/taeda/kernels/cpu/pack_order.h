/* What packs.h includes once a pack P with keys of B bits: sorts and selection; PACKED(name) is a function's name for it.
 *
 *   select   the k smallest, by quickselect (Hoare, 1961), so that only those are sorted
 *   radix    of packs that come in order of position, which need only their keys' bytes sorted; bytes that all share are passed over
 */
static void PACKED(insertion)(P *a, int64_t n) {
    for (int64_t i = 1; i < n; i++) {
        const P v = a[i];
        int64_t j = i;
        for (; j > 0 && a[j - 1] > v; j--) a[j] = a[j - 1];
        a[j] = v;
    }
}
/* a is in order of position, so only the key's bytes are sorted by */
static void PACKED(radix)(P *a, P *spare, int64_t n) {
    int64_t count[B / 8][256];
    P *from = a, *to = spare;
    memset(count, 0, sizeof count);
    for (int64_t i = 0; i < n; i++) {
        const uint64_t key = (uint64_t)(a[i] >> B);
        for (int b = 0; b < B / 8; b++) count[b][key >> (8 * b) & 255]++;
    }
    for (int b = 0; b < B / 8; b++) {
        int64_t at = 0, *c = count[b];
        if (c[(uint64_t)(from[0] >> B) >> (8 * b) & 255] == n) continue;
        for (int d = 0; d < 256; d++) { const int64_t here = c[d]; c[d] = at; at += here; }
        for (int64_t i = 0; i < n; i++) to[c[(uint64_t)(from[i] >> B) >> (8 * b) & 255]++] = from[i];
        { P *t = from; from = to; to = t; }
    }
    if (from != a) memcpy(a, from, n * sizeof *a);
}
/* put the k+1 smallest first, the largest of them at k; the pivot's place comes from a fixed generator */
static void PACKED(select)(P *a, int64_t n, int64_t k) {
    uint64_t seed = 0x9e3779b97f4a7c15u;
    int64_t lo = 0, hi = n - 1;
    while (hi - lo > 2 * RUN) {
        seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17;
        P p = a[lo + (int64_t)(seed % (uint64_t)(hi - lo + 1))], q = a[lo + (hi - lo) / 2], t;
        if (q < p) { t = p; p = q; q = t; }
        t = a[lo];
        p = t < p ? p : t < q ? t : q;             /* median of three */
        int64_t i = lo, j = hi;
        while (i <= j) {
            while (a[i] < p) i++;
            while (a[j] > p) j--;
            if (i <= j) { t = a[i]; a[i] = a[j]; a[j] = t; i++; j--; }
        }
        if (k <= j) hi = j;
        else if (k >= i) lo = i;
        else return;
    }
    PACKED(insertion)(a + lo, hi - lo + 1);
}
