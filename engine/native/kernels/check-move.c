/* SPDX-License-Identifier: MIT */
/* Checks of operations that move words: FILL, MOVE, GATHER, PACK, UNPACK. */
#include "check.h"

/* dst, dstItem, count, value */
bool check_fill(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, 5) && within(c, "count", a[3], 1, MAX_COUNT) &&
         reach(c, "target", a[1], a[0], a[2], dense(a[3]), WRITE) && reach(c, "value", a[4], 1, 0, ONE, READ);
}

/* src, srcItem, dst, dstItem, rank, rank x { n, srcStride, dstStride } */
bool check_move(Check *c) {
  const int64_t *a = c->a;
  if (c->count < 6) return wrong(c, "number of arguments of at least", 6, c->count);
  if (!within(c, "rank", a[5], 0, 6) || !expect_count(c, 6 + 3 * a[5])) return false;
  Extent source = ONE, target = ONE;
  for (const int64_t *axis = a + 6; axis < a + c->count; axis += 3) {
    if (!within(c, "length of an axis", axis[0], 1, MAX_COUNT)) return false;
    source = repeat(source, axis[0], axis[1]), target = repeat(target, axis[0], axis[2]);
  }
  return reach(c, "source", a[1], a[0], a[2], source, READ) && reach(c, "target", a[3], a[0], a[4], target, WRITE);
}

/* x, xItem, axisLength, inner, indices, m, out, outItem. Indices are checked as they are used. */
bool check_gather(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, 9) && within(c, "length of the axis", a[3], 1, MAX_COUNT) && within(c, "inner count", a[4], 1, MAX_COUNT) &&
         within(c, "number of indices", a[6], 1, MAX_COUNT) && reach(c, "x", a[1], a[0], a[2], dense(product(a[3], a[4])), READ) &&
         reach(c, "indices", a[5], 1, 0, dense(a[6]), READ) &&
         reach(c, "output", a[7], a[0], a[8], dense(product(a[6], a[4])), WRITE);
}

static bool is_depthwise(int64_t mode) { return mode == PACK_DEPTHWISE || mode == PACK_DEPTHWISE_TURNED; }

/* Elements of a packed filter. */
static int64_t packed(int64_t mode, int64_t taps, int64_t ci, int64_t co) {
  if (is_depthwise(mode)) return product(product(taps, 16), blocks16(ci));
  if (mode == PACK_NARROW) return product(product(taps, 16), product(ci, blocks16(co)));
  return product(product(taps, 256), product(blocks16(ci), blocks16(co)));
}

/* mode, taps, ci, co from a[3] on, as PACK and UNPACK have them. */
static bool check_shape(Check *c) {
  const int64_t *a = c->a;
  return within(c, "taps", a[4], 1, MAX_COUNT) && within(c, "input channels", a[5], 1, a[3] == PACK_NARROW ? 4 : MAX_CHANNELS) &&
         within(c, "output channels", a[6], 1, is_depthwise(a[3]) ? 1 : MAX_CHANNELS);
}

static int64_t plain(const int64_t *a) { return product(a[4], product(a[5], a[6])); }

/* src, srcItem, mode, taps, ci, co, dst, dstItem */
bool check_pack(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, 9) && within(c, "mode", a[3], PACK_FORWARD, PACK_DEPTHWISE_TURNED) && check_shape(c) &&
         reach(c, "source", a[1], a[0], a[2], dense(plain(a)), READ) &&
         reach(c, "target", a[7], a[0], a[8], dense(packed(a[3], a[4], a[5], a[6])), WRITE);
}

/* The same. */
bool check_unpack(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, 9)) return false;
  bool known = a[3] == PACK_FORWARD || a[3] == PACK_NARROW || a[3] == PACK_DEPTHWISE;
  if (!known) return wrong(c, "mode 0, 1 or", PACK_DEPTHWISE, a[3]);
  return check_shape(c) && reach(c, "source", a[1], a[0], a[2], dense(packed(a[3], a[4], a[5], a[6])), READ) &&
         reach(c, "target", a[7], a[0], a[8], dense(plain(a)), WRITE);
}
