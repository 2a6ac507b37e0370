/* SPDX-License-Identifier: MIT */
#include "threads.h"
#include "memory.h"

#if defined(__wasm__)

struct Pool {
  int threads;
};

static Pool only = {1};
Pool *pool_create(void) { return &only; }
void pool_destroy(Pool *pool) { (void)pool; }

bool pool_resize(Pool *pool, int threads, Fault *fault) {
  (void)pool;
  return threads == 1 || fail(fault, "NO_THREAD", "set threads: expected 1 in WebAssembly, got %d; use 1 thread for each worker", (int64_t)threads);
}

void pool_run(Pool *pool, Task *task, void *owner, int64_t tasks) {
  (void)pool;
  for (int64_t i = 0; i < tasks; i++) task(owner, i, 0);
}

#else
#include "system.h"

enum { SPIN = 4000 };

typedef struct {
  Pool *pool;
  int index;
  Thread thread;
} Helper;

struct Pool {
  /* tasks << 32 | next task: "open" while next < tasks. A helper that took a task from a word that another run has
   * stored meanwhile works for that run, whose task and owner were written before the word. */
  _Alignas(64) atomic_ullong word;
  _Alignas(64) atomic_llong done;
  Task *task;
  void *owner;
  atomic_int active, sleepers, quit;
  Signal wake;
  int started; /* threads, the caller's included */
  Helper helper[MAX_THREADS];
};

static bool is_open(unsigned long long word) { return (word & 0xffffffff) < word >> 32; }

static void work(Pool *p, int thread) {
  while (is_open(atomic_load(&p->word))) {
    unsigned long long word = atomic_fetch_add(&p->word, 1);
    if (!is_open(word)) return;
    p->task(p->owner, (int64_t)(word & 0xffffffff), thread);
    atomic_fetch_add(&p->done, 1);
  }
}

static bool has_work(Pool *p, int thread) { return thread < atomic_load(&p->active) && is_open(atomic_load(&p->word)); }

/* The count is read before the last look for work: pool_run stores the word before it looks for sleepers. */
static void sleep_until_work(Pool *p, int thread) {
  atomic_fetch_add(&p->sleepers, 1);
  for (;;) {
    uint32_t seen = signal_count(&p->wake);
    if (has_work(p, thread) || atomic_load(&p->quit)) break;
    signal_wait(&p->wake, seen);
  }
  atomic_fetch_sub(&p->sleepers, 1);
}

static void help(void *argument) {
  Helper *h = argument;
  Pool *p = h->pool;
  for (int spin = 0; !atomic_load(&p->quit); spin++) {
    if (has_work(p, h->index)) {
      work(p, h->index);
      spin = 0;
    } else if (spin < SPIN) {
      spin_pause();
    } else {
      sleep_until_work(p, h->index);
      spin = 0;
    }
  }
}

Pool *pool_create(void) {
  Pool *p = memory_get(sizeof *p);
  if (!p) return 0;
#if !defined(_WIN32) && !defined(__linux__)
  pthread_mutex_init(&p->wake.lock, 0);
  pthread_cond_init(&p->wake.change, 0);
#endif
  p->started = 1;
  atomic_store(&p->active, 1);
  return p;
}

bool pool_resize(Pool *p, int threads, Fault *fault) {
  for (; p->started < threads; p->started++) {
    Helper *h = &p->helper[p->started];
    h->pool = p, h->index = p->started;
    int error = thread_start(&h->thread, help, h);
    if (error) {
      atomic_store(&p->active, p->started);
      return fail(fault, "NO_THREAD", "start thread %d of %d: expected one, got the system's error %d; use fewer threads",
                  (int64_t)p->started + 1, (int64_t)threads, (int64_t)error);
    }
  }
  atomic_store(&p->active, threads);
  return true;
}

void pool_destroy(Pool *p) {
  if (!p) return;
  atomic_store(&p->quit, 1);
  signal_send(&p->wake);
  for (int i = 1; i < p->started; i++) thread_join(&p->helper[i].thread);
  memory_return(p, sizeof *p);
}

void pool_run(Pool *p, Task *task, void *owner, int64_t tasks) {
  p->task = task, p->owner = owner;
  atomic_store(&p->done, 0);
  atomic_store(&p->word, (unsigned long long)tasks << 32);
  if (atomic_load(&p->active) > 1 && tasks > 1 && atomic_load(&p->sleepers)) signal_send(&p->wake);
  work(p, 0);
  for (int spin = 0; atomic_load(&p->done) < tasks; spin++) {
    if (spin < SPIN) spin_pause();
    else thread_yield();
  }
}
#endif
