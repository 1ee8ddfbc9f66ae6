/*
 * reconfig.pml: changing the voters under the lease: V1, P2, P4 and R1-R4 of lease.md, as in
 * gossip/voters.c and gossip/voter.c (config_passes).
 *
 * Modelled. 4 nodes, the first config is (ballot 0, version 0) of the nodes 0, 1, 2. A config is one
 *   byte: its id (ballot, version), by which it is ordered, and its set. NB ballots, each of whatever
 *   node takes it. Promise, grant with exclusion, rounds tagged with a config, authority from a
 *   round's deadline, one slot of the ledger that stands for all up to CLAIM (P4: master only when
 *   it is committed). PREPARE and ACCEPT carry the whole config; a lower id is refused, a higher one
 *   adopted, and its adopter leaves every ballot of its own (P2). A node can learn a higher config
 *   from any other at any time (REJECT, ENTRIES). A round may be accepted without its entry (a
 *   voter that lags). The last round of a ballot stays deliverable for ever, also when its owner has
 *   stopped. The ledger's value is counted in the config that the master uses *now*.
 * Time. As in lease.pml: D_P lasts DP true ticks, D_A lasts DA.
 * Not modelled: RELEASE, hand-over, restarts (lease.pml), three and more rounds at once (rounds.pml), the
 *   store (fsync.pml), a ballot left before its time, a PREPARE that arrives after its candidate left, the learner's training (it
 *   asks more than R3 does).
 * Checked: never two masters; the slot never gets two values.
 *
 * Weakenings (each must be violated):
 *   NOR1   the config is not rewritten under the master's own ballot first
 *   NOR2   the next change does not wait until a round tagged with the present config is the lease's
 *          certificate
 *   NOR3   committed entries need not be on a majority of the new set
 *   NOR4   any number of voters at a time
 *   NOV1   a voter does not refuse a lower config
 *   MIXED  whoever adopts a higher config goes on with its ballot, promises of the old set count on
 *   VERSIONFIRST  configs are ordered by version before ballot (seen only with three ballots)
 *   ANYTAG (with FLIGHT) a round of the former config is counted by the present set
 *   OWNTAG (with FLIGHT) a round of the former config is counted by its own set, and certifies the present one
 * Options: NB, DP, DA, VERSIONS (changes under one ballot, at most 3); SECOND, THIRD: the only node that takes
 *   ballot 2, 3; FLIGHT: ballot 1 has two rounds in flight, each with its own deadline, config and answers; as
 *   gossip/master.c (count_round), a round counts only while its config is the present one.
 * Bounds and numbers of states: tests/model/run.py.
 */
#define NB 3
#ifndef BALLOTS
#define BALLOTS NB
#endif
#ifndef DP
#define DP 1
#endif
#ifndef DA
#define DA 1
#endif
#ifndef VERSIONS
#define VERSIONS 2
#endif

#define NEW    0
#define PREP   1
#define CLAIM  2
#define MASTER 3
#define GONE   4

#ifdef VERSIONFIRST
#define id(c)  (version_of(c) << 2 | ballot_of(c))
#else
#define id(c)  ((c) >> 4)
#endif
#define set(c) ((c) & 15)
#define ballot_of(c)  ((c) >> 6)
#define version_of(c) (((c) >> 4) & 3)
#define make(b,v,s)   (((b) << 6) | ((v) << 4) | (s))
#define has(s,x)      ((s) >> (x) & 1)
#define size(s)       (has(s,0) + has(s,1) + has(s,2) + has(s,3))
#define quorum(votes,s) (2 * size((votes) & (s)) > size(s))

byte prom[4]; byte g[4]; byte ex[4]; byte cfg[4];
byte ab[4];             /* ballot under which the slot was accepted */
byte ph[NB + 1]; byte own[NB + 1];
byte pend[NB + 1];      /* ticks left of the attempt's or round's deadline */
byte auth[NB + 1];
byte open[NB + 1];      /* who promised                */
byte best[NB + 1];      /* highest ballot reported     */
byte acm[NB + 1];       /* who answered this round     */
byte em[NB + 1];        /* who has the entry under it  */
byte tag[NB + 1];       /* this round's config         */
bit  cert[NB + 1];      /* the certificate is of the present config */
byte val[NB + 1];
byte chosen;
byte i, c;              /* scratch */
#define DONE i = 0; c = 0

#ifdef FLIGHT
byte pend0; byte acm0; byte tag0; /* ballot 1's round before the newest, still in flight */
#define drop_older pend0 = 0; acm0 = 0; tag0 = 0
#define keep_older(k) if :: k == 1 && pend[1] -> pend0 = pend[1]; acm0 = acm[1]; tag0 = tag[1] :: else fi
#else
#define drop_older skip
#define keep_older(k) skip
#endif

#define leave(k) if :: k == 1 -> drop_older :: else fi; ph[k] = GONE; pend[k] = 0; auth[k] = 0; open[k] = 0; best[k] = 0; acm[k] = 0; em[k] = 0; cert[k] = 0

/* x leaves its ballots but k (0: all). */
inline leave_others(x, k)
{
	i = 1;
	do
	:: i <= NB ->
		if :: i != k && ph[i] >= PREP && ph[i] <= MASTER && own[i] == x -> leave(i) :: else fi; i++
	:: else -> break
	od
}

inline adopt(x, config)
{
	cfg[x] = config;
#ifndef MIXED
	leave_others(x, 0)
#endif
}

#define grant_free(k,x) (g[x] == 0 || own[g[x]] == own[k])

inline accept(k, x)
{
	if :: prom[x] != k -> prom[x] = k; leave_others(x,k) :: else fi;
	g[x] = k; ex[x] = DA; acm[k] = acm[k] | (1 << x)
}

/* One number, one deadline, one config; its own voter first. */
inline round(k, deadline)
{
	keep_older(k); pend[k] = deadline; acm[k] = 0; tag[k] = cfg[own[k]];
	if :: prom[own[k]] <= k && grant_free(k,own[k]) -> accept(k,own[k]) :: else fi
}

inline reconfigure(k, config)
{
	cfg[own[k]] = config; cert[k] = 0; round(k, DP)
}

#define one_master_besides(k) ((1 == k || ph[1] != MASTER) && (2 == k || ph[2] != MASTER) && (3 == k || NB < 3 || ph[3] != MASTER))
#define idle(x) (!(own[1] == x && ph[1] >= PREP && ph[1] <= MASTER) && !(own[2] == x && ph[2] >= PREP && ph[2] <= MASTER) && !(own[3] == x && ph[3] >= PREP && ph[3] <= MASTER))

#ifdef NOV1
#define passes(x,config) true
#else
#define passes(x,config) (id(config) >= id(cfg[x]))
#endif
#ifdef NOR1
#define R1(k) true
#define next_id(k) ballot_of(cfg[own[k]])
#else
#define R1(k) (ballot_of(cfg[own[k]]) == k)
#define next_id(k) k
#endif
#ifdef NOR2
#define R2(k) true
#else
#define R2(k) cert[k]
#endif
#if defined(NOR3) || defined(LEASEONLY)
#define R3(k,s) true
#else
#define R3(k,s) quorum(em[k], s)
#endif
#define may_change(k) (ph[k] == MASTER && R1(k) && R2(k) && version_of(cfg[own[k]]) < VERSIONS)

#define S_START(k,x) :: d_step { k <= BALLOTS && ph[k] == NEW && idle(x) && has(set(cfg[x]),x) && k > prom[x] && (g[x] == 0 || own[g[x]] == x) -> \
	printf("@ node %d: PREPARE(%d), config %d.%d of %d\n", x, k, ballot_of(cfg[x]), version_of(cfg[x]), set(cfg[x])); \
	own[k] = x; ph[k] = PREP; pend[k] = DP; prom[x] = k; open[k] = 1 << x; report(k,x); tag[k] = cfg[x]; DONE }
#ifdef LEASEONLY
#define propose(k) val[k] = 1
#define report(k,x) skip
#define applied(k) auth[k]
#else
#define propose(k) val[k] = (best[k] -> val[best[k]] : k); ab[own[k]] = k; em[k] = 1 << own[k]
#define report(k,x) best[k] = (ab[x] > best[k] -> ab[x] : best[k])
#define applied(k) quorum(em[k], set(cfg[own[k]]))
#endif
#define promises(k,x) (k >= prom[x] && grant_free(k,x) && has(set(tag[k]),x))
#ifdef MIXED
#define retag(k) tag[k] = cfg[own[k]]
#define hears(k,x) (promises(k,x) || id(tag[k]) > id(cfg[x]))
#define learns(x) true
#define opened(k) (2 * size(open[k]) > size(set(cfg[own[k]]))) /* bits by position mean other nodes now */
#else /* an adopter that refuses, or that leaves a ballot, does the same as one that lapses and learns */
#define retag(k) skip
#define hears(k,x) promises(k,x)
#define learns(x) idle(x)
#define opened(k) quorum(open[k], set(cfg[own[k]]))
#endif
#define S_V2(k,x) :: d_step { ph[k] == PREP && own[k] != x && !has(open[k],x) && passes(x,tag[k]) && hears(k,x) -> \
	retag(k); \
	if :: id(tag[k]) > id(cfg[x]) -> adopt(x, tag[k]) :: else fi; \
	if :: promises(k,x) -> printf("@ node %d promises %d\n", x, k); \
		if :: prom[x] != k -> prom[x] = k; leave_others(x,k) :: else fi; \
		open[k] = open[k] | (1 << x); report(k,x) \
	:: else -> printf("@ node %d takes the config of PREPARE(%d), refuses\n", x, k) fi; DONE }
