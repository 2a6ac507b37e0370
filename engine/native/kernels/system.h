/* SPDX-License-Identifier: MIT */
/* Starting threads and sleeping, on Linux, macOS and Windows. */
#ifndef LOCKSTEP_SYSTEM_H
#define LOCKSTEP_SYSTEM_H
#include <stdatomic.h>
#include <stdint.h>

/* A counter to sleep on. */
typedef struct Signal Signal;
/* Returns once the count isn't `seen`, or earlier. */
static inline void signal_wait(Signal *s, uint32_t seen);
/* Counts up and wakes all that wait. */
static inline void signal_send(Signal *s);
static inline uint32_t signal_count(Signal *s);

typedef struct Thread Thread;
/* 0, or the system's error number. */
static inline int thread_start(Thread *t, void (*body)(void *), void *argument);
static inline void thread_join(Thread *t);
/* Lets another thread run on this core. */
static inline void thread_yield(void);

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

struct Signal {
  atomic_uint count;
  SRWLOCK lock; /* zero is valid, for both */
  CONDITION_VARIABLE change;
};
struct Thread {
  HANDLE handle;
  void (*body)(void *);
  void *argument;
};

static inline void signal_wait(Signal *s, uint32_t seen) {
  AcquireSRWLockExclusive(&s->lock);
  while (atomic_load(&s->count) == seen) SleepConditionVariableSRW(&s->change, &s->lock, INFINITE, 0);
  ReleaseSRWLockExclusive(&s->lock);
}
static inline void signal_send(Signal *s) {
  AcquireSRWLockExclusive(&s->lock);
  atomic_fetch_add(&s->count, 1);
  WakeAllConditionVariable(&s->change);
  ReleaseSRWLockExclusive(&s->lock);
}
static inline DWORD WINAPI thread_main(void *thread) {
  Thread *t = thread;
  t->body(t->argument);
  return 0;
}
static inline int thread_start(Thread *t, void (*body)(void *), void *argument) {
  t->body = body, t->argument = argument;
  t->handle = CreateThread(0, 0, thread_main, t, 0, 0);
  return t->handle ? 0 : (int)GetLastError();
}
static inline void thread_join(Thread *t) {
  WaitForSingleObject(t->handle, INFINITE);
  CloseHandle(t->handle);
}
static inline void thread_yield(void) { SwitchToThread(); }

#else
#include <pthread.h>
#include <sched.h>

#if defined(__linux__)
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not pthread's mutex and condition: their sizes differ between glibc and musl, and one build serves both. */
struct Signal {
  atomic_uint count;
};
static inline void signal_wait(Signal *s, uint32_t seen) {
  syscall(SYS_futex, &s->count, FUTEX_WAIT_PRIVATE, seen, (void *)0, (void *)0, 0);
}
static inline void signal_send(Signal *s) {
  atomic_fetch_add(&s->count, 1);
  syscall(SYS_futex, &s->count, FUTEX_WAKE_PRIVATE, INT_MAX, (void *)0, (void *)0, 0);
}
#else
struct Signal {
  atomic_uint count;
  pthread_mutex_t lock;
  pthread_cond_t change;
};
static inline void signal_wait(Signal *s, uint32_t seen) {
  pthread_mutex_lock(&s->lock);
  while (atomic_load(&s->count) == seen) pthread_cond_wait(&s->change, &s->lock);
  pthread_mutex_unlock(&s->lock);
}
static inline void signal_send(Signal *s) {
  pthread_mutex_lock(&s->lock);
  atomic_fetch_add(&s->count, 1);
  pthread_cond_broadcast(&s->change);
  pthread_mutex_unlock(&s->lock);
}
#endif

struct Thread {
  pthread_t handle;
  void (*body)(void *);
  void *argument;
};
static inline void *thread_main(void *thread) {
  Thread *t = thread;
  t->body(t->argument);
  return 0;
}
/* musl's threads have 128 KB of stack unless told otherwise. Attributes are larger in glibc than in musl. */
enum { STACK_BYTES = 1 << 20 };
static inline int thread_start(Thread *t, void (*body)(void *), void *argument) {
  union {
    pthread_attr_t attributes;
    uint64_t room[32];
  } u;
  t->body = body, t->argument = argument;
  int error = pthread_attr_init(&u.attributes);
  if (error) return error;
  pthread_attr_setstacksize(&u.attributes, STACK_BYTES);
  error = pthread_create(&t->handle, &u.attributes, thread_main, t);
  pthread_attr_destroy(&u.attributes);
  return error;
}
static inline void thread_join(Thread *t) { pthread_join(t->handle, 0); }
static inline void thread_yield(void) { sched_yield(); }
#endif

static inline uint32_t signal_count(Signal *s) { return atomic_load(&s->count); }

/* Between two looks at a shared word. */
static inline void spin_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}
#endif
