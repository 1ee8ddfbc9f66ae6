/*
 * rounds.pml: several rounds of one owner in flight (V3, P4, P5), as in gossip/master.c (round_begin,
 * count_round, certify) and gossip/voter.c (record_grant).
 *
 * Modelled. 3 voters, ballot 1 of owner A with up to R numbered rounds, any number of them in flight,
 *   each with one deadline from before its first sending; ballot 2 of a rival B with one round at a
 *   time. ACCEPTs stay deliverable for ever (a resend is a redelivery), answers may be counted at
 *   any time before their round's deadline. A voter remembers the newest round of ballot 1; an older
 *   one extends nothing and is not counted. Restarts with quarantine, A's RELEASE.
 *   With LOWER: D_P and D_A of the config fall from 2 to 1: D_P first, D_A not before one old D_A.
 * Time. As in lease.pml: every D_P lasts DP true ticks, D_A DA, D_Q DQ; voters are sorted.
 * Not modelled: the ledger, configurations but for LOWER, hand-over, restarts of owners (lease.pml).
 * Checked: never two masters.
 *
 * Weakenings (each must be violated):
 *   REUSE      a renewal keeps the number of a finished round: answers to the old one count
 *   RESEND     a resend takes a new deadline
 *   SLOT       answers find their round by number modulo 2 alone
 *   ANYROUND   an answer to any round of the ballot counts for the newest
 *   LATE       the deadline is taken when the first answer comes
 *   HASTE      (with LOWER) D_A falls at once after D_P
 *   -DDA=1     exclusion shorter than authority
 * Must hold: (default), LOWER, OLDEXTENDS (an older round extends the grant: only for liveness, a
 *   late packet must not prolong the exclusion by a dead owner), and LOWER NOMAX (the voter's new
 *   exclusion replaces a longer one: covered by the order in which a config is lowered).
 * Bounds and numbers of states: tests/model/run.py.
 */
#define R 4
#ifndef DP
#define DP 2
#endif
#ifndef DA
#define DA 2
#endif
#ifndef DQ
#define DQ 2
#endif
#ifndef RS
#define RS 1
#endif

#define IDLE 0
#define PREP 1
#define ACT  2 /* claiming or master */
#define GONE 3

typedef voter {
	byte prom; byte g; byte ex; byte qu;
	byte gr;                   /* newest round of ballot 1, 0 after a restart */
	bit openA; bit openB; bit acB;
	bit said[R + 1];           /* answered that round of ballot 1 */
}
voter W[3];
byte phA, phB;
byte n;                        /* newest round of ballot 1 */
byte pend[R + 1];              /* ticks left of each round's deadline */
bit  asked[R + 1];             /* LATE: the deadline has been taken */
byte attA, attB;               /* ticks left of the attempt (B: of its round, too) */
byte authA, authB;
bit  relA;
byte restarts;
byte dp = DP; byte da = DA; byte wait; /* LOWER */
byte t, i;

#define maj(f) (W[0].f + W[1].f + W[2].f >= 2)
#define wipe(f) W[0].f = 0; W[1].f = 0; W[2].f = 0
#define key(x) (((((((W[x].prom * 4 + W[x].g) * 4 + W[x].ex) * 4 + W[x].qu) * 8 + W[x].gr) * 2 + W[x].openA) * 2 + W[x].openB) * 2 + W[x].acB)
#define bits(x) ((((W[x].said[1] * 2 + W[x].said[2]) * 2 + W[x].said[3]) * 2 + W[x].said[R]))
#define sw(a,b) t = a; a = b; b = t
#define swp(x,y) if :: key(x) > key(y) || (key(x) == key(y) && bits(x) > bits(y)) -> sw(W[x].prom,W[y].prom); sw(W[x].g,W[y].g); sw(W[x].ex,W[y].ex); \
	sw(W[x].qu,W[y].qu); sw(W[x].gr,W[y].gr); sw(W[x].openA,W[y].openA); sw(W[x].openB,W[y].openB); sw(W[x].acB,W[y].acB); i = 1; \
	do :: i <= R -> sw(W[x].said[i],W[y].said[i]); i++ :: else -> break od :: else fi
