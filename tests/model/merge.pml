/*
 * merge.pml: the multi-slot ledger: what a candidate makes of several promised logs (P3), what a voter
 * does with entries of a new ballot (V3), and learned entries, as in gossip/candidate.c (merge),
 * gossip/master.c (adopt_suffix, advance_commit), gossip/voter.c (append_entries) and
 * gossip/learner.c (learner_take).
 *
 * Modelled. 3 nodes, each voter and candidate over *one* log of S slots; NB ballots, ballot k belongs
 *   to node (k-1) % 3. A slot holds (label, value): the ballot under which it was accepted or
 *   learned, and the ballot that first proposed the value. Promises carry the log and the commit
 *   index as of their sending, and may arrive late. ACCEPTs stay deliverable for ever and carry one
 *   slot each (a message is bounded), from the voter's own commit on. ACCEPTED carries `match`; a
 *   master commits by the index that a majority's match covers. Whoever has committed entries can
 *   teach them at any time; the tail of the learner's log stays. A restart forgets the commit index
 *   (its durable copy lags) and ends the node's ballots.
 * Not modelled: the lease (nobody excludes anybody: more behaviours), configurations, snapshots,
 *   trimming and REJECT_LAGGING, the store (fsync.pml), REJECTs (they only end ballots).
 * Checked: whatever anyone commits in a slot, everyone commits there (prefix agreement; a committed
 *   entry is never lost); nobody commits a slot that it does not have.
 *
 * The choice of P3 (-DWHOLE: instead of slot by slot, the log whose last entry is highest):
 *   (default)                 slot by slot: must hold
 *   WHOLE (S=3 or NB=4)       violated: a suffix that is re-proposed slot by slot leaves logs that end
 *                             in a high ballot but lack committed entries beyond
 *   WHOLE ATOMIC              violated: the same by learned entries alone, whose labels are as high,
 *                             once a restart forgot a commit index (RS=0 holds, with NB=4 or S=3)
 *   WHOLE ATOMIC NOLEARN      must hold: logs are then prefixes of their ballot's log. So the rule
 *                             is good only where the re-proposed part is taken in one write and
 *                             learned entries never count as accepted
 * Weakenings (each must be violated):
 *   SHAREDLOG   a candidate goes on although its own voter promised another ballot
 *   EARLYCUT    a voter cuts its tail before the ballot's CLAIM has come
 *   MATCHLAST   a voter takes its own old tail for the new ballot's (match starts at `last`)
 *   LOWBALLOT   the candidate keeps its own entry whatever the ballots are
 *   NOMATCH     V5 without "the log matches" (with HANDOVER)
 * Options: HANDOVER (ballot 2 is T's, the successor of ballot 1), RS restarts (default 1), NB, S.
 * Bounds and numbers of states: tests/model/run.py.
 */
#ifndef NB
#define NB 3
#endif
#ifndef S
#define S 2
#endif
#ifndef RS
#define RS 1
#endif

#define own(kk)   (((kk) - 1) % 3)
#define two(m)    ((m) == 3 || (m) == 5 || (m) == 6 || (m) == 7)
#define L(x,s)    lab[(x) * S + (s)]
#define V(x,s)    val[(x) * S + (s)]
#define PL(k,x,s) prl[((k) * 3 + (x)) * S + (s)]
#define PV(k,x,s) prv[((k) * 3 + (x)) * S + (s)]
#define PC(k,x)   prc[(k) * 3 + (x)]
#define MV(k,s)   msg[(k) * S + (s)]
#define ACK(k,x)  ack[(k) * 3 + (x)]

#define NEW  0
#define PREP 1
#define ACT  2 /* claiming or master: proposes */
#define GONE 3

byte prom[3];
byte cm[3];                  /* commit index: slots 0..cm-1 are known chosen */
byte lab[3 * S]; byte val[3 * S];
byte ph[NB + 1];
byte sent[NB + 1];           /* bit x: x has promised                        */
byte open[NB + 1];           /* bit x: that promise was counted              */
byte prl[(NB + 1) * 3 * S]; byte prv[(NB + 1) * 3 * S]; byte prc[(NB + 1) * 3];
byte msg[(NB + 1) * S];      /* what ACCEPT(k) says of each slot             */
byte pn[NB + 1];             /* its log's length                             */
byte claim[NB + 1];          /* its CLAIM's index, counted from 1; S+1: none */
byte ack[(NB + 1) * 3];      /* match reported to k                          */
byte chosen[S];
byte restarts;
byte given;                  /* TRANSFER was sent: M's last index + 1        */
byte i, j, m, n, lastx, lasty; /* scratch: 0 between steps, or they would be state */
#define DONE i = 0; j = 0; m = 0; n = 0; lastx = 0; lasty = 0

