/* SPDX-License-Identifier: MIT */
/* Vectors of 16 floats on every target: one zmm, two ymm, four q or four v128 registers hold the same lanes, so they
 * give the same bits. Arithmetic is IEEE single (or double) precision, round to nearest even, denormals kept. Compile with
 * -ffp-contract=off and without -ffast-math: a fused multiply-add is only where the source says fma16. */
#ifndef LOCKSTEP_VEC_H
#define LOCKSTEP_VEC_H
#include <stdint.h>
#include <string.h>

typedef float v16 __attribute__((vector_size(64)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef uint8_t b16 __attribute__((vector_size(16)));
typedef double d16 __attribute__((vector_size(128)));
/* The same in memory, where nothing is aligned to more than an element. */
typedef float v16u __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16u __attribute__((vector_size(64), aligned(4)));
typedef uint8_t b16u __attribute__((vector_size(16), aligned(1)));

#define INLINE static inline __attribute__((always_inline))
#define NOINLINE static __attribute__((noinline))
#define UNROLL _Pragma("clang loop unroll(full)")

#if defined(__wasm__)
typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));
typedef int32_t i4 __attribute__((vector_size(16)));
#define QUARTER(v, i) __builtin_shufflevector(v, v, 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3)
INLINE v16 join_quarters(v4 r0, v4 r1, v4 r2, v4 r3) {
  v8 low = __builtin_shufflevector(r0, r1, 0, 1, 2, 3, 4, 5, 6, 7), high = __builtin_shufflevector(r2, r3, 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
/* a * b + c, rounded once. */
#define MADD(i) __builtin_wasm_relaxed_madd_f32x4(QUARTER(a, i), QUARTER(b, i), QUARTER(c, i))
INLINE v16 fma16(v16 a, v16 b, v16 c) { return join_quarters(MADD(0), MADD(1), MADD(2), MADD(3)); }
/* a where the mask is -1, else b. Written with & and |, LLVM 22 takes a comparison's mask for a minimum or maximum that
 * may lose NaNs (f32x4.relaxed_min: https://github.com/llvm/llvm-project/pull/177968), so results would differ. */
#define SELECT(i) (v4) __builtin_wasm_bitselect((i4)QUARTER(a, i), (i4)QUARTER(b, i), QUARTER(mask, i))
INLINE v16 choose(i16 mask, v16 a, v16 b) { return join_quarters(SELECT(0), SELECT(1), SELECT(2), SELECT(3)); }
#else
/* a * b + c, rounded once. */
INLINE v16 fma16(v16 a, v16 b, v16 c) { return __builtin_elementwise_fma(a, b, c); }
/* a where the mask is -1, else b. */
INLINE v16 choose(i16 mask, v16 a, v16 b) { return (v16)((mask & (i16)a) | (~mask & (i16)b)); }
#endif

INLINE v16 splat(float x) { return (v16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE v16 load(const float *p) { return *(const v16u *)p; }
INLINE void store(float *p, v16 v) { *(v16u *)p = v; }
/* The first n lanes, 0 <= n <= 16; the others are 0. Copies of fixed sizes: calls of memcpy take longer. */
INLINE v16 load_n(const float *p, int64_t n) {
  float v[16] = {0}, *q = v;
  if (n >= 16) return load(p);
  if (n & 8) memcpy(q, p, 32), q += 8, p += 8;
  if (n & 4) memcpy(q, p, 16), q += 4, p += 4;
  if (n & 2) memcpy(q, p, 8), q += 2, p += 2;
  if (n & 1) *q = *p;
  return load(v);
}
INLINE void store_n(float *p, v16 v, int64_t n) {
  float lanes[16], *q = lanes;
  if (n >= 16) return store(p, v);
  store(lanes, v);
  if (n & 8) memcpy(p, q, 32), q += 8, p += 8;
  if (n & 4) memcpy(p, q, 16), q += 4, p += 4;
  if (n & 2) memcpy(p, q, 8), q += 2, p += 2;
  if (n & 1) *p = *q;
}
/* v where the mask is -1, else +0. */
INLINE v16 keep(i16 mask, v16 v) { return choose(mask, v, splat(0)); }
INLINE i16 choosei(i16 mask, i16 a, i16 b) { return (mask & a) | (~mask & b); }
INLINE d16 widen(v16 v) { return __builtin_convertvector(v, d16); }
INLINE v16 narrow(d16 v) { return __builtin_convertvector(v, v16); }
#endif