#define SORT swp(0,1); swp(1,2); swp(0,1); t = 0; i = 0

#define alone assert(!(authA && authB))
#if defined(REUSE) || defined(SLOT) || defined(ANYROUND)
#define finish(r) pend[r] = 0 /* late answers are remembered */
#else
#define finish(r) pend[r] = 0; wipe(said[r])
#endif
#if defined(ANYROUND)
#define answered(x,r) (r == n && (W[x].said[1] || W[x].said[2] || W[x].said[3] || W[x].said[R]))
#elif defined(SLOT)
#define answered(x,r) (W[x].said[r] || (r > 2 && W[x].said[(r > 2 -> r - 2 : 1)]))
#else
#define answered(x,r) W[x].said[r]
#endif
#define full(r) (answered(0,r) + answered(1,r) + answered(2,r) >= 2)
#ifdef NOMAX
#define extend(x) W[x].ex = da
#else
#define extend(x) W[x].ex = (W[x].ex > da -> W[x].ex : da)
#endif
#ifdef OLDEXTENDS
#define old(x,r) false
#else
#define old(x,r) (r < W[x].gr)
#endif
#ifdef LATE
#define send(r) pend[r] = 0
#define inflight(r) (!asked[r] || pend[r])
#define LATEWAIT (!asked[n])
#define LATE1 asked[1] = 1
#else
#define send(r) pend[r] = dp
#define inflight(r) pend[r]
#define LATEWAIT false
#define LATE1 skip
#endif

inline leaveA() { phA = GONE; authA = 0; attA = 0; wipe(openA); i = 1; do :: i <= R -> pend[i] = 0; wipe(said[i]); i++ :: else -> break od }
inline leaveB() { phB = GONE; authB = 0; attB = 0; wipe(openB); wipe(acB) }

#define S_V2A(x) :: d_step { phA == PREP && W[x].qu == 0 && W[x].prom <= 1 && W[x].g == 0 -> printf("@ voter %d promises 1\n", x); W[x].prom = 1; W[x].openA = 1; SORT }
#define S_V2B(x) :: d_step { phB == PREP && W[x].qu == 0 && W[x].g != 1 -> printf("@ voter %d promises 2\n", x); W[x].prom = 2; W[x].openB = 1; SORT }
#define S_V3A(r,x) :: d_step { r <= n && W[x].qu == 0 && W[x].prom <= 1 && W[x].g != 2 && !old(x,r) && (W[x].g != 1 || W[x].ex < da || W[x].gr < r || !W[x].said[r]) -> \
	printf("@ voter %d accepts round %d of 1\n", x, r); W[x].prom = 1; W[x].g = 1; extend(x); W[x].gr = (r > W[x].gr -> r : W[x].gr); \
	if :: phA == ACT && inflight(r) -> W[x].said[r] = 1 :: else fi; SORT }
#define S_LATE(r) :: d_step { phA == ACT && r <= n && !asked[r] && (W[0].said[r] || W[1].said[r] || W[2].said[r]) -> printf("@ first answer to round %d: deadline taken\n", r); asked[r] = 1; pend[r] = dp }
#define S_P4A(r) :: d_step { phA == ACT && pend[r] && full(r) -> printf("@ A is certified by round %d\n", r); authA = (pend[r] > authA -> pend[r] : authA); finish(r); alone; SORT }
#define S_V3B(x) :: d_step { phB >= ACT && W[x].qu == 0 && W[x].g != 1 && (W[x].g != 2 || W[x].ex < da || !W[x].acB) -> printf("@ voter %d accepts 2\n", x); W[x].prom = 2; W[x].g = 2; extend(x); \
	if :: phB == ACT && attB -> W[x].acB = 1 :: else fi; SORT }
