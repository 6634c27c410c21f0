# Entry of a bare program: S-mode under the SBI, paging off, floating point on, interrupts off.

#define STACK_SIZE 16384
#define SSTATUS_FS (3 << 13)

    .section .text.entry, "ax"
    .globl _entry
_entry:
    csrw    sie, zero
    csrci   sstatus, 2              # SIE
    li      t0, SSTATUS_FS
    csrs    sstatus, t0
    la      t0, trap_vector
    csrw    stvec, t0
    la      sp, stack_top
    la      t0, bss_start
    la      t1, bss_end
1:  bgeu    t0, t1, 2f
    sd      zero, 0(t0)
    addi    t0, t0, 8
    j       1b
2:  call    runtime_start           # a0 = hart id, a1 = address of the device tree
3:  wfi
    j       3b

    .balign 4
trap_vector:
    la      sp, stack_top           # nothing returns from here
    call    runtime_trap

    .section .bss
    .balign 16
    .space  STACK_SIZE
stack_top:
