/* SPDX-License-Identifier: MIT */
/* Sinks of OP_ELEMENTWISE: sums and extremes over the count elements of a plane, collected tile by tile. */
#ifndef LOCKSTEP_SINKS_H
#define LOCKSTEP_SINKS_H
#include "instructions.h"

enum { SEGMENT_PIXELS = 256, SEGMENT_VECTORS = 16 /* of 16 elements */ };

typedef struct {
  int64_t kind, slot, direct; /* direct: the last instruction writes to memory itself */
  char *base;
  int64_t item, plane; /* strides in elements */
  v16 chain[4], total;
  float sum;
} Sink;

/* ((c0 + c8) + (c4 + c12)) ...: halves are added to each other, from 8 lanes apart to 1. */
INLINE float add_lanes(v16 c) {
  float s[16];
  store(s, c);
  for (int half = 8; half >= 1; half /= 2)
    for (int lane = 0; lane < half; lane++) s[lane] = s[lane] + s[lane + half];
  return s[0];
}
INLINE float largest_lane(v16 m, int least) {
  for (int lane = 1; lane < 16; lane++) m = least ? minimum16(m, splat(m[lane])) : maximum16(m, splat(m[lane]));
  return m[0] + 0.0f;
}
INLINE i16 first_lanes(int64_t n) {
  return (i16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} < (int32_t)n;
}

INLINE void sink_start(Sink *s) {
  float start = s->kind == SINK_MAX16 ? -__builtin_inff() : s->kind == SINK_MIN16 ? __builtin_inff() : 0;
  for (int i = 0; i < 4; i++) s->chain[i] = splat(start);
  s->total = splat(0);
  s->sum = 0;
}

INLINE void end_segment4(Sink *s) {
  s->total = s->total + ((s->chain[0] + s->chain[1]) + (s->chain[2] + s->chain[3]));
  for (int i = 0; i < 4; i++) s->chain[i] = splat(0);
}
INLINE void end_segment16(Sink *s) {
  s->sum = s->sum + add_lanes(s->chain[0]);
  s->chain[0] = splat(0);
}

/* Vectors first to first + n of a plane, which do not cross the end of a segment. */
NOINLINE void sink_sum4(Sink *s, const float *x, int64_t stride, int64_t first, int64_t n) {
  v16 c0 = s->chain[0], c1 = s->chain[1], c2 = s->chain[2], c3 = s->chain[3];
  int64_t v = 0;
  if (first % 4 == 0)
    for (; v + 4 <= n; v += 4) {
      c0 = c0 + load(x + v * stride);
      c1 = c1 + load(x + (v + 1) * stride);
      c2 = c2 + load(x + (v + 2) * stride);
      c3 = c3 + load(x + (v + 3) * stride);
    }
  s->chain[0] = c0, s->chain[1] = c1, s->chain[2] = c2, s->chain[3] = c3;
  for (; v < n; v++) s->chain[(first + v) % 4] = s->chain[(first + v) % 4] + load(x + v * stride);
  if ((first + n) % SEGMENT_PIXELS == 0) end_segment4(s);
}

/* The last vector has `lanes` elements, the others 16; likewise below. */
NOINLINE void sink_sum16(Sink *s, const float *x, int64_t stride, int64_t first, int64_t n, int64_t lanes) {
  for (int64_t v = 0; v < n; v++) {
    v16 value = load(x + v * stride);
    if (v == n - 1) value = keep(first_lanes(lanes), value);
    s->chain[0] = s->chain[0] + value;
    if ((first + v + 1) % SEGMENT_VECTORS == 0) end_segment16(s);
  }
}
NOINLINE void sink_extreme(Sink *s, const float *x, int64_t stride, int64_t n, int64_t lanes) {
  v16 m = s->chain[0];
  i16 valid = inti(-1);
  for (int64_t v = 0; v < n; v++) {
    if (v == n - 1) valid = first_lanes(lanes);
    v16 value = choose(valid, load(x + v * stride), m);
    m = s->kind == SINK_MAX16 ? maximum16(value, m) : minimum16(value, m);
  }
  s->chain[0] = m;
}
NOINLINE void sink_int_sum(Sink *s, const float *x, int64_t stride, int64_t n, int64_t lanes) {
  u16 sum = (u16)s->chain[0];
  for (int64_t v = 0; v < n; v++) {
    u16 value = (u16)load(x + v * stride);
    sum = sum + (v == n - 1 ? (u16)first_lanes(lanes) & value : value);
  }
  s->chain[0] = (v16)sum;
}

INLINE void sink_store(float *to, const float *x, int64_t stride, int64_t n, int64_t lanes) {
  for (int64_t v = 0; v < n - 1; v++) store(to + v * 16, load(x + v * stride));
  if (lanes == 16) store(to + (n - 1) * 16, load(x + (n - 1) * stride));
  else store_n(to + (n - 1) * 16, load(x + (n - 1) * stride), lanes);
}

/* to: the plane's place in memory. */
INLINE void sink_tile(Sink *s, const Slot *from, float *to, int64_t first, int64_t n, int64_t lanes) {
  const float *x = from->data;
  switch (s->kind) {
    case SINK_STORE:
      if (!s->direct || lanes < 16) sink_store(to + first * 16, x, from->stride, n, lanes);
      break;
    case SINK_SUM4: sink_sum4(s, x, from->stride, first, n); break;
    case SINK_SUM16: sink_sum16(s, x, from->stride, first, n, lanes); break;
    case SINK_MAX16:
    case SINK_MIN16: sink_extreme(s, x, from->stride, n, lanes); break;
    case SINK_ISUM16: sink_int_sum(s, x, from->stride, n, lanes); break;
    default:
      if (first == 0) memcpy(to, x, 4);
  }
}

INLINE void sink_end(Sink *s, float *to) {
  int32_t wrapped = 0;
  switch (s->kind) {
    case SINK_SUM4:
      end_segment4(s);
      store(to, s->total);
      break;
    case SINK_SUM16:
      end_segment16(s);
      *to = s->sum;
      break;
    case SINK_MAX16: *to = largest_lane(s->chain[0], 0); break;
    case SINK_MIN16: *to = largest_lane(s->chain[0], 1); break;
    case SINK_ISUM16:
      for (int lane = 0; lane < 16; lane++) wrapped = (int32_t)((uint32_t)wrapped + ((u16)s->chain[0])[lane]);
      memcpy(to, &wrapped, 4);
  }
}
#endif
