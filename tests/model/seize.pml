/*
 * seize.pml: a survivor founds a new generation when the quorum is lost for good ("seize" of lease.md):
 * survey, consent, wait, founding record, followers, rivals. As in gossip/seize.c.
 *
 * Two models in one file. 4 nodes; VOTERS is a mask of the old generation's voters (default 0, 1, 2; 3 learns).
 * (default) Who may act. The old lease is reduced to grants and rounds: without PREPARE a grant is given
 *   only when none is live, which is enough for exclusion. Owners are voters 0 and 1. Seizers are
 *   nodes SA and SB, AT attempts each; an attempt names some nodes dead and needs the consent of all others.
 *   Nodes die for good or restart. At most MIST of those named are alive ("mistaken words").
 *   Consents, withdrawals and SEIZED stay deliverable for ever. A consenting owner begins no round, but its
 *   authority runs out by itself, and answers in flight still count.
 *   Checked: no owner of the old generation acts beside one of the new; with MIST=0 no two of the new;
 *   with MIST=1 two rivals do not act on after they met. MIST=1 is less than a majority: one wrong word of three
 *   does no harm.
 * -DLOG  What the new generation starts with. Two slots, NB ballots, plain Paxos slot by slot, learned entries,
 *   one seize by any node at any time; who is named dies with it, but for MIST of them. The founder takes of all
 *   who consented the higher ballot, slot by slot, as P3 does. Checked: a slot never gets two values; what was
 *   chosen and is held by a node that was not named is in the founder's log (whether or not anybody knew).
 * Time. As in lease.pml: D_P lasts DP true ticks, D_A DA, D_Q DQ, the seizer's wait W.
 * Not modelled: ballots of the lease (lease.pml), changes of the voters while seizing, generations above the
 *   second, how rivals come to meet.
 *
 * Weakenings (each must be violated):
 *   -DW=0        no wait
 *   -DW=1        a wait by shorter times than the old generation's last ones, which no survivor may know of
 *   EARLYWAIT    the wait starts with the survey, not with the last consent
 *   NOMUTE       a consent does not take the vote away
 *   VOLCONSENT   a restart forgets the consent
 *   LAPSE        a consent ends by itself, SEIZED may be under way
 *   OLDCONSENT   a consent to an abandoned attempt counts for the next
 *   OLDWITHDRAW  a withdrawal of an older attempt lifts the consent to a newer one
 *   KEEPWITHDRAW an attempt is withdrawn and founds all the same (the note "abandoned" comes too late)
 *   UNNAMED      a voter neither consents nor is named
 *   VOTERSONLY   (MIST=0 VOTERS=1 SB=2) unreachable members that are not voters need not be named
 *   SHARED       (MIST=0) who is seizing, or consented to another not named dead, consents again
 *   EQUALGOES    rivals with the same number both go on
 *   BLIND        (LOG) the founder keeps its own log, whatever the others have
 *   BYLAST       (LOG) the log whose last entry has the highest (ballot, index) is the best: lease.md's words.
 *                A suffix that was proposed again in part ends in a high ballot and lacks committed entries
 *   NOFREEZE     (LOG) a consenting node goes on accepting and learning
 * Bounds and numbers of states: tests/model/run.py.
 */
#ifndef VOTERS
#define VOTERS 7
#endif
#ifndef MIST
#define MIST 1
#endif
#define has(m,x)  (((m) >> (x)) & 1)
#define size(m)   (has(m,0) + has(m,1) + has(m,2) + has(m,3))
#define most(m)   (2 * size((m) & VOTERS) > size(VOTERS))
#define XX(X)  X(0) X(1) X(2) X(3)
#define MASKS(X,z) X(z,0) X(z,1) X(z,2) X(z,3) X(z,4) X(z,5) X(z,6) X(z,7) X(z,8) X(z,9) X(z,10) X(z,11) X(z,12) X(z,13) X(z,14) X(z,15)
/* z may name d: not itself, no quorum is left among the others, few of the words are wrong */
#define may_name(z,d) (!has(d,z) && !most(15 & ~(d)) && size((d) & alive) <= MIST)

byte alive = 15;

#ifndef LOG

#ifndef DP
#define DP 2
#endif
#ifndef DA
#define DA 2
#endif
#ifndef DQ
#define DQ 2
#endif
#ifndef W
#define W 2
#endif
#ifndef AT
#define AT 1
#endif
#ifndef RS
#define RS 1
#endif
#ifndef SA
#define SA 3
#endif
#ifndef SB
#define SB 0
#endif
#define NODE(s) (s -> SB : SA)

#define NONE    0
#define SURVEY  1
#define WAIT    2
#define FOUNDED 3
#define LOST    4 /* met a rival that goes before it */

byte g[4]; byte ex[4]; byte qu[4];
byte mute[4];             /* consents to attempt(s,a), durable; 0: votes */
byte led[4];              /* 1 + s: is of that new generation */
byte pend[2]; byte auth[2]; byte ans[2];
byte ph[2]; byte at[2];   /* at: number of the present attempt, from 1 */
byte need[2]; byte named[2]; byte w[2];
byte said[2 * AT]; byte withdrawn[2]; /* who said yes to each attempt; attempts withdrawn */
byte restarts;

#define attempt(s,a) (1 + (s) * AT + (a) - 1)
#define seizer_of(m) (((m) - 1) / AT)
#define dec(x) x = (x > 0 -> x - 1 : 0)
#define apart(s,x) (ph[s] == FOUNDED && auth[x] && NODE(s) != x)
#if MIST == 0
#define CHECK assert(!apart(0,0) && !apart(0,1) && !apart(1,0) && !apart(1,1)); assert(!(ph[0] == FOUNDED && ph[1] == FOUNDED))
#else
#define CHECK assert(!apart(0,0) && !apart(0,1) && !apart(1,0) && !apart(1,1))
#endif

#define votes(x) (has(alive & VOTERS,x) && mute[x] == 0 && led[x] == 0)
#define S_ROUND(x) :: d_step { votes(x) && pend[x] < DP -> printf("@ owner %d sends a round\n", x); pend[x] = DP; ans[x] = 0 }
#define S_ANSWER(x,y) :: d_step { pend[x] && votes(y) && qu[y] == 0 && (g[y] == 0 || g[y] == x + 1) && (!has(ans[x],y) || ex[y] < DA) -> \
	printf("@ voter %d grants to %d\n", y, x); g[y] = x + 1; ex[y] = DA; ans[x] = ans[x] | (1 << y) }
#define S_CERT(x) :: d_step { pend[x] && most(ans[x]) -> printf("@ owner %d is certified\n", x); \
	auth[x] = (pend[x] > auth[x] -> pend[x] : auth[x]); pend[x] = 0; ans[x] = 0; CHECK }

/* y's consent is free, is the same seizer's (an older attempt), or a seizer's that is named dead now */
#ifdef SHARED
#define consents(y,s,d) (led[y] == 0)
#else
#define consents(y,s,d) (led[y] == 0 && (mute[y] == 0 || seizer_of(mute[y]) == s || has(d,NODE(seizer_of(mute[y])))))
#endif
#if defined(UNNAMED)
#define left_out(z,d) (has(15 & ~(d), 1) && z != 1 -> 2 : 0)
#define allowed(z,d) (may_name(z,d) || may_name(z,(d) | left_out(z,d)))
#elif defined(VOTERSONLY)
#define left_out(z,d) (15 & ~(d) & ~VOTERS & ~(1 << (z)))
#define allowed(z,d) may_name(z,d)
#else
#define left_out(z,d) 0
#define allowed(z,d) may_name(z,d)
#endif
#ifdef EARLYWAIT
#define first_wait W
#define last_wait(s) skip
#else
#define first_wait 0
#define last_wait(s) w[s] = W
#endif
#define S_SURVEY(s,d) :: d_step { ph[s] == NONE && at[s] < AT && has(alive,NODE(s)) && consents(NODE(s),s,d) && allowed(NODE(s),d) -> \
	printf("@ node %d surveys, names %d\n", NODE(s), d); at[s]++; ph[s] = SURVEY; named[s] = d; w[s] = first_wait; \
	need[s] = 15 & ~(d) & ~left_out(NODE(s),d) & ~(1 << NODE(s)); mute[NODE(s)] = attempt(s,at[s]) }
