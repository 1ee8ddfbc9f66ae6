/*
 * ledger.pml: one slot of the ledger under V2, V3, V5, P3 and P9 of lease.md: why T's ballot is the
 * immediate successor of M's.
 *
 * Modelled. 3 voters, 4 ballots. The lease is *perfect* here (an oracle): a candidate may only win
 *   after the former owner stopped, and a voter's grant may only vanish once its owner has stopped.
 *   So no clock is wrong and two masters never overlap. PREPARE, ACCEPT and TRANSFER stay deliverable.
 * Not modelled: several slots (merge.pml), time (lease.pml), the store (fsync.pml), configurations.
 * Checked: the slot never gets two values.
 *
 * NEXT         T's ballot is the immediate successor of M's (P9): must hold
 * NOTRANSFER   no hand-over at all, plain Paxos: must hold
 * Weakenings (each must be violated):
 *   (default)  T picks b' above b_m by itself, without a Phase 1: a delayed TRANSFER is accepted
 *              although a ballot between b_m and b' was used
 *   VEXACT     the same, but V5 only if promised is b_m or b': not enough
 *   NORAISE    ACCEPT(b) does not raise `promised` (V3)
 *
 * Ballots: 1 = M's b_m, 2 and 4 = rival candidates C, D; 3 = T's b' (with NEXT: 2 = b', 3, 4 = C, D).
 * Bounds and numbers of states: tests/model/run.py.
 */
#define NB 4
#ifdef NEXT
#define TB 2
#define isP(b) (b != TB)
#else
#define TB 3
#define isP(b) (b != TB)
#endif
byte prom[3]; byte ab[3]; byte g[3];       /* promised, accepted ballot (value = val[ab]), live grant */
byte ph[NB+1];                             /* 0 new 1 preparing 2 accepting (value fixed) 3 stopped, 4 stopped with nothing sent */
byte val[NB+1];
byte open[NB+1];                           /* bitmask of voters that promised                          */
byte best[NB+1];                           /* highest accepted ballot reported                         */
byte ac[NB+1];                             /* bitmask of voters that accepted in b                     */
byte tr;                                   /* TRANSFER sent                                            */
byte chosen;
#define two(m) (m == 3 || m == 5 || m == 6 || m == 7)
#define live(b) (b && ph[b] == 2)          /* its owner may still act: its grants may not vanish       */
#define CHK(b) if :: two(ac[b]) -> assert(chosen == 0 || chosen == val[b]); chosen = val[b] :: else fi

#define S_PREP(k)  :: d_step { isP(k) && ph[k] == 0 -> printf("@ PREPARE(%d)\n",k); ph[k] = 1 }
#define S_V2(k,x)  :: d_step { isP(k) && ph[k] == 1 && k >= prom[x] && (g[x] == 0 || g[x] == k) && !(open[k] & (1<<x)) -> printf("@ voter %d promises %d (accepted ballot %d)\n",x,k,ab[x]); \
   prom[x] = k; open[k] = open[k] | (1<<x); best[k] = (ab[x] > best[k] -> ab[x] : best[k]) }
#define S_P3(k)    :: d_step { isP(k) && ph[k] == 1 && two(open[k]) -> printf("@ ballot %d: majority promised, proposes value of ballot %d\n",k,(best[k] -> best[k] : k)); ph[k] = 2; open[k] = 0; \
   val[k] = (best[k] -> val[best[k]] : k) }
#ifdef NORAISE
#define raise(x,k) skip
#else
#define raise(x,k) prom[x] = k
#endif
#define S_V3(k,x)  :: d_step { isP(k) && (ph[k] == 2 || ph[k] == 3) && k >= prom[x] && (g[x] == 0 || g[x] == k) && !(ac[k] & (1<<x)) -> printf("@ voter %d accepts ballot %d\n",x,k); \
   raise(x,k); ab[x] = k; g[x] = k; ac[k] = ac[k] | (1<<x); CHK(k) }
#define S_STOP(k)  :: d_step { ph[k] == 2 -> printf("@ owner of %d stops\n",k); ph[k] = 3 }
#define S_EXP(x)   :: d_step { g[x] && !live(g[x]) -> printf("@ voter %d: grant of %d expires\n",x,g[x]); g[x] = 0 }
#ifdef VEXACT
#define v5(x) (prom[x] == 1 || prom[x] == TB)
#else
#define v5(x) (TB >= prom[x])
#endif
#define S_V5(x)    :: d_step { tr && v5(x) && (g[x] == 0 || g[x] == 1 || g[x] == TB) && !(ac[TB] & (1<<x)) -> printf("@ voter %d accepts TRANSFER, ballot %d (promised was %d)\n",x,TB,prom[x]); \
   prom[x] = TB; ab[x] = TB; g[x] = TB; ac[TB] = ac[TB] | (1<<x); CHK(TB) }

active proctype w() {
  do
  S_PREP(1) S_PREP(2) S_PREP(3) S_PREP(4)
  S_V2(1,0) S_V2(1,1) S_V2(1,2) S_V2(2,0) S_V2(2,1) S_V2(2,2) S_V2(3,0) S_V2(3,1) S_V2(3,2) S_V2(4,0) S_V2(4,1) S_V2(4,2)
  S_P3(1) S_P3(2) S_P3(3) S_P3(4)
  S_V3(1,0) S_V3(1,1) S_V3(1,2) S_V3(2,0) S_V3(2,1) S_V3(2,2) S_V3(3,0) S_V3(3,1) S_V3(3,2) S_V3(4,0) S_V3(4,1) S_V3(4,2)
  S_STOP(1) S_STOP(2) S_STOP(3) S_STOP(4)
  S_EXP(0) S_EXP(1) S_EXP(2)
#ifndef NOTRANSFER
  /* P9: M (ballot 1) has won its Phase 1 and has not put anything into this slot; T's CLAIM goes here */
  :: d_step { ph[1] == 1 && two(open[1]) && best[1] == 0 && tr == 0 && ph[2] < 2 && ph[3] < 2 && ph[4] < 2 -> printf("@ M stops, sends TRANSFER with T's CLAIM\n"); ph[1] = 4; open[1] = 0; tr = 1; val[TB] = TB }
  S_V5(0) S_V5(1) S_V5(2)
#endif
  od
}