inline know(x, upto)
{
	i = cm[x];
	do
	:: i < upto -> assert(V(x,i) != 0);
		assert(chosen[i] == 0 || chosen[i] == V(x,i));
		chosen[i] = V(x,i); i++
	:: else -> break
	od;
	if :: upto > cm[x] -> cm[x] = upto :: else fi
}

inline forget_promises(k)
{
	i = 0;
	do :: i < 3 -> PC(k,i) = 0; j = 0;
		do :: j < S -> PL(k,i,j) = 0; PV(k,i,j) = 0; j++ :: else -> break od; i++
	:: else -> break od;
	sent[k] = 0; open[k] = 0
}

inline leave(k)
{
	ph[k] = GONE; forget_promises(k); ACK(k,0) = 0; ACK(k,1) = 0; ACK(k,2) = 0
}

/* The node's own ballots but k end: it promised k. */
inline leave_others(x, k)
{
	m = 1;
	do :: m <= NB ->
		if :: own(m) == x && m != k && (ph[m] == PREP || ph[m] == ACT) -> leave(m) :: else fi; m++
	:: else -> break od
}

#ifdef SHAREDLOG
#define promise(x,k) prom[x] = k
#else
#define promise(x,k) if :: prom[x] != k -> prom[x] = k; leave_others(x,k) :: else fi
#endif

/* m := how far x's log agrees with ballot k's. */
inline match(x, k)
{
	m = cm[x];
	do :: m < S && L(x,m) == k -> m++ :: else -> break od;
#ifdef MATCHLAST
	if :: m == cm[x] -> do :: m < S && L(x,m) != 0 -> m++ :: else -> break od :: else fi
#endif
#ifdef HANDOVER
	if /* whoever took TRANSFER says that it has all of T's log */
	:: k == 2 && given && L(x,(given - 1)) == 2 && m < given ->
		m = given;
		do :: m < S && L(x,m) == 2 -> m++ :: else -> break od
	:: else
	fi
#endif
}

/* Entry 1..last of x. */
inline length(x, out)
{
	out = S;
	do :: out > 0 && L(x,(out - 1)) == 0 -> out-- :: else -> break od
}

inline cut(x, from)
{
	i = from;
	do :: i < S -> L(x,i) = 0; V(x,i) = 0; i++ :: else -> break od
}

/* P3: promise of x, into the log of k's node. */
inline merge(k, x)
{
	n = own(k); j = 0;
	do :: j < PC(k,x) -> /* chosen, whatever its label */
		if :: j >= cm[n] -> V(n,j) = PV(k,x,j); L(n,j) = (PL(k,x,j) > L(n,j) -> PL(k,x,j) : L(n,j)) :: else fi; j++
	:: else -> break od;
	know(n, PC(k,x));
#ifdef WHOLE
	length(n, lastx); lasty = S;
	do :: lasty > 0 && PL(k,x,(lasty - 1)) == 0 -> lasty-- :: else -> break od;
	if
	:: lasty > 0 && lasty > cm[n] && (lastx == 0 || PL(k,x,(lasty - 1)) > L(n,(lastx - 1)) ||
	   (PL(k,x,(lasty - 1)) == L(n,(lastx - 1)) && lasty > lastx)) ->
		j = cm[n];
		do :: j < S -> L(n,j) = PL(k,x,j); V(n,j) = PV(k,x,j); j++ :: else -> break od
	:: else
	fi
#else
	j = cm[n];
	do :: j < S ->
#ifdef LOWBALLOT
		if :: L(n,j) == 0 && PL(k,x,j) > 0 -> L(n,j) = PL(k,x,j); V(n,j) = PV(k,x,j) :: else fi;
#else
		if :: PL(k,x,j) > L(n,j) -> L(n,j) = PL(k,x,j); V(n,j) = PV(k,x,j) :: else fi;
#endif
		j++
	:: else -> break od
#endif
}

