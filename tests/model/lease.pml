/*
 * lease.pml: the lease of lease.md (V0-V5, P1-P6, P8, P9), reduced, for spin.
 *
 * 3 voters, 2 candidates (each with process incarnations), NB ballots.
 *
 * Time.   Every timer is one-shot, so drift is the same as freedom in its *true*
 *         length: an owner's D_P lasts at most DP true ticks, a voter's D_A at
 *         least DA, its D_Q at least DQ. Those extremes are the worst case
 *         (longer exclusion and shorter authority only remove behaviours).
 *         With DP=2, DA=2, DQ=2 it holds; -DDA=1 or -DDQ=1 gives two masters.
 * Net.    A sent message stays deliverable for ever, to any voter, any number
 *         of times, in any order (loss = never delivered). Answers are bits that
 *         the candidate may look at whenever it likes (loss = it never looks).
 *         A new round clears the answers of the older one, so rounds need no
 *         number here (one round outstanding at a time).
 * Voters  are interchangeable: they are sorted after each step (6x fewer states).
 *
 * Weakenings (-D...):
 *   OVERWRITE   V3 and V5 replace another owner's live grant under a higher ballot
 *               (OVER3: only V3; OVER5: only V5)
 *   NODEOWNER   V2/V3/V5 compare owners by node, not by incarnation
 *   VOLPROMISE  a restarted voter has forgotten `promised` (diskless PaxosLease)
 *   REUSEROUND  a renewal keeps its round number (answers to the old one count)
 *   OWNERREL    RELEASE clears any grant of that node
 *   NOSTOP      M does not stop before it sends TRANSFER
 *   RESUME      M may resume b_m after TRANSFER was sent (until its old deadline)
 *   INEXACT     V5 accepts a TRANSFER over any grant of node M
 * Options:
 *   HANDOVER    with OFFER/READY/TRANSFER
 *   SUPREL      candidate 0's death may be followed by its supervisor's RELEASE
 *   SUCC (NB=6) T's ballot is the immediate successor of b_m: PREPARE uses odd ballots only
 *   VRS, PRS    how many voter / candidate-0 restarts;  NORENEW, NORELEASE drop P5, P8
 *
 * Not modelled: the ledger (ledger.pml, merge.pml), configurations (reconfig.pml), several rounds in
 * flight (rounds.pml), the store (fsync.pml), OFFER as a message. With durable `promised`, OVER3 and
 * NODEOWNER alone must hold (V2 looks at the grant, and a lower ballot is refused): with VOLPROMISE
 * both are violated; NODEOWNER also with HANDOVER SUPREL NB=4 VRS=0 NORENEW (27 steps, 26.6 M states).
 * In a trace "voter i" is a position after sorting, not an identity.
 *
 * Bounds and numbers of states: tests/model/run.py (--trace prints the shortest counterexamples).
 */
#ifndef NB
#define NB 3
#endif
#ifndef DP
#define DP 2
#endif
#ifndef DA
#define DA 2
#endif
#ifndef DQ
#define DQ 2
#endif
#ifndef VRS
#define VRS 1
#endif
#ifndef PRS
#define PRS 1
#endif

#define IDLE 0
#define PREP 1
#define ACC  2
#define ACT  3
#define READY 4

typedef voter {
  byte prom;          /* promised, durable unless VOLPROMISE             */
  byte g;             /* ballot of the live grant, 0 = none              */
  byte ex;            /* true ticks left of the exclusion                */
  byte qu;            /* true ticks left of the quarantine               */
  byte open[2];       /* answered an open PROMISE to candidate p's b     */
  byte ac[2];         /* answered ACCEPTED to candidate p's round        */
}
typedef cand {
  byte ph; byte b; byte inc; byte auth; byte pend;
}
voter V[3];
cand  P[2];
byte own[NB+1];       /* 0 unused, else 1 + 4*p + inc                    */
byte acc[NB+1];       /* ACCEPT(b) was sent                              */
byte rel[NB+1];       /* RELEASE(b) was sent                             */
byte frm[NB+1];       /* T's ballot from a hand-over: M's b_m            */
byte tr[NB+1];        /* TRANSFER was sent                               */
byte vrs;             /* voter restarts used                             */

