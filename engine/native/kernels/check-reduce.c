/* SPDX-License-Identifier: MIT */
/* Checks of sums and other reductions. */
#include "check.h"

/* entries of `outputs` elements at a distance of `stride` */
static Extent table(int64_t entries, int64_t stride, int64_t outputs) { return repeat(dense(outputs), entries, stride); }

/* blocks, src, entries, entryStride, outputs, group, out */
bool check_sum_items(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, 8) || !within(c, "blocks of an item", a[1], 1, MAX_COUNT) || !within(c, "entries", a[3], 1, MAX_COUNT) ||
      !within(c, "outputs", a[5], 1, MAX_COUNT) || !within(c, "entries of a group", a[6], 1, MAX_COUNT)) return false;
  int64_t items = (blocks16(a[5]) + a[1] - 1) / a[1];
  return (a[0] == items || wrong(c, "items", items, a[0])) && reach(c, "source", a[2], 1, 0, table(a[3], a[4], a[5]), READ) &&
         reach(c, "output", a[7], 1, 0, dense(a[5]), WRITE);
}

/* x, xItem, planes, pixels, sums, sumsItem, squares, squaresItem */
bool check_moments(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, 9) || !within(c, "planes", a[3], 1, MAX_CHANNELS) || !within(c, "pixels", a[4], 1, MAX_COUNT)) return false;
  Extent lanes = dense(product(a[3], 16));
  return reach(c, "x", a[1], a[0], a[2], dense(product(product(a[3], a[4]), 16)), READ) &&
         reach(c, "sums", a[5], a[0], a[6], lanes, WRITE) && reach(c, "squares", a[7], a[0], a[8], lanes, WRITE);
}

/* sums, squares, entries, entryStride, pixels, outputs, out */
bool check_spread(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, 8) || !within(c, "items", a[0], 1, 1) || !within(c, "entries", a[3], 1, MAX_COUNT) ||
      !within(c, "pixels", a[5], 1, MAX_COUNT) || !within(c, "outputs", a[6], 1, MAX_COUNT)) return false;
  Extent e = table(a[3], a[4], a[6]);
  return reach(c, "sums", a[1], 1, 0, e, READ) && reach(c, "squares", a[2], 1, 0, e, READ) &&
         reach(c, "output", a[7], 1, 0, dense(a[6]), WRITE);
}

/* outer, n, inner */
static bool check_axes(Check *c, const int64_t *axes) {
  return within(c, "outer count", axes[0], 1, MAX_COUNT) && within(c, "length of the axis", axes[1], 1, MAX_COUNT) &&
         within(c, "inner count", axes[2], 1, MAX_COUNT);
}

static Extent whole(const int64_t *axes) { return dense(product(product(axes[0], axes[1]), axes[2])); }
static Extent reduced(const int64_t *axes) { return dense(product(axes[0], axes[2])); }

/* kind, x, xItem, outer, n, inner, lanes, out, outItem */
bool check_reduce(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, 10) || !within(c, "kind", a[1], REDUCE_SUM, REDUCE_IPROD) || !check_axes(c, a + 4)) return false;
  if (a[7] != 4 && a[7] != 16) return wrong(c, "chains 4 or", 16, a[7]);
  return reach(c, "x", a[2], a[0], a[3], whole(a + 4), READ) && reach(c, "output", a[8], a[0], a[9], reduced(a + 4), WRITE);
}

/* kind, x, xItem, outer, n, inner, out, outItem */
bool check_arg(Check *c) {
  const int64_t *a = c->a;
  if (!expect_count(c, 9) || !check_axes(c, a + 4)) return false;
  bool known = a[1] == REDUCE_MAX || a[1] == REDUCE_MIN || a[1] == REDUCE_IMAX || a[1] == REDUCE_IMIN;
  if (!known) return wrong(c, "kind 1, 2, 5 or", REDUCE_IMIN, a[1]);
  return reach(c, "x", a[2], a[0], a[3], whole(a + 4), READ) && reach(c, "output", a[7], a[0], a[8], reduced(a + 4), WRITE);
}

/* kind, src, entries, entryStride, outputs, out */
bool check_reduce_items(Check *c) {
  const int64_t *a = c->a;
  return expect_count(c, 7) && within(c, "items", a[0], 1, 1) && within(c, "kind", a[1], REDUCE_MAX, REDUCE_IPROD) &&
         within(c, "entries", a[3], 1, MAX_COUNT) && within(c, "outputs", a[5], 1, MAX_COUNT) &&
         reach(c, "source", a[2], 1, 0, table(a[3], a[4], a[5]), READ) && reach(c, "output", a[6], 1, 0, dense(a[5]), WRITE);
}
