# The two places where the kernel is entered: from the firmware, and by a trap.

#define STACK_SIZE 32768

    .section .text.entry, "ax"
    .globl _entry
# The firmware enters here in S-mode, paging off: a0 = hart id, a1 = address of the device tree.
_entry:
    csrw    sie, zero
    csrci   sstatus, 2              # SIE
    la      sp, stack_top
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  call    kernel_main
3:  wfi
    j       3b

    .text
    .balign 4
    .globl trap_entry
# All traps. The kernel runs on one stack with interrupts off while it handles one; every register is
# saved so that a panic can show the machine as it was.
trap_entry:
    addi    sp, sp, -256
    sd      x1, 8(sp)
    .irp    n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd      x\n, 8*\n(sp)
    .endr
    addi    t0, sp, 256
    sd      t0, 16(sp)              # x2 as it was
    mv      a0, sp
    call    trap
    ld      x1, 8(sp)
    .irp    n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld      x\n, 8*\n(sp)
    .endr
    addi    sp, sp, 256
    sret

    .section .bss
    .balign 16
    .space  STACK_SIZE
stack_top:
