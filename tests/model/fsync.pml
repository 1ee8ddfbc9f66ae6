/*
 * fsync.pml: V3's order with a store that answers later, as in gossip/voter.c (wait_for, outstanding,
 * answer_accepted, voter_persisted) and core.c (persist_entry is lazy, persist_sync is not).
 *
 * Two models in one file.
 * (default) One slot of the ledger. 3 nodes, voter and candidate of each over one memory and one
 *   store; ballots 1..3 of nodes 0..2. Memory changes at once and queues a write; the store makes
 *   writes durable one by one, in order; an answer waits for a write and is said when that is
 *   durable; a crash loses the tail of the queue, the memory and the node's ballots. A failed write
 *   drops the answers, the whole state is written again. A candidate's own entry is written lazily:
 *   nobody waits for it until its own voter is asked for the next round.
 *   Checked: the slot never gets two values.
 * -DLEASE  The grant. 3 voters, 2 owners with one ballot each, times as in lease.pml. An ACCEPT is
 *   granted in memory, its write queued, answered when durable (or not at all, if it fails).
 *   Checked: never two masters.
 * Not modelled: torn writes (a write is a transaction), several slots (merge.pml), configurations.
 *
 * Weakenings (each must be violated):
 *   EARLYPROMISE, EARLYACCEPT  answer before the write is durable (ANSWEREARLY: both)
 *   LAZY        the own voter's answer to a round without entries counts the entry whose lazy write
 *               is still in the queue
 *   GRANTLATE   (LEASE) the grant is recorded when the write has ended
 *   FAILCLEARS  (LEASE) a failed write takes the grant back
 *   -DDQ=1      (LEASE) quarantine shorter than authority
 * Options: CR crashes (default 2), RS restarts under LEASE (default 1).
 * Bounds and numbers of states: tests/model/run.py.
 */
#ifndef CR
#define CR 2
#endif
#ifndef RS
#define RS 1
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
#ifdef ANSWEREARLY
#define EARLYPROMISE
#define EARLYACCEPT
#endif
#define VV(X) X(0) X(1) X(2)

#ifndef LEASE

#define NB 3
#define own(k) ((k) - 1)
#define two(s) ((s) == 3 || (s) == 5 || (s) == 6 || (s) == 7)
#define NEW  0
#define PREP 1
#define ACT  2
#define GONE 3

typedef node {
	byte mp; byte ma;         /* memory: promised, ballot of the entry (0: none) */
	byte dp; byte da;         /* the same on the disk */
	byte qp[2]; byte qa[2];   /* queued writes, oldest first */
	byte nq;
	byte wp; byte wpat;       /* a promise for ballot wp waits for queued write wpat (from 1) */
	byte wa; byte waat;       /* ACCEPTED likewise */
}
node N[3];
byte ph[NB + 1]; byte val[NB + 1];
byte open[NB + 1]; byte best[NB + 1]; byte acc[NB + 1];
byte chosen, crashes;
byte i;

inline leave(k) { ph[k] = GONE; open[k] = 0; best[k] = 0 }

inline write(x) /* lazily: nobody waits */
{
	N[x].qp[N[x].nq] = N[x].mp; N[x].qa[N[x].nq] = N[x].ma; N[x].nq++
}

#define raise(x,k) if :: N[x].mp != k -> N[x].mp = k; \
	if :: own(1) == x && k != 1 && (ph[1] == PREP || ph[1] == ACT) -> leave(1) \
	:: own(2) == x && k != 2 && (ph[2] == PREP || ph[2] == ACT) -> leave(2) \
	:: own(3) == x && k != 3 && (ph[3] == PREP || ph[3] == ACT) -> leave(3) :: else fi :: else fi

inline say_promise(x, k)
{
	if :: ph[k] == PREP && N[x].mp == k ->
		printf("@ node %d promises %d, has entry of ballot %d\n", x, k, N[x].ma);
		open[k] = open[k] | (1 << x); best[k] = (N[x].ma > best[k] -> N[x].ma : best[k])
	:: else
	fi
}

/* A majority that says so is enough, whether or not the owner still listens. */
inline say_accepted(x, k)
{
	printf("@ node %d says ACCEPTED(%d)\n", x, k);
	acc[k] = acc[k] | (1 << x);
	if :: two(acc[k]) -> assert(chosen == 0 || chosen == val[k]); chosen = val[k] :: else fi
}

inline drop_queue(x) { N[x].qp[0] = 0; N[x].qp[1] = 0; N[x].qa[0] = 0; N[x].qa[1] = 0; N[x].nq = 0;
	N[x].wp = 0; N[x].wpat = 0; N[x].wa = 0; N[x].waat = 0 }

#ifdef EARLYPROMISE
#define promise_after(x,k) say_promise(x,k)
#else
#define promise_after(x,k) N[x].wp = k; N[x].wpat = N[x].nq
#endif
#ifdef EARLYACCEPT
#define accept_after(x,k,at) say_accepted(x,k)
#else
#define accept_after(x,k,at) if :: at == 0 -> say_accepted(x,k) :: else -> N[x].wa = k; N[x].waat = at fi
#endif
#ifdef LAZY /* only what somebody waits for is waited for */
#define outstanding(x) (N[x].wpat > N[x].waat -> N[x].wpat : N[x].waat)
#else
#define outstanding(x) N[x].nq
#endif

#define S_START(k) :: d_step { ph[k] == NEW && k > N[own(k)].mp && N[own(k)].nq < 2 -> printf("@ node %d: PREPARE(%d)\n", own(k), k); \
	raise(own(k),k); ph[k] = PREP; write(own(k)); promise_after(own(k),k) }
#define S_V2(k,x) :: d_step { own(k) != x && ph[k] == PREP && k >= N[x].mp && N[x].nq < 2 && N[x].wp != k && !(open[k] & (1 << x)) -> printf("@ node %d gets PREPARE(%d)\n", x, k); \
	raise(x,k); write(x); promise_after(x,k) }
#define S_P3(k) :: d_step { ph[k] == PREP && two(open[k]) && N[own(k)].nq < 2 -> val[k] = (best[k] -> val[best[k]] : k); \
	printf("@ node %d proposes value %d under %d, writes it lazily\n", own(k), val[k], k); ph[k] = ACT; open[k] = 0; best[k] = 0; \
	N[own(k)].ma = k; write(own(k)) }
#define S_OWN(k) :: d_step { ph[k] == ACT && N[own(k)].mp == k && !(acc[k] & (1 << own(k))) && N[own(k)].wa != k -> printf("@ node %d: round of %d at its own voter\n", own(k), k); \
	accept_after(own(k),k,outstanding(own(k))) }
#define S_V3(k,x) :: d_step { own(k) != x && ph[k] >= ACT && val[k] && k >= N[x].mp && N[x].nq < 2 && N[x].ma != k -> printf("@ node %d takes the entry of %d\n", x, k); \
	raise(x,k); N[x].ma = k; write(x); accept_after(x,k,N[x].nq) }
#define S_SYNC(x) :: d_step { N[x].nq > 0 -> printf("@ node %d: a write is durable\n", x); N[x].dp = N[x].qp[0]; N[x].da = N[x].qa[0]; \
	N[x].qp[0] = N[x].qp[1]; N[x].qa[0] = N[x].qa[1]; N[x].qp[1] = 0; N[x].qa[1] = 0; N[x].nq--; \
	if :: N[x].wpat == 1 -> i = N[x].wp; N[x].wp = 0; N[x].wpat = 0; say_promise(x,i) :: N[x].wpat == 2 -> N[x].wpat = 1 :: else fi; \
	if :: N[x].waat == 1 -> i = N[x].wa; N[x].wa = 0; N[x].waat = 0; say_accepted(x,i) :: N[x].waat == 2 -> N[x].waat = 1 :: else fi; i = 0 }
#define S_FAIL(x) :: d_step { N[x].nq > 0 && crashes < CR -> crashes++; printf("@ node %d: the write fails, all is written again\n", x); drop_queue(x); write(x) }
#define S_CRASH(x) :: d_step { crashes < CR -> crashes++; printf("@ node %d crashes and loses %d writes\n", x, N[x].nq); \
	if :: ph[x + 1] == PREP || ph[x + 1] == ACT -> leave(x + 1) :: else fi; drop_queue(x); N[x].mp = N[x].dp; N[x].ma = N[x].da }
#define KK(X) X(1) X(2) X(3)
#define KX(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) X(3,0) X(3,1) X(3,2)

active proctype ledger()
{
	do
	KK(S_START)
	KX(S_V2)
	KK(S_P3)
	KK(S_OWN)
	KX(S_V3)
	VV(S_SYNC)
	VV(S_FAIL)
	VV(S_CRASH)
	od
}

#else /* LEASE */

typedef voter {
	byte prom;               /* memory; */
	byte dprom;              /* disk */
	byte g; byte ex; byte qu;
	bit wait[3];             /* ACCEPTED of that ballot waits for the store */
	bit open[3]; bit ac[3];
}
voter V[3];
byte ph[3];                  /* 0 new, 1 preparing, 2 claiming or master, 3 gone */
byte pend[3]; byte auth[3];
byte restarts, fails;

