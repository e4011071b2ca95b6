/* Large blocks as parts of long mappings: each takes the front of the first hole, by address, that holds it.
 *
 * A freed block becomes a hole, and one with the holes beside it, so that memory serves requests of every size.  Holes stand in one
 * array in the order of their addresses: neighbours are found by bisection, and a search reads 24 bytes a hole (one to nine holes in the
 * training of eight networks).  With what lives long at low addresses the rest stays whole: those networks needed 0 to 5 % more than what
 * was alive at most, vgg11 16 %, and nothing fresh from the system after their first step.
 *
 * Mappings ask for huge pages: a fresh one costs one page fault where it had 512, and one entry of the processor's address cache serves
 * 2 MiB instead of 4 KiB.  They are never unmapped.  Of a hole, `used` says how many bytes may have pages, from its front on; what is
 * released is its end.  All functions are called with the allocator's lock held.
 */
#ifndef TAEDA_ARENA_H
#define TAEDA_ARENA_H
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 1 << 21, ARENA_GRAIN = 1 << 14 };            /* bytes; sizes of blocks are multiples of a grain */
static const size_t ARENA_LEAST = (size_t)1 << 28;              /* bytes of a mapping; untouched pages cost nothing */

typedef struct {
    char *at;
    size_t size, used;
} Hole;

static struct {
    Hole *holes;
    size_t count, room;         /* holes that there are, and that the array has place for */
    char *top, *end;            /* what was never handed out of the newest mapping */
    size_t used;                /* the sum of the holes' */
} arena;

/* 32 sizes a power of two: what grows a little (the keys of a text that is written) finds the block before it again.  A grain more, since
 * lines of neighbours that lie a multiple of 64 KiB apart fall into the same sets of the caches: an addition of 1M took 80 us, not 66. */
static size_t arena_size(size_t n) {
    const size_t step = (size_t)1 << (63 - __builtin_clzll(n - 1) - 5), grain = step > ARENA_GRAIN ? step : ARENA_GRAIN;
    return (n + grain - 1) / grain * grain + ARENA_GRAIN;
}

/* the first hole that begins beyond a place */
static size_t arena_beyond(const char *at) {
    size_t low = 0, high = arena.count;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        if (arena.holes[mid].at > at) high = mid;
        else low = mid + 1;
    }
    return low;
}

static void arena_remove(size_t i) {
    arena.used -= arena.holes[i].used;
    memmove(arena.holes + i, arena.holes + i + 1, (--arena.count - i) * sizeof(Hole));
}

/* Make room for one more hole.  Without memory for the entry, a block that is returned stays unused. */
static int arena_reserve(void) {
    if (arena.count < arena.room) return 1;
    const size_t room = arena.room ? 2 * arena.room : 256;
    Hole *holes = (Hole *)realloc(arena.holes, room * sizeof(Hole));
    if (holes == NULL) return 0;
    arena.holes = holes, arena.room = room;
    return 1;
}

/* Take back `size` bytes, `used` of which may have pages. */
static void arena_give(char *at, size_t size, size_t used) {
    const size_t i = arena_beyond(at);
    const int before = i > 0 && arena.holes[i - 1].at + arena.holes[i - 1].size == at;
    const int after = i < arena.count && at + size == arena.holes[i].at;
    if (before) {
        arena.holes[i - 1].size += size, arena.holes[i - 1].used += used;
        if (after) {
            const Hole next = arena.holes[i];
            arena_remove(i);
            arena.holes[i - 1].size += next.size, arena.holes[i - 1].used += next.used;
            arena.used += next.used;
        }
    } else if (after) {
        arena.holes[i].at = at;
        arena.holes[i].size += size, arena.holes[i].used += used;
    } else {
        if (!arena_reserve()) return;
        memmove(arena.holes + i + 1, arena.holes + i, (arena.count++ - i) * sizeof(Hole));
        arena.holes[i].at = at, arena.holes[i].size = size, arena.holes[i].used = used;
    }
    arena.used += used;
}

/* Begin a mapping that holds n bytes, and others where addresses are not scarce; what the last one has left becomes a hole. */
static int arena_grow(size_t n) {
    size_t length = (n + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    char *raw = MAP_FAILED;
    if (length < ARENA_LEAST) {
        raw = (char *)mmap(NULL, ARENA_LEAST + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        length = raw == MAP_FAILED ? length : ARENA_LEAST;
    }
    if (raw == MAP_FAILED) raw = (char *)mmap(NULL, length + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return 0;
    char *base = (char *)(((uintptr_t)raw + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    if (base > raw) munmap(raw, (size_t)(base - raw));
    munmap(base + length, (size_t)(raw + HUGE_PAGE - base));
#ifdef MADV_HUGEPAGE
    madvise(base, length, MADV_HUGEPAGE);
#endif
    if (arena.end > arena.top) arena_give(arena.top, (size_t)(arena.end - arena.top), 0);
    arena.top = base, arena.end = base + length;
    return 1;
}

/* Return a block of n bytes, a multiple of ARENA_GRAIN, and how many of them have no pages yet; NULL if the system has none. */
static char *arena_take(size_t n, size_t *fresh) {
    for (size_t i = 0; i < arena.count; i++) {
        Hole *hole = arena.holes + i;
        if (hole->size < n) continue;
        char *at = hole->at;
        const size_t used = hole->used < n ? hole->used : n;
        *fresh = n - used;
        if (hole->size == n) arena_remove(i);
        else hole->at += n, hole->size -= n, hole->used -= used, arena.used -= used;
        return at;
    }
    const size_t last = arena.count ? arena_beyond(arena.top) : 0;      /* a hole that ends where nothing was handed out yet grows */
    const Hole edge = last && arena.holes[last - 1].at + arena.holes[last - 1].size == arena.top ? arena.holes[last - 1] : (Hole){0};
    if (edge.size && (size_t)(arena.end - edge.at) >= n) {
        arena_remove(last - 1);
        arena.top = edge.at + n;
        *fresh = n - edge.used;
        return edge.at;
    }
    if ((size_t)(arena.end - arena.top) < n && !arena_grow(n)) return NULL;
    arena.top += n;
    *fresh = n;
    return arena.top - n;
}

/* Give pages of holes back to the system, of the largest first, until `least` bytes are back or none is left. */
static void arena_release(size_t least) {
    for (size_t done = 0; done < least && arena.used;) {
        Hole *most = arena.holes;
        for (size_t i = 1; i < arena.count; i++)
            if (arena.holes[i].used > most->used) most = arena.holes + i;
        size_t share = (least - done + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
        if (share > most->used || most->used < most->size) share = most->used;      /* where its pages lie is known of a full hole alone */
        const size_t kept = most->used - share;
        madvise(most->at + kept, most->size - kept, MADV_DONTNEED);
        most->used = kept;
        arena.used -= share;
        done += share;
    }
}
#endif
