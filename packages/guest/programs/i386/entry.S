# Entry of a bare i386 program by way of Multiboot 0.6.96: protected mode, flat segments, paging and interrupts off.

#define STACK_SIZE 16384
#define MULTIBOOT_MAGIC 0x1badb002

    .section .text.entry, "ax"
    .balign 4
    .long   MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC
    .globl _entry
_entry:
    movl    $stack_top, %esp
    pushl   $0
    pushl   %ebx                    # the Multiboot information
    call    program
1:  hlt
    jmp     1b

    .section .bss
    .balign 16
    .space  STACK_SIZE
stack_top:
