/* SPDX-License-Identifier: MIT */
/* Compiled once for each instruction set, with -DISA=avx512, avx2 or neon. */
#include "vectors.h"
#include "vec.h"

enum { LANES = 16 };

static void add(float *left, const float *right, int64_t n) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) store(left + i, load(left + i) + load(right + i));
  store_n(left + i, load_n(left + i, n - i) + load_n(right + i, n - i), n - i);
}

/* -1 in lanes of NaN and infinity: their exponent has all bits set. */
INLINE i16 broken(v16 x) {
  const i16 exponent = (i16){0} + 0x7f800000;
  return ((i16)x & exponent) == exponent;
}

static bool finite(const float *x, int64_t n) {
  i16 found[4] = {{0}};
  int64_t i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES) {
    UNROLL for (int j = 0; j < 4; j++) found[j] |= broken(load(x + i + j * LANES));
  }
  for (; i < n; i += LANES) found[0] |= broken(load_n(x + i, n - i < LANES ? n - i : LANES));
  return !__builtin_reduce_or(found[0] | found[1] | found[2] | found[3]);
}

INLINE v16 sgd16(v16 params, v16 gradient, const Sgd *c) {
  d16 p = widen(params);
  return narrow(p - c->rate * (widen(gradient) * c->per_sample + c->decay * p));
}

static void sgd(float *params, const float *gradient, int64_t n, const Sgd *c) {
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) store(params + i, sgd16(load(params + i), load(gradient + i), c));
  store_n(params + i, sgd16(load_n(params + i, n - i), load_n(gradient + i, n - i), c), n - i);
}

INLINE v16 momentum16(v16 params, v16 *velocity, v16 gradient, const Momentum *c) {
  d16 p = widen(params), g = widen(gradient) * c->per_sample + c->decay * p;
  *velocity = narrow(c->momentum * widen(*velocity) + g);
  return narrow(p - (c->velocity_rate * widen(*velocity) + c->gradient_rate * g));
}

static void momentum(float *params, float *velocity, const float *gradient, int64_t n, const Momentum *c) {
  int64_t i = 0;
  v16 v;
  for (; i + LANES <= n; i += LANES) {
    v = load(velocity + i);
    store(params + i, momentum16(load(params + i), &v, load(gradient + i), c));
    store(velocity + i, v);
  }
  v = load_n(velocity + i, n - i);
  store_n(params + i, momentum16(load_n(params + i, n - i), &v, load_n(gradient + i, n - i), c), n - i);
  store_n(velocity + i, v, n - i);
}

INLINE v16 adam16(v16 params, v16 *mean, v16 *square, v16 gradient, const Adam *c) {
  d16 p = widen(params), g = widen(gradient) * c->per_sample + c->l2 * p;
  *mean = narrow(c->beta1 * widen(*mean) + (1 - c->beta1) * g);
  *square = narrow(c->beta2 * widen(*square) + (1 - c->beta2) * g * g);
  d16 root = __builtin_elementwise_sqrt(widen(*square));
  return narrow(c->shrink * p - (c->step_size * widen(*mean)) / (root * c->square_scale + c->epsilon));
}

static void adam(float *params, float *means, float *squares, const float *gradient, int64_t n, const Adam *c) {
  int64_t i = 0;
  v16 m, s;
  for (; i + LANES <= n; i += LANES) {
    m = load(means + i), s = load(squares + i);
    store(params + i, adam16(load(params + i), &m, &s, load(gradient + i), c));
    store(means + i, m), store(squares + i, s);
  }
  m = load_n(means + i, n - i), s = load_n(squares + i, n - i);
  store_n(params + i, adam16(load_n(params + i, n - i), &m, &s, load_n(gradient + i, n - i), c), n - i);
  store_n(means + i, m, n - i), store_n(squares + i, s, n - i);
}

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define TEXT2(a) #a
#define TEXT(a) TEXT2(a)
const Vectors JOIN(vectors_, ISA) = {TEXT(ISA), add, finite, sgd, momentum, adam};
