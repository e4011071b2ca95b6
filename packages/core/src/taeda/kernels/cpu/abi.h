/* The one signature that every CPU kernel has.
 *
 * A kernel gets an array of views (outputs first, then inputs, then work space), and an array of
 * parameters; it knows memory, sizes and strides, and nothing of tensors, autograd or Python.
 * It returns 0, or a positive number that its op turns into an error message (for an index out of
 * range: 1 + the position of the first offending index).  It must be callable without the GIL.
 * The CUDA kernels carry the same names over the same views and parameters.
 */
#ifndef TAEDA_ABI_H
#define TAEDA_ABI_H
#include <stdint.h>

/* Codes are stable: they index every kernel table. */
enum taeda_dtype {
    TAEDA_U8, TAEDA_I8, TAEDA_I16, TAEDA_I32, TAEDA_I64, TAEDA_F16, TAEDA_F32, TAEDA_F64,
    TAEDA_C32, TAEDA_C64, TAEDA_C128, TAEDA_BOOL, TAEDA_BF16, TAEDA_U16, TAEDA_U32, TAEDA_U64,
    TAEDA_E4M3FN, TAEDA_E5M2, TAEDA_E4M3FNUZ, TAEDA_E5M2FNUZ, TAEDA_E8M0FNU,
    TAEDA_NDTYPES
};

#define TAEDA_MAX_DIM 64

typedef struct {
    char *data;        /* first element: storage plus offset; NULL when numel == 0 or on meta */
    int64_t *shape;    /* ndim entries */
    int64_t *strides;  /* ndim entries, in elements */
    int64_t numel;
    int32_t ndim;
    uint8_t dtype;      /* enum taeda_dtype */
    uint8_t itemsize;   /* bytes */
    uint8_t contiguous; /* row-major without gaps (also when numel <= 1) */
    uint8_t reserved;
} View;

typedef union {
    int64_t i;
    double f;
    void *p;
} Param;

typedef int64_t (*Kernel)(View **t, const Param *p);

/* One run of an elementwise kernel: n elements, operand k at ptr[k] with stride[k] elements. */
typedef void (*Loop)(char **ptr, const int64_t *stride, int64_t n, const Param *p);

#endif
