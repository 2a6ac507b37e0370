/* SPDX-License-Identifier: MIT */
#include "check.h"

static const char *const space_name[SPACES] = {"arena", "scratch", "constants", "params", "state", "images",
                                               "labels", "masks", "out A", "out B", "out C"};

static bool writable(int64_t space) {
  return space == ARENA || space == SCRATCH || space == OUT_A || space == OUT_B || space == OUT_C;
}

int64_t product(int64_t a, int64_t b) {
  int64_t result;
  return a < 0 || b < 0 || __builtin_mul_overflow(a, b, &result) ? -1 : result;
}

Extent repeat(Extent e, int64_t n, int64_t stride) {
  int64_t far;
  if (n < 1 || __builtin_mul_overflow(n - 1, stride, &far)) e.overflow = true;
  else if (far < 0) e.overflow |= __builtin_add_overflow(e.low, far, &e.low);
  else e.overflow |= __builtin_add_overflow(e.high, far, &e.high);
  return e;
}

Extent dense(int64_t n) { return repeat(ONE, n, 1); }

bool wrong(Check *c, const char *what, int64_t expected, int64_t found) {
  return fail(c->fault, "BAD_PLAN", "create program: operation %d (%s, phase %d): expected %s %d, got %d; compile the program again",
              c->operation, c->name, c->phase, what, expected, found);
}

bool expect_count(Check *c, int64_t count) { return c->count == count || wrong(c, "number of arguments", count, c->count); }

bool within(Check *c, const char *what, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return true;
  return fail(c->fault, "BAD_PLAN", "create program: operation %d (%s, phase %d): expected %s from %d to %d, got %d; compile the program again",
              c->operation, c->name, c->phase, what, low, high, value);
}

static bool outside(Check *c, const char *what, int64_t space, int64_t from, int64_t to) {
  return fail(c->fault, "BAD_PLAN", "create program: operation %d (%s, phase %d): expected %s within the %d bytes of %s, got bytes %d to %d; compile the program again",
              c->operation, c->name, c->phase, what, c->plan->bytes[space], space_name[space], from, to);
}

/* The space of an address, or -1 and a failure. */
static int64_t space_of(Check *c, const char *what, int64_t address, enum Access access) {
  int64_t space = address >> 40;
  if (address < 0 || space >= SPACES) {
    fail(c->fault, "BAD_PLAN", "create program: operation %d (%s, phase %d): expected an address of %s, got %d; compile the program again",
         c->operation, c->name, c->phase, what, address);
    return -1;
  }
  if (access == READ || writable(space)) return space;
  fail(c->fault, "BAD_PLAN", "create program: operation %d (%s, phase %d): expected %s in a space that may be written, got %s; compile the program again",
       c->operation, c->name, c->phase, what, space_name[space]);
  return -1;
}

static bool reach_units(Check *c, const char *what, int64_t address, Extent e, int64_t unit, enum Access access) {
  int64_t space = space_of(c, what, address, access), offset = address & ((1LL << 40) - 1), low, high;
  if (space < 0) return false;
  if (offset % unit) return wrong(c, "alignment in bytes", unit, offset);
  bool overflow = e.overflow || __builtin_mul_overflow(e.low, unit, &low) || __builtin_mul_overflow(e.high, unit, &high) ||
                  __builtin_add_overflow(low, offset, &low) || __builtin_add_overflow(high, offset + unit, &high);
  if (overflow) {
    return fail(c->fault, "BAD_PLAN", "create program: operation %d (%s, phase %d): expected sizes and strides of %s below 2^63 bytes in all, got more; compile the program again",
                c->operation, c->name, c->phase, what);
  }
  return (low >= 0 && high <= c->plan->bytes[space]) || outside(c, what, space, low, high);
}

bool reach(Check *c, const char *what, int64_t address, int64_t items, int64_t itemStride, Extent e, enum Access access) {
  return reach_units(c, what, address, repeat(e, items, itemStride), 4, access);
}

bool reach_bytes(Check *c, const char *what, int64_t address, int64_t items, int64_t itemStride, Extent e) {
  return reach_units(c, what, address, repeat(e, items, itemStride), 1, READ);
}
