// The parts of the mix: each works on memory of its own and gives a 16-bit value for the checksum.
#pragma once

#include "bench.h"

#define MIX_LIST_NODES 256
#define MIX_MATRIX_SIZE 20
#define MIX_TEXT_SIZE 1024

struct mix_node {
  struct mix_node *next;
  i16 key, place;
};

struct mix_list {
  struct mix_node nodes[MIX_LIST_NODES];
  struct mix_node *head;
};

struct mix_matrices {
  i16 a[MIX_MATRIX_SIZE][MIX_MATRIX_SIZE], b[MIX_MATRIX_SIZE][MIX_MATRIX_SIZE];
  i32 product[MIX_MATRIX_SIZE][MIX_MATRIX_SIZE];
};

u16 mix_crc(u16 crc, u16 value);

void mix_list_prepare(struct mix_list *list, u64 *random);
u16 mix_list_work(struct mix_list *list, i16 seed);

void mix_matrices_prepare(struct mix_matrices *matrices, u64 *random);
u16 mix_matrices_work(struct mix_matrices *matrices, i16 seed);

void mix_text_prepare(char *text, u64 *random);
u16 mix_text_work(char *text, u32 seed);
