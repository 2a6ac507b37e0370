/* SPDX-License-Identifier: MIT */
/* OP_ELEMENTWISE: a program of instructions over items x planes x count elements, in tiles of 32 vectors in L1.
 *
 * Values are slots: streams are read where they are; vectors, scalars and what is computed from these alone ("even"
 * values) have stride 0 and are computed once per plane. The last instruction that gives a stored register writes to
 * memory itself. A stored register may take the place of an operand (same address and strides); no other output may overlap
 * an operand. */
#ifndef LOCKSTEP_ELEMENTWISE_H
#define LOCKSTEP_ELEMENTWISE_H
#include "sinks.h"

enum { TILE = TILE_VECTORS * 16 };

enum {
  SLOT_REGISTERS = MAX_OPERANDS,
  SLOT_EVEN = SLOT_REGISTERS + MAX_REGISTERS,
  SLOT_OUT = SLOT_EVEN + MAX_INSTRUCTIONS,
  SLOTS = SLOT_OUT + MAX_SINKS
};

typedef struct {
  InstructionRun *run;
  int to, a, b, c;
} Step;

typedef struct {
  int64_t kind;
  char *base;
  int64_t item, plane;
} Operand;

/* Workspace of a thread. */
typedef struct {
  float tile[MAX_REGISTERS][TILE], bytes[MAX_OPERANDS][TILE];
  float even[MAX_INSTRUCTIONS][16], scalar[MAX_OPERANDS][16], tail[MAX_OPERANDS + MAX_SINKS][16];
} ElementwiseWork;
_Static_assert(sizeof(ElementwiseWork) <= WORK_BYTES, "workspace of OP_ELEMENTWISE");

typedef struct {
  ElementwiseWork *work;
  int64_t planes, count;
  int operands, steps, evens, sinks;
  Operand operand[MAX_OPERANDS];
  Step step[MAX_INSTRUCTIONS], even[MAX_INSTRUCTIONS];
  Sink sink[MAX_SINKS];
  Slot slot[SLOTS];
} Machine;

INLINE void decode_operands(Machine *m, const int64_t *a, const Context *c) {
  for (int i = 0; i < m->operands; i++, a += 4) {
    m->operand[i] = (Operand){a[0], at(c, a[1]), a[2], a[3]};
    m->slot[i].stride = a[0] == OPERAND_STREAM || a[0] == OPERAND_BYTES ? 16 : 0;
  }
}

/* Those that collect come first, then stored operands, then the others, which may take an operand's place. */
static void decode_sinks(Machine *m, const int64_t *sinks, const Context *c) {
  int n = 0;
  for (int order = 0; order < 3; order++)
    for (const int64_t *s = sinks; s < sinks + 5 * m->sinks; s += 5) {
      if ((s[0] != SINK_STORE ? 0 : s[1] < m->operands ? 1 : 2) != order) continue;
      m->sink[n++] = (Sink){.kind = s[0], .slot = s[1], .base = at(c, s[2]), .item = s[3], .plane = s[4]};
    }
}

/* True if an instruction after `from` or a sink reads the operand at this address. */
static int is_read_later(const Machine *m, const int64_t *code, int from, int count, const char *address) {
  for (int k = from + 1; k < count; k++)
    for (int j = 0; j < instruction_kinds[code[5 * k]].sources; j++) {
      int64_t source = code[5 * k + 2 + j];
      if (source < m->operands && m->operand[source].base == address) return 1;
    }
  for (int i = 0; i < m->sinks; i++)
    if (m->sink[i].slot < m->operands && m->operand[m->sink[i].slot].base == address) return 1;
  return 0;
}

/* The sink that instruction k, which gives a register its last value, may write to memory for; -1: none. */
static int direct_sink(const Machine *m, const int64_t *code, int k, int count) {
  int64_t to = code[5 * k + 1];
  for (int later = k + 1; later < count; later++)
    if (code[5 * later + 1] == to) return -1;
  for (int i = 0; i < m->sinks; i++)
    if (m->sink[i].kind == SINK_STORE && m->sink[i].slot == m->operands + to)
      return is_read_later(m, code, k, count, m->sink[i].base) ? -1 : i;
  return -1;
}

/* Gives every result its slot: registers hold one value after another, even values have a slot each. */
static void decode_steps(Machine *m, const int64_t *code, int count) {
  int current[MAX_REGISTERS] = {0};
  for (int k = 0; k < count; k++) {
    const int64_t *in = code + 5 * k;
    const InstructionKind *kind = &instruction_kinds[in[0]];
    int source[3] = {0, 0, 0}, even = 1;
    for (int j = 0; j < kind->sources; j++) {
      source[j] = in[2 + j] < m->operands ? (int)in[2 + j] : current[in[2 + j] - m->operands];
      even &= m->slot[source[j]].stride == 0;
    }
    int direct = even ? -1 : direct_sink(m, code, k, count);
    int to = even ? SLOT_EVEN + k : direct >= 0 ? SLOT_OUT + direct : SLOT_REGISTERS + (int)in[1];
    m->slot[to].stride = even ? 0 : 16;
    if (direct >= 0) m->sink[direct].direct = 1;
    *(even ? &m->even[m->evens++] : &m->step[m->steps++]) = (Step){kind->run, to, source[0], source[1], source[2]};
    current[in[1]] = to;
  }
  for (int i = 0; i < m->sinks; i++)
    if (m->sink[i].slot >= m->operands) m->sink[i].slot = current[m->sink[i].slot - m->operands];
}

static void decode(Machine *m, const int64_t *a, const Context *c) {
  m->work = (ElementwiseWork *)c->work;
  m->planes = a[1], m->count = a[2], m->operands = (int)a[3], m->sinks = (int)a[5], m->steps = m->evens = 0;
  const int64_t *code = a + 7 + 4 * m->operands, *sink = code + 5 * a[4];
  m->slot[0] = (Slot){0}; /* named by unused sources */
  decode_operands(m, a + 7, c);
  decode_sinks(m, sink, c);
  decode_steps(m, code, (int)a[4]);
  for (int r = 0; r < MAX_REGISTERS; r++) m->slot[SLOT_REGISTERS + r].data = m->work->tile[r];
  for (int k = 0; k < MAX_INSTRUCTIONS; k++) m->slot[SLOT_EVEN + k].data = m->work->even[k];
}

INLINE void run_steps(Machine *m, const Step *step, int steps, int64_t n) {
  for (int k = 0; k < steps; k++)
    step[k].run(m->slot[step[k].to].data, &m->slot[step[k].a], &m->slot[step[k].b], &m->slot[step[k].c], n);
}

INLINE float *place_of(const char *base, int64_t item, int64_t itemStride, int64_t plane, int64_t planeStride,
                       int64_t bytes) {
  return (float *)(base + (item * itemStride + plane * planeStride) * bytes);
}

/* Vectors and scalars of a plane and all that follows from them. */
INLINE void start_plane(Machine *m, int64_t item, int64_t plane, float **from, float **to) {
  for (int i = 0; i < m->operands; i++) {
    const Operand *o = &m->operand[i];
    from[i] = place_of(o->base, item, o->item, plane, o->plane, o->kind == OPERAND_BYTES ? 1 : 4);
    if (o->kind == OPERAND_VECTOR) m->slot[i].data = from[i];
    if (o->kind != OPERAND_SCALAR) continue;
    store(m->work->scalar[i], splat(*from[i]));
    m->slot[i].data = m->work->scalar[i];
  }
  for (int i = 0; i < m->sinks; i++) {
    to[i] = place_of(m->sink[i].base, item, m->sink[i].item, plane, m->sink[i].plane, 4);
    sink_start(&m->sink[i]);
  }
  run_steps(m, m->even, m->evens, 1);
}

INLINE void convert_bytes(float *to, const uint8_t *from, int64_t n) {
  for (int64_t v = 0; v < n; v++) store(to + v * 16, (v16)__builtin_convertvector(*(const b16u *)(from + v * 16), i16));
}

/* Points streams and outputs at vectors first to first + n. */
INLINE void start_tile(Machine *m, float **from, float **to, int64_t first, int64_t n) {
  for (int i = 0; i < m->operands; i++) {
    if (m->operand[i].kind == OPERAND_STREAM) m->slot[i].data = from[i] + first * 16;
    if (m->operand[i].kind != OPERAND_BYTES) continue;
    convert_bytes(m->work->bytes[i], (const uint8_t *)from[i] + first * 16, n);
    m->slot[i].data = m->work->bytes[i];
  }
  for (int i = 0; i < m->sinks; i++) m->slot[SLOT_OUT + i].data = to[i] + first * 16;
}

/* The last, partial vector of a plane: streams are copied, since what follows them in memory belongs to others. */
INLINE void start_tail(Machine *m, float **from, int64_t first, int64_t lanes) {
  for (int i = 0; i < m->operands; i++) {
    float *tail = m->work->tail[i];
    if (m->operand[i].kind == OPERAND_STREAM) store(tail, load_n(from[i] + first * 16, lanes));
    else if (m->operand[i].kind == OPERAND_BYTES)
      for (int lane = 0; lane < 16; lane++)
        ((int32_t *)tail)[lane] = lane < lanes ? ((const uint8_t *)from[i])[first * 16 + lane] : 0;
    else continue;
    m->slot[i].data = tail;
  }
  for (int i = 0; i < m->sinks; i++) m->slot[SLOT_OUT + i].data = m->work->tail[MAX_OPERANDS + i];
}

INLINE void run_tile(Machine *m, float **to, int64_t first, int64_t n, int64_t lanes) {
  run_steps(m, m->step, m->steps, n);
  for (int i = 0; i < m->sinks; i++) sink_tile(&m->sink[i], &m->slot[m->sink[i].slot], to[i], first, n, lanes);
}

static void run_plane(Machine *m, int64_t item, int64_t plane) {
  float *from[MAX_OPERANDS], *to[MAX_SINKS];
  int64_t vectors = m->count / 16, lanes = m->count % 16;
  start_plane(m, item, plane, from, to);
  for (int64_t first = 0; first < vectors; first += TILE_VECTORS) {
    int64_t n = vectors - first < TILE_VECTORS ? vectors - first : TILE_VECTORS;
    start_tile(m, from, to, first, n);
    run_tile(m, to, first, n, 16);
  }
  if (lanes > 0) {
    start_tail(m, from, vectors, lanes);
    run_tile(m, to, vectors, 1, lanes);
  }
  for (int i = 0; i < m->sinks; i++) sink_end(&m->sink[i], to[i]);
}

static void op_elementwise(const int64_t *a, const Context *c, int64_t from, int64_t to) {
  Machine m;
  decode(&m, a, c);
  for (int64_t item = from; item < to; item++)
    for (int64_t plane = 0; plane < m.planes; plane++) run_plane(&m, item, plane);
}
#endif