#ifdef NOMUTE
#define silence(y,m) skip
#else
#define silence(y,m) mute[y] = m
#endif
#define S_CONSENT(s,y) :: d_step { ph[s] == SURVEY && has(need[s] & alive,y) && consents(y,s,named[s]) && !has(said[attempt(s,at[s]) - 1],y) -> \
	printf("@ node %d consents to %d\n", y, NODE(s)); silence(y, attempt(s,at[s])); said[attempt(s,at[s]) - 1] = said[attempt(s,at[s]) - 1] | (1 << y) }
#ifdef OLDCONSENT
#define yes(s) (said[attempt(s,at[s]) - 1] | said[attempt(s,1) - 1])
#else
#define yes(s) said[attempt(s,at[s]) - 1]
#endif
#define S_WAIT(s) :: d_step { ph[s] == SURVEY && (need[s] & ~yes(s)) == 0 -> printf("@ node %d has all consents, waits\n", NODE(s)); ph[s] = WAIT; last_wait(s) }
#define S_FOUND(s) :: d_step { ph[s] == WAIT && w[s] == 0 -> printf("@ node %d founds its generation and acts\n", NODE(s)); ph[s] = FOUNDED; led[NODE(s)] = 1 + s; CHECK }
#define S_SEIZED(s,y) :: d_step { ph[s] == FOUNDED && has(alive,y) && led[y] == 0 && mute[y] == attempt(s,at[s]) -> printf("@ node %d follows %d\n", y, NODE(s)); led[y] = 1 + s }
#ifdef KEEPWITHDRAW
#define over(s) skip
#else
#define over(s) ph[s] = NONE; w[s] = 0; named[s] = 0; need[s] = 0
#endif
#define S_ABANDON(s) :: d_step { (ph[s] == SURVEY || ph[s] == WAIT) && !has(withdrawn[s],at[s]) -> printf("@ node %d abandons its attempt\n", NODE(s)); \
	withdrawn[s] = withdrawn[s] | (1 << at[s]); over(s) }
#ifdef OLDWITHDRAW
#define lifts(s,y) (mute[y] && seizer_of(mute[y]) == s && withdrawn[s])
#else
#define lifts(s,y) (mute[y] && seizer_of(mute[y]) == s && has(withdrawn[s], mute[y] - s * AT))
#endif
#define S_LIFT(s,y) :: d_step { has(alive,y) && led[y] == 0 && lifts(s,y) -> printf("@ node %d votes again: %d withdrew\n", y, NODE(s)); mute[y] = 0 }
#define S_LAPSE(y) :: d_step { has(alive,y) && mute[y] && led[y] == 0 -> printf("@ node %d: its consent lapses\n", y); mute[y] = 0 }
#ifdef EQUALGOES
#define loses(s) skip
#else
#define loses(s) ph[s] = LOST
#endif
#define S_MEET(s) :: d_step { ph[0] == FOUNDED && ph[1] == FOUNDED -> \
	loses(s); printf("@ the rivals meet\n"); assert(!(ph[0] == FOUNDED && ph[1] == FOUNDED)) }