#define node(kk) ((own[kk]-1)>>2)
#ifdef NODEOWNER
#define same(a,b) (node(a) == node(b))
#else
#define same(a,b) (own[a] == own[b])
#endif
#define maj(f,p) (V[0].f[p] + V[1].f[p] + V[2].f[p] >= 2)
#define clr(f,p) V[0].f[p] = 0; V[1].f[p] = 0; V[2].f[p] = 0
#define drop(cc)  P[cc].ph = IDLE; P[cc].b = 0; P[cc].auth = 0; P[cc].pend = 0; clr(open,cc); clr(ac,cc)
#define dec(x)   x = (x > 0 -> x - 1 : 0)

#define key(xx) ((((((V[xx].prom*8 + V[xx].g)*4 + V[xx].ex)*4 + V[xx].qu)*2 + V[xx].open[0])*2 + V[xx].open[1])*2 + V[xx].ac[0])*2 + V[xx].ac[1]
#define sw(x,y) t = x; x = y; y = t
#define swp(i,j) if :: (key(i)) > (key(j)) -> sw(V[i].prom,V[j].prom); sw(V[i].g,V[j].g); \
   sw(V[i].ex,V[j].ex); sw(V[i].qu,V[j].qu); sw(V[i].open[0],V[j].open[0]); sw(V[i].open[1],V[j].open[1]); \
   sw(V[i].ac[0],V[j].ac[0]); sw(V[i].ac[1],V[j].ac[1]) :: else fi
#define SORT swp(0,1); swp(1,2); swp(0,1); t = 0; p = 0

int t;


/* a ballot of this incarnation is above all its earlier ones */
#if NB == 3
#define BV(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) X(3,0) X(3,1) X(3,2)
#define PB(X) X(0,1) X(0,2) X(0,3) X(1,1) X(1,2) X(1,3)
#define BB(X) X(1) X(2) X(3)
#define used(b,o) ((b < 2 && own[2] == o) || (b < 3 && own[3] == o))
#elif NB == 6
#define BV(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) X(3,0) X(3,1) X(3,2) X(4,0) X(4,1) X(4,2) X(5,0) X(5,1) X(5,2) X(6,0) X(6,1) X(6,2)
#define PB(X) X(0,1) X(0,2) X(0,3) X(0,4) X(0,5) X(0,6) X(1,1) X(1,2) X(1,3) X(1,4) X(1,5) X(1,6)
#define BB(X) X(1) X(2) X(3) X(4) X(5) X(6)
#define used(kk,o) ((kk < 2 && own[2] == o) || (kk < 3 && own[3] == o) || (kk < 4 && own[4] == o) || (kk < 5 && own[5] == o) || (kk < 6 && own[6] == o))
#else
#define BV(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) X(3,0) X(3,1) X(3,2) X(4,0) X(4,1) X(4,2)
#define PB(X) X(0,1) X(0,2) X(0,3) X(0,4) X(1,1) X(1,2) X(1,3) X(1,4)
#define BB(X) X(1) X(2) X(3) X(4)
#define used(b,o) ((b < 2 && own[2] == o) || (b < 3 && own[3] == o) || (b < 4 && own[4] == o))
#endif
#define PP(X) X(0) X(1)
#define VV(X) X(0) X(1) X(2)
#ifdef SUCC
#define mayp(kk) (kk & 1)
#define mayt(kk,m) (kk == m + 1)
#else
#define mayp(kk) true
#define mayt(kk,m) (kk > m)
#endif
#define me(cc) (1 + 4*cc + P[cc].inc)
#define fresh(cc,kk) (own[kk] == 0 && !used(kk,me(cc)))
#define answers(kk,xx) V[xx].prom = kk; V[xx].g = kk; V[xx].ex = DA; p = node(kk); \
  if :: P[p].b == kk && P[p].ph != IDLE && P[p].pend > 0 -> V[xx].ac[p] = 1 :: else fi

