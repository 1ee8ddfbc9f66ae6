/*
 * profile.pml: changing the times of the lease while it is held (lease.md, Time), as in
 * gossip/voters_terms.c, with V0 (lease_max), V1 and R2.
 *
 * Modelled. 3 voters, ballot 1 of owner A, who changes the config by two versions, one at a time, each
 *   certified before the next; ballot 2 of a rival B, who uses the config of any voter and tries as
 *   often as it likes. A config is its version: it has D_P, D_A and D_Q. A round carries its config;
 *   a voter refuses a lower one, and makes a higher one durable. ACCEPTs of every version stay
 *   deliverable for ever. A voter excludes by its own config's D_A; restarted, it is mute for D_Q of its
 *   config, or for D_Q of the longest lease it granted, whichever is longer. A certificate is
 *   replaced only by a later one.
 *       (default)  lowered:  D_P D_A D_Q = 2 2 2, 1 2 2, wait one old D_A, 1 1 1
 *       RAISE      raised:   1 1 1, 1 2 2, 2 2 2
 * Time. As in lease.pml: a lease of D_P lasts DP true ticks, D_A and D_Q as many; voters are sorted.
 * Not modelled: the ledger, changes of voters (reconfig.pml), several rounds of one version (rounds.pml),
 *   a second owner who goes on with the change (it waits anew).
 * Checked: never two masters.
 *
 * Weakenings (each must be violated):
 *   RAISE WRONG            D_P is raised before D_A and D_Q
 *   HASTE ANYCERT NOMAX    D_A and D_Q fall at once after D_P, while a longer authority still stands, and
 *                          a voter forgets its longest lease
 *   RAISE V1VOL NOMAX      a higher config is adopted in memory only, and the same
 * Must hold, as each of the others is enough: HASTE ANYCERT, HASTE NOMAX, ANYCERT NOMAX, RAISE NOMAX,
 *   RAISE V1VOL.
 * Bounds and numbers of states: tests/model/run.py.
 */
#ifndef RS
#define RS 2
#endif
#define LAST 2

#define IDLE 0
#define PREP 1
#define ACT  2
#define GONE 3

#ifdef RAISE
#ifdef WRONG
#define dp(v) ((v) == 0 -> 1 : 2)
#define da(v) ((v) == 2 -> 2 : 1)
#else
#define dp(v) ((v) == 2 -> 2 : 1)
#define da(v) ((v) == 0 -> 1 : 2)
#endif
#else
#define dp(v) ((v) == 0 -> 2 : 1)
#define da(v) ((v) == 2 -> 1 : 2)
#endif
#define dq(v) da(v)

typedef voter {
	byte prom; byte g; byte ex; byte qu;
	byte cfg; byte lm; /* version; longest lease granted */
	bit acA; bit openB; bit acB;
}
voter W[3];
byte phA, phB;
byte ver;        /* of A's config */
byte verB;
byte pendA, authA, pendB, authB; /* ticks left of the round's (or attempt's) deadline, of authority */
bit  cert;       /* the certificate is of A's present config */
byte wait; bit waited;
byte restarts;
byte t;

#define maj(f) (W[0].f + W[1].f + W[2].f >= 2)
#define wipe(f) W[0].f = 0; W[1].f = 0; W[2].f = 0
#define key(x) (((((((((W[x].prom * 4 + W[x].g) * 4 + W[x].ex) * 4 + W[x].qu) * 4 + W[x].cfg) * 4 + W[x].lm) * 2 + W[x].acA) * 2 + W[x].openB) * 2) + W[x].acB)
#define sw(a,b) t = a; a = b; b = t
#define swp(x,y) if :: key(x) > key(y) -> sw(W[x].prom,W[y].prom); sw(W[x].g,W[y].g); sw(W[x].ex,W[y].ex); sw(W[x].qu,W[y].qu); \
	sw(W[x].cfg,W[y].cfg); sw(W[x].lm,W[y].lm); sw(W[x].acA,W[y].acA); sw(W[x].openB,W[y].openB); sw(W[x].acB,W[y].acB) :: else fi
#define SORT swp(0,1); swp(1,2); swp(0,1); t = 0

#define alone assert(!(authA && authB))
#define larger(a,b) (a > b -> a : b)
#define passes(x,v) (v >= W[x].cfg)
#ifdef V1VOL
#define forget(x) W[x].cfg = 0
#else
#define forget(x) skip
#endif
#ifdef NOMAX
#define longest(x) 0
#else
#define longest(x) W[x].lm
#endif
#ifdef HASTE
#define PATIENT true
#else
#define PATIENT (da(ver + 1) >= da(ver) || (waited && wait == 0))
#endif

#ifdef ANYCERT
#define LATER true
#else
#define LATER (pendA >= authA)
#endif

inline grant(x, b)
{
	W[x].prom = b;
	W[x].ex = (W[x].g == b -> larger(W[x].ex, da(W[x].cfg)) : da(W[x].cfg));
	W[x].g = b;
	W[x].lm = larger(W[x].lm, dp(W[x].cfg))
}

