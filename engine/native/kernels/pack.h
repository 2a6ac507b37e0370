/* SPDX-License-Identifier: MIT */
/* Filters and matrices to and from blocks of 16 channels; see PackMode. Rows and lanes beyond the end are zero. */
#ifndef LOCKSTEP_PACK_H
#define LOCKSTEP_PACK_H
#include "geometry.h"

/* 16 x 16 transposed: four rounds in which rows i and i + 8 are woven into rows 2 i and 2 i + 1. */
INLINE void transpose_block(v16 a[16]) {
  v16 b[16];
  UNROLL for (int round = 0; round < 4; round++) {
    UNROLL for (int i = 0; i < 8; i++) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      b[2 * i + 1] =
          __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    UNROLL for (int i = 0; i < 16; i++) a[i] = b[i];
  }
}

/* A block of 16 x 16 from rows of a matrix; the `rows` and `columns` that exist, the rest zero. */
NOINLINE void pack_block(const float *from, int64_t pitch, int64_t rows, int64_t columns, float *to) {
  for (int64_t i = 0; i < 16; i++)
    store(to + 16 * i, i >= rows       ? splat(0)
                       : columns == 16 ? load(from + i * pitch)
                                       : load_n(from + i * pitch, columns));
}
NOINLINE void pack_turned_block(const float *from, int64_t pitch, int64_t rows, int64_t columns, float *to) {
  v16 a[16];
  if (rows == 16 && columns == 16) UNROLL for (int i = 0; i < 16; i++) a[i] = load(from + i * pitch);
  else for (int64_t i = 0; i < 16; i++) a[i] = i < rows ? load_n(from + i * pitch, columns) : splat(0);
  transpose_block(a);
  UNROLL for (int i = 0; i < 16; i++) store(to + 16 * i, a[i]);
}

/* [taps][ci][co] and its blocks. */
typedef struct {
  int64_t taps, ci, co, cb, ob;
} Filter;

static void pack_forward(const Filter *f, const float *from, float *to) {
  for (int64_t o = 0; o < f->ob; o++)
    for (int64_t b = 0; b < f->cb; b++)
      for (int64_t t = 0; t < f->taps; t++, to += 256)
        pack_block(from + (t * f->ci + 16 * b) * f->co + 16 * o, f->co, smaller(16, f->ci - 16 * b),
                   smaller(16, f->co - 16 * o), to);
}
static void pack_turned(const Filter *f, const float *from, float *to) {
  for (int64_t b = 0; b < f->cb; b++)
    for (int64_t o = 0; o < f->ob; o++)
      for (int64_t t = f->taps - 1; t >= 0; t--, to += 256)
        pack_turned_block(from + (t * f->ci + 16 * b) * f->co + 16 * o, f->co, smaller(16, f->ci - 16 * b),
                          smaller(16, f->co - 16 * o), to);
}
static void pack_narrow(const Filter *f, const float *from, float *to) {
  for (int64_t o = 0; o < f->ob; o++)
    for (int64_t r = 0; r < f->taps * f->ci; r++, to += 16)
      store(to, load_n(from + r * f->co + 16 * o, smaller(16, f->co - 16 * o)));
}
static void pack_depthwise(const Filter *f, int turned, const float *from, float *to) {
  for (int64_t b = 0; b < f->cb; b++)
    for (int64_t t = 0; t < f->taps; t++, to += 16)
      store(to, load_n(from + (turned ? f->taps - 1 - t : t) * f->ci + 16 * b, smaller(16, f->ci - 16 * b)));
}

/* args, see OP_PACK */
enum { PK_SRC = 1, PK_SRCITEM, PK_MODE, PK_TAPS, PK_CI, PK_CO, PK_DST, PK_DSTITEM };
INLINE Filter filter_of(const int64_t *a) {
  return (Filter){a[PK_TAPS], a[PK_CI], a[PK_CO], blocks_of(a[PK_CI]), blocks_of(a[PK_CO])};
}

static void op_pack(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Filter f = filter_of(a);
  for (int64_t i = from; i < to; i++) {
    const float *src = (const float *)at(c, a[PK_SRC]) + i * a[PK_SRCITEM];
    float *dst = (float *)at(c, a[PK_DST]) + i * a[PK_DSTITEM];
    switch (a[PK_MODE]) {
    case PACK_FORWARD: pack_forward(&f, src, dst); break;
    case PACK_NARROW: pack_narrow(&f, src, dst); break;
    case PACK_TURNED: pack_turned(&f, src, dst); break;
    default: pack_depthwise(&f, a[PK_MODE] == PACK_DEPTHWISE_TURNED, src, dst);
    }
  }
}

/* Rows of a block to a plain matrix, those that exist. */
INLINE void unpack_block(const float *from, int64_t pitch, int64_t rows, int64_t columns, float *to) {
  for (int64_t i = 0; i < rows; i++) {
    if (columns == 16) store(to + i * pitch, load(from + 16 * i));
    else store_n(to + i * pitch, load(from + 16 * i), columns);
  }
}

static void op_unpack(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Filter f = filter_of(a);
  for (int64_t i = from; i < to; i++) {
    const float *src = (const float *)at(c, a[PK_SRC]) + i * a[PK_SRCITEM];
    float *dst = (float *)at(c, a[PK_DST]) + i * a[PK_DSTITEM];
    if (a[PK_MODE] == PACK_FORWARD)
      for (int64_t o = 0; o < f.ob; o++)
        for (int64_t b = 0; b < f.cb; b++)
          for (int64_t t = 0; t < f.taps; t++, src += 256)
            unpack_block(src, f.co, smaller(16, f.ci - 16 * b), smaller(16, f.co - 16 * o),
                         dst + (t * f.ci + 16 * b) * f.co + 16 * o);
    else if (a[PK_MODE] == PACK_NARROW)
      for (int64_t o = 0; o < f.ob; o++, src += f.taps * f.ci * 16)
        unpack_block(src, f.co, f.taps * f.ci, smaller(16, f.co - 16 * o), dst + 16 * o);
    else
      for (int64_t b = 0; b < f.cb; b++, src += f.taps * 16)
        unpack_block(src, f.ci, f.taps, smaller(16, f.ci - 16 * b), dst + 16 * b);
  }
}
#endif
