// One small function per instruction and rounding mode.
#include "fptest.h"

#define INPUT(a, b, c) "r"(a), "r"(b), "r"(c)
#define REGISTERS "ft0", "ft1", "ft2", "ft3"

// A function whose body is the instruction(s) given, between moves of the operands to ft0 to ft2 and
// of the result from ft3. Integers are in %1 and %0 themselves.
#define FUNCTION(name, text, last)                                                                     \
  static u64 name(u64 a, u64 b, u64 c) {                                                               \
    u64 result;                                                                                        \
    asm volatile("fmv.d.x ft0, %1\n fmv.d.x ft1, %2\n fmv.d.x ft2, %3\n" text "\n" last               \
                 : "=r"(result)                                                                        \
                 : INPUT(a, b, c)                                                                      \
                 : REGISTERS);                                                                         \
    return result;                                                                                     \
  }

#define TO_FLOAT "fmv.x.d %0, ft3"
#define TO_INTEGER ""

#define ALL_MODES(name, text, last)            \
  FUNCTION(name##_rne, text ", rne", last)     \
  FUNCTION(name##_rtz, text ", rtz", last)     \
  FUNCTION(name##_rdn, text ", rdn", last)     \
  FUNCTION(name##_rup, text ", rup", last)     \
  FUNCTION(name##_rmm, text ", rmm", last)     \
  FUNCTION(name##_dyn, text ", dyn", last)

#define ARITHMETIC(x)                                             \
  ALL_MODES(fadd_##x, "fadd." #x " ft3, ft0, ft1", TO_FLOAT)      \
  ALL_MODES(fsub_##x, "fsub." #x " ft3, ft0, ft1", TO_FLOAT)      \
  ALL_MODES(fmul_##x, "fmul." #x " ft3, ft0, ft1", TO_FLOAT)      \
  ALL_MODES(fdiv_##x, "fdiv." #x " ft3, ft0, ft1", TO_FLOAT)      \
  ALL_MODES(fsqrt_##x, "fsqrt." #x " ft3, ft0", TO_FLOAT)         \
  ALL_MODES(fmadd_##x, "fmadd." #x " ft3, ft0, ft1, ft2", TO_FLOAT)   \
  ALL_MODES(fmsub_##x, "fmsub." #x " ft3, ft0, ft1, ft2", TO_FLOAT)   \
  ALL_MODES(fnmsub_##x, "fnmsub." #x " ft3, ft0, ft1, ft2", TO_FLOAT) \
  ALL_MODES(fnmadd_##x, "fnmadd." #x " ft3, ft0, ft1, ft2", TO_FLOAT) \
  ALL_MODES(fcvt_w_##x, "fcvt.w." #x " %0, ft0", TO_INTEGER)      \
  ALL_MODES(fcvt_wu_##x, "fcvt.wu." #x " %0, ft0", TO_INTEGER)    \
  ALL_MODES(fcvt_l_##x, "fcvt.l." #x " %0, ft0", TO_INTEGER)      \
  ALL_MODES(fcvt_lu_##x, "fcvt.lu." #x " %0, ft0", TO_INTEGER)    \
  ALL_MODES(fcvt_##x##_l, "fcvt." #x ".l ft3, %1", TO_FLOAT)      \
  ALL_MODES(fcvt_##x##_lu, "fcvt." #x ".lu ft3, %1", TO_FLOAT)    \
  FUNCTION(fsgnj_##x, "fsgnj." #x " ft3, ft0, ft1", TO_FLOAT)     \
  FUNCTION(fsgnjn_##x, "fsgnjn." #x " ft3, ft0, ft1", TO_FLOAT)   \
  FUNCTION(fsgnjx_##x, "fsgnjx." #x " ft3, ft0, ft1", TO_FLOAT)   \
  FUNCTION(fmin_##x, "fmin." #x " ft3, ft0, ft1", TO_FLOAT)       \
  FUNCTION(fmax_##x, "fmax." #x " ft3, ft0, ft1", TO_FLOAT)       \
  FUNCTION(feq_##x, "feq." #x " %0, ft0, ft1", TO_INTEGER)        \
  FUNCTION(flt_##x, "flt." #x " %0, ft0, ft1", TO_INTEGER)        \
  FUNCTION(fle_##x, "fle." #x " %0, ft0, ft1", TO_INTEGER)        \
  FUNCTION(fclass_##x, "fclass." #x " %0, ft0", TO_INTEGER)

ARITHMETIC(s)
ARITHMETIC(d)

ALL_MODES(fcvt_s_d, "fcvt.s.d ft3, ft0", TO_FLOAT)
ALL_MODES(fcvt_s_w, "fcvt.s.w ft3, %1", TO_FLOAT)
ALL_MODES(fcvt_s_wu, "fcvt.s.wu ft3, %1", TO_FLOAT)

// Always exact: assemblers do not let these have a mode.
FUNCTION(fcvt_d_s, "fcvt.d.s ft3, ft0", TO_FLOAT)
FUNCTION(fcvt_d_w, "fcvt.d.w ft3, %1", TO_FLOAT)
FUNCTION(fcvt_d_wu, "fcvt.d.wu ft3, %1", TO_FLOAT)

FUNCTION(fmv_x_w, "fmv.x.w %0, ft0", TO_INTEGER)
FUNCTION(fmv_w_x, "fmv.w.x ft3, %1", TO_FLOAT)
FUNCTION(fmv_x_d, "fmv.x.d %0, ft0", TO_INTEGER)
FUNCTION(fmv_d_x, "fmv.d.x ft3, %1", TO_FLOAT)

// Loads and stores, through a doubleword of memory that held something else.
static u64 cell;

static u64 fsw_ld(u64 a, u64 b, u64 c) {
  (void)c;
  u64 result;
  asm volatile("sd %2, 0(%3)\n fmv.d.x ft0, %1\n fsw ft0, 0(%3)\n ld %0, 0(%3)"
               : "=&r"(result)
               : "r"(a), "r"(b), "r"(&cell)
               : "ft0", "memory");
  return result;
}

static u64 sd_flw(u64 a, u64 b, u64 c) {
  (void)b, (void)c;
  u64 result;
  asm volatile("sd %1, 0(%2)\n flw ft0, 4(%2)\n fmv.x.d %0, ft0" : "=r"(result) : "r"(a), "r"(&cell) : "ft0", "memory");
  return result;
}

static u64 fsd_fld(u64 a, u64 b, u64 c) {
  (void)b, (void)c;
  u64 result;
  asm volatile("fmv.d.x ft0, %1\n fsd ft0, 0(%2)\n fld ft1, 0(%2)\n fmv.x.d %0, ft1"
               : "=r"(result)
               : "r"(a), "r"(&cell)
               : "ft0", "ft1", "memory");
  return result;
}

// The fields of fcsr: what is written to it whole is read back in its parts.
static u64 fcsr_fields(u64 a, u64 b, u64 c) {
  (void)b, (void)c;
  u64 frm, fflags, fcsr;
  asm volatile("csrw fcsr, %3\n csrr %0, frm\n csrr %1, fflags\n csrr %2, fcsr"
               : "=&r"(frm), "=&r"(fflags), "=&r"(fcsr)
               : "r"(a));
  return frm << 32 | fflags << 16 | fcsr;
}

#define ROUNDING(text, kind, name) \
  {text, kind, true, {name##_rne, name##_rtz, name##_rdn, name##_rup, name##_rmm, name##_dyn}}
#define EXACT(text, kind, name) {text, kind, false, {name}}

#define ARITHMETIC_ROWS(x, K)                                                                                  \
  ROUNDING("fadd." #x, K##_2, fadd_##x), ROUNDING("fsub." #x, K##_2, fsub_##x),                                \
    ROUNDING("fmul." #x, K##_2, fmul_##x), ROUNDING("fdiv." #x, K##_2, fdiv_##x),                              \
    ROUNDING("fsqrt." #x, K##_1, fsqrt_##x), ROUNDING("fmadd." #x, K##_3, fmadd_##x),                          \
    ROUNDING("fmsub." #x, K##_3, fmsub_##x), ROUNDING("fnmsub." #x, K##_3, fnmsub_##x),                        \
    ROUNDING("fnmadd." #x, K##_3, fnmadd_##x), ROUNDING("fcvt.w." #x, K##_1, fcvt_w_##x),                      \
    ROUNDING("fcvt.wu." #x, K##_1, fcvt_wu_##x), ROUNDING("fcvt.l." #x, K##_1, fcvt_l_##x),                    \
    ROUNDING("fcvt.lu." #x, K##_1, fcvt_lu_##x), ROUNDING("fcvt." #x ".l", INTEGER_1, fcvt_##x##_l),           \
    ROUNDING("fcvt." #x ".lu", INTEGER_1, fcvt_##x##_lu), EXACT("fsgnj." #x, K##_2, fsgnj_##x),                \
    EXACT("fsgnjn." #x, K##_2, fsgnjn_##x), EXACT("fsgnjx." #x, K##_2, fsgnjx_##x),                            \
    EXACT("fmin." #x, K##_2, fmin_##x), EXACT("fmax." #x, K##_2, fmax_##x), EXACT("feq." #x, K##_2, feq_##x),  \
    EXACT("flt." #x, K##_2, flt_##x), EXACT("fle." #x, K##_2, fle_##x), EXACT("fclass." #x, K##_1, fclass_##x)

const struct operation operations[] = {
  ARITHMETIC_ROWS(s, SINGLE),
  ARITHMETIC_ROWS(d, DOUBLE),
  ROUNDING("fcvt.s.d", DOUBLE_1, fcvt_s_d),
  ROUNDING("fcvt.s.w", INTEGER_1, fcvt_s_w),
  ROUNDING("fcvt.s.wu", INTEGER_1, fcvt_s_wu),
  EXACT("fcvt.d.s", SINGLE_1, fcvt_d_s),
  EXACT("fcvt.d.w", INTEGER_1, fcvt_d_w),
  EXACT("fcvt.d.wu", INTEGER_1, fcvt_d_wu),
  EXACT("fmv.x.w", SINGLE_1, fmv_x_w),
  EXACT("fmv.w.x", INTEGER_1, fmv_w_x),
  EXACT("fmv.x.d", DOUBLE_1, fmv_x_d),
  EXACT("fmv.d.x", INTEGER_1, fmv_d_x),
  EXACT("fsw", SINGLE_2, fsw_ld),
  EXACT("flw", SINGLE_1, sd_flw),
  EXACT("fsd+fld", DOUBLE_1, fsd_fld),
  EXACT("fcsr", INTEGER_1, fcsr_fields),
  {0},
};
