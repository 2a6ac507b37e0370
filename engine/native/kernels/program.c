/* SPDX-License-Identifier: MIT */
#include "program.h"
#include "memory.h"
#include "threads.h"
#include <string.h>

struct Program {
  Plan plan;
  const Isa *isa;
  Pool *pool;
  char *arena, *constants;
  int64_t phase; /* in progress */
  int threads;   /* with memory of their own */
  Context context[MAX_THREADS];
};

/* Vectors at the end of a buffer may be loaded in parts only, so the constants need no more than their bytes. */
static bool copy_constants(Program *p, const void *constants, int64_t bytes, Fault *fault) {
  if (bytes != p->plan.bytes[CONSTANTS]) {
    return fail(fault, "BAD_PLAN", "create program: expected %d bytes of constants, got %d; compile the program again",
                p->plan.bytes[CONSTANTS], bytes);
  }
  p->constants = memory_get(bytes);
  if (!p->constants) return fail(fault, "NO_MEMORY", "create program: expected %d bytes for constants, got none; use a smaller model", bytes);
  if (bytes) memcpy(p->constants, constants, (size_t)bytes);
  return true;
}

static bool get_arena(Program *p, Fault *fault) {
  int64_t bytes = p->plan.bytes[ARENA];
  p->arena = memory_get(bytes);
  return p->arena || fail(fault, "NO_MEMORY", "create program: expected %d bytes for a step's values, got none; use a smaller batch", bytes);
}

/* Scratch and workspace of threads up to `threads`. */
static bool get_contexts(Program *p, int threads, Fault *fault) {
  int64_t scratch = p->plan.bytes[SCRATCH];
  for (; p->threads < threads; p->threads++) {
    Context *c = &p->context[p->threads];
    if (!c->base[SCRATCH]) c->base[SCRATCH] = memory_get(scratch);
    if (!c->work) c->work = memory_get(WORK_BYTES);
    if (!c->base[SCRATCH] || !c->work) {
      return fail(fault, "NO_MEMORY", "set threads: expected %d bytes for each of %d threads, got none; use fewer threads",
                  scratch + WORK_BYTES, (int64_t)threads);
    }
    c->base[ARENA] = p->arena, c->base[CONSTANTS] = p->constants;
  }
  return true;
}

bool program_set_threads(Program *p, int64_t threads, Fault *fault) {
  if (threads < 1 || threads > MAX_THREADS) {
    return fail(fault, "BAD_INPUT", "set threads: expected 1 to %d, got %d", (int64_t)MAX_THREADS, threads);
  }
  return get_contexts(p, (int)threads, fault) && pool_resize(p->pool, (int)threads, fault);
}

Program *program_create(const double *numbers, int64_t count, const void *constants, int64_t bytes, int64_t threads,
                        const Isa *isa, Fault *fault) {
  Program *p = memory_get(sizeof *p);
  if (!p) {
    fail(fault, "NO_MEMORY", "create program: expected %d bytes, got none", (int64_t)sizeof *p);
    return 0;
  }
  p->isa = isa;
  p->pool = pool_create();
  if (!p->pool) fail(fault, "NO_MEMORY", "create program: expected memory for threads, got none");
  bool ready = p->pool && plan_decode(&p->plan, numbers, count, fault) && plan_validate(&p->plan, fault) &&
               copy_constants(p, constants, bytes, fault) && get_arena(p, fault) && program_set_threads(p, threads, fault);
  if (ready) return p;
  program_destroy(p);
  return 0;
}

void program_destroy(Program *p) {
  if (!p) return;
  pool_destroy(p->pool);
  for (int i = 0; i < MAX_THREADS; i++) {
    memory_return(p->context[i].base[SCRATCH], p->plan.bytes[SCRATCH]);
    memory_return(p->context[i].work, WORK_BYTES);
  }
  memory_return(p->arena, p->plan.bytes[ARENA]);
  memory_return(p->constants, p->plan.bytes[CONSTANTS]);
  plan_free(&p->plan);
  memory_return(p, sizeof *p);
}

int64_t program_bytes(const Program *p, int space) { return p->plan.bytes[space]; }

static void run_items(const Program *p, const Job *job, const Context *c, int64_t from, int64_t to) {
  for (int64_t i = 0; i < job->operations; i++) {
    const Operation *op = &job->first[i];
    p->isa->run[op->code](op->args, c, from, to);
  }
}

/* Items of several operations go through all of them one after another: what they pass on stays in the cache. */
static void run_task(const Program *p, const Job *job, const Context *c, int64_t task) {
  int64_t from = task * job->chunk, to = from + job->chunk < job->items ? from + job->chunk : job->items;
  if (job->operations == 1) run_items(p, job, c, from, to);
  else for (int64_t i = from; i < to; i++) run_items(p, job, c, i, i + 1);
}

/* Odd phases run backwards: they find in the cache what the one before touched last. */
static void run_index(void *owner, int64_t index, int thread) {
  const Program *p = owner;
  const Phase *phase = &p->plan.phase[p->phase];
  const Job *job = phase->first;
  int64_t task = p->phase & 1 ? phase->tasks - 1 - index : index;
  while (task >= job->tasks) task -= job++->tasks;
  run_task(p, job, &p->context[thread], task);
}

void program_run(Program *p, char *const base[SPACES]) {
  for (int i = 0; i < p->threads; i++)
    for (int space = PARAMS; space < SPACES; space++) p->context[i].base[space] = base[space];
  for (p->phase = 0; p->phase < p->plan.phases; p->phase++) {
    pool_run(p->pool, run_index, p, p->plan.phase[p->phase].tasks);
  }
}