/* Re-labels what is not known committed, adds CLAIM, accepts it itself. */
inline begin(k)
{
	n = own(k); length(n, lastx); j = 0;
	do :: j < lastx ->
		if :: j >= cm[n] -> L(n,j) = k :: else fi;
		MV(k,j) = V(n,j); j++
	:: else -> break od;
	claim[k] = S + 1;
	if :: lastx < S -> L(n,lastx) = k; V(n,lastx) = k; MV(k,lastx) = k; lastx++; claim[k] = lastx :: else fi;
	pn[k] = lastx; ph[k] = ACT; forget_promises(k);
	if :: prom[n] <= k -> prom[n] = k; ACK(k,n) = lastx :: else fi
}

/* V3: the next entry that x lacks (ATOMIC: all of them). */
inline take(k, x)
{
	promise(x,k); match(x,k); n = m;
	do
	:: n < pn[k] -> L(x,n) = k; V(x,n) = MV(k,n); n++;
#ifndef ATOMIC
		break
#endif
	:: else -> break
	od;
	length(x, lastx);
#ifdef EARLYCUT
	if :: lastx > n -> cut(x, n) :: else fi;
#else
	if :: n >= claim[k] && lastx > n -> cut(x, n) :: else fi;
#endif
	if :: ph[k] == ACT && n > ACK(k,x) -> ACK(k,x) = n :: else fi
}

inline count(k)
{
	n = own(k); m = S;
	do
	:: m > cm[n] && !two((ACK(k,0) >= m) + 2 * (ACK(k,1) >= m) + 4 * (ACK(k,2) >= m)) -> m--
	:: else -> break
	od;
	if :: m > cm[n] -> lasty = m; know(n, lasty) :: else fi
}

#define active_at(x) ((own(1) == x && ph[1] == ACT) || (own(2) == x && ph[2] == ACT) || (own(3) == x && ph[3] == ACT) || ACT4(x))
#if NB > 3
#define ACT4(x) (own(4) == x && ph[4] == ACT)
#else
#define ACT4(x) false
#endif
#ifdef HANDOVER
#define prepares(k) ((k) != 2)
#else
#define prepares(k) true
#endif

#define S_START(k) :: d_step { prepares(k) && ph[k] == NEW && k > prom[own(k)] -> printf("@ node %d: PREPARE(%d)\n", own(k), k); \
	leave_others(own(k), k); ph[k] = PREP; prom[own(k)] = k; open[k] = 1 << own(k); sent[k] = open[k]; DONE }
#define S_V2(k,x) :: d_step { prepares(k) && own(k) != x && ph[k] != NEW && k >= prom[x] && (k > prom[x] || ph[k] == PREP) && !(sent[k] & (1 << x)) -> \
	printf("@ voter %d promises %d; its slots: label %d value %d, label %d value %d, commit %d\n", x, k, L(x,0), V(x,0), L(x,1), V(x,1), cm[x]); \
	promise(x,k); \
	if :: ph[k] == PREP -> sent[k] = sent[k] | (1 << x); PC(k,x) = cm[x]; j = 0; \
		do :: j < S -> PL(k,x,j) = L(x,j); PV(k,x,j) = V(x,j); j++ :: else -> break od \
	:: else fi; DONE }
#define S_P3(k,x) :: d_step { own(k) != x && ph[k] == PREP && (sent[k] & (1 << x)) && !(open[k] & (1 << x)) -> \
	merge(k,x); open[k] = open[k] | (1 << x); PC(k,x) = 0; j = 0; \
	do :: j < S -> PL(k,x,j) = 0; PV(k,x,j) = 0; j++ :: else -> break od; n = own(k); \
	printf("@ node %d merges the promise of %d: label %d value %d, label %d value %d, commit %d\n", own(k), x, L(n,0), V(n,0), L(n,1), V(n,1), cm[n]); DONE }
#define S_BEGIN(k) :: d_step { ph[k] == PREP && two(open[k]) -> begin(k); printf("@ node %d proposes under %d: %d, %d\n", own(k), k, MV(k,0), MV(k,1)); DONE }
#define S_MORE(k) :: d_step { ph[k] == ACT && pn[k] < S && prom[own(k)] <= k -> n = own(k); printf("@ node %d appends in ballot %d\n", n, k); \
	L(n,pn[k]) = k; V(n,pn[k]) = k; MV(k,pn[k]) = k; pn[k]++; ACK(k,n) = pn[k]; DONE }
