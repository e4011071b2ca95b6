/* Loops over the special functions: float32 and float64 in, computed in double. */
#ifndef TAEDA_SPECIAL_H
#define TAEDA_SPECIAL_H
#include "abi.h"
#include "bessel.h"
#include "errors.h"
#include "gamma.h"
#include "polynomials.h"

#define UNARY_LOOP(NAME, T, EXPR) \
    static void NAME(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        (void)p; \
        for (int64_t i = 0; i < n; i++) { \
            const double a = ((const T *)ptr[1])[i * s[1]]; \
            ((T *)ptr[0])[i * s[0]] = (T)(EXPR); \
        } \
    }
#define BINARY_LOOP(NAME, T, EXPR) \
    static void NAME(char **ptr, const int64_t *s, int64_t n, const Param *p) { \
        (void)p; \
        for (int64_t i = 0; i < n; i++) { \
            const double a = ((const T *)ptr[1])[i * s[1]], b = ((const T *)ptr[2])[i * s[2]]; \
            ((T *)ptr[0])[i * s[0]] = (T)(EXPR); \
        } \
    }
#endif
