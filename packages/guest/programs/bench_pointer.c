// Pointer chasing and sorting: a walk over 16,384 nodes in random order, a node to a cache line, then a sort of
// records through pointers to them.
#include "bench.h"

#define NODES 16384
#define RECORDS 8192
#define SMALL 12 // shorter ranges are sorted by insertion

struct node {
  struct node *next;
  u64 value;
  u64 filling[6];
};

struct record {
  u64 key;
  u64 count;
};

struct all {
  struct node nodes[NODES];
  struct record records[RECORDS];
  struct record *order[RECORDS];
  struct node *at;
  u64 random;
};

static void prepare(void *memory) {
  struct all *all = memory;
  all->random = 88172645463325252ul;
  for (u64 i = 0; i < NODES; i++) all->nodes[i].value = i;
  // One cycle through all nodes (Sattolo).
  for (u64 i = NODES - 1; i > 0; i--) {
    u64 j = bench_random(&all->random) % i, value = all->nodes[i].value;
    all->nodes[i].value = all->nodes[j].value;
    all->nodes[j].value = value;
  }
  for (u64 i = 0; i < NODES; i++) all->nodes[i].next = &all->nodes[all->nodes[i].value];
  all->at = all->nodes;
}

static u64 walk(struct all *all) {
  struct node *node = all->at;
  u64 sum = 0;
  for (u64 i = 0; i < NODES - 1; i++) {
    sum = (sum << 1 | sum >> 63) ^ node->value;
    node = node->next;
  }
  all->at = node;
  return sum;
}

static void insertion_sort(struct record **low, struct record **high) {
  for (struct record **at = low + 1; at <= high; at++) {
    struct record *record = *at, **to = at;
    for (; to > low && to[-1]->key > record->key; to--) *to = to[-1];
    *to = record;
  }
}

static void quicksort(struct record **low, struct record **high) {
  while (high - low >= SMALL) {
    u64 pivot = low[(high - low) / 2]->key;
    struct record **left = low, **right = high;
    while (left <= right) {
      while ((*left)->key < pivot) left++;
      while ((*right)->key > pivot) right--;
      if (left > right) break;
      struct record *record = *left;
      *left++ = *right;
      *right-- = record;
    }
    // The shorter part by recursion, so that the stack stays small.
    if (right - low < high - left) {
      quicksort(low, right);
      low = left;
    } else {
      quicksort(left, high);
      high = right;
    }
  }
  insertion_sort(low, high);
}

static u64 sort(struct all *all) {
  for (u64 i = 0; i < RECORDS; i++) {
    all->records[i] = (struct record){bench_random(&all->random), i};
    all->order[i] = &all->records[i];
  }
  quicksort(all->order, all->order + RECORDS - 1);
  u64 sum = 0;
  for (u64 i = 1; i < RECORDS; i++) {
    if (all->order[i - 1]->key > all->order[i]->key) return 0;
    sum = sum * 31 + all->order[i]->count;
  }
  return sum;
}

static u64 work(void *memory, u64 sum) {
  return bench_fold(bench_fold(sum, walk(memory)), sort(memory));
}

const struct bench_kernel bench_pointer = {"pointer", prepare, work};