#ifdef OVERWRITE
#define OVER3
#define OVER5
#endif
#ifdef OVER3
#define v3ok(kk,xx) true
#else
#define v3ok(kk,xx) (V[xx].g == 0 || same(V[xx].g,kk))
#endif
#ifdef OVER5
#define v5ok(kk,xx) true
#else
#ifdef INEXACT
#define v5ok(kk,xx) (V[xx].g == 0 || node(V[xx].g) == node(frm[kk]) || same(V[xx].g,kk))
#else
#define v5ok(kk,xx) (V[xx].g == 0 || V[xx].g == frm[kk] || same(V[xx].g,kk))
#endif
#endif
#ifdef OWNERREL
#define relok(kk,xx) (V[xx].g && node(V[xx].g) == node(kk))
#else
#define relok(kk,xx) (V[xx].g == kk)
#endif
#ifdef VOLPROMISE
#define forget(xx) V[xx].prom = 0
#else
#define forget(xx) skip
#endif
#ifdef REUSEROUND
#define newround(cc) skip
#else
#define newround(cc) clr(ac,cc)
#endif
#if defined(NOSTOP) || defined(RESUME)
#define mstops(cc) skip
#else
#define mstops(cc) drop(cc)
#endif

#define TICKP(cc) if :: P[cc].ph == ACT && P[cc].auth == 0 -> drop(cc) \
   :: (P[cc].ph == PREP || P[cc].ph == ACC || P[cc].ph == READY) && P[cc].pend == 0 -> drop(cc) \
   :: P[cc].ph == ACT && P[cc].auth && P[cc].pend == 0 -> clr(ac,cc) :: else fi

#define S_START(cc,kk)  :: d_step { (P[cc].ph == IDLE && mayp(kk) && fresh(cc,kk)) -> printf("@ candidate %d inc %d: PREPARE(%d)\n",cc,P[cc].inc,kk); \
   own[kk] = me(cc); P[cc].b = kk; P[cc].ph = PREP; P[cc].pend = DP; SORT }
#define S_GIVEUP(cc)   :: d_step { (P[cc].ph == PREP || P[cc].ph == ACC || P[cc].ph == READY) -> printf("@ candidate %d gives up ballot %d\n",cc,P[cc].b); drop(cc); SORT }
#define S_V2(kk,xx)     :: d_step { (own[kk] && frm[kk] == 0 && V[xx].qu == 0 && kk >= V[xx].prom) -> printf("@ voter %d gets PREPARE(%d), its grant is of %d\n",xx,kk,V[xx].g); \
   V[xx].prom = kk; p = node(kk); \
   if :: (V[xx].g == 0 || same(V[xx].g,kk)) && P[p].ph == PREP && P[p].b == kk -> V[xx].open[p] = 1 :: else fi; SORT }
#define S_P3(cc)       :: d_step { (P[cc].ph == PREP && maj(open,cc)) -> printf("@ candidate %d: majority open, ACCEPT(%d)\n",cc,P[cc].b); \
   acc[P[cc].b] = 1; P[cc].ph = ACC; clr(open,cc); clr(ac,cc); SORT }
#define S_V3(kk,xx)     :: d_step { (acc[kk] && V[xx].qu == 0 && kk >= V[xx].prom && v3ok(kk,xx)) -> printf("@ voter %d accepts ACCEPT(%d), its grant was of %d\n",xx,kk,V[xx].g); answers(kk,xx); SORT }
#define S_P4(cc)       :: d_step { ((P[cc].ph == ACC || P[cc].ph == READY || P[cc].ph == ACT) && P[cc].pend > 0 && maj(ac,cc)) -> printf("@ candidate %d MASTER by ballot %d\n",cc,P[cc].b); \
   P[cc].ph = ACT; P[cc].auth = (P[cc].pend > P[cc].auth -> P[cc].pend : P[cc].auth); P[cc].pend = 0; acc[P[cc].b] = 1; clr(ac,cc); \
   assert(!(P[0].ph == ACT && P[1].ph == ACT)); SORT }