inline leaveA() { phA = GONE; authA = 0; pendA = 0; cert = 0; wait = 0; waited = 0; wipe(acA) }
inline leaveB() { phB = IDLE; authB = 0; pendB = 0; verB = 0; wipe(openB); wipe(acB) }
inline roundA() { pendA = dp(ver); wipe(acA) }

/* Of A's present round, or of an older one, whose answer counts for nothing. */
#define S_V3A(x,v) :: d_step { v <= ver && phA >= ACT && W[x].qu == 0 && W[x].prom <= 1 && W[x].g != 2 && passes(x,v) && (v < ver || phA == GONE || !W[x].acA || W[x].ex < da(v)) -> \
	printf("@ voter %d accepts A's round of version %d\n", x, v); W[x].cfg = larger(W[x].cfg, v); grant(x, 1); \
	if :: phA == ACT && pendA && v == ver && W[x].cfg == v -> W[x].acA = 1 :: else fi; SORT }
#define S_V2B(x) :: d_step { phB == PREP && W[x].qu == 0 && W[x].g != 1 && passes(x,verB) && !W[x].openB -> \
	printf("@ voter %d promises B\n", x); W[x].prom = 2; W[x].cfg = larger(W[x].cfg, verB); W[x].openB = 1; SORT }
#define S_V3B(x) :: d_step { phB == ACT && W[x].qu == 0 && W[x].g != 1 && passes(x,verB) && (W[x].g != 2 || !W[x].acB || W[x].ex < da(verB)) -> \
	printf("@ voter %d accepts B's round\n", x); W[x].cfg = larger(W[x].cfg, verB); grant(x, 2); \
	if :: pendB && W[x].cfg == verB -> W[x].acB = 1 :: else fi; SORT }
#define S_B(v) :: d_step { phB == IDLE && (W[0].cfg == v || W[1].cfg == v || W[2].cfg == v) -> printf("@ B: PREPARE under version %d\n", v); \
	phB = PREP; verB = v; pendB = dp(v) }
#define S_V0(x) :: d_step { restarts < RS -> restarts++; printf("@ voter %d restarts\n", x); forget(x); \
	W[x].g = 0; W[x].ex = 0; W[x].qu = larger(longest(x), dq(W[x].cfg)); SORT }

#define dec(x) x = (x > 0 -> x - 1 : 0)
#define TICKV(x) dec(W[x].ex); dec(W[x].qu); if :: W[x].ex == 0 -> W[x].g = 0 :: else fi
#define VV(X) X(0) X(1) X(2)
#define VE(X) X(0,0) X(0,1) X(0,2) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2)
#define waiting (pendA || pendB || authA || authB || wait || W[0].ex || W[1].ex || W[2].ex || W[0].qu || W[1].qu || W[2].qu)

active proctype world()
{
	d_step { /* A had the promises of two */
		W[1].prom = 1; W[2].prom = 1; phA = ACT; roundA(); SORT }
	do
	:: d_step { waiting -> printf("@ tick\n"); dec(wait); dec(pendB); TICKV(0); TICKV(1); TICKV(2);
		if :: authA == 1 || (authA == 0 && pendA == 1) -> leaveA() :: else dec(authA); dec(pendA) fi;
		if :: authB == 1 || (phB != IDLE && authB == 0 && pendB == 0) -> leaveB() :: else dec(authB) fi;
		SORT }
	VE(S_V3A)
	:: d_step { phA == ACT && pendA && maj(acA) -> printf("@ A is certified in version %d\n", ver);
		cert = (LATER -> 1 : cert); authA = larger(authA, pendA); pendA = 0; wipe(acA); alone; SORT }
	:: d_step { phA == ACT && authA && pendA == 0 -> printf("@ A sends another round\n"); roundA(); SORT }
	:: d_step { phA == ACT && authA && cert && ver < LAST && da(ver + 1) < da(ver) && !waited -> printf("@ A waits\n"); waited = 1; wait = da(ver) }
	:: d_step { phA == ACT && authA && cert && ver < LAST && PATIENT -> ver++; printf("@ A goes on to version %d\n", ver);
		cert = 0; waited = 0; wait = 0; roundA(); SORT }
	S_B(0) S_B(1) S_B(2)
	VV(S_V2B)
	:: d_step { phB == PREP && pendB && maj(openB) -> printf("@ B: majority open\n"); phB = ACT; wipe(openB); SORT }
	VV(S_V3B)
	:: d_step { phB == ACT && pendB && maj(acB) -> printf("@ B is certified\n"); authB = larger(authB, pendB); pendB = 0; wipe(acB); alone; SORT }
	:: d_step { phB == ACT && authB && pendB == 0 -> printf("@ B sends another round\n"); pendB = dp(verB); wipe(acB); SORT }
	VV(S_V0)
	od
}
