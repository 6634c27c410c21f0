// A list of keys: found, turned around, sorted by merging through a function pointer.
#include "bench_mix.h"

typedef i32 (*order)(const struct mix_node *a, const struct mix_node *b);

void mix_list_prepare(struct mix_list *list, u64 *random) {
  list->head = NULL;
  for (u32 i = 0; i < MIX_LIST_NODES; i++) {
    list->nodes[i] = (struct mix_node){list->head, bench_random(random), i};
    list->head = &list->nodes[i];
  }
}

static i32 by_key(const struct mix_node *a, const struct mix_node *b) {
  return a->key - b->key;
}

static i32 by_place(const struct mix_node *a, const struct mix_node *b) {
  return a->place - b->place;
}

static struct mix_node *reversed(struct mix_node *list) {
  struct mix_node *head = NULL;
  while (list) {
    struct mix_node *next = list->next;
    list->next = head;
    head = list;
    list = next;
  }
  return head;
}

static struct mix_node *merged(struct mix_node *a, struct mix_node *b, order order) {
  struct mix_node *head, **end = &head;
  while (a && b) {
    struct mix_node **less = order(a, b) <= 0 ? &a : &b;
    *end = *less;
    end = &(*less)->next;
    *less = *end;
  }
  *end = a ? a : b;
  return head;
}

static struct mix_node *sorted(struct mix_node *list, u32 length, order order) {
  if (length < 2) return list;
  struct mix_node *last = list;
  for (u32 i = 1; i < length / 2; i++) last = last->next;
  struct mix_node *second = last->next;
  last->next = NULL;
  return merged(sorted(list, length / 2, order), sorted(second, length - length / 2, order), order);
}

static const struct mix_node *found(const struct mix_node *list, i16 place) {
  while (list && list->place != place) list = list->next;
  return list;
}

u16 mix_list_work(struct mix_list *list, i16 seed) {
  u16 crc = 0;
  for (u32 i = 0; i < 16; i++) {
    const struct mix_node *node = found(list->head, (seed + 17 * i) % MIX_LIST_NODES);
    crc = mix_crc(crc, node ? node->key : i);
    if (i % 4 == 3) list->head = reversed(list->head);
  }
  list->nodes[(u16)seed % MIX_LIST_NODES].key ^= seed;
  list->head = sorted(list->head, MIX_LIST_NODES, by_key);
  for (const struct mix_node *node = list->head; node; node = node->next) crc = crc * 3 + node->place;
  list->head = sorted(list->head, MIX_LIST_NODES, by_place);
  return mix_crc(crc, list->head->key);
}