#define S_V4(x) :: d_step { relA && W[x].qu == 0 && W[x].g == 1 -> printf("@ voter %d: RELEASE of 1\n", x); W[x].g = 0; W[x].ex = 0; SORT }
#define S_V0(x) :: d_step { restarts < RS -> restarts++; printf("@ voter %d restarts\n", x); W[x].g = 0; W[x].ex = 0; W[x].gr = 0; W[x].qu = DQ; SORT }
#define S_AGAIN(r) :: d_step { phA == ACT && r <= n && AGAIN(r) -> printf("@ A sends round %d again, with a new deadline\n", r); pend[r] = dp }
#ifdef REUSE
#define AGAIN(r) (pend[r] == 0 && authA)
#else
#define AGAIN(r) (pend[r] && pend[r] < dp)
#endif

#define dec(x) x = (x > 0 -> x - 1 : 0)
#define TICKV(x) dec(W[x].ex); dec(W[x].qu); if :: W[x].ex == 0 -> W[x].g = 0 :: else fi
#define TICKR(r) if :: pend[r] == 1 -> finish(r) :: else dec(pend[r]) fi
#define VV(X) X(0) X(1) X(2)
#define RR(X) X(1) X(2) X(3) X(4)
#define RV(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) X(3,0) X(3,1) X(3,2) X(4,0) X(4,1) X(4,2)
#define waiting (pend[1] || pend[2] || pend[3] || pend[4] || attA || attB || authA || authB || wait || \
	W[0].ex || W[1].ex || W[2].ex || W[0].qu || W[1].qu || W[2].qu)

active proctype world()
{
	do
	:: d_step { waiting -> printf("@ tick\n"); TICKR(1); TICKR(2); TICKR(3); TICKR(4); dec(attA); dec(attB); dec(wait); TICKV(0); TICKV(1); TICKV(2);
		if :: authA == 1 || (phA == PREP && attA == 0) -> leaveA() :: else dec(authA) fi;
		if :: phA == ACT && authA == 0 && pend[1] == 0 && pend[2] == 0 && pend[3] == 0 && pend[4] == 0 && !LATEWAIT -> leaveA() :: else fi;
		if :: authB == 1 || ((phB == PREP || phB == ACT) && attB == 0 && authB == 0) -> leaveB() :: else dec(authB) fi;
		SORT }
	:: d_step { phA == IDLE -> printf("@ A: PREPARE(1)\n"); phA = PREP; attA = dp }
	VV(S_V2A)
	:: d_step { phA == PREP && maj(openA) -> printf("@ A: majority open, round 1\n"); phA = ACT; n = 1; pend[1] = attA; LATE1; attA = 0; wipe(openA); SORT }
	:: d_step { phA == ACT && n < R -> n++; printf("@ A sends round %d\n", n); send(n) }
	RV(S_V3A)
	RR(S_P4A)
	:: d_step { phA == ACT && authA -> printf("@ A stops, RELEASE\n"); relA = 1; leaveA(); SORT }
	VV(S_V4)
	:: d_step { phB == IDLE -> printf("@ B: PREPARE(2)\n"); phB = PREP; attB = dp }
	VV(S_V2B)
	:: d_step { phB == PREP && maj(openB) -> printf("@ B: majority open, round 1\n"); phB = ACT; wipe(openB); SORT }
	VV(S_V3B)
	:: d_step { phB == ACT && attB && maj(acB) -> printf("@ B is certified\n"); authB = (attB > authB -> attB : authB); attB = 0; wipe(acB); alone; SORT }
	:: d_step { phB == ACT && authB && attB == 0 -> printf("@ B sends another round\n"); attB = dp; wipe(acB); SORT }
#if RS > 0
	VV(S_V0)
#endif
#if defined(REUSE) || defined(RESEND)
	RR(S_AGAIN)
#endif
#ifdef LATE
	RR(S_LATE)
#endif
#ifdef LOWER
	:: d_step { dp == 2 -> printf("@ D_P is lowered\n"); dp = 1; wait = DA }
#ifdef HASTE
	:: d_step { dp == 1 && da == 2 -> printf("@ D_A is lowered\n"); da = 1; wait = 0 }
#else
	:: d_step { dp == 1 && da == 2 && wait == 0 -> printf("@ D_A is lowered\n"); da = 1 }
#endif
#endif
	od
}
