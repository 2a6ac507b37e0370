/* SPDX-License-Identifier: MIT */
/* OP_FILL, OP_MOVE and OP_GATHER: words are moved, whatever they hold. */
#ifndef LOCKSTEP_MOVE_H
#define LOCKSTEP_MOVE_H
#include "plan.h"
#include "vec.h"

enum { MAX_RANK = 6 };

static void op_fill(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  v16 value = splat(*(const float *)at(c, a[4]));
  for (int64_t item = from; item < to; item++) {
    float *out = (float *)at(c, a[1]) + item * a[2];
    int64_t i = 0, count = a[3];
    for (; i + 16 <= count; i += 16) store(out + i, value);
    store_n(out + i, value, count - i);
  }
}

typedef struct {
  int64_t n, from, to;
} MoveAxis;

/* 16 x 16 transposed: four rounds in which row i and row i + 8 are woven into rows 2 i and 2 i + 1. */
INLINE void transpose16(const float *from, int64_t row, float *to, int64_t torow) {
  v16 a[16], b[16];
  UNROLL for (int i = 0; i < 16; i++) a[i] = load(from + i * row);
  UNROLL for (int round = 0; round < 4; round++) {
    UNROLL for (int i = 0; i < 8; i++) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    UNROLL for (int i = 0; i < 16; i++) a[i] = b[i];
  }
  UNROLL for (int i = 0; i < 16; i++) store(to + i * torow, a[i]);
}

INLINE void move_row(const float *from, float *to, const MoveAxis *x) {
  int64_t n = x->n, i = 0;
  if (x->to != 1 || x->from != 1)
    for (; i < n; i++) memcpy(to + i * x->to, from + i * x->from, 4);
  else if (n > 128) memmove(to, from, (size_t)n * 4); /* a damaged plan may let them overlap */
  else {
    for (; i + 16 <= n; i += 16) store(to + i, load(from + i));
    store_n(to + i, load_n(from + i, n - i), n - i);
  }
}
/* Rows of 16 words, one block of channels each, are by far the most frequent. */
NOINLINE void move_rows(const float *from, float *to, const MoveAxis *y, const MoveAxis *x) {
  if (x->n == 16 && x->to == 1 && x->from == 1)
    for (int64_t i = 0; i < y->n; i++) store(to + i * y->to, load(from + i * y->from));
  else
    for (int64_t i = 0; i < y->n; i++) move_row(from + i * y->from, to + i * y->to, x);
}
/* MoveAxis x is contiguous in the destination, axis y in the source. */
NOINLINE void move_turned(const float *from, float *to, const MoveAxis *y, const MoveAxis *x) {
  int64_t i = 0;
  for (; i + 16 <= y->n; i += 16) {
    int64_t j = 0;
    for (; j + 16 <= x->n; j += 16) transpose16(from + i + j * x->from, x->from, to + i * y->to + j, y->to);
    for (; j < x->n; j++)
      for (int64_t k = i; k < i + 16; k++) memcpy(to + k * y->to + j, from + k + j * x->from, 4);
  }
  for (; i < y->n; i++) move_row(from + i, to + i * y->to, x);
}

/* Drops axes of length 1, sorts by stride in the destination (smallest last), joins axes that are one in both. */
static int simplify(const int64_t *given, int rank, MoveAxis *axis) {
  int n = 0, joined = 0;
  for (int i = 0; i < rank; i++, given += 3) {
    if (given[0] == 1) continue;
    int k = n++;
    for (; k > 0 && axis[k - 1].to < given[2]; k--) axis[k] = axis[k - 1];
    axis[k] = (MoveAxis){given[0], given[1], given[2]};
  }
  for (int i = 1; i < n; i++) {
    MoveAxis *a = &axis[joined], b = axis[i];
    if (a->from == b.from * b.n && a->to == b.to * b.n) *a = (MoveAxis){a->n * b.n, b.from, b.to};
    else axis[++joined] = b;
  }
  if (n == 0) axis[0] = (MoveAxis){1, 1, 1};
  return n == 0 ? 1 : joined + 1;
}

/* Puts the axis that is contiguous in the source before the last one, which is contiguous in the destination, if both
 * are long enough for transposing. */
static int turns(MoveAxis *axis, int rank) {
  const MoveAxis last = axis[rank - 1];
  if (last.to != 1 || last.from == 1 || last.n < 16) return 0;
  for (int i = rank - 2; i >= 0; i--) {
    MoveAxis found = axis[i];
    if (found.from != 1 || found.n < 16) continue;
    for (; i < rank - 2; i++) axis[i] = axis[i + 1];
    axis[rank - 2] = found;
    return 1;
  }
  return 0;
}

static void move_axes(const float *from, float *to, const MoveAxis *axis, int rank, int turned) {
  if (rank == 1) return move_row(from, to, axis);
  if (rank == 2) return turned ? move_turned(from, to, axis, axis + 1) : move_rows(from, to, axis, axis + 1);
  for (int64_t i = 0; i < axis->n; i++) move_axes(from + i * axis->from, to + i * axis->to, axis + 1, rank - 1, turned);
}
static void op_move(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  MoveAxis axis[MAX_RANK];
  int rank = simplify(a + 6, (int)a[5], axis), turned = turns(axis, rank);
  for (int64_t item = from; item < to; item++)
    move_axes((const float *)at(c, a[1]) + item * a[2], (float *)at(c, a[3]) + item * a[4], axis, rank, turned);
}

/* Rows of x by index; a row of NaNs where there is none. */
static void op_gather(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  int64_t length = a[3], inner = a[4], m = a[6];
  const volatile int32_t *indices = (const int32_t *)at(c, a[5]); /* read once: another thread may write them */
  const uint32_t missing = 0x7fc00000;
  for (int64_t item = from; item < to; item++)
    for (int64_t j = 0; j < m; j++) {
      const float *x = (const float *)at(c, a[1]) + item * a[2];
      float *out = (float *)at(c, a[7]) + item * a[8] + j * inner;
      int64_t index = indices[j];
      if (index >= 0 && index < length) memmove(out, x + index * inner, (size_t)inner * 4);
      else
        for (int64_t i = 0; i < inner; i++) memcpy(out + i, &missing, 4);
    }
}
#endif
