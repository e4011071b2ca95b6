/* Whether the processor multiplies and adds pairs of bfloat16 (AVX512-BF16), and how functions that do are compiled: PAIRED. */
#ifndef TAEDA_BF16_RUNS_H
#define TAEDA_BF16_RUNS_H
#if defined(__AVX2__) && defined(__GNUC__) && (defined(__clang__) || __GNUC__ >= 11)
#include <immintrin.h>
#include "avx512.h"
#define PAIRED __attribute__((target(AVX512 ",avx512bw,avx512bf16")))
static int bf16_runs(void) {
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
        && __builtin_cpu_supports("avx512bw");
}
#else
static int bf16_runs(void) { return 0; }
#endif
#endif
