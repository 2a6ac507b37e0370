/* SPDX-License-Identifier: MIT */
/* Reductions in fixed stages. In an image: segments of 256 elements, each in 4 or 16 chains (element index modulo their
 * number), chains combined as a tree, segments in order. Over images: in double, in groups of 32. */
#ifndef LOCKSTEP_REDUCE_H
#define LOCKSTEP_REDUCE_H
#include "sinks.h"

enum { SEGMENT = 256, GROUP_IMAGES = 32 };

INLINE v16 neutral(int64_t kind) {
  switch (kind) {
    case REDUCE_MAX: return splat(-__builtin_inff());
    case REDUCE_MIN: return splat(__builtin_inff());
    case REDUCE_PROD: return splat(1);
    case REDUCE_IPROD: return (v16)inti(1);
    case REDUCE_IMAX: return (v16)inti(INT32_MIN);
    case REDUCE_IMIN: return (v16)inti(INT32_MAX);
    default: return splat(0);
  }
}
INLINE v16 combine(int64_t kind, v16 a, v16 b) {
  i16 x = (i16)a, y = (i16)b;
  switch (kind) {
    case REDUCE_SUM: return a + b;
    case REDUCE_MAX: return maximum16(b, a);
    case REDUCE_MIN: return minimum16(b, a);
    case REDUCE_PROD: return a * b;
    case REDUCE_ISUM: return (v16)((u16)x + (u16)y);
    case REDUCE_IPROD: return (v16)((u16)x * (u16)y);
    case REDUCE_IMAX: return (v16)choosei(x > y, x, y);
    default: return (v16)choosei(x < y, x, y);
  }
}
/* A zero maximum or minimum is +0. */
INLINE v16 finished(int64_t kind, v16 x) { return kind == REDUCE_MAX || kind == REDUCE_MIN ? x + 0.0f : x; }

/* Chains j and j + half are combined, half = 8 (or 2 of 4 chains, next to each other) to 1. */
INLINE v16 combine_chains(int64_t kind, const v16 *chain, int lanes) {
  v16 c[16];
  if (lanes == 4) return combine(kind, combine(kind, chain[0], chain[1]), combine(kind, chain[2], chain[3]));
  for (int i = 0; i < 8; i++) c[i] = combine(kind, chain[i], chain[i + 8]);
  for (int half = 4; half >= 1; half /= 2)
    for (int i = 0; i < half; i++) c[i] = combine(kind, c[i], c[i + half]);
  return c[0];
}

/* 16 (or fewer, `width`) neighbouring columns of [n][inner]. */
INLINE v16 reduce_columns(int64_t kind, const float *x, int64_t n, int64_t inner, int64_t width, int lanes) {
  v16 total = neutral(kind), chain[16];
  for (int64_t start = 0; start < n; start += SEGMENT) {
    int64_t end = start + SEGMENT < n ? start + SEGMENT : n, i = start;
    for (int j = 0; j < lanes; j++) chain[j] = neutral(kind);
    if (width == 16)
      for (; i + lanes <= end; i += lanes)
        for (int j = 0; j < lanes; j++) chain[j] = combine(kind, chain[j], load(x + (i + j) * inner));
    for (; i < end; i++) chain[i % lanes] = combine(kind, chain[i % lanes], load_n(x + i * inner, width));
    total = combine(kind, total, combine_chains(kind, chain, lanes));
  }
  return finished(kind, total);
}