#define quiet(x) if :: x < 2 -> pend[x] = 0; auth[x] = 0; ans[x] = 0 :: else fi; g[x] = 0; ex[x] = 0
#define fails(s,x) if :: NODE(s) == x && (ph[s] == SURVEY || ph[s] == WAIT) -> withdrawn[s] = withdrawn[s] | (1 << at[s]); ph[s] = NONE; w[s] = 0; named[s] = 0; need[s] = 0 :: else fi
#define S_DIE(x) :: d_step { has(alive,x) -> printf("@ node %d dies for good\n", x); alive = alive & ~(1 << x); quiet(x); qu[x] = 0; fails(0,x); fails(1,x); \
	if :: NODE(0) == x && ph[0] == FOUNDED -> ph[0] = LOST :: NODE(1) == x && ph[1] == FOUNDED -> ph[1] = LOST :: else fi }
#ifdef VOLCONSENT
#define forget(x) if :: led[x] == 0 -> mute[x] = 0 :: else fi
#else
#define forget(x) skip
#endif
#define S_V0(x) :: d_step { restarts < RS && has(alive,x) -> printf("@ node %d restarts\n", x); restarts++; quiet(x); qu[x] = DQ; fails(0,x); fails(1,x); forget(x) }

#define TICKP(x) if :: pend[x] == 1 -> ans[x] = 0 :: else fi; dec(pend[x]); dec(auth[x])
#define TICKV(x) dec(ex[x]); dec(qu[x]); if :: ex[x] == 0 -> g[x] = 0 :: else fi
#define waiting (pend[0] || pend[1] || auth[0] || auth[1] || w[0] || w[1] || ex[0] || ex[1] || ex[2] || ex[3] || qu[0] || qu[1] || qu[2] || qu[3])
#define SX(X) X(0,0) X(0,1) X(0,2) X(0,3) X(1,0) X(1,1) X(1,2) X(1,3)
#define SS(X) X(0) X(1)

active proctype world()
{
	do
	:: d_step { waiting -> printf("@ tick\n"); TICKP(0); TICKP(1); TICKV(0); TICKV(1); TICKV(2); TICKV(3); dec(w[0]); dec(w[1]) }
	SS(S_ROUND)
	SX(S_ANSWER)
	SS(S_CERT)
	MASKS(S_SURVEY,0)
	MASKS(S_SURVEY,1)
	SX(S_CONSENT)
	SS(S_WAIT)
	SS(S_FOUND)
	SX(S_SEIZED)
#if AT > 1 || defined(KEEPWITHDRAW)
	SS(S_ABANDON)
#endif
	SX(S_LIFT)
	SS(S_MEET)
	XX(S_DIE)
#if RS > 0
	XX(S_V0)
#endif
#ifdef LAPSE
	XX(S_LAPSE)
#endif
	od
}

#else /* LOG */

#ifndef NB
#define NB 2
#endif
#define own(k)   (((k) - 1) % 3)
#define L(x,s)   lab[(x) * 2 + (s)]
#define V(x,s)   val[(x) * 2 + (s)]
#define BL(k,s)  bl[(k) * 2 + (s)]
#define BV(k,s)  bv[(k) * 2 + (s)]
#define MV(k,s)  msg[(k) * 2 + (s)]
#define ACK(k,s) ack[(k) * 2 + (s)]
#define NEW  0
#define PREP 1
#define ACT  2
#define GONE 3

byte prom[4]; byte lab[8]; byte val[8];   /* label: ballot under which it was accepted; value: ballot that first proposed it */
byte com[4];                              /* knows that many slots to be committed */
byte ph[NB + 1]; byte open[NB + 1];
byte bl[2 * (NB + 1)]; byte bv[2 * (NB + 1)]; /* the best of the promised logs */
byte msg[2 * (NB + 1)]; byte ack[2 * (NB + 1)];
byte chosen[2];
byte wrong;                               /* scratch: who is named, but alive */
byte frozen;                              /* who left the old generation's votes and log */
byte sz = 9; byte need; byte said; bit founded;
byte new[2];                              /* the founder's log */
byte topl; byte topi;                     /* the last entry of the best survey answer */
byte fl[2]; byte fv[2];                   /* the best of the surveyed logs, slot by slot */