#define S_P5(cc)       :: d_step { (P[cc].ph == ACT && P[cc].pend < DP) -> printf("@ candidate %d renews %d\n",cc,P[cc].b); P[cc].pend = DP; newround(cc); SORT }
#define S_P8(cc)       :: d_step { (P[cc].ph == ACT) -> printf("@ candidate %d stops, RELEASE(%d)\n",cc,P[cc].b); rel[P[cc].b] = 1; drop(cc); SORT }
#define S_V4(kk,xx)     :: d_step { (rel[kk] && V[xx].qu == 0 && relok(kk,xx)) -> printf("@ voter %d clears grant of %d by RELEASE(%d)\n",xx,V[xx].g,kk); V[xx].g = 0; V[xx].ex = 0; SORT }
#define S_V0(xx)       :: d_step { (vrs < VRS) -> printf("@ voter %d restarts, forgets grant of %d\n",xx,V[xx].g); vrs++; V[xx].g = 0; V[xx].ex = 0; V[xx].qu = DQ; forget(xx); SORT }
#define S_READY(cc,kk)  :: d_step { (P[cc].ph == IDLE && P[1-cc].ph == ACT && fresh(cc,kk) && mayt(kk,P[1-cc].b)) -> printf("@ candidate %d: READY(%d)\n",cc,kk); \
   own[kk] = me(cc); frm[kk] = P[1-cc].b; P[cc].b = kk; P[cc].ph = READY; P[cc].pend = DP; SORT }
#define S_TR(kk)       :: d_step { (frm[kk] && tr[kk] == 0 && P[node(frm[kk])].ph == ACT && P[node(frm[kk])].b == frm[kk]) -> printf("@ M stops, TRANSFER(%d to %d)\n",frm[kk],kk); \
   tr[kk] = 1; p = node(frm[kk]); mstops(p); SORT }
#define S_V5(kk,xx)     :: d_step { (tr[kk] && V[xx].qu == 0 && kk >= V[xx].prom && v5ok(kk,xx)) -> printf("@ voter %d accepts TRANSFER(%d), its grant was of %d\n",xx,kk,V[xx].g); answers(kk,xx); SORT }

byte p;

active proctype world() {
  do
  :: d_step { /* time passes by one true tick; P6 */
       (P[0].auth || P[1].auth || P[0].pend || P[1].pend || V[0].ex || V[1].ex || V[2].ex || V[0].qu || V[1].qu || V[2].qu) -> printf("@ tick\n");
       dec(P[0].auth); dec(P[1].auth); dec(P[0].pend); dec(P[1].pend);
       dec(V[0].ex); dec(V[1].ex); dec(V[2].ex); dec(V[0].qu); dec(V[1].qu); dec(V[2].qu);
       if :: V[0].ex == 0 -> V[0].g = 0 :: else fi;
       if :: V[1].ex == 0 -> V[1].g = 0 :: else fi;
       if :: V[2].ex == 0 -> V[2].g = 0 :: else fi;
       TICKP(0); TICKP(1);
       SORT }
  PB(S_START)
  PP(S_GIVEUP)
  BV(S_V2)
  PP(S_P3)
  BV(S_V3)
  PP(S_P4)
#ifndef NORENEW
  PP(S_P5)
#endif
#ifndef NORELEASE
  PP(S_P8)
#endif
  BV(S_V4)
#if VRS > 0
  VV(S_V0)
#endif
#if PRS > 0
  :: d_step { (P[0].inc < PRS) -> printf("@ candidate 0 dies and restarts\n"); P[0].inc++; drop(0); SORT }              /* candidate 0 dies and restarts */
#ifdef SUPREL
  :: d_step { (P[0].inc < PRS && P[0].b) -> printf("@ candidate 0 reaped with ballot %d, supervisor sends RELEASE, restart\n",P[0].b); rel[P[0].b] = 1; P[0].inc++; drop(0); SORT } /* its supervisor releases */
#endif
#endif
#ifdef HANDOVER
  PB(S_READY)
  BB(S_TR)
  BV(S_V5)
#endif
  od
}