/* Lanes j and j + 8 are combined, and so on to 1. */
INLINE v16 combine_lanes(int64_t kind, v16 c) {
  c = combine(kind, c, __builtin_shufflevector(c, c, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  c = combine(kind, c, __builtin_shufflevector(c, c, 4, 5, 6, 7, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3));
  c = combine(kind, c, __builtin_shufflevector(c, c, 2, 3, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1));
  return combine(kind, c, __builtin_shufflevector(c, c, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
}

/* A row of n elements in 16 chains, which are a vector's lanes. */
INLINE float reduce_row(int64_t kind, const float *x, int64_t n) {
  v16 total = neutral(kind);
  for (int64_t start = 0; start < n; start += SEGMENT) {
    int64_t end = start + SEGMENT < n ? start + SEGMENT : n, i = start;
    v16 chain = neutral(kind);
    for (; i + 16 <= end; i += 16) chain = combine(kind, chain, load(x + i));
    if (i < end) chain = choose(first_lanes(end - i), combine(kind, chain, load_n(x + i, end - i)), chain);
    total = combine(kind, total, combine_lanes(kind, chain));
  }
  return finished(kind, total)[0];
}

INLINE void reduce_item(int64_t kind, const float *x, const int64_t *a, float *out) {
  int64_t outer = a[4], n = a[5], inner = a[6];
  for (int64_t o = 0; o < outer; o++, x += n * inner, out += inner) {
    if (inner == 1 && a[7] == 16) {
      *out = reduce_row(kind, x, n);
      continue;
    }
    for (int64_t i = 0; i < inner; i += 16) {
      int64_t width = inner - i < 16 ? inner - i : 16;
      store_n(out + i, a[7] == 4 ? reduce_columns(kind, x + i, n, inner, width, 4) : reduce_columns(kind, x + i, n, inner, width, 16), width);
    }
  }
}

#define REDUCE_CASE(kind) \
  case kind: reduce_item(kind, x, a, out); break;

static void op_reduce(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  for (int64_t item = from; item < to; item++) {
    const float *x = (const float *)at(c, a[2]) + item * a[3];
    float *out = (float *)at(c, a[8]) + item * a[9];
    switch (a[1]) {
      REDUCE_CASE(REDUCE_SUM)
      REDUCE_CASE(REDUCE_MAX)
      REDUCE_CASE(REDUCE_MIN)
      REDUCE_CASE(REDUCE_PROD)
      REDUCE_CASE(REDUCE_ISUM)
      REDUCE_CASE(REDUCE_IMAX)
      REDUCE_CASE(REDUCE_IMIN)
      REDUCE_CASE(REDUCE_IPROD)
    }
  }
}

/* True where x replaces the extreme so far: it is larger (smaller), or the first NaN. */
INLINE i16 is_more_extreme(int64_t kind, v16 x, v16 best) {
  switch (kind) {
    case REDUCE_MAX: return (x > best) | ((x != x) & (best == best));
    case REDUCE_MIN: return (x < best) | ((x != x) & (best == best));
    case REDUCE_IMAX: return (i16)x > (i16)best;
    default: return (i16)x < (i16)best;
  }
}
static void arg_columns(int64_t kind, const float *x, int64_t n, int64_t inner, int64_t width, float *out) {
  v16 best = load_n(x, width);
  i16 place = inti(0);
  for (int64_t i = 1; i < n; i++) {
    v16 value = load_n(x + i * inner, width);
    i16 more = is_more_extreme(kind, value, best);
    best = choose(more, value, best);
    place = choosei(more, inti((int32_t)i), place);
  }
  store_n(out, (v16)place, width);
}
static void op_arg(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  int64_t outer = a[4], n = a[5], inner = a[6];
  for (int64_t item = from; item < to; item++) {
    const float *x = (const float *)at(c, a[2]) + item * a[3];
    float *out = (float *)at(c, a[7]) + item * a[8];
    for (int64_t o = 0; o < outer; o++, x += n * inner, out += inner)
      for (int64_t i = 0; i < inner; i += 16) arg_columns(a[1], x + i, n, inner, inner - i < 16 ? inner - i : 16, out + i);
  }
}

/* Sums of 16 * blocks neighbouring outputs over all entries. */
INLINE void sum_entries(const float *x, int64_t entries, int64_t stride, int64_t group, float *out, int blocks, int64_t width) {
  d16 total[4], part[4];
  for (int b = 0; b < blocks; b++) total[b] = all(0);
  for (int64_t first = 0; first < entries; first += group) {
    int64_t end = first + group < entries ? first + group : entries;
    for (int b = 0; b < blocks; b++) part[b] = all(0);
    for (int64_t e = first; e < end; e++)
      for (int b = 0; b < blocks; b++) {
        const float *p = x + e * stride + b * 16;
        part[b] = part[b] + widen(width == 16 ? load(p) : load_n(p, width));
      }
    for (int b = 0; b < blocks; b++) total[b] = total[b] + part[b];
  }
  for (int b = 0; b < blocks; b++) store_n(out + b * 16, narrow(total[b]), width);
}
static void op_sum_items(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  const float *x = (const float *)at(c, a[2]);
  float *out = (float *)at(c, a[7]);
  int64_t entries = a[3], stride = a[4], outputs = a[5], group = a[6], o = from * a[1] * 16, end = to * a[1] * 16;
  if (end > outputs) end = outputs;
  for (; o + 64 <= end; o += 64) sum_entries(x + o, entries, stride, group, out + o, 4, 16);
  for (; o + 16 <= end; o += 16) sum_entries(x + o, entries, stride, group, out + o, 1, 16);
  if (o < end) sum_entries(x + o, entries, stride, group, out + o, 1, end - o);
}

/* Products over entries in double, in groups of 32 like sums. */
INLINE v16 product_entries(const float *x, int64_t entries, int64_t stride, int64_t width) {
  d16 total = all(1);
  for (int64_t first = 0; first < entries; first += GROUP_IMAGES) {
    d16 part = all(1);
    for (int64_t e = first; e < first + GROUP_IMAGES && e < entries; e++) part = part * widen(load_n(x + e * stride, width));
    total = total * part;
  }
  return narrow(total);
}
INLINE v16 combine_entries(int64_t kind, const float *x, int64_t entries, int64_t stride, int64_t width) {
  v16 total = neutral(kind);
  for (int64_t e = 0; e < entries; e++) total = combine(kind, total, load_n(x + e * stride, width));
  return finished(kind, total);
}
static void op_reduce_items(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  const float *x = (const float *)at(c, a[2]);
  float *out = (float *)at(c, a[6]);
  int64_t kind = a[1], entries = a[3], stride = a[4], outputs = a[5];
  for (int64_t o = 0; o < outputs && from < to; o += 16) {
    int64_t width = outputs - o < 16 ? outputs - o : 16;
    v16 y = kind == REDUCE_PROD ? product_entries(x + o, entries, stride, width)
                                : combine_entries(kind, x + o, entries, stride, width);
    store_n(out + o, y, width);
  }
}
#endif