#define works(x) (has(alive,x) && !has(frozen,x))
#define kept(s) (!chosen[s] || new[s] == chosen[s] || !(holds(0,s) || holds(1,s) || holds(2,s) || holds(3,s)))
#define holds(x,s) ((x == sz || has(need,x)) && V(x,s) == chosen[s])
#define CHECK assert(!founded || (kept(0) && kept(1)))
#define better(l,v,l2,v2) if :: l2 > l -> l = l2; v = v2 :: else fi
#define leave(k,x,b) if :: k != b && own(k) == x && (ph[k] == PREP || ph[k] == ACT) -> ph[k] = GONE; open[k] = 0; BL(k,0) = 0; BL(k,1) = 0; BV(k,0) = 0; BV(k,1) = 0 :: else fi
#if NB == 3
#define leave_others(x,b) leave(1,x,b); leave(2,x,b); leave(3,x,b)
#else
#define leave_others(x,b) leave(1,x,b); leave(2,x,b)
#endif
#define promise(k,x) prom[x] = k; leave_others(x,k); open[k] = open[k] | (1 << x); better(BL(k,0), BV(k,0), L(x,0), V(x,0)); better(BL(k,1), BV(k,1), L(x,1), V(x,1))
#define S_PREP(k) :: d_step { ph[k] == NEW && works(own(k)) && prom[own(k)] < k -> printf("@ node %d: PREPARE(%d)\n", own(k), k); ph[k] = PREP; promise(k,own(k)) }
#define S_V2(k,x) :: d_step { ph[k] == PREP && works(x) && prom[x] < k -> printf("@ node %d promises %d, its log is of %d, %d\n", x, k, L(x,0), L(x,1)); promise(k,x) }
#define S_P3(k) :: d_step { ph[k] == PREP && most(open[k]) -> printf("@ node %d: majority, proposes values %d, %d\n", own(k), (BV(k,0) -> BV(k,0) : k), (BV(k,1) -> BV(k,1) : k)); \
	ph[k] = ACT; MV(k,0) = (BV(k,0) -> BV(k,0) : k); MV(k,1) = (BV(k,1) -> BV(k,1) : k); open[k] = 0; BL(k,0) = 0; BL(k,1) = 0; BV(k,0) = 0; BV(k,1) = 0 }
#define S_V3(k,s,x) :: d_step { MV(k,s) && works(x) && prom[x] <= k && !has(ACK(k,s),x) && com[x] <= s && (s == 0 || L(x,0) == k || com[x]) -> \
	printf("@ node %d accepts value %d in slot %d under %d\n", x, MV(k,s), s, k); \
	if :: prom[x] != k -> prom[x] = k; leave_others(x,k) :: else fi; L(x,s) = k; V(x,s) = MV(k,s); ACK(k,s) = ACK(k,s) | (1 << x); \
	if :: most(ACK(k,s)) -> assert(chosen[s] == 0 || chosen[s] == MV(k,s)); chosen[s] = MV(k,s) :: else fi; CHECK }
#define S_COMMIT(k,s) :: d_step { ph[k] == ACT && works(own(k)) && com[own(k)] == s && most(ACK(k,s)) && has(ACK(k,s),own(k)) -> printf("@ node %d commits slot %d\n", own(k), s); com[own(k)] = s + 1 }
#define S_LEARN(x,y) :: d_step { works(x) && has(alive,y) && com[y] > com[x] -> printf("@ node %d learns slot %d from %d\n", x, com[x], y); \
	L(x,com[x]) = L(y,com[x]); V(x,com[x]) = V(y,com[x]); com[x]++; CHECK }
#define dead(x,m) if :: has(m,x) -> leave_others(x,0); prom[x] = 0; L(x,0) = 0; L(x,1) = 0; V(x,0) = 0; V(x,1) = 0; com[x] = 0 :: else fi
#define die(m) alive = 15 & ~(m); dead(0,m); dead(1,m); dead(2,m); dead(3,m)
#if MIST
#define one_wrong(d) if :: wrong = 0 :: has(d,0) -> wrong = 1 :: has(d,1) -> wrong = 2 :: has(d,2) -> wrong = 4 fi
#else
#define one_wrong(d) skip
#endif
#define last_label(x) (L(x,1) -> L(x,1) : L(x,0))
#define last_index(x) (L(x,1) -> 2 : (L(x,0) -> 1 : 0))
#ifdef NOFREEZE
#define freeze(x) skip
#else
#define freeze(x) frozen = frozen | (1 << x); leave_others(x,0)
#endif
#define survey(x) better(fl[0],fv[0],L(x,0),V(x,0)); better(fl[1],fv[1],L(x,1),V(x,1)); \
	if :: last_label(x) * 4 + last_index(x) > topl * 4 + topi -> topl = last_label(x); topi = last_index(x) :: else fi
#define S_SURVEY(z,d) :: atomic { sz == 9 && !has(d,z) && !most(15 & ~(d)) -> printf("@ node %d surveys, names %d\n", z, d); \
	one_wrong(d); d_step { die((d) & ~wrong); wrong = 0; sz = z; need = 15 & ~(d) & ~(1 << z); frozen = frozen | (1 << z); leave_others(z,0); survey(z) } }
#define S_CONSENT(y) :: d_step { sz != 9 && !founded && has(need & alive & ~said,y) -> printf("@ node %d consents, its log is of %d, %d\n", y, L(y,0), L(y,1)); said = said | (1 << y); freeze(y); survey(y) }
#ifdef BLIND
#define best(s) V(sz,s)
#define may_found true
#elif defined(BYLAST)
#define best(s) V(sz,s)
#define may_found (last_label(sz) == topl && last_index(sz) == topi)
#else
#define best(s) fv[s]
#define may_found true
#endif
#define S_FOUND :: d_step { sz != 9 && !founded && (need & ~said) == 0 && may_found -> new[0] = best(0); new[1] = best(1); founded = 1; \
	printf("@ node %d founds its generation with the values %d, %d\n", sz, new[0], new[1]); CHECK }

#if NB == 3
#define KK(X) X(1) X(2) X(3)
#define KX3(X) X(3,0) X(3,1) X(3,2)
#define KS3(X) X(3,0) X(3,1)
#define KSX3(X) X(3,0,0) X(3,0,1) X(3,0,2) X(3,1,0) X(3,1,1) X(3,1,2)
#else
#define KK(X) X(1) X(2)
#define KX3(X)
#define KS3(X)
#define KSX3(X)
#endif
#define KX(X) X(1,0) X(1,1) X(1,2) X(2,0) X(2,1) X(2,2) KX3(X)
#define KS(X) X(1,0) X(1,1) X(2,0) X(2,1) KS3(X)
#define KSX(X) X(1,0,0) X(1,0,1) X(1,0,2) X(1,1,0) X(1,1,1) X(1,1,2) X(2,0,0) X(2,0,1) X(2,0,2) X(2,1,0) X(2,1,1) X(2,1,2) KSX3(X)
#define XY(X) X(0,1) X(0,2) X(1,0) X(1,2) X(2,0) X(2,1) X(3,0) X(3,1) X(3,2) X(0,3) X(1,3) X(2,3)

active proctype world()
{
	do
	KK(S_PREP)
	KX(S_V2)
	KK(S_P3)
	KSX(S_V3)
	KS(S_COMMIT)
	XY(S_LEARN)
	MASKS(S_SURVEY,0)
	MASKS(S_SURVEY,1)
	MASKS(S_SURVEY,2)
	MASKS(S_SURVEY,3)
	XX(S_CONSENT)
	S_FOUND
	od
}
#endif
