/* SPDX-License-Identifier: MIT */
/* Parts of the validator: checks of one operation's arguments. After the first failure of a plan the others do nothing
 * of importance: every function here works on any numbers. */
#ifndef LOCKSTEP_CHECK_H
#define LOCKSTEP_CHECK_H
#include "program.h"

typedef struct {
  const Plan *plan;
  const Job *job;
  const int64_t *a; /* arguments; the first `count` exist */
  int64_t count;
  int64_t phase, operation; /* for messages */
  const char *name;
  Fault *fault;
} Check;

/* Bounds. Lists of a filter's rows and columns fit in a thread's workspace (conv.h: 24 bytes a row, 64 a column). */
enum { MAX_COUNT = 1 << 30, MAX_DIMENSION = 1 << 20, MAX_CHANNELS = 1 << 24, MAX_FILTER = 2048 };
_Static_assert(MAX_FILTER * (24 + 64) <= WORK_BYTES, "workspace of convolutions");

/* Element offsets that an item touches: from low to high, both included. */
typedef struct {
  int64_t low, high;
  bool overflow;
} Extent;

/* One element. */
static const Extent ONE = {0, 0, false};

/* e repeated n times at a distance of `stride` elements. */
Extent repeat(Extent e, int64_t n, int64_t stride);
/* n elements one after another. */
Extent dense(int64_t n);
/* Product of counts, at least 0; a negative number after an overflow, for which every check fails. */
int64_t product(int64_t a, int64_t b);

bool wrong(Check *c, const char *what, int64_t expected, int64_t found);
bool expect_count(Check *c, int64_t count);
/* low <= value <= high */
bool within(Check *c, const char *what, int64_t value, int64_t low, int64_t high);

enum Access { READ, WRITE };

/* All items' elements of 4 bytes lie in the address's space, which may be written if asked. */
bool reach(Check *c, const char *what, int64_t address, int64_t items, int64_t itemStride, Extent e, enum Access access);
/* The same for bytes, read. */
bool reach_bytes(Check *c, const char *what, int64_t address, int64_t items, int64_t itemStride, Extent e);

static inline int64_t blocks16(int64_t n) { return (n + 15) / 16; }

/* One for each kind of operation. */
bool check_fill(Check *c);
bool check_move(Check *c);
bool check_gather(Check *c);
bool check_pack(Check *c);
bool check_unpack(Check *c);
bool check_elementwise(Check *c);
bool check_sum_items(Check *c);
bool check_moments(Check *c);
bool check_spread(Check *c);
bool check_reduce(Check *c);
bool check_arg(Check *c);
bool check_reduce_items(Check *c);
bool check_conv(Check *c);
bool check_conv_filter(Check *c);
bool check_depthwise(Check *c);
bool check_depthwise_filter(Check *c);
bool check_product(Check *c);
bool check_max_pool(Check *c);
bool check_max_pool_grad(Check *c);
bool check_avg_pool(Check *c);
bool check_avg_pool_grad(Check *c);

#endif