#define S_P3(k) :: d_step { ph[k] == PREP && opened(k) -> \
	propose(k); printf("@ node %d: majority open, proposes value %d under %d\n", own[k], val[k], k); \
	ph[k] = CLAIM; open[k] = 0; best[k] = 0; round(k, pend[k]); DONE }
#define S_V3(k,x,e) :: d_step { ph[k] >= CLAIM && val[k] && own[k] != x && has(set(tag[k]),x) && passes(x,tag[k]) && k >= prom[x] && grant_free(k,x) && (e -> ab[x] != k : ph[k] != GONE && !has(acm[k],x)) -> \
	printf("@ node %d accepts round of %d, config %d.%d, entry %d\n", x, k, ballot_of(tag[k]), version_of(tag[k]), e); \
	if :: id(tag[k]) > id(cfg[x]) -> adopt(x, tag[k]) :: else fi; \
	accept(k,x); \
	if :: e -> ab[x] = k; em[k] = em[k] | (1 << x) :: else fi; \
	if :: ph[k] == GONE -> acm[k] = 0; em[k] = 0 :: else fi; DONE }
#define S_P4(k) :: d_step { (ph[k] == CLAIM || ph[k] == MASTER) && pend[k] && tag[k] == cfg[own[k]] && quorum(acm[k], set(tag[k])) -> \
	printf("@ node %d certified under %d in config %d.%d\n", own[k], k, ballot_of(tag[k]), version_of(tag[k])); \
	auth[k] = (pend[k] > auth[k] -> pend[k] : auth[k]); pend[k] = 0; acm[k] = 0; cert[k] = 1; DONE }
#ifdef LEASEONLY
#define S_COMMIT(k) :: d_step { ph[k] == CLAIM && auth[k] -> printf("@ node %d MASTER by %d\n", own[k], k); ph[k] = MASTER; assert(one_master_besides(k)) }
#else
#define S_COMMIT(k) :: d_step { (ph[k] == CLAIM || ph[k] == MASTER) && applied(k) && (chosen == 0 || chosen != val[k] || (ph[k] == CLAIM && auth[k])) -> \
	printf("@ node %d commits value %d under %d\n", own[k], val[k], k); assert(chosen == 0 || chosen == val[k]); chosen = val[k]; \
	if :: ph[k] == CLAIM && auth[k] -> printf("@ node %d MASTER by %d\n", own[k], k); ph[k] = MASTER; assert(one_master_besides(k)) :: else fi; DONE }
#endif
#ifdef FLIGHT
#if defined(ANYTAG)
#define counts true
#define counted_in cfg[own[1]]
#elif defined(OWNTAG)
#define counts true
#define counted_in tag0
#else
#define counts (tag0 == cfg[own[1]])
#define counted_in tag0
#endif
#define S_V3OLD(x) :: d_step { pend0 && own[1] != x && has(set(tag0),x) && passes(x,tag0) && 1 >= prom[x] && grant_free(1,x) && !has(acm0,x) && !has(acm[1],x) -> \
	printf("@ node %d accepts the older round of 1, config %d.%d\n", x, ballot_of(tag0), version_of(tag0)); \
	if :: id(tag0) > id(cfg[x]) -> adopt(x, tag0) :: else fi; \
	if :: prom[x] != 1 -> prom[x] = 1; leave_others(x,1) :: else fi; g[x] = 1; ex[x] = DA; acm0 = acm0 | (1 << x); DONE }
#define S_P4OLD :: d_step { pend0 && counts && quorum(acm0, set(counted_in)) -> \
	printf("@ node %d certified under 1 by the older round, config %d.%d, is in %d.%d\n", own[1], ballot_of(tag0), version_of(tag0), ballot_of(cfg[own[1]]), version_of(cfg[own[1]])); \
	if :: pend0 >= auth[1] -> cert[1] = 1 :: else fi; auth[1] = (pend0 > auth[1] -> pend0 : auth[1]); drop_older; DONE }
#endif
#define S_P5(k) :: d_step { (ph[k] == MASTER || (ph[k] == CLAIM && auth[k])) && pend[k] < DP -> printf("@ node %d: new round of %d\n", own[k], k); round(k, DP); DONE }
#define S_LEARN(x,y) :: d_step { learns(x) && id(cfg[y]) > id(cfg[x]) -> printf("@ node %d learns config %d.%d\n", x, ballot_of(cfg[y]), version_of(cfg[y])); adopt(x, cfg[y]); DONE }
#define S_R1(k) :: d_step { ph[k] == MASTER && ballot_of(cfg[own[k]]) != k -> c = make(k, version_of(cfg[own[k]]), set(cfg[own[k]])); \
	printf("@ node %d rewrites the config under %d\n", own[k], k); reconfigure(k, c); DONE }
