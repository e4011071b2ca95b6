"""The dtypes by the suffixes of their kernels: names that every template of a kernel (.pyx.in) may use; the build gives them.

What only moves elements is written once for each size, and serves all dtypes of that size.
"""

from __future__ import annotations

SIZES = [(1, "uint8_t"), (2, "uint16_t"), (4, "uint32_t"), (8, "uint64_t"), (16, "uint128_t")]         # bytes, and C's type of so many
BY_SIZE = {
    1: ["u8", "i8", "b8", "e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz", "e8m0fnu"],
    2: ["i16", "f16", "bf16", "u16"],
    4: ["i32", "f32", "u32", "c32"],
    8: ["i64", "f64", "u64", "c64"],
    16: ["c128"],
}
SUFFIXES = [suffix for size in BY_SIZE for suffix in BY_SIZE[size]]

# What has arithmetic of its own, and its C type
NUMBERS = [
    ("u8", "uint8_t"), ("i8", "int8_t"), ("i16", "int16_t"), ("i32", "int32_t"), ("i64", "int64_t"), ("f32", "float"), ("f64", "double"),
]  # fmt: skip
