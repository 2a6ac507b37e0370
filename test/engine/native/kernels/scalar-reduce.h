/* SPDX-License-Identifier: MIT */
/* Reductions one output at a time, as docs/arithmetic.md has them. */
#ifndef LOCKSTEP_TEST_REDUCE_H
#define LOCKSTEP_TEST_REDUCE_H
#include <math.h>
#include "arena.h"

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  return bits;
}
static uint32_t scalar_combine(int kind, uint32_t p, uint32_t q) {
  float a = float_of(p), b = float_of(q);
  int32_t x = (int32_t)p, y = (int32_t)q;
  switch (kind) {
    case REDUCE_SUM: return bits_of(a + b);
    case REDUCE_PROD: return bits_of(a * b);
    case REDUCE_MAX: return a != a || b != b ? 0x7fc00000 : bits_of((a > b ? a : b) + 0.0f);
    case REDUCE_MIN: return a != a || b != b ? 0x7fc00000 : bits_of((a < b ? a : b) + 0.0f);
    case REDUCE_ISUM: return p + q;
    case REDUCE_IPROD: return p * q;
    case REDUCE_IMAX: return x > y ? p : q;
    default: return x < y ? p : q;
  }
}
static uint32_t scalar_neutral(int kind) {
  static const uint32_t neutral[] = {[REDUCE_MAX] = 0xff800000,  [REDUCE_MIN] = 0x7f800000, [REDUCE_PROD] = 0x3f800000,
                                     [REDUCE_IMAX] = 0x80000000, [REDUCE_IMIN] = 0x7fffffff, [REDUCE_IPROD] = 1};
  return neutral[kind];
}
/* Elements x[0], x[stride], ... in segments of 256 and `lanes` chains. */
static uint32_t scalar_reduce(int kind, const uint32_t *x, int64_t n, int64_t stride, int lanes) {
  uint32_t total = scalar_neutral(kind), chain[16];
  for (int64_t start = 0; start < n; start += 256) {
    for (int j = 0; j < lanes; j++) chain[j] = scalar_neutral(kind);
    for (int64_t i = start; i < n && i < start + 256; i++) chain[i % lanes] = scalar_combine(kind, chain[i % lanes], x[i * stride]);
    if (lanes == 4) {
      uint32_t low = scalar_combine(kind, chain[0], chain[1]), high = scalar_combine(kind, chain[2], chain[3]);
      chain[0] = scalar_combine(kind, low, high);
    } else
      for (int half = 8; half > 0; half /= 2)
        for (int j = 0; j < half; j++) chain[j] = scalar_combine(kind, chain[j], chain[j + half]);
    total = scalar_combine(kind, total, chain[0]);
  }
  return total;
}
static void scalar_op_reduce(const int64_t *a, const Context *c) {
  for (int64_t i = 0; i < a[0] * a[4] * a[6]; i++) {
    int64_t item = i / (a[4] * a[6]), outer = i / a[6] % a[4], inner = i % a[6];
    const uint32_t *x = (const uint32_t *)at(c, a[2]) + item * a[3] + outer * a[5] * a[6] + inner;
    ((uint32_t *)at(c, a[8]))[item * a[9] + outer * a[6] + inner] = scalar_reduce((int)a[1], x, a[5], a[6], (int)a[7]);
  }
}
static int scalar_is_more(int kind, uint32_t p, uint32_t q) {
  float a = float_of(p), b = float_of(q);
  if (kind == REDUCE_IMAX) return (int32_t)p > (int32_t)q;
  if (kind == REDUCE_IMIN) return (int32_t)p < (int32_t)q;
  if (b != b) return 0;
  return a != a || (kind == REDUCE_MAX ? a > b : a < b);
}
static void scalar_op_arg(const int64_t *a, const Context *c) {
  for (int64_t i = 0; i < a[0] * a[4] * a[6]; i++) {
    int64_t item = i / (a[4] * a[6]), outer = i / a[6] % a[4], inner = i % a[6], best = 0;
    const uint32_t *x = (const uint32_t *)at(c, a[2]) + item * a[3] + outer * a[5] * a[6] + inner;
    for (int64_t j = 1; j < a[5]; j++)
      if (scalar_is_more((int)a[1], x[j * a[6]], x[best * a[6]])) best = j;
    ((int32_t *)at(c, a[7]))[item * a[8] + outer * a[6] + inner] = (int32_t)best;
  }
}
/* Sum in double of f(entry) in groups, in order. */
static double staged(const float *x, int64_t entries, int64_t stride, int64_t group) {
  double total = 0;
  for (int64_t first = 0; first < entries; first += group) {
    double part = 0;
    for (int64_t e = first; e < entries && e < first + group; e++) part += (double)x[e * stride];
    total += part;
  }
  return total;
}
static void scalar_op_sum_items(const int64_t *a, const Context *c) {
  for (int64_t o = 0; o < a[5]; o++) floats_at(c, a[7])[o] = (float)staged(floats_at(c, a[2]) + o, a[3], a[4], a[6]);
}
static void scalar_op_reduce_items(const int64_t *a, const Context *c) {
  for (int64_t o = 0; o < a[5]; o++) {
    const uint32_t *x = (const uint32_t *)at(c, a[2]) + o;
    uint32_t y = scalar_neutral((int)a[1]);
    double product = 1, part = 1;
    for (int64_t e = 0; e < a[3]; e++) {
      y = scalar_combine((int)a[1], y, x[e * a[4]]);
      part *= (double)float_of(x[e * a[4]]);
      if (e % 32 == 31 || e == a[3] - 1) product *= part, part = 1;
    }
    ((uint32_t *)at(c, a[6]))[o] = a[1] == REDUCE_PROD ? bits_of((float)product) : y;
  }
}
/* Sum, or sum of squared distances from the mean, of one channel in segments of 256 pixels and 4 chains. */
static float scalar_pixels(const float *x, int64_t pixels, float mean, int squares) {
  float total = 0;
  for (int64_t start = 0; start < pixels; start += 256) {
    float chain[4] = {0};
    for (int64_t p = start; p < pixels && p < start + 256; p++) {
      float d = x[p * 16] - mean;
      chain[p % 4] = squares ? fmaf(d, d, chain[p % 4]) : chain[p % 4] + x[p * 16];
    }
    total += (chain[0] + chain[1]) + (chain[2] + chain[3]);
  }
  return total;
}
static void scalar_op_moments(const int64_t *a, const Context *c) {
  for (int64_t i = 0; i < a[0] * a[3] * 16; i++) {
    int64_t item = i / (a[3] * 16), channel = i % (a[3] * 16);
    const float *x = floats_at(c, a[1]) + item * a[2] + channel / 16 * a[4] * 16 + channel % 16;
    float sum = scalar_pixels(x, a[4], 0, 0);
    floats_at(c, a[5])[item * a[6] + channel] = sum;
    floats_at(c, a[7])[item * a[8] + channel] = scalar_pixels(x, a[4], sum / (float)a[4], 1);
  }
}
static void scalar_op_spread(const int64_t *a, const Context *c) {
  for (int64_t o = 0; o < a[6]; o++) {
    const float *sums = floats_at(c, a[1]) + o, *squares = floats_at(c, a[2]) + o;
    double count = (double)a[5], mean = staged(sums, a[3], a[4], 32) / ((double)a[3] * count), total = 0, part = 0;
    for (int64_t e = 0; e < a[3]; e++) {
      double d = (double)(sums[e * a[4]] / (float)a[5]) - mean;
      part += (double)squares[e * a[4]] + count * (d * d);
      if (e % 32 == 31 || e == a[3] - 1) total += part, part = 0;
    }
    floats_at(c, a[7])[o] = (float)total;
  }
}
#endif