#define maj(f,k) (V[0].f[k] + V[1].f[k] + V[2].f[k] >= 2)
#define wipe(f,k) V[0].f[k] = 0; V[1].f[k] = 0; V[2].f[k] = 0
#define leave(k) ph[k] = 3; pend[k] = 0; auth[k] = 0; wipe(open,k); wipe(ac,k)
#define free(x,k) (V[x].g == 0 || V[x].g == k)
#define grant(x,k) V[x].g = k; V[x].ex = DA
#ifdef GRANTLATE
#define at_receipt(x,k) skip
#define at_end(x,k) grant(x,k)
#else
#define at_receipt(x,k) grant(x,k)
#define at_end(x,k) skip
#endif
#ifdef FAILCLEARS
#define at_failure(x) V[x].g = 0; V[x].ex = 0
#else
#define at_failure(x) skip
#endif

#define S_START(k) :: d_step { ph[k] == 0 -> printf("@ owner %d: PREPARE\n", k); ph[k] = 1; pend[k] = DP }
/* The promise's own wait is the ledger's affair: here it is durable at once. */
#define S_V2(k,x) :: d_step { ph[k] == 1 && V[x].qu == 0 && k >= V[x].prom && free(x,k) && !V[x].open[k] -> printf("@ voter %d promises %d\n", x, k); V[x].prom = k; V[x].dprom = k; V[x].open[k] = 1 }
#define S_P3(k) :: d_step { ph[k] == 1 && maj(open,k) -> printf("@ owner %d: majority open\n", k); ph[k] = 2; wipe(open,k) }
#define S_V3(k,x) :: d_step { ph[k] >= 2 && V[x].qu == 0 && k >= V[x].prom && free(x,k) && !V[x].wait[k] -> printf("@ voter %d takes ACCEPT(%d), queues its write\n", x, k); \
	at_receipt(x,k); V[x].prom = k; V[x].wait[k] = 1 }
#define S_DONE(k,x) :: d_step { V[x].wait[k] && (k == 1 || !V[x].wait[1]) -> printf("@ voter %d: durable, says ACCEPTED(%d)\n", x, k); V[x].wait[k] = 0; \
	V[x].dprom = (k > V[x].dprom -> k : V[x].dprom); at_end(x,k); if :: ph[k] == 2 && pend[k] -> V[x].ac[k] = 1 :: else fi }
#define S_FAIL(x) :: d_step { fails < 1 && (V[x].wait[1] || V[x].wait[2]) -> fails++; printf("@ voter %d: the write fails\n", x); V[x].wait[1] = 0; V[x].wait[2] = 0; at_failure(x) }
#define S_V0(x) :: d_step { restarts < RS -> restarts++; printf("@ voter %d restarts\n", x); V[x].g = 0; V[x].ex = 0; V[x].qu = DQ; V[x].prom = V[x].dprom; V[x].wait[1] = 0; V[x].wait[2] = 0 }
#define S_P4(k) :: d_step { ph[k] == 2 && pend[k] && maj(ac,k) -> printf("@ owner %d MASTER\n", k); auth[k] = (pend[k] > auth[k] -> pend[k] : auth[k]); pend[k] = 0; wipe(ac,k); assert(!(auth[1] && auth[2])) }
/* A new round: answers to the one before no longer count. */
#define S_P5(k) :: d_step { ph[k] == 2 && auth[k] && pend[k] < DP && !V[0].wait[k] && !V[1].wait[k] && !V[2].wait[k] -> printf("@ owner %d renews\n", k); pend[k] = DP; wipe(ac,k) }
#define dec(x) x = (x > 0 -> x - 1 : 0)
#define TICKV(x) dec(V[x].ex); dec(V[x].qu); if :: V[x].ex == 0 -> V[x].g = 0 :: else fi
#define TICKP(k) dec(pend[k]); dec(auth[k]); \
	if :: (ph[k] == 1 || ph[k] == 2) && pend[k] == 0 && auth[k] == 0 -> leave(k) :: ph[k] == 2 && pend[k] == 0 -> wipe(ac,k) :: else fi
#define KK(X) X(1) X(2)
#define KX(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2)

active proctype lease()
{
	do
	:: d_step { (pend[1] || pend[2] || auth[1] || auth[2] || V[0].ex || V[1].ex || V[2].ex || V[0].qu || V[1].qu || V[2].qu) -> printf("@ tick\n"); \
		TICKP(1); TICKP(2); TICKV(0); TICKV(1); TICKV(2) }
	KK(S_START)
	KX(S_V2)
	KK(S_P3)
	KX(S_V3)
	KX(S_DONE)
	VV(S_FAIL)
#if RS > 0
	VV(S_V0)
#endif
	KK(S_P4)
	KK(S_P5)
	od
}
#endif