#define S_V3(k,x) :: d_step { own(k) != x && ph[k] >= ACT && pn[k] && k >= prom[x] -> take(k,x); \
	printf("@ voter %d takes ACCEPT(%d): label %d value %d, label %d value %d\n", x, k, L(x,0), V(x,0), L(x,1), V(x,1)); DONE }
#define S_TOLD(k,x) :: d_step { own(k) != x && ph[k] == ACT && k >= prom[x] && cm[own(k)] > cm[x] -> promise(x,k); match(x,k); \
	lasty = (cm[own(k)] < m -> cm[own(k)] : m); know(x, lasty); printf("@ voter %d is told commit by %d: now %d\n", x, k, cm[x]); DONE }
#define S_COMMIT(k) :: d_step { ph[k] == ACT -> count(k); printf("@ node %d commits up to %d in ballot %d\n", own(k), cm[own(k)], k); DONE }
#define S_LEARN(x,y) :: d_step { cm[y] > cm[x] && !active_at(x) -> j = cm[x]; V(x,j) = V(y,j); L(x,j) = (L(y,j) > L(x,j) -> L(y,j) : L(x,j)); \
	lasty = j + 1; know(x, lasty); printf("@ node %d learns slot %d from %d: label %d value %d\n", x, cm[x] - 1, y, L(x,(cm[x] - 1)), V(x,(cm[x] - 1))); DONE }
#define S_RESTART(x) :: d_step { restarts < RS -> restarts++; printf("@ node %d restarts and has forgotten commit %d\n", x, cm[x]); leave_others(x, 0); cm[x] = 0; DONE }
/* P9: M (ballot 1, node 0) has committed all, T (ballot 2, node 1) has the same log; M stops. */
#define S_TRANSFER :: d_step { ph[1] == ACT && ph[2] == NEW && given == 0 && cm[0] == pn[1] && pn[1] < S && ACK(1,1) == pn[1] -> \
	printf("@ M stops, TRANSFER after index %d\n", pn[1]); given = pn[1] + 1; j = 0; \
	do :: j < given -> MV(2,j) = (j == given - 1 -> 2 : V(0,j)); j++ :: else -> break od; leave(1); DONE }
#ifdef NOMATCH
#define fits(x) true
#else
#define fits(x) (m >= given - 1)
#endif
#define S_V5(x) :: d_step { given && prom[x] <= 2 && cm[x] < given && (L(x,(given - 1)) != 2 || (ph[2] == ACT && ACK(2,x) < given)) -> match(x,1); \
	if :: fits(x) || L(x,(given - 1)) == 2 -> printf("@ voter %d takes TRANSFER\n", x); promise(x,2); cut(x, given - 1); \
		L(x,(given - 1)) = 2; V(x,(given - 1)) = 2; \
		if :: x == 1 && ph[2] == NEW -> ph[2] = ACT; pn[2] = given; claim[2] = given :: else fi; \
		if :: ph[2] == ACT -> ACK(2,x) = given :: else fi \
	:: else fi; DONE }

#define K3(X)  X(1) X(2) X(3)
#define K3X(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) X(3,0) X(3,1) X(3,2)
#if NB > 3
#define KK(X)  K3(X) X(4)
#define KX(X)  K3X(X) X(4,0) X(4,1) X(4,2)
#else
#define KK(X)  K3(X)
#define KX(X)  K3X(X)
#endif
#define XX(X)  X(0) X(1) X(2)
#define XY(X)  X(0,1) X(0,2) X(1,0) X(1,2) X(2,0) X(2,1)

active proctype world()
{
	do
	KK(S_START)
	KX(S_V2)
	KX(S_P3)
	KK(S_BEGIN)
	KK(S_MORE)
	KX(S_V3)
	KX(S_TOLD)
	KK(S_COMMIT)
#ifndef NOLEARN
	XY(S_LEARN)
#endif
#if RS > 0
	XX(S_RESTART)
#endif
#ifdef HANDOVER
	S_TRANSFER
	XX(S_V5)
#endif
	od
}