#define S_R4(k,y) :: d_step { may_change(k) && own[k] != y && R3(k, set(cfg[own[k]]) ^ (1 << y)) -> \
	c = make(next_id(k), version_of(cfg[own[k]]) + 1, set(cfg[own[k]]) ^ (1 << y)); \
	printf("@ node %d changes the voters to %d, config %d.%d\n", own[k], set(c), ballot_of(c), version_of(c)); reconfigure(k, c); DONE }
#define S_NOR4(k,s) :: d_step { may_change(k) && has(s,own[k]) && R3(k, s) && set(cfg[own[k]]) != s -> \
	c = make(next_id(k), version_of(cfg[own[k]]) + 1, s); \
	printf("@ node %d changes the voters to %d, config %d.%d\n", own[k], set(c), ballot_of(c), version_of(c)); reconfigure(k, c); DONE }

#define dec(x) x = (x > 0 -> x - 1 : 0)
#ifdef FLIGHT
#define TICKOLD(k) if :: k == 1 && pend0 <= 1 -> drop_older :: k == 1 && pend0 > 1 -> pend0-- :: else fi
#else
#define TICKOLD(k) skip
#endif
#define TICKP(k) dec(pend[k]); dec(auth[k]); TICKOLD(k); \
	if :: ph[k] == MASTER && auth[k] == 0 -> leave(k) \
	:: (ph[k] == PREP || ph[k] == CLAIM) && pend[k] == 0 && auth[k] == 0 -> leave(k) \
	:: ph[k] == MASTER && pend[k] == 0 -> acm[k] = 0 :: else fi
#define TICKV(x) dec(ex[x]); if :: ex[x] == 0 -> g[x] = 0 :: else fi

#define XX(X)  X(0) X(1) X(2) X(3)
#define XY(X)  X(0,1) X(0,2) X(0,3) X(1,0) X(1,2) X(1,3) X(2,0) X(2,1) X(2,3) X(3,0) X(3,1) X(3,2)
#define KK(X)  X(1) X(2) X(3)
#define KX(X)  X(1,0) X(1,1) X(1,2) X(1,3) X(2,0) X(2,1) X(2,2) X(2,3) X(3,0) X(3,1) X(3,2) X(3,3)
#if defined(SECOND)
#define KX23(X) X(2,SECOND) X(3,THIRD)
#else
#define KX23(X) X(2,0) X(2,1) X(2,2) X(2,3) X(3,0) X(3,1) X(3,2) X(3,3)
#endif
#define KXE0(X) X(1,0,0) X(1,1,0) X(1,2,0) X(1,3,0) X(2,0,0) X(2,1,0) X(2,2,0) X(2,3,0) X(3,0,0) X(3,1,0) X(3,2,0) X(3,3,0)
#ifdef LEASEONLY
#define KXE(X) KXE0(X)
#else
#define KXE(X) KXE0(X) X(1,0,1) X(1,1,1) X(1,2,1) X(1,3,1) X(2,0,1) X(2,1,1) X(2,2,1) X(2,3,1) X(3,0,1) X(3,1,1) X(3,2,1) X(3,3,1)
#endif

active proctype world()
{
	d_step { /* node 0 had the promises of itself and node 1 */
		cfg[0] = 7; cfg[1] = 7; cfg[2] = 7; cfg[3] = 7;
		prom[0] = 1; prom[1] = 1; own[1] = 0; ph[1] = CLAIM; propose(1); round(1, DP); DONE }
	do
	:: d_step { (pend[1] || pend[2] || pend[3] || auth[1] || auth[2] || auth[3] || ex[0] || ex[1] || ex[2] || ex[3]) -> printf("@ tick\n");
		TICKP(1); TICKP(2); TICKP(3); TICKV(0); TICKV(1); TICKV(2); TICKV(3) }
	KX23(S_START)
	KX(S_V2)
	KK(S_P3)
	KXE(S_V3)
	KK(S_P4)
#ifdef FLIGHT
	XX(S_V3OLD)
	S_P4OLD
#endif
	KK(S_COMMIT)
	KK(S_P5)
	XY(S_LEARN)
#ifndef NOR1
	KK(S_R1)
#endif
	KX(S_R4)
#ifdef NOR4
	S_NOR4(1,1) S_NOR4(1,2) S_NOR4(1,4) S_NOR4(1,8) S_NOR4(2,1) S_NOR4(2,2) S_NOR4(2,4) S_NOR4(2,8)
#endif
	od
}
