/* SPDX-License-Identifier: MIT */
/* Checks of the elementwise machine: operands, instructions and sinks. */
#include "check.h"

enum { HEADER = 7, OPERAND_ARGS = 4, INSTRUCTION_ARGS = 5, SINK_ARGS = 5 };

/* Sources that an instruction reads: 1 to 3. */
static int arity(int64_t code) {
  if (code == I_SELECT) return 3;
  bool two = (code >= I_ADD && code <= I_LESS_EQUAL) || code == I_LEAKY_RELU || (code >= I_IADD && code <= I_ILESS_EQUAL) ||
             code == I_AND || code == I_OR;
  return two ? 2 : 1;
}

/* Elements of an operand or a sink in one plane, repeated over planes. */
static Extent planes(const int64_t *a, int64_t elements, int64_t stride) { return repeat(dense(elements), a[1], stride); }

static bool check_operand(Check *c, const int64_t *o) {
  const int64_t *a = c->a;
  if (!within(c, "kind of an operand", o[0], OPERAND_STREAM, OPERAND_BYTES)) return false;
  if (o[0] == OPERAND_BYTES) return reach_bytes(c, "operand", o[1], a[0], o[2], planes(a, a[2], o[3]));
  int64_t elements = o[0] == OPERAND_STREAM ? a[2] : o[0] == OPERAND_VECTOR ? 16 : 1;
  return reach(c, "operand", o[1], a[0], o[2], planes(a, elements, o[3]), READ);
}

/* Operands, and registers that an earlier instruction wrote. */
static bool check_source(Check *c, int64_t source, uint32_t written) {
  int64_t operands = c->a[3], reg = source - operands;
  if (!within(c, "an instruction's source", source, 0, operands + c->a[6] - 1)) return false;
  return reg < 0 || written >> reg & 1 || wrong(c, "a register that was written, not", -1, reg);
}

static bool check_instruction(Check *c, const int64_t *i, uint32_t *written) {
  if (!within(c, "code of an instruction", i[0], 1, INSTRUCTIONS - 1) || !within(c, "target register", i[1], 0, c->a[6] - 1)) return false;
  for (int s = 0; s < arity(i[0]); s++)
    if (!check_source(c, i[2 + s], *written)) return false;
  *written |= 1u << i[1];
  return true;
}

static bool check_sink(Check *c, const int64_t *s, uint32_t written) {
  const int64_t *a = c->a;
  if (!within(c, "kind of a sink", s[0], SINK_STORE, SINK_STORE_ONE) || !check_source(c, s[1], written)) return false;
  int64_t elements = s[0] == SINK_STORE ? a[2] : s[0] == SINK_SUM4 ? 16 : 1;
  return reach(c, "result", s[2], a[0], s[3], planes(a, elements, s[4]), WRITE);
}

static bool check_header(Check *c) {
  const int64_t *a = c->a;
  if (c->count < HEADER) return wrong(c, "number of arguments of at least", HEADER, c->count);
  return within(c, "planes", a[1], 1, MAX_COUNT) && within(c, "count", a[2], 1, MAX_COUNT) && within(c, "operands", a[3], 0, MAX_OPERANDS) &&
         within(c, "instructions", a[4], 0, MAX_INSTRUCTIONS) && within(c, "sinks", a[5], 1, MAX_SINKS) &&
         within(c, "registers", a[6], 0, MAX_REGISTERS) &&
         expect_count(c, HEADER + OPERAND_ARGS * a[3] + INSTRUCTION_ARGS * a[4] + SINK_ARGS * a[5]);
}

bool check_elementwise(Check *c) {
  if (!check_header(c)) return false;
  const int64_t *at = c->a + HEADER, *a = c->a;
  uint32_t written = 0;
  for (int64_t i = 0; i < a[3]; i++, at += OPERAND_ARGS)
    if (!check_operand(c, at)) return false;
  for (int64_t i = 0; i < a[4]; i++, at += INSTRUCTION_ARGS)
    if (!check_instruction(c, at, &written)) return false;
  for (int64_t i = 0; i < a[5]; i++, at += SINK_ARGS)
    if (!check_sink(c, at, written)) return false;
  return true;
}
