/* SPDX-License-Identifier: MIT */
/* Functions of f32, computed in double with separately rounded + - * / and rounded once to f32. JavaScript numbers follow
 * the same steps (engine/native/reference/functions.ts, same names and constants), so they give the same bits. */
#ifndef LOCKSTEP_FUNCTIONS_H
#define LOCKSTEP_FUNCTIONS_H
#include "vec.h"

typedef uint64_t l16 __attribute__((vector_size(128)));
typedef int64_t m16 __attribute__((vector_size(128))); /* masks: 0 or -1 */

/* a where the mask is -1, else b. */
#if defined(__wasm__)
#define EIGHTH(v, i) (i4) __builtin_shufflevector(v, v, 2 * i, 2 * i + 1)
#define SELECT2(i) (v4) __builtin_wasm_bitselect(EIGHTH(a, i), EIGHTH(b, i), EIGHTH(mask, i))
INLINE d16 chosed(m16 mask, d16 a, d16 b) {
  struct {
    v16 half[2];
  } y = {{join_quarters(SELECT2(0), SELECT2(1), SELECT2(2), SELECT2(3)), join_quarters(SELECT2(4), SELECT2(5), SELECT2(6), SELECT2(7))}};
  d16 result;
  memcpy(&result, &y, sizeof result);
  return result;
}
#else
INLINE d16 chosed(m16 mask, d16 a, d16 b) { return (d16)((mask & (m16)a) | (~mask & (m16)b)); }
#endif
INLINE d16 all(double x) { return (d16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE d16 absd(d16 x) { return (d16)((l16)x & 0x7fffffffffffffffULL); }
/* v with the sign of x, for v >= 0. */
INLINE d16 signed_like(d16 v, d16 x) { return (d16)((l16)v | ((l16)x & 0x8000000000000000ULL)); }

/* Adding it rounds to the nearest integer, half to even, which the low bits of the sum then hold. */
#define SHIFT 6755399441055744.0
#define LOG2_E 1.4426950408889634
#define LN2 0.6931471805599453
#define LN2_HIGH 0.6931471803691238 /* 32 bits, so that its products with integers are exact */
#define LN2_LOW 1.9082149292705877e-10
#define HALF_PI 1.5707963267948966
#define RANGE 110.0 /* e^110 is infinity in f32 and e^-110 is 0 */

/* e^x = power + power * rest; power is a power of 2, |rest| < 0.42. x is cut off at -RANGE and RANGE. */
typedef struct {
  d16 power, rest;
} Exponential;

INLINE Exponential exponential(d16 x) {
  x = chosed(x < -RANGE, all(-RANGE), x);
  x = chosed(x > RANGE, all(RANGE), x);
  d16 shifted = x * LOG2_E + SHIFT, n = shifted - SHIFT;
  d16 r = (x - n * LN2_HIGH) - n * LN2_LOW;
  d16 p = all(1.0 / 479001600);
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 1.0 / 2;
  p = p * r + 1.0;
  return (Exponential){(d16)(((l16)shifted + 1023) << 52), p * r};
}
INLINE d16 exp_d(d16 x) {
  Exponential e = exponential(x);
  return e.power + e.power * e.rest;
}
/* e^x - 1 without cancellation near 0. */
INLINE d16 expm1_d(d16 x) {
  Exponential e = exponential(x);
  return (e.power - 1.0) + e.power * e.rest;
}

/* ln((1 + s) / (1 - s)) for |s| < 0.1716. */
INLINE d16 log_series(d16 s) {
  d16 z = s * s, p = all(1.0 / 17);
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z + 1.0;
  return (s + s) * p;
}
/* ln x: x = 2^n m, m about 0.707 to 1.414. */
INLINE d16 log_d(d16 x) {
  l16 bits = (l16)x + 0x00095f6200000000ULL;
  d16 n = (d16)((bits >> 52) | 0x4330000000000000ULL) - (4503599627370496.0 + 1023.0);
  d16 f = (d16)((bits & 0x000fffffffffffffULL) + 0x3fe6a09e00000000ULL) - 1.0;
  d16 y = n * LN2 + log_series(f / (f + 2.0));
  y = chosed(x == 0.0, all(-__builtin_inf()), y);
  y = chosed(x == __builtin_inf(), x, y);
  return chosed((x >= 0.0), y, all(__builtin_nan("")));
}
/* ln(1 + e^x) = max(x, 0) + ln(1 + u), u = e^-|x|; above sqrt(2) - 1, ln(1 + u) = ln 2 + ln((1 + u) / 2). */
INLINE d16 softplus_d(d16 x) {
  d16 u = exp_d(-absd(x));
  m16 large = u > 0.41421356;
  d16 s = chosed(large, u - 1.0, u) / chosed(large, u + 3.0, u + 2.0);
  d16 log = chosed(large, all(LN2), all(0.0)) + log_series(s);
  return chosed(x > 0.0, x, all(0.0)) + log;
}
INLINE d16 sigmoid_d(d16 x) { return 1.0 / (1.0 + exp_d(-x)); }
INLINE d16 tanh_d(d16 x) {
  d16 t = expm1_d(absd(x) * -2.0);
  return signed_like(absd(t) / (t + 2.0), x);
}
INLINE d16 elu_d(d16 x) { return chosed(x > 0.0, x, expm1_d(x)); }

/* x times a polynomial in w = x^2 / 8 - 1: erf(x) / x at the 25 Chebyshev points. From 4 on, erf is 1 in f32. */
INLINE d16 erf_d(d16 x) {
  d16 a = absd(x);
  a = chosed(a > 4.0, all(4.0), a);
  d16 w = a * a * 0.125 - 1.0, p = all(1.470596054227332e-07);
  p = p * w + -4.877086856145344e-07;
  p = p * w + 6.435055673730993e-07;
  p = p * w + -1.7848993024438428e-06;
  p = p * w + 7.17946533355761e-06;
  p = p * w + -1.9631487154950747e-05;
  p = p * w + 4.751330675829427e-05;
  p = p * w + -0.00011653664526997821;
  p = p * w + 0.00027577056977207826;
  p = p * w + -0.0006137606235525727;
  p = p * w + 0.0012925067184882686;
  p = p * w + -0.002577846611250372;
  p = p * w + 0.0048535834651676395;
  p = p * w + -0.008606338067955617;
  p = p * w + 0.01434959246109288;
  p = p * w + -0.022473544656357074;
  p = p * w + 0.03306063349320292;
  p = p * w + -0.04576511340256077;
  p = p * w + 0.05988690492345173;
  p = p * w + -0.07472786553616904;
  p = p * w + 0.09020899411407204;
  p = p * w + -0.10771044253534588;
  p = p * w + 0.13167511689468112;
  p = p * w + -0.17657623330130645;
  p = p * w + 0.35353099564340495;
  return signed_like(a * p, x);
}

/* sin x for |x| < 0.79, with the sign of a zero. */
INLINE d16 sine_series(d16 x) {
  d16 z = x * x, p = all(1.0 / 6227020800);
  p = p * z - 1.0 / 39916800;
  p = p * z + 1.0 / 362880;
  p = p * z - 1.0 / 5040;
  p = p * z + 1.0 / 120;
  p = p * z - 1.0 / 6;
  p = p * z + 1.0;
  return x * p;
}
INLINE d16 cosine_series(d16 x) {
  d16 z = x * x, p = all(-1.0 / 87178291200);
  p = p * z + 1.0 / 479001600;
  p = p * z - 1.0 / 3628800;
  p = p * z + 1.0 / 40320;
  p = p * z - 1.0 / 720;
  p = p * z + 1.0 / 24;
  p = p * z - 1.0 / 2;
  return p * z + 1.0;
}

/* 2 / pi in binary after 32 zeros. */
static const uint32_t two_over_pi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                       0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};

/* 28 bits of 2 / pi from `bit` on. */
INLINE double bits_of_two_over_pi(int64_t bit) {
  uint64_t two = (uint64_t)two_over_pi[bit >> 5] << 32 | two_over_pi[(bit >> 5) + 1];
  return (double)((uint32_t)(two >> (36 - (bit & 31))) & 0xfffffff);
}

/* x = (turns + rest) * pi / 2 modulo 2 pi, |rest| about 0.5 at most. */
typedef struct {
  d16 turns, rest;
} Turned;

/* Four parts of 2^up * 2 / pi modulo 4, of 28 bits each. */
INLINE void parts_of_two_over_pi(i16 up, d16 *part) {
  double parts[4][16];
  for (int j = 0; j < 4; j++) part[j] = all(bits_of_two_over_pi(30 + 28 * j));
  if (__builtin_reduce_or(up) == 0) return;
  for (int lane = 0; lane < 16; lane++)
    for (int j = 0; j < 4; j++) parts[j][lane] = bits_of_two_over_pi(up[lane] + 30 + 28 * j);
  memcpy(part, parts, sizeof parts);
}

/* x = m 2^up with an integer m below 2^24, or up = 0. Its product with 2^up * 2 / pi modulo 4, in four exact parts. */
INLINE Turned turned(v16 x) {
  i16 up = ((i16)((i16)x & 0x7fffffff) >> 23) - 150;
  up = choosei(up > 0, up, up * 0);
  d16 m = widen(x) * (d16)((l16)(1023 - __builtin_convertvector(up, m16)) << 52), part[4];
  parts_of_two_over_pi(up, part);
  d16 a = m * (part[0] * 0x1p-26), b = m * (part[1] * 0x1p-54), c = m * (part[2] * 0x1p-82), d = m * (part[3] * 0x1p-110);
  d16 n = (a + SHIFT) - SHIFT, sum = (a - n) + b, n2 = (sum + SHIFT) - SHIFT;
  return (Turned){n + n2, ((sum - n2) + c) + d};
}
/* The sine of a quarter's angle, of the quarter `turns` modulo 4. */
INLINE d16 sine_of(d16 turns, d16 rest) {
  d16 r = rest * HALF_PI;
  l16 quarter = (l16)(turns + SHIFT);
  d16 y = chosed((m16)((quarter & 1) == 0), sine_series(r), cosine_series(r));
  return (d16)((l16)y ^ ((quarter & 2) << 62));
}
INLINE d16 sin_d(v16 x) {
  Turned t = turned(x);
  return sine_of(t.turns, t.rest);
}
INLINE d16 cos_d(v16 x) {
  Turned t = turned(x);
  return sine_of(t.turns + 1.0, t.rest);
}

/* x^y with the special values of IEEE 754's pow. */
INLINE d16 pow_d(d16 x, d16 y) {
  d16 a = absd(x), half = y * 0.5;
  m16 whole = __builtin_elementwise_floor(y) == y, odd = whole & (__builtin_elementwise_floor(half) != half);
  d16 p = exp_d(y * log_d(a));
  p = chosed((a == 1.0) & (y == y), all(1.0), p);
  p = (d16)((l16)p ^ ((l16)odd & (l16)x & 0x8000000000000000ULL));
  p = chosed((x < 0.0) & (a != __builtin_inf()) & ~whole, all(__builtin_nan("")), p);
  return chosed((y == 0.0) | (x == 1.0), all(1.0), p);
}

INLINE v16 exp16(v16 x) { return narrow(exp_d(widen(x))); }
INLINE v16 log16(v16 x) { return narrow(log_d(widen(x))); }
INLINE v16 tanh16(v16 x) { return narrow(tanh_d(widen(x))); }
INLINE v16 sigmoid16(v16 x) { return narrow(sigmoid_d(widen(x))); }
INLINE v16 erf16(v16 x) { return narrow(erf_d(widen(x))); }
INLINE v16 softplus16(v16 x) { return narrow(softplus_d(widen(x))); }
INLINE v16 elu16(v16 x) { return narrow(elu_d(widen(x))); }
INLINE v16 sin16(v16 x) { return narrow(sin_d(x)); }
INLINE v16 cos16(v16 x) { return narrow(cos_d(x)); }
INLINE v16 pow16(v16 x, v16 y) { return narrow(pow_d(widen(x), widen(y))); }
#endif
