# Entry of a process: the stack pointer leads to the arguments.

    .section .text.entry, "ax"
    .globl _entry
_entry:
    mv      a0, sp
    andi    sp, sp, -16
    call    start
